// A Chromium that needs no display: from npm.
import chromium from "@sparticuz/chromium";
import { chromium as playwright } from "playwright-core";

export async function launchBrowser() {
  return playwright.launch({
    executablePath: process.env.CHROMIUM ?? (await chromium.executablePath()),
    args: [...chromium.args.filter((argument) => argument !== "--single-process"), "--no-sandbox"],
    headless: true,
  });
}

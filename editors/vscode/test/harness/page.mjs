// VS Code's page, as a person uses it.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import UPNG from "upng-js";
import { EXTENSION } from "./sandbox.mjs";

const PATIENCE = 30_000;
const COLOURS = 128;

/** Pictures go to $REMORA_PICTURES, or where nobody minds. */
export class Window {
  constructor(page) {
    this.page = page;
    this.pictures = process.env.REMORA_PICTURES ?? path.join(EXTENSION, "out/pictures");
    mkdirSync(this.pictures, { recursive: true });
    page.setDefaultTimeout(PATIENCE);
  }

  static async open(browser, server, folder, size = { width: 1100, height: 640 }) {
    const context = await browser.newContext({ viewport: size, reducedMotion: "reduce" });
    const page = await context.newPage();
    await page.goto(`${server.url}/?folder=${folder}`);
    await page.locator(".monaco-workbench").waitFor();
    return new Window(page);
  }

  /** Opens files from the explorer: `shop`, `cart.py`. */
  async openFile(...names) {
    await this.page.locator('.activitybar a[aria-label^="Explorer"]').waitFor();
    if (!(await this.page.locator(".explorer-folders-view").isVisible())) {
      await this.page.locator('.activitybar a[aria-label^="Explorer"]').click();
    }
    for (const name of names) {
      await this.page.locator(`.explorer-folders-view .monaco-list-row[aria-label^="${name}"]`).first().click();
    }
    await this.page.locator(`.tabs-container .tab[aria-label^="${names.at(-1)}"]`).waitFor();
    await this.text(names.at(-1) === "cart.py" ? "Cart" : "").first().waitFor();
  }

  async openView(name) {
    await this.page.locator(`.activitybar a[aria-label^="${name}"]`).click();
  }

  async widenSideBar(by) {
    const box = await this.page.locator(".part.sidebar").boundingBox();
    await this.page.mouse.move(box.x + box.width, box.y + 300);
    await this.page.mouse.down();
    await this.page.mouse.move(box.x + box.width + by, box.y + 300, { steps: 5 });
    await this.page.mouse.up();
  }

  /** A piece of the editor's text, as far as its colouring does not cut it. */
  text(piece) {
    return this.page.locator(".monaco-editor .view-line span span", { hasText: piece });
  }

  /** Selects the first place of a text in the file that is open. */
  async select(text) {
    await this.page.locator(".monaco-editor .view-lines").first().click();
    await this.page.keyboard.press("Control+Home");
    await this.page.keyboard.press("Control+f");
    await this.page.locator(".find-widget textarea").first().fill(text);
    await this.page.keyboard.press("Enter");
    await this.page.keyboard.press("Escape");
  }

  row(text) {
    return this.page.locator(".pane-body .monaco-list-row", { hasText: text });
  }

  async command(title) {
    await this.page.keyboard.press("F1");
    await this.page.locator(".quick-input-widget input").fill(`>${title}`);
    await this.page.locator(".quick-input-list .monaco-list-row").first().waitFor();
    await this.page.keyboard.press("Enter");
  }

  async picture(name, clip) {
    await this.page.mouse.move(0, 0);
    await this.still(name, clip);
  }

  /** A picture for which the mouse stays where it is. */
  async still(name, clip) {
    await this.page.waitForTimeout(400);
    const taken = UPNG.decode(await this.page.screenshot(clip ? { clip } : {}));
    const small = UPNG.encode(UPNG.toRGBA8(taken), taken.width, taken.height, COLOURS);
    writeFileSync(path.join(this.pictures, `${name}.png`), Buffer.from(small));
  }
}

/**
 * Runs one suite in the extension host; fails with the number of failed tests, so that VS Code's exit code tells.
 * What mocha reports goes line by line into the file $REMORA_TEST_REPORT: the console has all of VS Code's chatter.
 */
import { appendFileSync } from "node:fs";
import Mocha from "mocha";

const HANG = 60_000;

export async function runMocha(define: () => void): Promise<void> {
  const mocha = new Mocha({ ui: "bdd", timeout: HANG, reporter: ToFile });
  mocha.suite.emit("pre-require", globalThis, "", mocha);
  define();
  await new Promise<void>((resolve, reject) => {
    mocha.run((failures) => (failures ? reject(new Error(`${failures} tests failed`)) : resolve()));
  });
}

class ToFile extends Mocha.reporters.Base {
  constructor(runner: Mocha.Runner) {
    super(runner);
    const say = (text: string) => appendFileSync(process.env["REMORA_TEST_REPORT"]!, `${text}\n`);
    runner.on("pass", (test) => say(`  ok    ${test.title} (${test.duration} ms)`));
    runner.on("pending", (test) => say(`  SKIP  ${test.title}`));
    runner.on("fail", (test, error) => say(`  FAIL  ${test.fullTitle()}\n${error.stack ?? error.message}`));
    runner.once("end", () => say(`  ${runner.stats?.passes} passed, ${runner.stats?.failures} failed`));
  }
}

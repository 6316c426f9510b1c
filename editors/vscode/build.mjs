// The extension and its tests, each as one file in out/. `--production`: the extension alone, small.
import { build } from "esbuild";

const production = process.argv.includes("--production");
const common = {
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  external: ["vscode", "mocha"],
  minify: production,
  sourcemap: !production,
  logLevel: "warning",
};

await build({ ...common, entryPoints: ["src/extension.ts"], outfile: "out/extension.js" });
if (!production) {
  await build({ ...common, entryPoints: ["trusted", "untrusted", "several", "newcomer"].map((name) => `test/host/${name}.ts`), outdir: "out/test" });
}

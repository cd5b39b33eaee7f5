// Bundles what the extension ships (dist/), and with --tests its tests (dist-tests/). usage: node esbuild.mjs [--production | --tests]
import { build } from "esbuild";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const production = process.argv.includes("--production");
const shared = { absWorkingDir: here, bundle: true, minify: production, sourcemap: production ? false : "linked", logLevel: "warning", legalComments: "none" };
const host = { ...shared, platform: "node", target: "node20", format: "cjs", external: ["vscode"] };

if (process.argv.includes("--tests")) {
  rmSync(`${here}dist-tests`, { recursive: true, force: true });
  const entryPoints = readdirSync(`${here}test`).filter((name) => /^[^.]+\.ts$/.test(name) && !["mocha.ts", "support.ts"].includes(name)).map((name) => `test/${name}`);
  await build({ ...host, entryPoints, outdir: "dist-tests", outExtension: { ".js": ".cjs" }, external: ["vscode", "mocha"] });
} else {
  rmSync(`${here}dist`, { recursive: true, force: true });
  // The language client is most of the code and is loaded after activation: a file of its own.
  const apart = { name: "apart", setup: ({ onResolve }) => onResolve({ filter: /^\.\/client$/ }, () => ({ path: "./client.cjs", external: true })) };
  const parts = { outdir: "dist", outExtension: { ".js": ".cjs" } };
  await build({ ...host, ...parts, entryPoints: { extension: "src/extension.ts" }, plugins: [apart] });
  await build({ ...host, ...parts, entryPoints: { client: "src/client.ts" } });
  if (existsSync(`${here}src/chat-view/main.ts`)) {
    await build({ ...shared, entryPoints: { "chat-view": "src/chat-view/main.ts" }, outdir: "dist", platform: "browser", target: "chrome122", format: "iife", alias: { entities: "./src/chat-view/entities.ts" } });
  }
}

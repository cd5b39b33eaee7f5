// main.js, as Obsidian loads it.
import { statSync } from "node:fs";
import { builtinModules } from "node:module";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const LIMIT = 300_000;
const here = fileURLToPath(new URL(".", import.meta.url));
await build({
  absWorkingDir: here,
  entryPoints: ["src/main.ts"],
  outfile: "main.js",
  bundle: true,
  minify: true,
  format: "cjs",
  platform: "node",
  target: "es2022",
  external: ["obsidian", "electron", "@codemirror/*", ...builtinModules],
  legalComments: "inline",
  logLevel: "warning",
});
const size = statSync(new URL("main.js", import.meta.url)).size;
if (size >= LIMIT) throw new Error(`main.js has ${size} bytes, which is not less than ${LIMIT}`);

// main.js, as Obsidian loads it.
import { readFileSync, statSync } from "node:fs";
import { builtinModules, createRequire } from "node:module";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const LIMIT = 300_000;
// What is bundled is to be accompanied by its licence.
const jsonrpc = path.resolve(path.dirname(createRequire(import.meta.url).resolve("vscode-jsonrpc")), "../../License.txt");
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
  banner: { js: `/*! Khoj for Obsidian: Apache-2.0. With vscode-jsonrpc:\n${readFileSync(jsonrpc, "utf8").trim()}\n*/` },
  logLevel: "warning",
});
const size = statSync(new URL("main.js", import.meta.url)).size;
if (size >= LIMIT) throw new Error(`main.js has ${size} bytes, which is not less than ${LIMIT}`);

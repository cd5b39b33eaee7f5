// Bundles what the extension ships (dist/), and with --tests its tests (dist-tests/). usage: node esbuild.mjs [--production | --tests]
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const production = process.argv.includes("--production");
const shared = { absWorkingDir: here, bundle: true, minify: production, sourcemap: production ? false : "linked", logLevel: "warning", legalComments: "none", metafile: true };
const host = { ...shared, platform: "node", target: "node20", format: "cjs", external: ["vscode"] };

// The compiler of the language client has put the same helpers into each of its files, all in all 40 kB: they are there once.
const HELPER = /^var (__\w+) = \(this && this\.\1\) \|\| [^]*?^\}\)*(?:\(\))?;\n/gm;
const helpers = {
  name: "helpers",
  setup({ onLoad, onResolve }) {
    const texts = new Map(); // each once, by what it is
    onLoad({ filter: /node_modules[\\/].*\.js$/ }, ({ path }) => {
      const source = readFileSync(path, "utf8");
      const taken = [...source.matchAll(HELPER)];
      if (taken.length === 0) return undefined;
      const names = taken.map(([, name]) => name).join(", ");
      const text = `${taken.map(([whole]) => whole).join("")}module.exports = { ${names} };`;
      const key = createHash("sha256").update(text).digest("hex");
      texts.set(key, text);
      return { contents: `const { ${names} } = require("helpers:${key}");${source.replace(HELPER, "")}`, loader: "js" };
    });
    onResolve({ filter: /^helpers:/ }, ({ path }) => ({ path, namespace: "helpers" }));
    onLoad({ filter: /./, namespace: "helpers" }, ({ path }) => ({ contents: texts.get(path.split(":")[1]), loader: "js" }));
  },
};
// With this package (20 kB) the language client looks whether VS Code is older than 1.91, which `engines` in package.json says better.
const versions = {
  name: "versions",
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^semver\/functions\/(parse|satisfies)$/ }, ({ path }) => ({ path, namespace: "versions" }));
    onLoad({ filter: /./, namespace: "versions" }, () => ({ contents: "module.exports = () => true;", loader: "js" }));
  },
};

/** The licences of the libraries of which there is something in a bundle: they ask to go with it. */
function licences(metafiles) {
  const packages = new Map();
  for (const path of metafiles.flatMap(({ inputs }) => Object.keys(inputs))) {
    const place = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
    if (place !== undefined) packages.set(place, JSON.parse(readFileSync(join(here, place, "package.json"), "utf8")));
  }
  const texts = [...packages].map(([place, { name, version }]) => {
    const file = readdirSync(join(here, place)).find((one) => /^licen[cs]e/i.test(one));
    if (file === undefined) throw new Error(`${name} comes without its licence`);
    return `${name} ${version}\n\n${readFileSync(join(here, place, file), "utf8").trim()}\n`;
  });
  return texts.sort().join(`\n${"-".repeat(80)}\n\n`);
}

if (process.argv.includes("--tests")) {
  rmSync(`${here}dist-tests`, { recursive: true, force: true });
  const entryPoints = readdirSync(`${here}test`).filter((name) => /^[^.]+\.ts$/.test(name) && !["mocha.ts", "support.ts"].includes(name)).map((name) => `test/${name}`);
  await build({ ...host, entryPoints, outdir: "dist-tests", outExtension: { ".js": ".cjs" }, external: ["vscode", "mocha"] });
} else {
  rmSync(`${here}dist`, { recursive: true, force: true });
  // The language client is most of the code and is loaded after activation: a file of its own.
  const apart = { name: "apart", setup: ({ onResolve }) => onResolve({ filter: /^\.\/client$/ }, () => ({ path: "./client.cjs", external: true })) };
  const parts = { outdir: "dist", outExtension: { ".js": ".cjs" } };
  const page = { outdir: "dist", platform: "browser", target: "chrome122", format: "iife", alias: { entities: "./src/chat-view/entities.ts" } };
  const built = await Promise.all([
    build({ ...host, ...parts, entryPoints: { extension: "src/extension.ts" }, plugins: [apart] }),
    build({ ...host, ...parts, entryPoints: { client: "src/client.ts" }, plugins: [helpers, versions] }),
    build({ ...shared, ...page, entryPoints: { "chat-view": "src/chat-view/main.ts" } }),
  ]);
  writeFileSync(`${here}dist/LICENSES.txt`, licences(built.map(({ metafile }) => metafile)));
}

// The page: an Obsidian of the tests with the shipped main.js in it.
import * as state from "@codemirror/state";
import * as view from "@codemirror/view";
import { setup } from "obsidian-test-mocks/setup";

import { World, type Disk } from "../world/app";
import * as electron from "../world/electron";
import * as obsidian from "../world/obsidian";
import { globals, heard, modules } from "./node";

type Main = Parameters<World["load"]>[0];

declare global {
  function diskRead(path: string): Promise<string>;
  function diskWrite(path: string, text: string): Promise<void>;
  function diskMake(path: string): Promise<void>;
}

/** What the test gives to the page. */
export interface Given {
  main: string;
  manifest: unknown;
  base: string;
  home: string;
  files: Record<string, string>;
  settings: Record<string, unknown>;
}

const provided: Readonly<Record<string, unknown>> = {
  ...modules, obsidian, electron, "@codemirror/state": state, "@codemirror/view": view,
};

const harness = {
  heard,
  world: undefined as World | undefined,

  async begin(given: Given): Promise<void> {
    setup();
    Object.assign(globalThis, globals, { global: globalThis });
    const os = { homedir: () => given.home };
    const disk: Disk = { base: given.base, read: diskRead, write: diskWrite, mkdir: diskMake, rename: () => Promise.reject(new Error("nothing is renamed here")) };
    const world = new World(disk, given.files, given.settings);
    harness.world = world;
    const module = { exports: {} as { default?: Main } };
    const require = (name: string): unknown => {
      const found = { ...provided, os }[name.replace(/^node:/, "")];
      if (found === undefined) throw new Error(`no module ${name} here`);
      return found;
    };
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- as Obsidian itself loads a plugin
    const run = new Function("module", "exports", "require", given.main) as (...all: unknown[]) => void;
    run(module, module.exports, require);
    if (module.exports.default === undefined) throw new Error("main.js exports no plugin");
    await world.load(module.exports.default, given.manifest);
  },
};

export type Harness = typeof harness;
Object.assign(globalThis, { harness });

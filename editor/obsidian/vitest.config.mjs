import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

export default defineConfig({
  resolve: { alias: { obsidian: here("test/world/obsidian.ts"), electron: here("test/world/electron.ts") } },
  test: {
    environment: "jsdom",
    setupFiles: ["test/setup.ts"],
    include: ["test/*.test.ts"],
    // A machine that others use too may stand still for seconds; `until` in test/shipped.ts says what did not come, before this ends.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 60_000,
    pool: "forks",
    maxWorkers: 2,
  },
});

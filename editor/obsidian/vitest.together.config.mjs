// The plugin as one of several editors at one daemon; tests/editors/together runs it.
import { mergeConfig } from "vitest/config";
import alone from "./vitest.config.mjs";

const together = mergeConfig(alone, { test: { testTimeout: 500_000 } });
together.test.include = ["test/together/*.test.ts"];
export default together;

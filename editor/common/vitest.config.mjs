import { defineConfig } from "vitest/config";

// A machine that others use too may stand still for seconds; a test that waits for a program must not fail for that.
export default defineConfig({ test: { include: ["test/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000, pool: "forks" } });

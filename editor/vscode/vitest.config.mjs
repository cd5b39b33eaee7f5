import { defineConfig } from "vitest/config";

// The page of the chat view in a real browser; what runs inside VS Code is run by mocha, see esbuild.mjs and tests/editors/vscode.
export default defineConfig({ test: { include: ["test/view/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000 } });

import { defineConfig } from "vitest/config";

export default defineConfig({ test: { include: ["test/*.measure.ts"], pool: "forks" } });

import { defineConfig } from "vitest/config";

// biome-ignore lint/style/noDefaultExport: vitest takes its configuration from the default export
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Minutes each, and they starve whatever runs beside them, or are spoilt by it: `npm run faults` runs them alone.
    exclude:
      process.env.MATGHI_LONG === "1"
        ? []
        : ["weak-line", "weak-stream", "backlog", "slow-probes"].map((name) => `test/faults/${name}.test.ts`),
    // `npm run faults` wants to know which test printed a figure.
    setupFiles: process.env.MATGHI_FIGURES === undefined ? [] : ["test/proof/figures.ts"],
    pool: "forks",
    maxWorkers: 2,
    // Bounds for a hang, not for speed: real processes on a busy machine take their time.
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});

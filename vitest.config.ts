import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "fast",
          // Properties of thousands of runs, on a machine that may have other work.
          testTimeout: 120_000,
          include: [
            "test/unit/**/*.test.ts",
            "test/session/**/*.test.ts",
            "test/properties/**/*.test.ts",
            "test/house/**/*.test.ts",
          ],
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          // What a test waits for has limits of its own, told by name (test/support/scratch.ts); these are for the rest.
          testTimeout: 240_000,
          hookTimeout: 240_000,
          maxWorkers: 2,
        },
      },
    ],
  },
});

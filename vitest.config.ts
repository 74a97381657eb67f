import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "fast",
          // Properties of thousands of runs, on a machine that may have other work.
          testTimeout: 30_000,
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
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
    ],
  },
});

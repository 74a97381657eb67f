import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "fast",
          // Properties with many runs take their time on a busy machine.
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
          // Real servers on a machine that others load: a second try before CI calls it a failure. Never at a desk.
          retry: process.env.CI === "true" ? 2 : 0,
          maxWorkers: 2,
        },
      },
    ],
  },
});

import { describe, expect, it } from "vitest";
import { wholeFileProblem } from "../../../src/base/problem.ts";
import { nothingNamed, ReloadReport } from "../../../src/server/reload-report.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

describe("ReloadReport", () => {
  it("tells the times of the gateway's own clock", () => {
    let nowMs = 1000;
    const nothing = () => {};
    const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing, child: () => logger };
    const report = new ReloadReport(
      { name: "users file", path: "u.json" },
      {
        clock: { wallMs: () => nowMs, monotonicMs: () => 0 },
        logger,
        audit: { record: nothing },
        metrics: createMetrics({ processMetrics: false }),
      },
    );
    expect(report.loadedAtMs).toBe(1000);
    nowMs = 2000;
    const problems = [wholeFileProblem("u.json", "Cannot read the file")];
    report.handle({ kind: "failed", trigger: "file", problems }, nothingNamed);
    expect(report).toMatchObject({ loadedAtMs: 1000, failure: { atMs: 2000 } });
    nowMs = 3000;
    report.handle({ kind: "reloaded", trigger: "file", generation: 2, previous: 1, value: 2 }, nothingNamed);
    expect(report).toMatchObject({ loadedAtMs: 3000, failure: null, generation: 2 });
  });

  it("keeps its records short, however many names and problems there are", () => {
    const nothing = () => {};
    const logged: Record<string, unknown>[] = [];
    const note = (_message: string, fields?: object) => void logged.push({ ...fields });
    const logger = { debug: nothing, info: note, warn: nothing, error: note, child: () => logger };
    const report = new ReloadReport(
      { name: "users file", path: "u.json" },
      {
        clock: { wallMs: () => 1, monotonicMs: () => 0 },
        logger,
        audit: { record: nothing },
        metrics: createMetrics({ processMetrics: false }),
      },
    );
    const problems = Array.from({ length: 2000 }, () => wholeFileProblem("u.json", "x".repeat(1e5)));
    report.handle({ kind: "failed", trigger: "file", problems }, nothingNamed);
    expect(logged[0]?.problems).toHaveLength(51);
    expect(listOf(logged[0]?.problems).at(-1)).toBe("and 1950 more: gatehouse check lists them");
    expect(JSON.stringify(logged[0]).length).toBeLessThan(60_000);
    const added = Array.from({ length: 100_000 }, (_, index) => `user${index}[0]`);
    report.handle({ kind: "reloaded", trigger: "file", generation: 2, previous: 1, value: 2 }, () => ({
      added,
      removed: [],
      changed: ["one"],
    }));
    expect(logged[1]).toMatchObject({ removed: [], changed: ["one"] });
    expect(logged[1]?.added).toHaveLength(501);
    expect(listOf(logged[1]?.added).at(-1)).toBe("and 99500 more");
  });
});

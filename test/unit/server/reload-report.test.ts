import { describe, expect, it } from "vitest";
import { wholeFileProblem } from "../../../src/base/problem.ts";
import { nothingNamed, ReloadReport } from "../../../src/server/reload-report.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";

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
});

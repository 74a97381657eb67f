import { describe, expect, it } from "vitest";
import { historyPointsMax, quantile, TrafficHistory } from "../../../src/admin/traffic-history.ts";

function counters(commands: number, latencyCounts: number[]) {
  return {
    commands,
    errors: 0,
    loginsAccepted: commands / 2,
    loginsRefused: 0,
    denials: 0,
    bytesReceived: 0,
    bytesSent: 0,
    latencyCounts,
    latencyBoundsMs: [1, 10],
    sessions: 4,
    leased: 1,
    waiting: 0,
    memoryBytes: 5,
    eventLoopBusy: 0.5,
    eventLoopDelayMs: 1,
  };
}

describe("TrafficHistory", () => {
  it("keeps rates of each interval, whatever its real length", () => {
    const counts = [0, 0, 0];
    let now = counters(100, counts);
    const history = new TrafficHistory(() => now, 1000);
    counts[1] = 10; // The array lives on: the history must have copied it.
    now = counters(160, counts);
    history.tick(50_000, 5000);
    expect(history.after(0)).toMatchObject([
      { atMs: 50_000, commandsPerSecond: 15, loginsPerSecond: 7.5, p50Ms: 5.5, sessions: 4 },
    ]);
    history.tick(52_000, 7000);
    expect(history.after(50_000)).toMatchObject([{ commandsPerSecond: 0, p50Ms: null, p99Ms: null }]);
  });

  it("keeps a bounded number of points", () => {
    const history = new TrafficHistory(() => counters(0, [0, 0, 0]), 0);
    for (let tick = 1; tick <= historyPointsMax + 10; tick++) history.tick(tick, tick);
    expect(history.after(0)).toHaveLength(historyPointsMax);
    expect(history.after(0)[0]?.atMs).toBe(11);
  });
});

describe("quantile()", () => {
  it.each([
    [[0, 0, 0], 0.5, null],
    [[4, 0, 0], 0.5, 0.5],
    [[1, 1, 0], 0.5, 1],
    [[0, 10, 0], 1, 10],
    [[1, 0, 99], 0.99, 10],
  ])("of %j at %d is %d", (counts, share, wanted) => {
    expect(quantile(counts, [1, 10], share)).toBe(wanted);
  });
});

import { describe, expect, it } from "vitest";
import {
  CommandLatency,
  commandBoundsMs,
  commandKindOf,
  Latency,
  loginBoundsMs,
} from "../../../src/session/latency.ts";
import { statementText } from "../../../src/session/statement-text.ts";
import { bareStatement } from "../../../src/sql/statement-summary.ts";
import { metricTable } from "../../../src/telemetry/metric-table.ts";

const textOf = (...kinds: string[]) => statementText(kinds.map(bareStatement), null);

describe("Latency", () => {
  it("has the buckets of the metrics that it is copied into", () => {
    const seconds = (bounds: readonly number[]) => bounds.map((bound) => bound / 1000);
    expect(metricTable.command_seconds.buckets).toEqual(seconds(commandBoundsMs));
    expect(metricTable.login_seconds.buckets).toEqual(seconds(loginBoundsMs));
  });

  it("sorts values, the largest into the bucket without a bound", () => {
    const latency = new Latency([1, 10]);
    for (const value of [0, 1, 1.5, 10, 11]) latency.observe(value);
    expect(latency.counts).toEqual([2, 2, 1]);
    expect(latency.sumMs).toBe(23.5);
  });
});

describe("commandKindOf()", () => {
  it.each([
    [null, "other"],
    [textOf("SELECT"), "read"],
    [textOf("REPLACE"), "write"],
    [textOf("UNKNOWN"), "other"],
    [textOf("SELECT", "SELECT"), "other"],
  ])("judges case %#", (text, kind) => {
    expect(commandKindOf(text)).toBe(kind);
  });
});

describe("CommandLatency", () => {
  it("times keyspaces apart, and those beyond the limit together", () => {
    const latency = new CommandLatency();
    latency.observe(null, "read", 1);
    for (let index = 0; index < 300; index += 1) latency.observe(`k${index}`, "write", 1);
    latency.observe("k0", "write", 1);
    const counted = [...latency.all()]
      .map(({ keyspace, kind, latency: { counts } }) => [keyspace, kind, counts.reduce((a, b) => a + b, 0)])
      .filter(([, , count]) => count !== 0);
    expect(counted[0]).toEqual(["none", "read", 1]);
    expect(counted[1]).toEqual(["k0", "write", 2]);
    expect(counted.at(-1)).toEqual(["other", "write", 44]);
    expect(counted.length).toBe(258);
  });
});

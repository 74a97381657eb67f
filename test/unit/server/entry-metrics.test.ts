import { describe, expect, it } from "vitest";
import { exportEntryMetrics } from "../../../src/server/entry-metrics.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { quietSources } from "../../support/admin-sources.ts";

describe("exportEntryMetrics()", () => {
  it("puts entries beyond the label's limit together, and loses none of their logins", async () => {
    const [entry] = quietSources().userActivity()?.entries ?? [];
    if (entry === undefined) throw new Error("no entry to copy");
    const entries = Array.from({ length: 1500 }, (_, index) => ({
      ...entry,
      fingerprint: `f${index}`,
      logins: 2,
      liveSessions: 1,
      lastLoginMs: index * 1000,
    }));
    const metrics = createMetrics({ processMetrics: false });
    exportEntryMetrics(metrics, () => ({ countingSinceMs: 0, generation: 1, stale: false, entries }));
    const text = await metrics.text();
    const total = [...text.matchAll(/^gatehouse_entry_logins_total\{.*\} (\d+)$/gm)];
    expect(total.length).toBe(1000);
    expect(total.reduce((sum, [, value]) => sum + Number(value), 0)).toBe(3000);
    expect(text).toContain('gatehouse_entry_last_login_timestamp_seconds{user="other",entry="other"} 1499\n');
    expect(text).toContain('gatehouse_entry_sessions{user="u",entry="f0"} 1\n');
  });
});

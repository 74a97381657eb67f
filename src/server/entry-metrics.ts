// Exports what was seen of every entry of the users file: rotation is watched by it. An entry that a reload removes takes
// its series with it. A scrape costs the same for a hundred thousand entries as for a thousand.

import { metricTable } from "../telemetry/metric-table.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { EntryTotals } from "./user-activity.ts";

const MS_PER_SECOND = 1000;

/** Entries with series of their own; the rest is put together before the metrics see it. */
const entriesMax = metricTable.entry_logins_total.labels.entry.distinctMax - 1;

/** Registers the copying; `totals` is asked whenever metrics are read. */
export function exportEntryMetrics(metrics: Metrics, totals: (ownMax: number) => EntryTotals | null): void {
  metrics.onRead(() => {
    const { own = [], others = null } = totals(entriesMax) ?? {};
    const rows = [
      ...own.map((entry) => ({ labels: { user: entry.user, entry: entry.fingerprint }, entry })),
      ...(others === null ? [] : [{ labels: { user: "other", entry: "other" }, entry: others }]),
    ];
    const values = (value: (entry: NonNullable<EntryTotals["others"]>) => number) =>
      rows.map(({ labels, entry }) => ({ labels, value: value(entry) }));
    metrics.replaceSeries(
      "entry_logins_total",
      values((entry) => entry.logins),
      "sum",
    );
    metrics.replaceSeries(
      "entry_sessions",
      values((entry) => entry.liveSessions),
      "sum",
    );
    metrics.replaceSeries(
      "entry_last_login_timestamp_seconds",
      values((entry) => (entry.lastLoginMs ?? 0) / MS_PER_SECOND),
      "largest",
    );
  });
}

// Exports what was seen of every entry of the users file: rotation is watched by it. An entry that a reload removes takes
// its series with it. A scrape costs the same for a thousand entries as for a hundred thousand, nearly.

import type { EntryActivity, UserActivitySnapshot } from "../admin/admin-sources.ts";
import { metricTable } from "../telemetry/metric-table.ts";
import type { Metrics } from "../telemetry/metrics.ts";

const MS_PER_SECOND = 1000;

/** Entries with series of their own; the rest is put together before the metrics see it. */
const entriesMax = metricTable.entry_logins_total.labels.entry.distinctMax - 1;

interface EntryRow {
  readonly labels: { readonly user: string; readonly entry: string };
  readonly entry: Pick<EntryActivity, "logins" | "liveSessions" | "lastLoginMs">;
}

/** Registers the copying; `activity` is asked whenever metrics are read. */
export function exportEntryMetrics(metrics: Metrics, activity: () => UserActivitySnapshot | null): void {
  metrics.onRead(() => {
    const rows = rowsOf(activity()?.entries ?? []);
    const values = (value: (entry: EntryRow["entry"]) => number) =>
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

function rowsOf(entries: readonly EntryActivity[]): EntryRow[] {
  const own = entries.slice(0, entriesMax).map(
    (entry): EntryRow => ({
      labels: { user: entry.user, entry: entry.fingerprint },
      entry,
    }),
  );
  if (entries.length <= entriesMax) return own;
  const rest = { logins: 0, liveSessions: 0, lastLoginMs: 0 };
  for (let index = entriesMax; index < entries.length; index += 1) {
    const entry = entries[index];
    rest.logins += entry?.logins ?? 0;
    rest.liveSessions += entry?.liveSessions ?? 0;
    rest.lastLoginMs = Math.max(rest.lastLoginMs, entry?.lastLoginMs ?? 0);
  }
  return [...own, { labels: { user: "other", entry: "other" }, entry: rest }];
}

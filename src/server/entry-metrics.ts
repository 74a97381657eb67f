// Exports what was seen of every entry of the users file: rotation is watched by it. An entry that a reload removes takes
// its series with it.

import type { EntryActivity, UserActivitySnapshot } from "../admin/admin-sources.ts";
import type { Metrics } from "../telemetry/metrics.ts";

const MS_PER_SECOND = 1000;

/** Registers the copying; `activity` is asked whenever metrics are read. */
export function exportEntryMetrics(metrics: Metrics, activity: () => UserActivitySnapshot | null): void {
  metrics.onRead(() => {
    const entries = activity()?.entries ?? [];
    const rows = (value: (entry: EntryActivity) => number) =>
      entries.map((entry) => ({
        labels: { user: entry.user, entry: entry.fingerprint },
        value: value(entry),
      }));
    metrics.replaceSeries(
      "entry_logins_total",
      rows((entry) => entry.logins),
      "sum",
    );
    metrics.replaceSeries(
      "entry_sessions",
      rows((entry) => entry.liveSessions),
      "sum",
    );
    metrics.replaceSeries(
      "entry_last_login_timestamp_seconds",
      rows((entry) => (entry.lastLoginMs ?? 0) / MS_PER_SECOND),
      "largest",
    );
  });
}

// What one process tells of itself for the status page and the metrics, and how the reports of several become one. The
// interfaces of the admin side decide what stands in them; no secret fits in.

import type {
  CertificateRow,
  DenialRow,
  EntryActivity,
  FileRow,
  PoolRow,
  Readiness,
  SessionRow,
  TabletRow,
  UserActivitySnapshot,
} from "../../admin/admin-sources.ts";
import type { TrafficCounters } from "../../admin/traffic-history.ts";
import type { MetricsJson } from "../../telemetry/metrics.ts";

/** Everything of one process. */
export interface WorkerReport {
  readonly readiness: Readiness;
  /** Empty when they were not asked for. */
  readonly sessions: readonly SessionRow[];
  readonly tablets: readonly TabletRow[];
  readonly denials: readonly DenialRow[] | null;
  readonly files: readonly FileRow[];
  readonly certificates: readonly CertificateRow[];
  readonly counters: TrafficCounters;
  readonly metrics: MetricsJson;
}

type Merged = Omit<WorkerReport, "metrics" | "counters">;

/** One report of several; null: there is none. */
export function mergeReports(reports: readonly WorkerReport[]): Merged | null {
  const [first] = reports;
  if (first === undefined) return null;
  return {
    readiness: {
      ready: reports.every(({ readiness }) => readiness.ready),
      reasons: distinct(reports.flatMap(({ readiness }) => readiness.reasons)),
      notes: distinct(reports.flatMap(({ readiness }) => readiness.notes)),
    },
    sessions: reports.flatMap(({ sessions }) => sessions),
    tablets: first.tablets.map((tablet) => mergeTablet(tablet, reports)),
    denials: first.denials === null ? null : mergeDenials(reports.flatMap(({ denials }) => denials ?? [])),
    files: first.files.map((file) => mergeFile(file, reports)),
    certificates: mergeCertificates(reports),
  };
}

/** The counters of all processes, those that are gone included. */
export function sumCounters(all: readonly TrafficCounters[]): TrafficCounters {
  const sum = (pick: (counters: TrafficCounters) => number): number =>
    all.reduce((total, counters) => total + pick(counters), 0);
  const largest = (pick: (counters: TrafficCounters) => number): number => Math.max(0, ...all.map(pick));
  const bounds = all[0]?.latencyBoundsMs ?? [];
  return {
    commands: sum((one) => one.commands),
    errors: sum((one) => one.errors),
    loginsAccepted: sum((one) => one.loginsAccepted),
    loginsRefused: sum((one) => one.loginsRefused),
    denials: sum((one) => one.denials),
    bytesReceived: sum((one) => one.bytesReceived),
    bytesSent: sum((one) => one.bytesSent),
    latencyCounts: [...bounds, Number.POSITIVE_INFINITY].map((_, bucket) =>
      sum((one) => one.latencyCounts[bucket] ?? 0),
    ),
    latencyBoundsMs: bounds,
    sessions: sum((one) => one.sessions),
    leased: sum((one) => one.leased),
    waiting: sum((one) => one.waiting),
    memoryBytes: sum((one) => one.memoryBytes),
    eventLoopBusy: largest((one) => one.eventLoopBusy),
    eventLoopDelayMs: largest((one) => one.eventLoopDelayMs),
  };
}

/** The entries of `base`, with what all processes have seen of them. */
export function mergeActivity(
  base: UserActivitySnapshot,
  all: readonly UserActivitySnapshot[],
): UserActivitySnapshot {
  const byFingerprint = new Map<string, EntryActivity[]>();
  for (const entry of all.flatMap(({ entries }) => entries)) {
    const same = byFingerprint.get(entry.fingerprint);
    if (same === undefined) byFingerprint.set(entry.fingerprint, [entry]);
    else same.push(entry);
  }
  return {
    ...base,
    // The youngest process: before its start, nobody can say that an entry was not used there.
    countingSinceMs: Math.max(...all.map(({ countingSinceMs }) => countingSinceMs)),
    stale: all.some(({ stale }) => stale),
    proven: base.proven === null ? null : all.every(({ proven }) => proven === true),
    entries: base.entries.map((entry) => {
      const same = byFingerprint.get(entry.fingerprint) ?? [entry];
      const logins = same.flatMap(({ lastLoginMs }) => lastLoginMs ?? []);
      return {
        ...entry,
        countingSinceMs: Math.max(...same.map((one) => one.countingSinceMs)),
        lastLoginMs: logins.length === 0 ? null : Math.max(...logins),
        liveSessions: same.reduce((total, one) => total + one.liveSessions, 0),
        logins: same.reduce((total, one) => total + one.logins, 0),
      };
    }),
  };
}

/** Users of entries of `base` that another one does not tell of: it may have another content, and its part begins elsewhere. */
export function usersMissingFrom(other: UserActivitySnapshot, base: UserActivitySnapshot): readonly string[] {
  const told = new Set(other.entries.map(({ fingerprint }) => fingerprint));
  const missing = base.entries.filter(({ fingerprint }) => !told.has(fingerprint));
  return [...new Set(missing.map(({ user }) => user))];
}

function mergeTablet(tablet: TabletRow, reports: readonly WorkerReport[]): TabletRow {
  const same = reports.flatMap(({ tablets }) => tablets.filter(({ alias }) => alias === tablet.alias));
  const pools = new Map<string, PoolRow>();
  for (const pool of same.flatMap((one) => one.pools)) {
    const known = pools.get(pool.account);
    pools.set(pool.account, known === undefined ? pool : addPools(known, pool));
  }
  // One process that cannot reach it is worth showing.
  const worst = same.find(({ ready }) => !ready) ?? tablet;
  const poolSize = same.reduce((total, one) => total + one.poolSize, 0);
  return { ...worst, poolSize, pools: [...pools.values()] };
}

function addPools(left: PoolRow, right: PoolRow): PoolRow {
  return {
    ...left,
    leased: left.leased + right.leased,
    idle: left.idle + right.idle,
    connecting: left.connecting + right.connecting,
    waiting: left.waiting + right.waiting,
    loginError: left.loginError ?? right.loginError,
  };
}

/** The same kind of denial may have been met in several processes. */
function mergeDenials(all: readonly DenialRow[]): readonly DenialRow[] {
  const kinds = new Map<string, DenialRow>();
  for (const one of all) {
    const { count: _count, lastMs: _lastMs, user: _user, host: _host, explanation: _text, ...kind } = one;
    const key = JSON.stringify(kind);
    const known = kinds.get(key);
    const latest = known === undefined || one.lastMs > known.lastMs ? one : known;
    kinds.set(key, { ...latest, count: one.count + (known?.count ?? 0) });
  }
  return [...kinds.values()].sort((a, b) => b.lastMs - a.lastMs).slice(0, denialsMax);
}

/** As many as one process remembers. */
const denialsMax = 200;

function mergeFile(file: FileRow, reports: readonly WorkerReport[]): FileRow {
  const same = reports.flatMap(({ files }) => files.filter(({ path }) => path === file.path));
  const failed = same.find(({ failure }) => failure !== null);
  const newest = same.reduce((best, one) => (one.loadedAtMs > best.loadedAtMs ? one : best), file);
  return { ...newest, failure: failed?.failure ?? null };
}

/** Processes read the same files; a server may have shown its certificate to some of them only. */
function mergeCertificates(reports: readonly WorkerReport[]): readonly CertificateRow[] {
  const places = new Map<string, CertificateRow>();
  for (const row of reports.flatMap(({ certificates }) => certificates)) {
    const key = `${row.use} ${row.path}`;
    const known = places.get(key);
    if (known === undefined || row.notAfterMs < known.notAfterMs) places.set(key, row);
  }
  return [...places.values()];
}

function distinct(sentences: readonly string[]): string[] {
  return [...new Set(sentences)];
}

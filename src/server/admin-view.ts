// What the gateway shows to the admin side: its parts' snapshots, the traffic of the last half hour, and the one thing
// that can be done from there.

import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import type { TableAcl } from "../acl/table-acl.ts";
import type { AdminSources, CertificateRow, Readiness } from "../admin/admin-sources.ts";
import { historyIntervalMs, type TrafficCounters, TrafficHistory } from "../admin/traffic-history.ts";
import type { Clock } from "../base/clock.ts";
import { commandBoundsMs } from "../session/latency.ts";
import type { SessionMetrics } from "../session/session-metrics.ts";
import type { SessionRegistry } from "../session/session-registry.ts";
import type { AuditLog } from "../telemetry/audit.ts";
import type { BackendSide } from "./backend-side.ts";
import { denialRow } from "./denial-rows.ts";
import { type Expiry, useOfExpiry } from "./expiry.ts";
import type { WatchedFile } from "./reload-report.ts";

/** The parts that are looked at. */
export interface AdminViewParts {
  readonly clock: Clock;
  readonly audit: AuditLog;
  readonly registry: SessionRegistry;
  readonly sessions: SessionMetrics;
  readonly backend: BackendSide;
  /** Whether anybody judges statements, and by which table ACL. */
  readonly judge: () => { readonly judging: boolean; readonly acl: TableAcl | null };
  readonly files: readonly WatchedFile[];
  readonly expiries: () => readonly Expiry[];
  readonly startedMs: number;
  readonly readiness: () => Readiness;
  readonly userActivity: AdminSources["userActivity"];
}

/** The sources of the admin side, which measure until they are closed. */
export interface AdminView extends AdminSources {
  /** The counters behind the history, as they are now. */
  counters(): TrafficCounters;
  close(): void;
}

/** The precision of the event loop's delay, in milliseconds. */
const DELAY_RESOLUTION_MS = 20;

/** Characters of a certificate's subject that are shown: a database server chose it. */
const SUBJECT_MAX = 200;

/** Begins to measure. */
export function createAdminView(parts: AdminViewParts): AdminView {
  const { clock, registry } = parts;
  const loop = new LoopMeter();
  const history = new TrafficHistory(() => countersOf(parts, loop), clock.monotonicMs());
  const timer = setInterval(() => history.tick(clock.wallMs(), clock.monotonicMs()), historyIntervalMs);
  timer.unref();
  return {
    nowMs: () => clock.wallMs(),
    refresh: async () => {},
    counters: () => countersOf(parts, loop),
    startedMs: parts.startedMs,
    history,
    readiness: parts.readiness,
    userActivity: parts.userActivity,
    sessions: () => {
      const nowMs = clock.monotonicMs();
      return [...registry.all()].map((session) => session.view(nowMs));
    },
    tablets: () => parts.backend.tablets(),
    denials: () => {
      const { judging, acl } = parts.judge();
      return judging ? parts.sessions.recentDenials.all().map((denial) => denialRow(denial, acl)) : null;
    },
    files: () => parts.files,
    certificates: () => parts.expiries().map(certificateRow),
    endSession: (id, from) => endSession(parts, id, from),
    close: () => {
      clearInterval(timer);
      loop.close();
    },
  };
}

function endSession({ registry, clock, audit }: AdminViewParts, id: number, from: string): boolean {
  const session = registry.get(id);
  const view = session?.view(clock.monotonicMs()) ?? null;
  audit.record("operator", {
    action: "end_session",
    from,
    outcome: session === null ? "unknown_id" : "done",
    connection_id: id,
    user: view?.user ?? null,
    host: view?.host ?? null,
    user_data: view?.userData ?? null,
  });
  session?.forceEnd("ended_by_operator");
  return session !== null;
}

function certificateRow({ what, path, subject, endMs, warnMs }: Expiry): CertificateRow {
  const name = subject.replaceAll("\n", ", ").slice(0, SUBJECT_MAX);
  return { use: useOfExpiry[what], path, subject: name, notAfterMs: endMs, warnMs };
}

function countersOf({ sessions, registry, backend }: AdminViewParts, loop: LoopMeter): TrafficCounters {
  const sum = (counts: Readonly<Record<string, number>> | readonly number[]): number =>
    Object.values(counts).reduce((total, count) => total + count, 0);
  const logins = { accepted: 0, refused: 0 };
  for (const { outcome, count } of sessions.logins.values()) logins[outcome] += count;
  const latencies = [...sessions.commandLatency.all()];
  const pools = backend.tablets().flatMap((tablet) => tablet.pools);
  return {
    commands: sum(sessions.commands),
    errors: sum(sessions.errorsSent) + sessions.backendErrors,
    loginsAccepted: logins.accepted,
    loginsRefused: logins.refused,
    denials: sum(sessions.tableAclDenials),
    bytesReceived: sessions.bytesFromClients,
    bytesSent: sessions.bytesToClients,
    latencyCounts: commandBoundsMs
      .concat(Number.POSITIVE_INFINITY)
      .map((_, bucket) => sum(latencies.map(({ latency }) => latency.counts[bucket] ?? 0))),
    latencyBoundsMs: commandBoundsMs,
    sessions: registry.loggedInCount,
    leased: pools.reduce((total, pool) => total + pool.leased, 0),
    waiting: pools.reduce((total, pool) => total + pool.waiting, 0),
    memoryBytes: process.memoryUsage.rss(),
    ...loop.read(),
  };
}

/** Measures the event loop between two readings. */
class LoopMeter {
  readonly #delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  #utilization = performance.eventLoopUtilization();

  constructor() {
    this.#delay.enable();
  }

  read(): Pick<TrafficCounters, "eventLoopBusy" | "eventLoopDelayMs"> {
    const now = performance.eventLoopUtilization();
    const busy = performance.eventLoopUtilization(now, this.#utilization).utilization;
    this.#utilization = now;
    // Nanoseconds between two ticks of the resolution; nothing was measured yet when the count is 0.
    const longestMs = this.#delay.count === 0 ? 0 : this.#delay.max / 1e6;
    this.#delay.reset();
    return {
      eventLoopBusy: Number.isFinite(busy) ? busy : 0,
      eventLoopDelayMs: Math.max(0, longestMs - DELAY_RESOLUTION_MS),
    };
  }

  close(): void {
    this.#delay.disable();
  }
}

// Turns what pools report into metrics and log lines. Labels and messages hold names of tablets and accounts of the
// configuration, never anything of a client.

import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { PoolObserver, PoolSnapshot } from "./pool-settings.ts";

/** A failing server is logged once per this time, in milliseconds, and whenever it fails in another way. */
const repeatMs = 60_000;
const msPerSecond = 1000;

/** Counts and logs. */
export function observePools(
  metrics: Metrics,
  logger: Logger,
  clock: { monotonicMs(): number },
): PoolObserver {
  const waitSeconds = metrics.histogram("backend_wait_seconds");
  const waitTimeouts = metrics.counter("backend_wait_timeouts_total");
  const takeovers = {
    session: metrics.counter("backend_takeovers_total", { why: "session" }),
    room: metrics.counter("backend_takeovers_total", { why: "room" }),
    unused: metrics.counter("backend_takeovers_total", { why: "unused" }),
  };
  /** By tablet and account: what was logged last, and when. As many entries as there are accounts. */
  const logged = new Map<string, { reason: string; atMs: number }>();
  return {
    loginFinished: (tablet, outcome) => metrics.counter("backend_connects_total", { tablet, outcome }).add(),
    waited: (elapsedMs) => waitSeconds.observe(elapsedMs / msPerSecond),
    waitTimedOut: () => waitTimeouts.add(),
    taken: (why) => takeovers[why].add(),
    madeInAdvance: (tablet) => metrics.counter("backend_advance_connects_total", { tablet }).add(),
    connectionClosed: (tablet, reason) => logger.debug("A backend connection was closed", { tablet, reason }),
    loginFailed: (tablet, account, reason) => {
      const key = `${tablet} ${account}`;
      const last = logged.get(key);
      const nowMs = clock.monotonicMs();
      if (last !== undefined && last.reason === reason && nowMs - last.atMs < repeatMs) return;
      logged.set(key, { reason, atMs: nowMs });
      logger.warn("Cannot log in to a database server", { tablet, account, reason });
    },
  };
}

/** Copies the numbers of pools into the gauges whenever those are read. */
export function exportPools(metrics: Metrics, snapshot: () => readonly PoolSnapshot[]): void {
  /** Tablets that were ever seen: what is gone must read zero. */
  const seen = new Set<string>();
  metrics.onRead(() => {
    const leased = new Map<string, number>();
    const offered = new Map<string, number>();
    const idle = new Map<string, number>();
    for (const pool of snapshot()) {
      seen.add(pool.tablet);
      leased.set(pool.tablet, (leased.get(pool.tablet) ?? 0) + pool.leased - pool.offered);
      offered.set(pool.tablet, (offered.get(pool.tablet) ?? 0) + pool.offered);
      idle.set(pool.tablet, (idle.get(pool.tablet) ?? 0) + pool.idle);
    }
    for (const tablet of seen) {
      metrics.gauge("backend_connections", { tablet, state: "leased" }).set(leased.get(tablet) ?? 0);
      metrics.gauge("backend_connections", { tablet, state: "offered" }).set(offered.get(tablet) ?? 0);
      metrics.gauge("backend_connections", { tablet, state: "idle" }).set(idle.get(tablet) ?? 0);
    }
  });
}

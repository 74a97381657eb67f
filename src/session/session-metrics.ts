// What sessions count, as plain numbers: telemetry reads them when it is scraped, so the hot path pays an addition.

/** Upper bounds of the latency histogram, in milliseconds; the last bucket has none. */
export const latencyBoundsMs: readonly number[] = [
  0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10000,
];

/** Counters of all sessions of a process. */
export interface SessionMetrics {
  /** Commands by name (`query`, `stmt_execute`, ...). */
  readonly commands: Record<string, number>;
  /** Commands per latency bucket; one longer than `latencyBoundsMs`. */
  readonly latencyCounts: number[];
  latencySumMs: number;
  /** Errors that the gateway itself sent, by kind of mysql-errors. */
  readonly errorsSent: Record<string, number>;
  /** ERR packets of backends that were relayed. */
  backendErrors: number;
  /** Sessions ended, by SessionEndCode. */
  readonly sessionsEnded: Record<string, number>;
  /** Logins by `outcome plugin tls`. */
  readonly logins: Record<string, number>;
  /** Refused logins by reason code. */
  readonly loginRefusals: Record<string, number>;
  /** Connections that ended before a login was judged, by cause. */
  readonly connectionsRefused: Record<string, number>;
  /** KILLs by outcome. */
  readonly kills: Record<string, number>;
  /** Sessions ended by a mistake of ours. */
  sessionFailures: number;
  bytesToClients: number;
  bytesToBackends: number;
  /** Statements that were not understood and relayed all the same. */
  uncertainStatements: number;
}

/** All at zero. */
export function newSessionMetrics(): SessionMetrics {
  return {
    commands: {},
    latencyCounts: new Array<number>(latencyBoundsMs.length + 1).fill(0),
    latencySumMs: 0,
    errorsSent: {},
    backendErrors: 0,
    sessionsEnded: {},
    logins: {},
    loginRefusals: {},
    connectionsRefused: {},
    kills: {},
    sessionFailures: 0,
    bytesToClients: 0,
    bytesToBackends: 0,
    uncertainStatements: 0,
  };
}

/** Adds one to a counter that may not exist yet; names come from our own tables, so their number is bounded. */
export function countUp(counters: Record<string, number>, name: string): void {
  counters[name] = (counters[name] ?? 0) + 1;
}

/** Puts one latency into its bucket. */
export function observeLatency(metrics: SessionMetrics, elapsedMs: number): void {
  let bucket = 0;
  while (bucket < latencyBoundsMs.length && elapsedMs > (latencyBoundsMs[bucket] ?? 0)) bucket += 1;
  metrics.latencyCounts[bucket] = (metrics.latencyCounts[bucket] ?? 0) + 1;
  metrics.latencySumMs += elapsedMs;
}

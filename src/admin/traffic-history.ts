// The last half hour in numbers: counters are read at fixed times, the differences kept in a ring. Nothing here grows
// with traffic.

/** Time between two points, in milliseconds. */
export const historyIntervalMs = 2000;
/** Points kept: 30 minutes. The oldest goes when a new one comes. */
export const historyPointsMax = 900;

/** Counters since the start, and values of the moment. */
export interface TrafficCounters {
  readonly commands: number;
  readonly errors: number;
  readonly loginsAccepted: number;
  readonly loginsRefused: number;
  /** Statements that the table ACL denied, or would have in a dry run. */
  readonly denials: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Commands per latency bucket; one more than `latencyBoundsMs`. */
  readonly latencyCounts: readonly number[];
  /** Upper bounds of the buckets, in milliseconds. */
  readonly latencyBoundsMs: readonly number[];
  /** Sessions logged in now. */
  readonly sessions: number;
  /** Backend connections in use now, and sessions that wait for one. */
  readonly leased: number;
  readonly waiting: number;
  /** Resident memory, in bytes. */
  readonly memoryBytes: number;
  /** Share of the time in which the event loop was busy since the last reading, 0 to 1. */
  readonly eventLoopBusy: number;
  /** Longest delay of the event loop since the last reading, in milliseconds. */
  readonly eventLoopDelayMs: number;
}

/** What happened in one interval. Rates are per second. */
export interface TrafficPoint {
  /** End of the interval, in milliseconds since the epoch. */
  readonly atMs: number;
  readonly commandsPerSecond: number;
  readonly errorsPerSecond: number;
  readonly loginsPerSecond: number;
  readonly refusalsPerSecond: number;
  readonly denialsPerSecond: number;
  readonly bytesReceivedPerSecond: number;
  readonly bytesSentPerSecond: number;
  /** Latency of commands, in milliseconds; null: there was none. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly sessions: number;
  readonly leased: number;
  readonly waiting: number;
  readonly memoryBytes: number;
  readonly eventLoopBusy: number;
  readonly eventLoopDelayMs: number;
}

/** Points of the last half hour, oldest first. */
export class TrafficHistory {
  readonly #read: () => TrafficCounters;
  readonly #points: TrafficPoint[] = [];
  #last: { readonly counters: TrafficCounters; readonly monotonicMs: number };

  /** `read` is called once now and at every `tick`. */
  constructor(read: () => TrafficCounters, monotonicMs: number) {
    this.#read = read;
    this.#last = { counters: copyOf(read()), monotonicMs };
  }

  /** Takes one point; call it every `historyIntervalMs`. */
  tick(wallMs: number, monotonicMs: number): void {
    const counters = copyOf(this.#read());
    const before = this.#last.counters;
    const seconds = Math.max(0.001, (monotonicMs - this.#last.monotonicMs) / 1000);
    const perSecond = (now: number, then: number): number => Math.max(0, now - then) / seconds;
    const deltas = counters.latencyCounts.map((count, index) => count - (before.latencyCounts[index] ?? 0));
    this.#last = { counters, monotonicMs };
    this.#points.push({
      atMs: wallMs,
      commandsPerSecond: perSecond(counters.commands, before.commands),
      errorsPerSecond: perSecond(counters.errors, before.errors),
      loginsPerSecond: perSecond(counters.loginsAccepted, before.loginsAccepted),
      refusalsPerSecond: perSecond(counters.loginsRefused, before.loginsRefused),
      denialsPerSecond: perSecond(counters.denials, before.denials),
      bytesReceivedPerSecond: perSecond(counters.bytesReceived, before.bytesReceived),
      bytesSentPerSecond: perSecond(counters.bytesSent, before.bytesSent),
      p50Ms: quantile(deltas, counters.latencyBoundsMs, 0.5),
      p99Ms: quantile(deltas, counters.latencyBoundsMs, 0.99),
      sessions: counters.sessions,
      leased: counters.leased,
      waiting: counters.waiting,
      memoryBytes: counters.memoryBytes,
      eventLoopBusy: counters.eventLoopBusy,
      eventLoopDelayMs: counters.eventLoopDelayMs,
    });
    if (this.#points.length > historyPointsMax) this.#points.shift();
  }

  /** Points whose interval ended after `wallMs`. */
  after(wallMs: number): readonly TrafficPoint[] {
    return this.#points.filter((point) => point.atMs > wallMs);
  }
}

/** The counters may live on: their array is copied. */
function copyOf(counters: TrafficCounters): TrafficCounters {
  return { ...counters, latencyCounts: [...counters.latencyCounts] };
}

/**
 * The value below which `share` of all counted values lie, taken as evenly spread within its bucket; values beyond the
 * last bound count as that bound. null: nothing was counted.
 */
export function quantile(counts: readonly number[], bounds: readonly number[], share: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total <= 0) return null;
  let below = 0;
  for (const [index, count] of counts.entries()) {
    const upper = bounds[index];
    if (upper === undefined) break;
    if (count > 0 && below + count >= share * total) {
      const lower = bounds[index - 1] ?? 0;
      return lower + ((upper - lower) * (share * total - below)) / count;
    }
    below += count;
  }
  return bounds.at(-1) ?? null;
}

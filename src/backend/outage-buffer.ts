// Statements that wait out an outage: so many at a time, each for so long, first come first served. In the manner of
// Vitess's buffering (https://vitess.io/docs/reference/features/vtgate-buffering/): only what has not been sent to any
// server waits. Knows nothing of servers: it is told that a place has failed and when to try again.

import { setMaxListeners } from "node:events";
import type { CancelSignal } from "../base/cancel-signal.ts";
import type { Clock } from "../base/clock.ts";
import { type SqlError, sqlError } from "../errors/sql-error.ts";
import type { Tablet } from "../routing/route.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Follows, OutagePlace, Outages, OutageTicket } from "./outage.ts";

/** The flags. Times in milliseconds. */
export interface BufferLimits {
  readonly enabled: boolean;
  /** Longest wait of a statement, and time into an outage after which none waits any more. */
  readonly windowMs: number;
  /** Statements that wait at a time, in this process; beyond: 1203. */
  readonly statementsMax: number;
}

/** What it needs from outside. */
export interface BufferTools {
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Somebody waits for it: whoever watches it should look at once. */
  readonly onSuspect: (place: OutagePlace) => void;
  readonly follows: (tablet: Tablet) => Follows;
}

/** Pause before attempt number n (from 2 on), in milliseconds: a server that looks well and is not must not be stormed. */
const firstPauseMs = 50;
const longestPauseMs = 1000;
const msPerSecond = 1000;

interface Waiting {
  readonly ticket: OutageTicket;
  /** Not before this moment, however well the place looks; monotonic milliseconds. */
  readonly dueMs: number;
  readonly resume: () => void;
  timer: NodeJS.Timeout | null;
}

/** See the file's head. */
export class OutageBuffer implements Outages {
  readonly #limits: BufferLimits;
  readonly #tools: BufferTools;
  readonly #waiting = new Map<OutagePlace, Waiting[]>();
  /** When the first statement began to wait for a place that has not come back since. */
  readonly #since = new Map<OutagePlace, number>();
  readonly #closing = new AbortController();
  #count = 0;
  #serial = 0;

  constructor(limits: BufferLimits, tools: BufferTools) {
    this.#limits = limits;
    this.#tools = tools;
    setMaxListeners(0, this.#closing.signal);
  }

  /** Nobody waits any more: who does is told 1053. */
  close(): void {
    this.#closing.abort();
  }

  /** Statements that wait now. */
  get count(): number {
    return this.#count;
  }

  ticket(): OutageTicket {
    this.#serial += 1;
    const deadlineMs = this.#tools.clock.monotonicMs() + this.#limits.windowMs;
    return { serial: this.#serial, deadlineMs, attempts: 0 };
  }

  follows(tablet: Tablet): Follows {
    return this.#limits.enabled ? this.#tools.follows(tablet) : "nothing";
  }

  wait(
    place: OutagePlace,
    ticket: OutageTicket,
    signal: CancelSignal,
    failure: SqlError,
  ): Promise<"again" | SqlError> {
    if (signal.aborted) return Promise.resolve(sqlError("ER_QUERY_INTERRUPTED"));
    if (this.#closing.signal.aborted) return Promise.resolve(sqlError("ER_SERVER_SHUTDOWN"));
    if (!this.#limits.enabled) return Promise.resolve(failure);
    const refused = this.#refuse(place, ticket, failure);
    if (refused !== null) return Promise.resolve(refused);
    return this.#enqueue(place, ticket, signal, failure);
  }

  #refuse(place: OutagePlace, ticket: OutageTicket, failure: SqlError): SqlError | null {
    const { windowMs, statementsMax } = this.#limits;
    const nowMs = this.#tools.clock.monotonicMs();
    const sinceMs = this.#since.get(place) ?? nowMs;
    // An outage that lasts is none that one waits out: better the bad news at once.
    if (nowMs >= ticket.deadlineMs || nowMs - sinceMs >= windowMs) return this.#note("timed_out", failure);
    this.#since.set(place, sinceMs);
    if (this.#count < statementsMax) return null;
    const limit = `buffer_size=${statementsMax}`;
    return this.#note("full", sqlError("ER_BACKEND_POOL_EXHAUSTED", { limit }, { cause: failure }));
  }

  #enqueue(
    place: OutagePlace,
    ticket: OutageTicket,
    signal: CancelSignal,
    failure: SqlError,
  ): Promise<"again" | SqlError> {
    const { clock, metrics, onSuspect } = this.#tools;
    const sinceMs = clock.monotonicMs();
    ticket.attempts += 1;
    const pauseMs =
      ticket.attempts === 1 ? 0 : Math.min(longestPauseMs, firstPauseMs * 2 ** (ticket.attempts - 2));
    return new Promise((resolve) => {
      const settle = (result: "again" | SqlError): void => {
        clearTimeout(deadline);
        if (waiting.timer !== null) clearTimeout(waiting.timer);
        signal.removeEventListener("abort", abort);
        this.#closing.signal.removeEventListener("abort", close);
        this.#remove(place, waiting);
        metrics
          .histogram("buffered_statement_seconds")
          .observe((clock.monotonicMs() - sinceMs) / msPerSecond);
        resolve(result);
      };
      const waiting: Waiting = {
        ticket,
        dueMs: sinceMs + pauseMs,
        resume: () => {
          this.#note("released", null);
          settle("again");
        },
        timer: null,
      };
      const abort = (): void => {
        this.#note("interrupted", null);
        settle(sqlError("ER_QUERY_INTERRUPTED"));
      };
      const close = (): void => {
        this.#note("interrupted", null);
        settle(sqlError("ER_SERVER_SHUTDOWN"));
      };
      const deadline = setTimeout(
        () => {
          this.#note("timed_out", null);
          settle(failure);
        },
        Math.ceil(ticket.deadlineMs - sinceMs),
      );
      signal.addEventListener("abort", abort);
      this.#closing.signal.addEventListener("abort", close);
      this.#add(place, waiting);
      onSuspect(place);
    });
  }

  /** The place is back, or routing leads elsewhere now: who waits tries again, in order. */
  release(place: OutagePlace): void {
    this.#since.delete(place);
    const nowMs = this.#tools.clock.monotonicMs();
    for (const waiting of [...(this.#waiting.get(place) ?? [])]) {
      const restMs = waiting.dueMs - nowMs;
      if (restMs <= 0) waiting.resume();
      else waiting.timer ??= setTimeout(waiting.resume, Math.ceil(restMs));
    }
  }

  /** By who came first, also among those that come back from an attempt. */
  #add(place: OutagePlace, waiting: Waiting): void {
    const queue = this.#waiting.get(place) ?? [];
    if (queue.length === 0) this.#waiting.set(place, queue);
    let at = queue.length;
    while (at > 0 && (queue[at - 1]?.ticket.serial ?? 0) > waiting.ticket.serial) at -= 1;
    queue.splice(at, 0, waiting);
    this.#setCount(this.#count + 1);
  }

  #remove(place: OutagePlace, waiting: Waiting): void {
    const queue = this.#waiting.get(place);
    const at = queue?.indexOf(waiting) ?? -1;
    if (queue === undefined || at < 0) return;
    queue.splice(at, 1);
    if (queue.length === 0) this.#waiting.delete(place);
    this.#setCount(this.#count - 1);
  }

  #setCount(count: number): void {
    this.#count = count;
    this.#tools.metrics.gauge("buffered_statements").set(count);
  }

  #note<T extends SqlError | null>(outcome: "released" | "timed_out" | "full" | "interrupted", result: T): T {
    this.#tools.metrics.counter("buffered_statements_total", { outcome }).add();
    return result;
  }
}

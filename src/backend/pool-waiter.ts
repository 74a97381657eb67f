// One session that waits for a connection: settled once, by whoever comes first: a connection, an error, its deadline,
// or its client going away.

import { type SqlError, sqlError } from "../errors/sql-error.ts";
import type { AcquireRequest, BackendLease } from "./backend-pool.ts";

/** See the file's head. */
export class Waiter {
  readonly request: AcquireRequest;
  /** Grows with every waiter of the process: who came first. */
  readonly serial: number;
  /** When it came, in monotonic milliseconds. */
  readonly sinceMs: number;
  readonly promise: Promise<BackendLease | SqlError>;
  /** Of the server's role when it came: a later one is not what its session was routed to. */
  readonly epoch: number;
  /** Connections that broke while they were being prepared for it. */
  brokenConnections = 0;
  settled = false;
  #resolve: (result: BackendLease | SqlError) => void = () => {};
  #timer: NodeJS.Timeout | null = null;
  #stopListening: () => void = () => {};

  constructor(request: AcquireRequest, serial: number, sinceMs: number, epoch: number) {
    this.epoch = epoch;
    this.request = request;
    this.serial = serial;
    this.sinceMs = sinceMs;
    this.promise = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Sets its deadline and listens for its client going away; either settles it and then calls `onGone`. */
  arm(timeoutMs: number, onDeadline: () => SqlError, onGone: () => void): void {
    const { signal } = this.request;
    const leave = (result: SqlError): void => {
      if (this.settle(result)) onGone();
    };
    this.#timer = setTimeout(() => leave(onDeadline()), timeoutMs);
    const abort = (): void => leave(interrupted());
    signal.addEventListener("abort", abort);
    const stopListening = (): void => signal.removeEventListener("abort", abort);
    this.#stopListening = stopListening;
    if (signal.aborted) abort();
  }

  /** False: it is settled already, and `result` still belongs to the caller. */
  settle(result: BackendLease | SqlError): boolean {
    if (this.settled) return false;
    this.settled = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#stopListening();
    this.#resolve(result);
    return true;
  }
}

/** Nobody reads it: the client is gone, or its statement was killed. */
export function interrupted(): SqlError {
  return sqlError("ER_QUERY_INTERRUPTED");
}

/** No connection in time; `limit` says which limit that is. */
export function exhausted(limit: string): SqlError {
  return sqlError("ER_BACKEND_POOL_EXHAUSTED", { limit });
}

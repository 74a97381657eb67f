// The seam between sessions and whoever knows when an outage is over: a statement that has not been sent to any server
// may wait. No behaviour beyond telling outages from other errors.

import type { CancelSignal } from "../base/cancel-signal.ts";
import type { SqlError } from "../errors/sql-error.ts";
import type { Tablet } from "../routing/route.ts";
import { BackendLoginError, isOutage } from "./login-error.ts";

/** What a statement waits for: `keyspace:shop` to have a primary, `tablet:db1` to be there or out of use. */
export type OutagePlace = `keyspace:${string}` | `tablet:${string}`;

/** One statement's right to wait, over all its attempts. */
export interface OutageTicket {
  /** Who came first is served first. */
  readonly serial: number;
  /** When its time is over, in monotonic milliseconds. */
  readonly deadlineMs: number;
  /** Waits so far. */
  attempts: number;
}

/**
 * Which answers of a server say that a statement did not run and should run elsewhere. `galera_changing`: also that it
 * has lost against a statement of the node that was the writer a moment ago, or is it now.
 */
export type Follows = "nothing" | "read_only" | "read_only_and_galera" | "galera_changing";

/** Holds statements while there is nowhere to send them. */
export interface Outages {
  /** A statement begins to wait. */
  ticket(): OutageTicket;
  /**
   * Waits until it is worth another attempt (`again`), or returns the error to answer: `failure` when the time is over,
   * 1203 when too many wait, 1317 when `signal` fires.
   */
  wait(
    place: OutagePlace,
    ticket: OutageTicket,
    signal: CancelSignal,
    failure: SqlError,
  ): Promise<"again" | SqlError>;
  /** What a refusal of this server may mean. */
  follows(tablet: Tablet): Follows;
}

/** Whether the pool's error is about a server that is not there, and may be again. */
export function isWorthWaiting({ cause }: SqlError): boolean {
  return cause instanceof BackendLoginError && isOutage(cause);
}

/** What a statement that was routed to it waits for. */
export function placeOfTablet(tablet: Tablet): OutagePlace {
  return `tablet:${tablet.alias}`;
}

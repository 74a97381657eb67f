// The seam between session and pools: what a session asks for, and what it gets.

import type { SqlError } from "../errors/sql-error.ts";
import type { Route } from "../routing/route.ts";
import type { BackendConnection } from "./backend-connection.ts";

/** What the connection must be like. */
export interface AcquireRequest {
  readonly route: Route;
  /** The client's capability bits; those that change bytes or meaning become part of the pool key. */
  readonly capabilities: number;
  /** The collation id that the client sent at login: goes unchanged into the backend login. */
  readonly collation: number;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
}

/** A connection lent to one session. Exactly one of `release` and `close` ends it. */
export interface BackendLease {
  readonly connection: BackendConnection;
  /** Grows with every lease in this process: a KILL checks that it still hits the same one. */
  readonly serial: number;
  readonly route: Route;
  /** Gives the connection back between two commands; the pool resets it (COM_RESET_CONNECTION) before the next use. */
  release(): void;
  /** Ends the connection: unfinished reply, unknown state, or the client wants it gone. `reason` is logged. */
  close(reason: string): void;
  /** KILL QUERY of what runs on it, over a connection of its own; never rejects. */
  cancel(): Promise<void>;
}

/** Lends connections. */
export interface BackendPool {
  /**
   * A connection that is logged in, reset, in the route's schema (or in none), with the client's character set.
   * Resolves to an error: the server cannot be reached (2003-like, as ER_SERVER_ISNT_AVAILABLE), the schema does not
   * exist (the server's own 1049), or none became free in time.
   */
  acquire(request: AcquireRequest): Promise<BackendLease | SqlError>;
  /** Ends all idle connections and refuses new leases. */
  close(): Promise<void>;
}

// The seam between session and pools: what a session asks for, and what it gets.

import type { CancelSignal } from "../base/cancel-signal.ts";
import type { SqlError } from "../errors/sql-error.ts";
import type { CutManner } from "../routing/judge-keyspace.ts";
import type { Route } from "../routing/route.ts";
import type { BackendConnection } from "./backend-connection.ts";
import type { PrepareReply, PrepareRequest } from "./prepare-statement.ts";
import type { SessionSettings } from "./session-settings.ts";
import type { WritePosition } from "./write-position.ts";

/** What the connection must be like. */
export interface AcquireRequest {
  readonly route: Route;
  /** The client's capability bits; those that change bytes or meaning become part of the pool key. */
  readonly capabilities: number;
  /** The collation id that the client sent at login: goes unchanged into the backend login. */
  readonly collation: number;
  /** Aborted when the client goes away. */
  readonly signal: CancelSignal;
  /** What the session has set since its login. @default nothing */
  readonly settings?: SessionSettings;
  /** Whether it may send several statements at once. @default as its capabilities say */
  readonly multiStatements?: boolean;
  /** What LAST_INSERT_ID() is to say, in digits. @default 0 */
  readonly insertId?: string;
}

/** An error as it is to be told: GET DIAGNOSTICS would tell it in the server's words. */
export interface ToldError {
  readonly code: number;
  readonly sqlState: string;
  readonly message: string;
}

/** The state in which a session leaves its connection: all that is on it can be said again on another one. */
export interface Handover {
  /** The schema that the connection is in; null: none. */
  readonly database: string | null;
  readonly settings: SessionSettings;
  readonly multiStatements: boolean;
  /** What LAST_INSERT_ID() says, in digits; null: only the server knows. */
  readonly insertId: string | null;
  /** Whether the server may still have warnings or errors of this session's statements. */
  readonly hasDiagnostics: boolean;
}

/** A session that has offered its connection. */
export interface LeaseTaker {
  /** How it would leave the connection now. */
  describe(): Handover;
  /**
   * The connection is taken: the lease has ended. Called in the middle of the pool's work: it must not call the pool.
   * Returns what the connection owes to the session; null: nothing.
   */
  onTaken(): OwedLeftovers | null;
}

/** What only a connection knows of the session that has left it. */
export interface OwedLeftovers {
  /** Whether FOUND_ROWS() is among it; LAST_INSERT_ID() always is. */
  readonly foundRows: boolean;
  /** To be called once; null: it was lost. */
  readonly tell: (told: ToldLeftovers | null) => void;
}

/** What a connection has told of the session that left it. */
export interface ToldLeftovers {
  /** LAST_INSERT_ID(), in digits. */
  readonly insertId: string;
  /** FOUND_ROWS(); null: it was not owed. */
  readonly foundRows: number | null;
}

/** What the pool cannot know of a session that gives its connection back. */
export interface ReleaseNotes {
  /** Whether COM_SET_OPTION was used: no reset undoes it. @default false */
  readonly optionToggled?: boolean;
  /** The schema that the connection is in, null for none. @default unknown, to be found out when it matters */
  readonly database?: string | null | undefined;
  /** What is on it can be said again elsewhere: it need not be reset. @default it must be reset */
  readonly handover?: Handover | null;
  /** What only the connection knows. @default nothing */
  readonly owed?: OwedLeftovers | null;
}

/** What decides how a connection's server reads the session's texts, as the server tells it. */
export interface SessionVariables {
  /** `@@sql_mode`, e.g. `ANSI_QUOTES,STRICT_TRANS_TABLES`. */
  readonly sqlMode: string;
  /** `@@character_set_client` */
  readonly characterSet: string;
  /** `DATABASE()`; null: none. */
  readonly database: string | null;
  /** `ROW_COUNT()` of the statement before. */
  readonly rowCount: number;
  /** `FOUND_ROWS()` likewise; null: not asked for. */
  readonly foundRows: number | null;
  /** Others that were asked for. */
  readonly asked: ReadonlyMap<string, string | null>;
}

/** What a thread of a server is doing, as its process list has it. */
export interface RunningStatement {
  /** E.g. `Waiting for table metadata lock`. */
  readonly state: string;
  /** The statement, 4096 characters of it; null: none. Never to reach a log. */
  readonly text: string | null;
}

/** A connection lent to one session. Exactly one of `release` and `close` ends it. */
export interface BackendLease {
  readonly connection: BackendConnection;
  /** Grows with every lease in this process: a KILL checks that it still hits the same one. */
  readonly serial: number;
  readonly route: Route;
  /**
   * Between two commands: the session can do without it. It keeps the lease until the pool needs the connection; then
   * `taker` is told, though not before `sinceMs` (monotonic milliseconds). Costs nothing as long as nobody else wants it.
   */
  offer(taker: LeaseTaker, sinceMs: number): void;
  /** Takes the offer back: the session has a command for it. */
  keep(): void;
  /**
   * Gives the connection back between two commands; the pool resets it (COM_RESET_CONNECTION) before the next use unless
   * `notes` tell what is on it. An open transaction is rolled back by the reset.
   */
  release(notes?: ReleaseNotes): void;
  /**
   * Asks the server for the session's variables, between two commands. The connection's receiver is to be set again
   * afterwards. null: the connection is not to be used any more; it was closed.
   * `withFoundRows`: of the last statement, at the price of its warnings on MySQL.
   */
  readVariables(withFoundRows: boolean, names?: readonly string[]): Promise<SessionVariables | null>;
  /**
   * Makes FOUND_ROWS() and the warnings those of a reply of `rows` rows (65536 at most) without warnings, likewise between
   * two commands: the session's client has seen a part of the last one. null: as with `readVariables`.
   */
  hideLastReply(rows: number): Promise<true | null>;
  /** Makes this the error that the last statement ended with, likewise. null: as with `readVariables`. */
  tellLastError(error: ToldError): Promise<true | null>;
  /** Prepares a statement of the session, likewise between two commands. null: as with `readVariables`. */
  prepareStatement(request: PrepareRequest): Promise<PrepareReply | null>;
  /** The lines of the account's SHOW GRANTS, likewise. */
  readGrants(): Promise<readonly string[] | null>;
  /** What a user variable of the session holds, if it is a whole number, likewise. */
  readUserVariable(name: string): Promise<{ readonly value: number | null } | null>;
  /** What threads of the server, by their ids, are doing, likewise; those that it does not tell of are left out. */
  readRunning(threadIds: readonly number[]): Promise<ReadonlyMap<number, RunningStatement> | null>;
  /** How far the server has written, likewise. */
  readWritePosition(): Promise<WritePosition | null>;
  /** Waits until the server has come to a position of another one, likewise; false: not in time. */
  awaitWritePosition(position: WritePosition, withinMs: number): Promise<boolean | null>;
  /** Ends the connection: unfinished reply, unknown state, or the client wants it gone. `reason` is logged. */
  close(reason: string): void;
  /**
   * Told when the session must leave the server, e.g. because it is the primary no more; the session then closes the
   * lease as soon as `manner` wants it. null: the connection is closed at once instead.
   */
  onCut: ((manner: CutManner, reason: string) => void) | null;
  /**
   * KILL QUERY of what runs on it, over a connection of its own. Resolves when that is done or has failed; never
   * rejects. A release meanwhile waits for it, so that it can never hit another session.
   */
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
  /**
   * Ends all idle connections and refuses new leases. Resolves when no statement is being killed any more. Some seconds
   * later nothing is left, whatever servers do.
   */
  close(): Promise<void>;
}

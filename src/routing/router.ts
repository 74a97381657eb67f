// The seam between session and routing: identity, target and text in; a route, an error or "no primary now" out.

import type { SqlError } from "../errors/sql-error.ts";
import type { Identity } from "../identity/identity.ts";
import type { StatementSummary } from "../sql/statement-summary.ts";
import type { Route } from "./route.ts";
import type { Target } from "./target.ts";

/** What decides where something goes, beside who asks for it. */
export interface RouteRequest {
  readonly target: Target;
  /** The session's default schema by the name that the client gave it; null: none. */
  readonly database: string | null;
  /** The text in hand; null: there is none (the schema of a login, a command without text). */
  readonly statements: readonly StatementSummary[] | null;
  /**
   * Whether reads may be served elsewhere than writes: no transaction is open, autocommit is on, and the session's
   * state is on no connection alone.
   */
  readonly readsMayLeave: boolean;
  /** Where the connection at hand leads; null: there is none. */
  readonly held: Route | null;
  /** What of the session is on that connection alone, e.g. `a transaction`: another one will not do. null: nothing. */
  readonly stuck: string | null;
  /** Which of several equal replicas: the same number gets the same one as long as they stay. */
  readonly spread: number;
}

/** Where a client is after it has named a schema or a target. */
export interface Entered {
  readonly target: Target;
  /** The default schema by the name that clients know; null: none. */
  readonly database: string | null;
}

/** The names of schemas where they are the gateway's own, and not one server's. */
export interface SchemaNames {
  /** Where a client begins that names nothing. */
  initial(identity: Identity): Entered | SqlError;
  /** Reads `shop`, `shop@replica`, `information_schema`; `current` is where the client is. */
  enter(identity: Identity, written: string, current: Entered): Entered | SqlError;
  /** What SHOW DATABASES lists, sorted. */
  list(): readonly string[];
  /** What servers call the schema that clients know by this name. */
  databaseOf(name: string): string;
}

/** The keyspace has no primary at the moment: whoever can wait may try again later. */
export class NoPrimary {
  readonly keyspace: string;
  /** A sentence. */
  readonly because: string;

  constructor(keyspace: string, because: string) {
    this.keyspace = keyspace;
    this.because = because;
  }
}

/** What of a text can decide where it goes; what is not looked at need not be analysed. */
export type RoutedBy = "nothing" | "names" | "everything";

/** Chooses the server and the account for a text. Pure and synchronous. */
export interface Router {
  /** Grows with every change of what `route` would answer. */
  readonly generation: number;
  readonly routedBy: RoutedBy;
  /** null: the server's own. */
  readonly schemas: SchemaNames | null;
  route(identity: Identity, request: RouteRequest): Route | SqlError | NoPrimary;
}

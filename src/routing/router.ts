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
  route(identity: Identity, request: RouteRequest): Route | SqlError | NoPrimary;
}

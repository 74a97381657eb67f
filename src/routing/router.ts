// The seam between session and routing: identity, target and statement in, a route or an error out.

import type { SqlError } from "../errors/sql-error.ts";
import type { Identity } from "../identity/identity.ts";
import type { StatementSummary } from "../sql/statement-summary.ts";
import type { Route } from "./route.ts";
import type { Target } from "./target.ts";

/** Chooses the server and the account for a statement. Pure and synchronous. */
export interface Router {
  readonly generation: number;
  /** `statement` is null when a connection is wanted before any statement is known (schema check at login). */
  route(identity: Identity, target: Target, statement: StatementSummary | null): Route | SqlError;
}

// The seam between session and ACL: the whole identity and one statement in, a permit or an error out.

import type { SqlError } from "../errors/sql-error.ts";
import type { Identity } from "../identity/identity.ts";
import type { StatementSummary } from "../sql/statement-summary.ts";
import type { Permit } from "./permit.ts";
import { clientPermit } from "./permit.ts";

/** Decides whether `identity` may run `statement`. Pure and synchronous: decisions are cached by the session. */
export interface Authorizer {
  /** Grows with every change of what `authorize` would answer; part of the statement cache's key. */
  readonly generation: number;
  /** Whether statements must be understood: then the session refuses what `analyze` could not be certain of. */
  readonly enforcing: boolean;
  authorize(identity: Identity, statement: StatementSummary): Permit | SqlError;
}

const permitted = clientPermit("no table ACL is configured");

/** Allows everything: the authoriser of a gateway without a table ACL. */
export const permitAll: Authorizer = {
  generation: 0,
  enforcing: false,
  authorize: () => permitted,
};

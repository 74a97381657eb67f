// The seam between session and ACL: the whole identity and one statement in, a permit or an error out.

import type { SqlError } from "../errors/sql-error.ts";
import type { Identity } from "../identity/identity.ts";
import type { StatementSummary } from "../sql/statement-summary.ts";
import type { Permit } from "./permit.ts";
import { clientPermit } from "./permit.ts";
import type { Role } from "./role.ts";
import type { ObjectName } from "./table-acl.ts";

/** Decides whether `identity` may run `statement`. Pure and synchronous: decisions are cached by the session. */
export interface Authorizer {
  /** Grows with every change of what `authorize` would answer; part of the statement cache's key. */
  readonly generation: number;
  /**
   * Whether anybody can be refused. `authorize` itself refuses what `analyze` could not be certain of, and permits it
   * to exempt principals: the session only relays such a statement to the primary and pins its connection.
   */
  readonly enforcing: boolean;
  /**
   * Whether the answer about a statement is of any interest: it may be refused, or would be (dry run). False: texts
   * need no analysis for its sake.
   */
  readonly judging: boolean;
  /**
   * COM_FIELD_LIST is judged as a statement of kind `FIELD LIST` that reads its table. The error of a denial is an
   * `AclDenial` with the record for the audit log.
   */
  authorize(identity: Identity, statement: StatementSummary): Permit | SqlError;
  /** Judges USE, COM_INIT_DB and a login's schema: 1044 where nothing in the schema can be visible. */
  authorizeSchema(identity: Identity, schema: string): Permit | SqlError;
  /** Whether the identity holds `role` on a table or routine, as for the rows of a listing (show-rights). */
  allows(identity: Identity, object: "table" | "routine", role: Role, name: ObjectName): boolean;
  /** Whether a row about this table may stand in SHOW TABLES and the like. */
  mayRead(identity: Identity, schema: string, table: string): boolean;
  /** Whether a row about this schema may stand in SHOW DATABASES. */
  maySeeSchema(identity: Identity, schema: string): boolean;
  /** The lines of SHOW GRANTS; null: nothing is refused to the identity that the service account may do. */
  grantsFor(identity: Identity): readonly string[] | null;
  /** Whether the identity is shown other users' sessions (MySQL: PROCESS). */
  seesAllSessions(identity: Identity): boolean;
}

const permitted = clientPermit("no table ACL is configured");

/** Allows everything: the authoriser of a gateway without a table ACL. */
export const permitAll: Authorizer = {
  generation: 0,
  enforcing: false,
  judging: false,
  authorize: () => permitted,
  authorizeSchema: () => permitted,
  allows: () => true,
  mayRead: () => true,
  maySeeSchema: () => true,
  grantsFor: () => null,
  seesAllSessions: () => false,
};

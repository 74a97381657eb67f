// What the session needs to know of one command's text: every statement in it, and what follows from them together.
// Holds no text.

import { type Listing, listingOf } from "../acl/show-rights.ts";
import { accountKindOf } from "../sql/accounts.ts";
import type { StatementSummary } from "../sql/statement-summary.ts";
import { tellsInRows } from "./told-rows.ts";

/** The statements of one COM_QUERY or COM_STMT_PREPARE, judged together. */
export interface StatementText {
  readonly statements: readonly StatementSummary[];
  /** All are proven to change nothing. */
  readonly readOnly: boolean;
  /** Why the backend connection must stay with the session afterwards; null: it need not. */
  readonly pins: string | null;
  /** Why the backend connection must not serve another session afterwards: no reset undoes it; null: it may. */
  readonly spoils: string | null;
  /** The default schema after it; null: unchanged. */
  readonly use: string | null;
  /** Whether a schema is dropped: it may be the one that the connection is in. */
  readonly dropsSchema: boolean;
  /** Whether it may have ended a transaction for good: never repeated, never reported as rolled back. */
  readonly commits: boolean;
  /** The file that LOAD DATA LOCAL names; null: no file may be asked for. */
  readonly loadLocalFile: string | null;
  /** Whether any of them is a KILL: then the gateway answers. */
  readonly kills: boolean;
  /** Whether the gateway itself answers any of them: SHOW GRANTS and the like. */
  readonly asksGateway: boolean;
  /** Whether rows of its replies may tell who the session is: SHOW VARIABLES, SHOW WARNINGS. */
  readonly tellsInRows: boolean;
  /** The kinds of those about accounts. */
  readonly accountKinds: readonly string[];
  /** Whether any of them was not understood with certainty. */
  readonly uncertain: boolean;
  /** Where its rows are about tables and the like of which the client may see some only; null: it may see all. */
  readonly listing: FilteredListing | null;
}

/** The rows of SHOW TABLES and the like. */
export interface FilteredListing {
  readonly columns: Listing;
  /** The schema that the rows are about, where no column says so. */
  readonly schema: string | null;
}

/** Whether it may have made changes final: also by the way, as DDL does, and whatever was not understood. */
function mayCommit({ uncertain, effects }: StatementSummary): boolean {
  if (uncertain !== null || effects.autocommit === true) return true;
  return effects.transaction !== null && effects.transaction !== "savepoint";
}

/** MariaDB keeps the texts for SHOW PROFILES beyond COM_RESET_CONNECTION (10.11): the next session could read them. */
function turnsProfilingOn({ assigns }: StatementSummary): boolean {
  return assigns.some(({ name }) => name === "profiling");
}

const DROPPING = /^DROP (DATABASE|SCHEMA)\b/;

/** Puts the statements of one text together; `database` is the session's default schema. */
export function statementText(
  statements: readonly StatementSummary[],
  database: string | null = null,
): StatementText {
  let pins: string | null = null;
  let use: string | null = null;
  let loadLocalFile: string | null = null;
  for (const statement of statements) {
    pins ??= statement.uncertain !== null ? "a statement that was not understood" : statement.effects.pins;
    if (pins === null && statement.effects.any && statement.effects.use === null)
      pins = `${statement.kind} changed the session`;
    use = statement.effects.use ?? use;
    loadLocalFile ??= statement.loadLocalFile;
  }
  return {
    statements,
    spoils: statements.some(turnsProfilingOn) ? "its statements were profiled" : null,
    readOnly: statements.every((statement) => statement.readOnly),
    pins,
    use,
    dropsSchema: statements.some((statement) => DROPPING.test(statement.kind)),
    commits: statements.some(mayCommit),
    loadLocalFile,
    kills: statements.some((statement) => statement.kill !== null),
    asksGateway: statements.some((statement) => statement.kind === "SHOW" && statement.ownShow !== null),
    tellsInRows: statements.some(tellsInRows),
    accountKinds: statements.flatMap((statement) => accountKindOf(statement) ?? []),
    uncertain: statements.some((statement) => statement.uncertain !== null),
    listing: listingIn(statements, database),
  };
}

/** Of a text of one statement: where an ACL is enforced, listings among others are refused. */
function listingIn(statements: readonly StatementSummary[], database: string | null): FilteredListing | null {
  const [only] = statements;
  if (only === undefined || statements.length > 1) return null;
  const columns = listingOf(only);
  return columns === null ? null : { columns, schema: only.schemas[0]?.name ?? database };
}

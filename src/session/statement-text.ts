// What the session needs to know of one command's text: every statement in it, and what follows from them together.
// Holds no text.

import type { StatementSummary } from "../sql/statement-summary.ts";

/** The statements of one COM_QUERY or COM_STMT_PREPARE, judged together. */
export interface StatementText {
  readonly statements: readonly StatementSummary[];
  /** All are proven to change nothing. */
  readonly readOnly: boolean;
  /** Why the backend connection must stay with the session afterwards; null: it need not. */
  readonly pins: string | null;
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
}

/** Whether it may have made changes final: also by the way, as DDL does, and whatever was not understood. */
function mayCommit({ uncertain, effects }: StatementSummary): boolean {
  if (uncertain !== null || effects.autocommit === true) return true;
  return effects.transaction !== null && effects.transaction !== "savepoint";
}

const DROPPING = /^DROP (DATABASE|SCHEMA)\b/;

/** Puts the statements of one text together. */
export function statementText(statements: readonly StatementSummary[]): StatementText {
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
    readOnly: statements.every((statement) => statement.readOnly),
    pins,
    use,
    dropsSchema: statements.some((statement) => DROPPING.test(statement.kind)),
    commits: statements.some(mayCommit),
    loadLocalFile,
    kills: statements.some((statement) => statement.kill !== null),
  };
}

// What a text does to FOUND_ROWS(), by the kinds of its statements; tried on MySQL 9.7 and MariaDB 10.11. The manual tells
// of SELECT only: what is not certain here is asked of the connection.
// https://dev.mysql.com/doc/refman/8.4/en/information-functions.html#function_found-rows

import type { StatementSummary } from "../sql/statement-summary.ts";

/**
 * `stays`: it says what it said before. `may stay`: likewise, as far as is known. `counted`: the rows of the reply. `set`:
 * something else, that only the server knows. `set on mysql`: on MariaDB it may stay. `unknown`: it is believed to be set,
 * by whatever the statement has run, also where it fails.
 */
export type FoundRowsEffect = "stays" | "may stay" | "counted" | "set" | "set on mysql" | "unknown";

const staying = /^(SET|USE|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)\b/;
const mayStay =
  /^(INSERT|REPLACE|LOAD|DELETE|CREATE|DROP|ALTER|TRUNCATE|RENAME|LOCK|UNLOCK|ANALYZE|CHECK|CHECKSUM|OPTIMIZE|REPAIR|FLUSH|HANDLER|KILL|PREPARE|DEALLOCATE)\b/;
/** These are answered from tables of rows, others in their own way. */
const countedShows =
  /^(FULL |EXTENDED )*(TABLES|DATABASES|SCHEMAS|COLUMNS|FIELDS|VARIABLES|STATUS|COUNT)\b|^(SESSION|GLOBAL|LOCAL) /;

/** Of a text that has succeeded. */
export function foundRowsEffect(statements: readonly StatementSummary[]): FoundRowsEffect {
  const effects = statements.map(effectOf);
  // What is counted last in a text of several has a row count of its own: the server is asked.
  return effects.length === 1 ? (effects[0] ?? "stays") : effects.reduce(together, "stays");
}

function together(before: FoundRowsEffect, after: FoundRowsEffect): FoundRowsEffect {
  if (after === "stays") return before;
  if (after === "counted" || after === "set" || before === "counted" || before === "set") return "set";
  if (before === "unknown" || after === "unknown") return "unknown";
  return before === "set on mysql" ? before : after;
}

function effectOf({ kind, subject, reads, effects, uncertain }: StatementSummary): FoundRowsEffect {
  if (uncertain !== null) return "unknown";
  if (staying.test(kind)) return "stays";
  if (kind === "SELECT") return effects.countsFoundRows ? "set" : "counted";
  if (kind === "SHOW" && subject !== null) {
    return countedShows.test(subject) ? "set" : "may stay";
  }
  if (kind === "UPDATE" || kind === "DO") return "set on mysql";
  if (!mayStay.test(kind)) return "unknown";
  // Rows that are read and written are counted as well, unless they are deleted. Locks read none.
  return reads.length > 0 && !/^(DELETE|TRUNCATE|DROP|FLUSH|LOCK)/.test(kind) ? "set" : "may stay";
}

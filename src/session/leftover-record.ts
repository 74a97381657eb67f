// What the last statements of a session have left behind: ROW_COUNT(), FOUND_ROWS(), warnings; what of it is known, and
// what the connection at hand would say by itself. Each stands for itself: a SET on another connection leaves a row count
// there, but the rows found are those of a statement before it. Pure record keeping.
// https://dev.mysql.com/doc/refman/8.4/en/information-functions.html#function_found-rows

import type { ServerFlavour } from "../backend/backend-connection.ts";
import type { SessionVariables, ToldError } from "../backend/backend-pool.ts";
import type { Leftover, StatementSummary } from "../sql/statement-summary.ts";
import { COM_INIT_DB, COM_PING, COM_SET_OPTION, COM_STMT_RESET } from "../wire/commands.ts";
import type { ReplySummary } from "../wire/reply-summary.ts";
import { STATUS_CURSOR_EXISTS } from "../wire/status-flags.ts";
import type { FoundRowsEffect } from "./found-rows.ts";
import type { StatementText } from "./statement-text.ts";

/** What the text under way is told of the statements before it; null: its connection knows. */
export interface Leftovers {
  readonly rowCount: number | null;
  readonly foundRows: number | null;
}

/** What ROW_COUNT() says after commands without text, where they change it. */
const rowCountsAfter: ReadonlyMap<number, number> = new Map([
  [COM_PING, 0],
  [COM_INIT_DB, 0],
  [COM_SET_OPTION, -1],
  [COM_STMT_RESET, 0],
]);

const isOfDiagnostics = (what: Leftover): boolean => what === "warnings" || what === "messages";

/** See the file's head. */
export class LeftoverRecord {
  rowCount = 0;
  #isRowCountHere = false;
  /** null: only a connection knows: the one at hand, or it is lost. */
  foundRows: number | null = 0;
  #isFoundRowsHere = false;
  /** Whether SHOW WARNINGS has anything to say. */
  hasDiagnostics = false;
  #areDiagnosticsHere = false;
  /** The last error as the client was told it, where the server has other words for it; null: it has not. */
  toldError: ToldError | null = null;
  /** The connection may have warnings or errors of this session, of whatever statement. */
  leavesDiagnostics = false;
  /** A sequence was used on the connection. */
  #isLastValueHere = false;

  /** As after a login, or after a reset. */
  reset(): void {
    this.rowCount = 0;
    // Neither COM_RESET_CONNECTION nor COM_CHANGE_USER takes FOUND_ROWS() away.
    this.foundRows ??= 0;
    this.hasDiagnostics = false;
    this.toldError = null;
    // The first connection was another session's before.
    this.leave();
  }

  /** The connection is left, or lost. */
  leave(): void {
    this.#isRowCountHere = false;
    this.#isFoundRowsHere = false;
    this.#areDiagnosticsHere = false;
    this.#isLastValueHere = false;
    this.leavesDiagnostics = false;
  }

  /** Whether SHOW WARNINGS is to be answered by the connection at hand and no other. */
  get keepsDiagnostics(): boolean {
    return this.hasDiagnostics && this.#areDiagnosticsHere;
  }

  /** The connection at hand knows what a statement asks for that cannot be told in its text. */
  get isHere(): boolean {
    return this.#isRowCountHere || this.#isFoundRowsHere || this.#areDiagnosticsHere;
  }

  /** Nobody but the connection at hand knows FOUND_ROWS(). */
  get onlyHereAreFoundRows(): boolean {
    return this.foundRows === null && this.#isFoundRowsHere;
  }

  /** The reply to a text that ran has ended. */
  noteReply(summary: ReplySummary, text: StatementText, flavour: ServerFlavour): void {
    const failed = summary.errorCode !== 0;
    this.rowCount = failed ? -1 : summary.affectedRows;
    this.#isRowCountHere = true;
    if (text.statements.some(({ writes }) => writes.length > 0)) this.#isLastValueHere = true;
    this.#noteFoundRows(summary, text, flavour);
    if (!text.asksForWarnings) this.#noteDiagnostics(summary, text, failed, flavour);
  }

  #noteFoundRows(summary: ReplySummary, text: StatementText, flavour: ServerFlavour): void {
    // Rows behind a cursor are counted as they are fetched.
    const isWhole = summary.resultSetCount > 0 && (summary.statusFlags & STATUS_CURSOR_EXISTS) === 0;
    switch (settledEffect(text, summary, flavour)) {
      case "stays":
        return;
      case "may stay":
        // Where the last count is elsewhere, this connection knows another session's.
        if (this.#isFoundRowsHere) this.foundRows = null;
        return;
      case "counted":
        this.foundRows = isWhole ? summary.rowCount : null;
        this.#isFoundRowsHere = true;
        return;
      case "set":
        this.foundRows = null;
        this.#isFoundRowsHere = true;
    }
  }

  #noteDiagnostics(
    summary: ReplySummary,
    text: StatementText,
    failed: boolean,
    flavour: ServerFlavour,
  ): void {
    const isNew = failed || summary.warnings > 0 || (flavour === "mariadb" && summary.hadWarnings);
    // MariaDB forgets warnings only with a statement that reads a table. On another connection they are gone all the same.
    if (!isNew && flavour === "mariadb" && !text.namesTables && this.keepsDiagnostics) return;
    this.hasDiagnostics = isNew;
    this.#areDiagnosticsHere = true;
    if (!failed) this.toldError = null;
  }

  /** A command without text, or a PREPARE, has failed: SHOW WARNINGS tells of it. */
  noteError(): void {
    this.rowCount = -1;
    this.#isRowCountHere = true;
    this.leavesDiagnostics = true;
    this.hasDiagnostics = true;
    this.#areDiagnosticsHere = true;
  }

  /** A PREPARE has succeeded, perhaps with warnings. MySQL forgets with it what was there before. */
  notePrepared(hadWarnings: boolean, flavour: ServerFlavour): void {
    if (!hadWarnings && flavour === "mariadb") return;
    this.hasDiagnostics = hadWarnings;
    this.#areDiagnosticsHere = true;
    this.toldError = null;
  }

  /** A command without text has succeeded on the connection at hand. */
  noteCommand(command: number): void {
    const rowCount = rowCountsAfter.get(command);
    if (rowCount === undefined) return;
    this.rowCount = rowCount;
    this.#isRowCountHere = true;
  }

  /** The gateway has answered by itself. */
  noteOwnAnswer(rowCount: number): void {
    this.rowCount = rowCount;
    this.#isRowCountHere = false;
  }

  /** The client has seen so many rows of a reply, and none of its warnings. The connection says the same now. */
  hideLastReply(rows: number): void {
    this.#isRowCountHere = false;
    this.foundRows = rows;
    this.hasDiagnostics = false;
    this.toldError = null;
  }

  /** The connection at hand was made to forget what it knew, but for so many rows. */
  noteHidden(rows: number): void {
    this.#isRowCountHere = false;
    this.#isFoundRowsHere = this.foundRows === rows;
    this.#areDiagnosticsHere = true;
  }

  /** The connection at hand was led to another schema or mode and back: it says something of that. */
  noteAside(): void {
    this.#isRowCountHere = false;
    this.#areDiagnosticsHere = false;
  }

  /** The gateway has asked the connection something, which took all away but the warnings. */
  noteAsked({ rowCount, foundRows }: SessionVariables): void {
    if (this.#isRowCountHere) this.rowCount = rowCount;
    if (this.#isFoundRowsHere && foundRows !== null) this.foundRows = foundRows;
    this.#isRowCountHere = false;
    this.#isFoundRowsHere = false;
    if (!this.hasDiagnostics) this.#areDiagnosticsHere = false;
  }

  /** Whether the connection at hand might tell of warnings that are not the session's. */
  isToBeHiddenFor({ asksFor }: StatementText): boolean {
    return !this.#areDiagnosticsHere && asksFor.some(isOfDiagnostics);
  }

  /** What a text asks for and nobody knows any more, but the insert id; null: it can be told. */
  lostFor({ asksFor, statements }: StatementText): Leftover | null {
    if (asksFor.includes("last value") && !this.#isLastValueHere) return "last value";
    if (this.hasDiagnostics && !this.#areDiagnosticsHere && asksFor.some(isOfDiagnostics)) return "warnings";
    if (statements.length === 1) {
      const isLost = this.foundRows === null && !this.#isFoundRowsHere;
      return isLost && asksFor.includes("found rows") ? "found rows" : null;
    }
    // The later ones ask for what the earlier ones leave.
    if (!this.#isFoundRowsHere && asksFor.includes("found rows")) return "found rows";
    return !this.#isRowCountHere && asksFor.includes("row count") ? "row count" : null;
  }

  /** The error of which the server must not tell a text in its own words; asked once. null: there is none. */
  errorToTell(text: StatementText): ToldError | null {
    const { toldError } = this;
    if (toldError === null || !this.#areDiagnosticsHere || !text.readsMessages) return null;
    this.toldError = null;
    return toldError;
  }

  /** What is to be put into a text, where its connection would say something else; null: nothing is. */
  leftoversFor(text: StatementText, anyhow: boolean): Leftovers | null {
    const rowCount = anyhow || !this.#isRowCountHere ? this.rowCount : null;
    const foundRows = anyhow || !this.#isFoundRowsHere ? this.foundRows : null;
    const isNothing = text.asksFor.length === 0 || (rowCount === null && foundRows === null);
    return isNothing ? null : { rowCount, foundRows };
  }
}

const UNKNOWN_PREPARED = 1243;
const PARSE_ERROR = 1064;

/** EXECUTE of a name that is not known; what neither the server nor the gateway can read. */
function ranNothing(statement: StatementSummary | undefined, errorCode: number): boolean {
  if (errorCode === PARSE_ERROR) return statement?.uncertain?.symbol === "ER_PARSE_ERROR";
  return errorCode === UNKNOWN_PREPARED && statement?.uncertain === null;
}

/** What a text did to FOUND_ROWS() on such a server. */
function settledEffect(
  { foundRows, statements }: StatementText,
  { errorCode, resultSetCount }: ReplySummary,
  flavour: ServerFlavour,
): Exclude<FoundRowsEffect, "set on mysql" | "unknown"> {
  if (statements.length === 1 && ranNothing(statements[0], errorCode)) return "may stay";
  if (foundRows === "unknown") return "set";
  // Of several statements the first have run.
  if (errorCode !== 0 && foundRows !== "stays")
    return statements.length > 1 && resultSetCount > 0 ? "set" : "may stay";
  if (foundRows !== "set on mysql") return foundRows;
  return flavour === "mysql" ? "set" : "may stay";
}

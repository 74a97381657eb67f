// What follows a session from one backend connection to the next, and what holds it on the one that it has: settings,
// the insert id, the leftovers of its last statement. Pure record keeping: it knows replies and texts, no connection.

import type { Handover, SessionVariables, ToldError } from "../backend/backend-pool.ts";
import { noSettings, readingKeyOf, type SessionSettings, withVariable } from "../backend/session-settings.ts";
import type { Leftover } from "../sql/statement-summary.ts";
import { CLIENT_MULTI_STATEMENTS, has } from "../wire/capabilities.ts";
import type { ReplySummary } from "../wire/reply-summary.ts";
import { STATUS_AUTOCOMMIT, STATUS_IN_TRANS } from "../wire/status-flags.ts";
import type { StatementText } from "./statement-text.ts";

/** Why a session stays on its connection whose schema may be gone. */
export const DROPPED_SCHEMA = "a dropped schema";

/**
 * Leftovers that only the connection knows (warnings, SQL_CALC_FOUND_ROWS) are kept for this time after the statement,
 * in milliseconds, even if others wait; a client that asks for them does so at once.
 */
export const LEFTOVERS_KEPT_MS = 2000;

const isOfDiagnostics = (what: Leftover): boolean => what === "warnings" || what === "messages";

/** What the text under way is told of the statement before it. */
export interface Leftovers {
  readonly rowCount: number;
  readonly foundRows: number | null;
}

/** See the file's head. */
export class Following {
  settings: SessionSettings = noSettings;
  multiStatements = false;
  /** What LAST_INSERT_ID() says, in digits; null: only the connection knows, or is being asked. */
  insertId: string | null = "0";
  /** What ROW_COUNT() and FOUND_ROWS() say; null: only the connection knows. */
  rowCount = 0;
  foundRows: number | null = 0;
  /** Whether SHOW WARNINGS has anything to say. */
  hasDiagnostics = false;
  /** The last error as the client was told it, where the server has other words for it; null: it has not. */
  toldError: ToldError | null = null;
  /** The leftovers are those of a connection that the session has left. */
  isElsewhere = true;
  /** The connection may have warnings or errors of this session, of whatever statement. */
  #leavesDiagnostics = false;
  /** It has a prepared statement that asks for leftovers: they cannot be put into its text. */
  asksByStatement = false;
  /** The last statement had SQL_CALC_FOUND_ROWS. */
  #hasCounted = false;
  /** SET TRANSACTION was said and waits for its transaction, or that one is under way. */
  #nextTransaction: "set" | "under way" | null = null;
  /** The schema that the session was in may be gone. */
  #schemaDropped = false;
  /** Is told when the insert id has come from the connection that was left. */
  #onInsertId: (() => void)[] = [];
  /** The connection that knew it was lost. */
  #isInsertIdLost = false;
  /** The gateway has asked its connection something since the last statement: only the warnings are still there. */
  #wasAsked = false;
  /** Grows with every reset: what was asked before is no longer wanted. */
  #epoch = 0;

  /** As after a login. */
  reset(capabilities: number, settings: SessionSettings = noSettings): void {
    this.#epoch += 1;
    for (const told of this.#onInsertId.splice(0)) told();
    this.settings = settings;
    this.multiStatements = has(capabilities, CLIENT_MULTI_STATEMENTS);
    this.insertId = "0";
    this.#isInsertIdLost = false;
    this.rowCount = 0;
    this.foundRows = 0;
    this.#hasCounted = false;
    this.hasDiagnostics = false;
    this.toldError = null;
    // The first connection was another session's before.
    this.isElsewhere = true;
    this.#wasAsked = false;
    this.asksByStatement = false;
    this.#nextTransaction = null;
    this.#schemaDropped = false;
  }

  /** Why the connection cannot be left now, whatever it takes; null: it can. */
  holdsBecause(statusFlags: number): string | null {
    if ((statusFlags & STATUS_IN_TRANS) !== 0) return "a transaction";
    if ((statusFlags & STATUS_AUTOCOMMIT) === 0) return "autocommit is off";
    if (this.#nextTransaction !== null) return "SET TRANSACTION";
    return this.#schemaDropped ? DROPPED_SCHEMA : null;
  }

  /** Why the connection is not left for some time; null: it is at once. */
  get lingersBecause(): string | null {
    if (this.isElsewhere) return null;
    if (this.hasDiagnostics) return "warnings of the last statement";
    if (this.#hasCounted) return "SQL_CALC_FOUND_ROWS";
    return this.asksByStatement ? "a prepared statement that asks for leftovers" : null;
  }

  /** A text is sent: some of what it does counts even if it fails. */
  noteSent(text: StatementText): void {
    if (text.nextTransaction) this.#nextTransaction = "set";
  }

  /** The reply to a text has ended. */
  noteReply(summary: ReplySummary, text: StatementText): void {
    const failed = summary.errorCode !== 0;
    this.#leavesDiagnostics ||= failed || summary.hadWarnings;
    if (!text.runs) {
      if (failed) this.noteError();
      return;
    }
    this.isElsewhere = false;
    this.#wasAsked = false;
    if (!text.asksForWarnings) {
      this.hasDiagnostics = failed || summary.warnings > 0;
      if (!failed) this.toldError = null;
    }
    if (summary.hadInsertId || text.setsInsertId || (failed && !text.readOnly)) {
      this.insertId = null;
      this.#isInsertIdLost = false;
    }
    this.rowCount = summary.affectedRows;
    this.#hasCounted = text.countsFoundRows;
    if (text.countsFoundRows) this.foundRows = null;
    else if (summary.resultSetCount > 0 && !failed) this.foundRows = summary.rowCount;
    else if (text.blursFoundRows) this.foundRows = null;
    if (this.#nextTransaction !== null) this.#noteTransaction(summary);
  }

  /** A command that is no statement has failed: SHOW WARNINGS tells of it. */
  noteError(): void {
    this.#leavesDiagnostics = true;
    this.isElsewhere = false;
    this.hasDiagnostics = true;
  }

  #noteTransaction({ errorCode, statusFlags }: ReplySummary): void {
    if (errorCode !== 0) return;
    if ((statusFlags & STATUS_IN_TRANS) !== 0) this.#nextTransaction = "under way";
    else if (this.#nextTransaction === "under way") this.#nextTransaction = null;
  }

  /** A text that succeeded has set these. `hasPrepared`: statements were prepared as texts were read before. */
  noteSettings(text: StatementText, hasPrepared: boolean): string | null {
    const before = readingKeyOf(this.settings);
    let settings: SessionSettings | null = this.settings;
    for (const change of text.settings) settings = settings === null ? null : change(settings);
    if (settings === null) return "a variable that does not follow the session";
    this.settings = settings;
    const isReadOtherwise = hasPrepared && readingKeyOf(settings) !== before;
    return isReadOtherwise ? "statements prepared before SET NAMES or SET sql_mode" : null;
  }

  /** The session is in a schema for certain, or its own was dropped. */
  noteSchema(dropped: boolean): void {
    this.#schemaDropped = dropped;
  }

  /** What the connection is like. */
  describe(database: string | null): Handover {
    const { settings, multiStatements, insertId } = this;
    return { database, settings, multiStatements, insertId, hasDiagnostics: this.#leavesDiagnostics };
  }

  /** The connection is left. Returns who is to be told its insert id; null: it is known. */
  leave(): ((insertId: string | null) => void) | null {
    this.isElsewhere = true;
    this.#leavesDiagnostics = false;
    if (this.insertId !== null) return null;
    const epoch = this.#epoch;
    return (insertId) => {
      if (epoch !== this.#epoch) return;
      this.#isInsertIdLost = insertId === null;
      this.insertId = insertId ?? "0";
      for (const told of this.#onInsertId.splice(0)) told();
    };
  }

  /** The connection is lost, with all that only it knew. */
  lose(): void {
    this.isElsewhere = true;
    this.#leavesDiagnostics = false;
    this.#isInsertIdLost ||= this.insertId === null;
    this.insertId ??= "0";
  }

  /** A reply was kept back from the client, but for so many rows. */
  hideLastReply(rows: number): void {
    this.foundRows = rows;
    this.hasDiagnostics = false;
    this.toldError = null;
  }

  /** What a text asks for of the statement before, and nobody knows any more; null: it can be told. */
  lostFor(text: StatementText): Leftover | null {
    if (text.asksFor.length === 0) return null;
    if (this.#isInsertIdLost && text.asksFor.includes("insert id")) return "insert id";
    if (!this.isElsewhere) return null;
    if (text.asksFor.includes("last value")) return "last value";
    if (this.hasDiagnostics && text.asksFor.some(isOfDiagnostics)) return "warnings";
    if (text.statements.length === 1)
      return this.foundRows === null && text.asksFor.includes("found rows") ? "found rows" : null;
    // The later ones ask for what the earlier ones leave.
    return text.asksFor.find((what) => what === "found rows" || what === "row count") ?? null;
  }

  /** The error of which the server must not tell a text in its own words; asked once. null: there is none. */
  errorToTell(text: StatementText): ToldError | null {
    const { toldError } = this;
    if (toldError === null || this.isElsewhere || !text.readsMessages) return null;
    this.toldError = null;
    return toldError;
  }

  /** What is to be put into a text, where its connection would say something else; null: nothing is. */
  leftoversFor(text: StatementText, anyhow = false): Leftovers | null {
    if (!(this.isElsewhere || this.#wasAsked || anyhow) || text.asksFor.length === 0) return null;
    return { rowCount: this.rowCount, foundRows: this.foundRows };
  }

  /**
   * The server has told its variables: its sql_mode is said on every connection from now on. To be asked took leftovers
   * of the last statement away, except its warnings. A reason to stay: the mode cannot be said.
   */
  noteVariables({ sqlMode, rowCount, foundRows }: SessionVariables): string | null {
    if (!this.isElsewhere && !this.#wasAsked) {
      this.rowCount = rowCount;
      if (foundRows !== null) this.foundRows = foundRows;
    }
    if (this.hasDiagnostics) this.#wasAsked = true;
    else this.isElsewhere = true;
    const settings = withVariable(this.settings, "sql_mode", sqlMode);
    if (settings === null) return "a variable that does not follow the session";
    this.settings = settings;
    return null;
  }

  /** Resolves when the insert id is known; null: it is. To be called without a connection only. */
  whenInsertIdKnown(): Promise<void> | null {
    if (this.insertId !== null) return null;
    return new Promise((resolve) => {
      this.#onInsertId.push(resolve);
    });
  }
}

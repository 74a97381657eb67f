// What follows a session from one backend connection to the next, and what holds it on the one that it has: settings,
// the insert id, the leftovers of its last statement. Pure record keeping: it knows replies and texts, no connection.

import type { ServerFlavour } from "../backend/backend-connection.ts";
import type {
  Handover,
  OwedLeftovers,
  SessionVariables,
  ToldError,
  ToldLeftovers,
} from "../backend/backend-pool.ts";
import { noSettings, type SessionSettings, withVariable } from "../backend/session-settings.ts";
import type { Leftover } from "../sql/statement-summary.ts";
import { CLIENT_MULTI_STATEMENTS, has } from "../wire/capabilities.ts";
import type { ReplySummary } from "../wire/reply-summary.ts";
import { STATUS_AUTOCOMMIT, STATUS_IN_TRANS } from "../wire/status-flags.ts";
import type { LastReply } from "./ask-backend.ts";
import { LeftoverRecord, type Leftovers } from "./leftover-record.ts";
import type { StatementText } from "./statement-text.ts";

/** Why a session stays on its connection whose schema may be gone. */
export const DROPPED_SCHEMA = "a dropped schema";

/**
 * Warnings are kept on their connection for this time after the statement, in milliseconds, even if others wait: a
 * client that asks for them does so at once.
 */
export const LEFTOVERS_KEPT_MS = 2000;

/** What takes with a transaction all that was said of it. */
const endings: ReadonlySet<string | null> = new Set(["begins", "ends", "commits", "xa"]);

/** Why a session stays on its connection until its next command: the server is asked then what came of it. */
const COMPUTED = "a variable set to an expression";

/** See the file's head. */
export class Following {
  settings: SessionSettings = noSettings;
  multiStatements = false;
  /** What LAST_INSERT_ID() says, in digits; null: only the connection knows, or is being asked. */
  insertId: string | null = "0";
  /** Of its statements: row counts, warnings. */
  readonly #leftovers = new LeftoverRecord();
  /** It has a prepared statement that asks for leftovers: they cannot be put into its text. */
  asksByStatement = false;
  /** SET TRANSACTION was said and waits for its transaction, or that one is under way. */
  #nextTransaction: "set" | "under way" | null = null;
  /** Variables that were set to expressions since the server was asked. */
  readonly #computed = new Set<string>();
  /** Whether `settings` tells how texts are read. */
  #isReadingKnown = true;
  /** The schema that the session was in may be gone. */
  #schemaDropped = false;
  /** The connection that was left is being asked for what only it knows. */
  #isAsked = false;
  /** Are told when it has answered. */
  #onAnswer: (() => void)[] = [];
  /** The connection that knew it was lost. */
  #isInsertIdLost = false;
  /** Grows with every reset: what was asked before is no longer wanted. */
  #epoch = 0;

  /** As after a login. */
  reset(capabilities: number, settings: SessionSettings = noSettings): void {
    this.#epoch += 1;
    this.#isAsked = false;
    for (const told of this.#onAnswer.splice(0)) told();
    this.settings = settings;
    this.multiStatements = has(capabilities, CLIENT_MULTI_STATEMENTS);
    this.insertId = "0";
    this.#isInsertIdLost = false;
    this.#leftovers.reset();
    this.asksByStatement = false;
    this.#nextTransaction = null;
    this.#schemaDropped = false;
    this.#computed.clear();
    this.#isReadingKnown = true;
  }

  /** Variables of which only the server knows what they are; asked before the next text is sent. */
  get computed(): ReadonlySet<string> {
    return this.#computed;
  }

  /** Why the session needs its connection until then; null: it does not. */
  get computedBecause(): string | null {
    return this.#computed.size > 0 ? COMPUTED : null;
  }

  /** Whether one can lead a connection to the way in which texts are read now. */
  get isReadingKnown(): boolean {
    return this.#isReadingKnown && this.#computed.size === 0;
  }

  /** A text may have changed that in a way of which `settings` knows nothing. */
  noteReadingUnknown(): void {
    this.#isReadingKnown = false;
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
    if (this.#leftovers.keepsDiagnostics) return "warnings of the last statement";
    const asks = this.asksByStatement && this.#leftovers.isHere;
    return asks ? "a prepared statement that asks for leftovers" : null;
  }

  /** A text is sent: some of what it does counts even if it fails. */
  noteSent(text: StatementText): void {
    if (text.nextTransaction) this.#nextTransaction = "set";
  }

  /** The reply to a text has ended. */
  noteReply(summary: ReplySummary, text: StatementText, flavour: ServerFlavour): void {
    const failed = summary.errorCode !== 0;
    this.#leftovers.leavesDiagnostics ||= failed || summary.hadWarnings;
    if (!text.runs) {
      if (failed) this.#leftovers.noteError();
      else this.#leftovers.notePrepared(summary.hadWarnings, flavour);
      return;
    }
    if (summary.hadInsertId || text.setsInsertId || (failed && !text.readOnly)) {
      this.insertId = null;
      this.#isInsertIdLost = false;
    }
    this.#leftovers.noteReply(summary, text, flavour);
    if (this.#nextTransaction !== null) this.#noteTransaction(summary, text);
  }

  /** A command that is no statement has been answered. */
  noteCommand(command: number, failed: boolean): void {
    if (failed) this.#leftovers.noteError();
    else this.#leftovers.noteCommand(command);
  }

  /** The gateway has answered a command by itself, which leaves this row count. */
  noteOwnAnswer(rowCount: number): void {
    this.#leftovers.noteOwnAnswer(rowCount);
  }

  /** The client was told an error in other words than the server's. */
  set toldError(error: ToldError | null) {
    this.#leftovers.toldError = error;
  }

  #noteTransaction({ errorCode, statusFlags }: ReplySummary, text: StatementText): void {
    if (errorCode !== 0) return;
    if ((statusFlags & STATUS_IN_TRANS) !== 0) this.#nextTransaction = "under way";
    else if (this.#nextTransaction === "under way") {
      // SET autocommit ends a transaction too, but MySQL 9.7 and MariaDB 10.11 keep what was said of it for the next one.
      const isOver = text.statements.some(({ effects: { transaction } }) => endings.has(transaction));
      this.#nextTransaction = isOver ? null : "set";
    }
  }

  /** A text that succeeded has set these. A reason to stay: they cannot be said elsewhere. */
  noteSettings(text: StatementText): string | null {
    let settings: SessionSettings | null = this.settings;
    for (const change of text.settings) settings = settings === null ? null : change(settings);
    if (settings === null) return "a variable that does not follow the session";
    this.settings = settings;
    for (const name of text.computes) this.#computed.add(name);
    return null;
  }

  /** The session is in a schema for certain, or its own was dropped. */
  noteSchema(dropped: boolean): void {
    this.#schemaDropped = dropped;
  }

  /** What the connection is like. */
  describe(database: string | null): Handover {
    const { settings, multiStatements, insertId } = this;
    const hasDiagnostics = this.#leftovers.leavesDiagnostics;
    return { database, settings, multiStatements, insertId, hasDiagnostics };
  }

  /** The connection is left. Returns what only it knows; null: all is known. */
  leave(): OwedLeftovers | null {
    const asksForRows = this.#leftovers.onlyHereAreFoundRows;
    this.#leftovers.leave();
    if (this.insertId !== null && !asksForRows) return null;
    const epoch = this.#epoch;
    this.#isAsked = true;
    const tell = (told: ToldLeftovers | null): void => {
      if (epoch !== this.#epoch) return;
      this.#isAsked = false;
      if (this.insertId === null) {
        this.#isInsertIdLost = told === null;
        this.insertId = told?.insertId ?? "0";
      }
      if (asksForRows) this.#leftovers.foundRows = told?.foundRows ?? null;
      for (const wake of this.#onAnswer.splice(0)) wake();
    };
    return { foundRows: asksForRows, tell };
  }

  /** The connection is lost, with all that only it knew. */
  lose(): void {
    this.#leftovers.leave();
    this.#isInsertIdLost ||= this.insertId === null;
    this.insertId ??= "0";
  }

  /** A reply of which the client has not seen all. `settled`: its connection says the same now; else it is left. */
  noteLastReply(last: LastReply | null, settled: boolean): void {
    if (last === null || !("rows" in last)) return;
    // What was recalled is known already; what was filtered is not.
    if (!last.isRecalled) this.#leftovers.hideLastReply(last.rows);
    if (settled) this.#leftovers.noteHidden(last.rows);
  }

  /** The connection at hand was led to another schema or mode and back. */
  noteAside(): void {
    this.#leftovers.noteAside();
  }

  /** Rows that FOUND_ROWS() has to count; 0 where that is not known. */
  get foundRows(): number {
    return this.#leftovers.foundRows ?? 0;
  }

  /** Whether the connection at hand might tell a text of another session's warnings, or of our own. */
  isToBeHiddenFor(text: StatementText): boolean {
    return this.#leftovers.isToBeHiddenFor(text);
  }

  /** What a text asks for of the statement before, and nobody knows any more; null: it can be told. */
  lostFor(text: StatementText): Leftover | null {
    if (text.asksFor.length === 0) return null;
    if (this.#isInsertIdLost && text.asksFor.includes("insert id")) return "insert id";
    return this.#leftovers.lostFor(text);
  }

  /** The error of which the server must not tell a text in its own words; asked once. null: there is none. */
  errorToTell(text: StatementText): ToldError | null {
    return this.#leftovers.errorToTell(text);
  }

  /** What is to be put into a text, where its connection would say something else; null: nothing is. */
  leftoversFor(text: StatementText, anyhow = false): Leftovers | null {
    return this.#leftovers.leftoversFor(text, anyhow);
  }

  /**
   * The server has told its variables: its sql_mode, and what was set to an expression, is said on every connection from
   * now on. To be asked took leftovers of the last statement away, except its warnings. A reason to stay: one of them
   * cannot be said.
   */
  noteVariables(variables: SessionVariables): string | null {
    this.#leftovers.noteAsked(variables);
    let settings = withVariable(this.settings, "sql_mode", variables.sqlMode);
    for (const [name, value] of variables.asked) {
      this.#computed.delete(name);
      // DEFAULT is not what a variable without a value has.
      settings = settings === null || value === null ? null : withVariable(settings, name, value);
    }
    if (settings === null) return "a variable that does not follow the session";
    this.settings = settings;
    return null;
  }

  /** Resolves when the connection that was left has answered; null: it is not asked, or has. */
  whenAnswered(): Promise<void> | null {
    if (!this.#isAsked) return null;
    return new Promise((resolve) => {
      this.#onAnswer.push(resolve);
    });
  }
}

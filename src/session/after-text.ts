// What a text did to its session once the reply has ended: the default schema, how later texts are read, names of
// statements prepared by SQL.

import { characterSetClass, readingModesOf } from "../sql/dialect.ts";
import type { CommandLoop } from "./command-loop.ts";
import { mayChangeReading, type Reading } from "./reading.ts";
import { makesName } from "./sql-prepared.ts";
import type { StatementText } from "./statement-text.ts";

/** Called before a text is sent: from now on it may have run, or some of it. */
export function beforeText(loop: CommandLoop, text: StatementText): void {
  for (const statement of text.statements) {
    if (makesName(statement) && statement.preparedName !== null)
      loop.state.sqlPrepared.add(statement.preparedName, statement, loop.state.reading);
  }
}

/** Called when its reply has ended; `succeeded`: every statement of it ran. */
export function afterText(loop: CommandLoop, text: StatementText, succeeded: boolean): void {
  const { state } = loop;
  if (succeeded) {
    state.sqlPrepared.settle(text.statements, state.reading);
    if (text.unpins !== null && text.unpins === state.pinnedBecause && !state.pinnedForMore)
      state.pinnedBecause = null;
    noteSettings(loop, text);
  } else if (text.settings.length > 0 && text.statements.length > 1) {
    // Nobody can say whether its SET was reached; a SET alone that fails has changed nothing.
    loop.backend.pin("a SET that may have run");
  }
  noteSchema(loop, text, succeeded);
  if (!mayChangeReading(text, succeeded)) return;
  if (mayHaveRun(text, succeeded)) state.following.noteReadingUnknown();
  // Where an ACL judges, the server is asked what a SET really did.
  const isKnown = succeeded && !loop.services.authorizer().judging;
  state.reading = isKnown ? readingBehind(state.reading, text) : null;
}

/** Whether it may have changed how texts are read in a way that its SETs do not tell. */
function mayHaveRun({ pins, statements }: StatementText, succeeded: boolean): boolean {
  // Servers come back to sql_mode and character sets at the end of a routine.
  if (statements.every(({ kind, uncertain }) => kind === "CALL" && uncertain === null)) return false;
  if (succeeded || statements.length > 1) return pins !== null || !succeeded;
  // A SET alone that fails has changed nothing, nor has what nobody can read.
  return pins !== null && statements[0]?.uncertain?.symbol !== "ER_PARSE_ERROR";
}

/** How texts are read after one SET of literals; null: not known. */
function readingBehind(before: Reading | null, { statements }: StatementText): Reading | null {
  const [only] = statements;
  if (only === undefined || statements.length > 1 || only.kind !== "SET") return null;
  const { sqlMode, characterSet } = only.effects;
  const named = characterSet?.value ?? null;
  if (characterSet !== null && named === null) return null;
  const classOfIt = named === null ? before?.characterSet : characterSetClass(named);
  if (classOfIt === undefined) return null;
  const told = sqlMode?.value ?? null;
  const modes = sqlMode === null ? (before?.modes ?? null) : told === null ? null : readingModesOf(told);
  return { modes, characterSet: classOfIt };
}

function noteSettings({ state, backend }: CommandLoop, text: StatementText): void {
  if (text.settings.length === 0) return;
  const because = state.following.noteSettings(text);
  if (because !== null) backend.pin(because);
}

function noteSchema(loop: CommandLoop, text: StatementText, succeeded: boolean): void {
  if (text.dropsSchema) loop.state.following.noteSchema(true);
  if (text.use === null) return;
  if (succeeded) {
    loop.state.database = text.use;
    loop.state.following.noteSchema(false);
  } else if (text.statements.length > 1) {
    // After an error in a text of several statements, nobody can say whether its USE was reached.
    loop.backend.pin("a USE that may have run");
    loop.backend.schemaUncertain = true;
  }
}

// Calls of functions: built-ins and what they do beyond computing, and everything else, which is a stored function.

import type { Analysis } from "./analysis.ts";
import { builtinFunction } from "./builtin-functions.ts";
import { noteIdentityCall } from "./identity-tokens.ts";
import { reservedWords } from "./reserved-words.ts";
import { TokenKind } from "./tokens.ts";
import { notUnderstood } from "./uncertain.ts";
import { wordSet } from "./words.ts";

/**
 * Words that are keywords on every server and may stand before a parenthesis without being called: operators, types,
 * parts of clauses. Non-reserved ones stand here only where no server takes them for the name of a function.
 */
const noCalls =
  wordSet(`AGAINST ALL AND ANY AS BETWEEN BINARY BOTH BY CASE CHARACTER COLLATE CUBE DATETIME DEC DECIMAL DISTINCT
  DIV DOUBLE ELSE ESCAPE EXISTS FIXED FLOAT FROM IN INT INTEGER IS KEY LEADING LIKE LIMIT NATIONAL NCHAR NOT NUMERIC NVARCHAR OF
  ON OR ORDER OVER PRECISION REAL REGEXP RETURN RETURNING RLIKE ROLLUP SEPARATOR SET SIGNED SOME SOUNDS THEN TO TRAILING UNSIGNED
  UPDATE USING VARBINARY VARCHAR WHEN WHERE WITHIN XOR UNIQUE PRIMARY CHECK COLUMNS INDEX PATH NESTED GROUP HAVING RANGE
  ROWS GROUPS PARTITION LESS THAN DEFAULT WINDOW DATA TEXT BLOB LEAVES DAY_SECOND DAY_MINUTE DAY_HOUR HOUR_SECOND CONDITION`);

/**
 * Notes the call of the one-part name at `at`, a parenthesis right after it. False: this is no call.
 * A name that is no built-in of this server is a stored function of the default schema.
 */
export function noteCall(a: Analysis, at: number): boolean {
  const { draft, context } = a;
  const quoted = a.kind(at) === TokenKind.quoted;
  const upper = a.nameAt(at).toUpperCase();
  const builtin = builtinFunction(upper, context.flavour, context.version);
  const adjacent = a.modes.ignoreSpace || a.tokens.end(at) === a.tokens.start(at + 1);
  const isBuiltin =
    builtin !== undefined && (builtin.form === "any" || (!quoted && (builtin.form === "word" || adjacent)));
  if (!isBuiltin) {
    if (!quoted && noCalls.has(a.word(at))) return false;
    if (!quoted && reservedWords.has(a.word(at))) notUnderstood(`a call that is unknown ${a.near(at)}`);
    draft.routines.add(a.routineOf({ schema: null, name: a.nameAt(at) }));
    draft.notReadOnly("it calls a stored function");
    return true;
  }
  noteIdentityCall(a, at, upper);
  if (builtin.effect !== null) noteEffect(a, at, upper, builtin.effect);
  noteLeftover(a, at, upper);
  return true;
}

/** `schema.f(`: always a stored function. */
export function noteQualifiedCall(a: Analysis, at: number): void {
  a.draft.routines.add(a.routineOf({ schema: a.nameAt(at), name: a.nameAt(at + 2) }));
  a.draft.notReadOnly("it calls a stored function");
}

function noteEffect(a: Analysis, at: number, name: string, effect: string): void {
  a.draft.notReadOnly(effect);
  switch (name) {
    case "LOAD_FILE":
      a.draft.serverFiles = true;
      break;
    case "GET_LOCK":
    case "RELEASE_LOCK":
    case "RELEASE_ALL_LOCKS":
      a.draft.pin("a lock of GET_LOCK");
      break;
    case "NEXTVAL":
    case "SETVAL":
    case "LASTVAL":
      sequenceCall(a, at, name);
      break;
  }
}

/** MariaDB's NEXTVAL(s), SETVAL(s, n), LASTVAL(s): the first argument is a table. */
function sequenceCall(a: Analysis, at: number, name: string): void {
  const closing = a.closing(at + 1);
  const table = a.tableOf(a.qualifiedName(at + 2, closing));
  // LASTVAL is SELECT to servers, NEXTVAL both, SETVAL INSERT.
  if (name !== "SETVAL") a.draft.reads.add(table);
  if (name !== "LASTVAL") a.draft.writes.add(table);
  else noteLastValue(a);
}

/** The value that this connection has had of a sequence: no other one knows it. */
export function noteLastValue(a: Analysis): void {
  a.draft.asksFor.add("last value");
  a.draft.pin("the last value of a sequence");
}

function noteLeftover(a: Analysis, at: number, name: string): void {
  const hasArguments = a.word(at + 2) !== ")";
  switch (name) {
    case "LAST_INSERT_ID":
      if (!hasArguments) a.draft.asksFor.add("insert id");
      else {
        a.draft.notReadOnly("it sets the insert id");
        a.draft.effects.setsInsertId = true;
      }
      break;
    case "FOUND_ROWS":
      a.draft.asksFor.add("found rows");
      break;
    case "ROW_COUNT":
      a.draft.asksFor.add("row count");
      break;
  }
}

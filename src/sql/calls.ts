// Calls of functions: built-ins and what they do beyond computing, and everything else, which is a stored function.

import type { Analysis } from "./analysis.ts";
import { builtinFunction } from "./builtin-functions.ts";
import { noteIdentityCall } from "./identity-tokens.ts";
import { reservedWords } from "./reserved-words.ts";
import { TokenKind } from "./tokens.ts";
import { notUnderstood } from "./uncertain.ts";
import { wordSet } from "./words.ts";

/**
 * Words that no server takes for the name of a function, and that may stand before a parenthesis: operators, types, parts of
 * clauses. Measured on each server with a stored function of that name (test/e2e/sql-words.test.ts).
 */
const noCalls =
  wordSet(`ALL AND ANY AS BETWEEN BINARY BOTH BY CASE CHARACTER COLLATE DATETIME DEC DECIMAL DISTINCT DIV DOUBLE ELSE EXISTS
  FIXED FLOAT FROM IN INT INTEGER IS KEY LEADING LIKE LIMIT NATIONAL NCHAR NOT NUMERIC NVARCHAR ON OR ORDER PRECISION REAL
  REGEXP RETURN RETURNING RLIKE SEPARATOR SET SIGNED SOME SOUNDS THEN TO TRAILING UNSIGNED UPDATE USING VARBINARY VARCHAR
  WHEN WHERE XOR UNIQUE PRIMARY CHECK INDEX GROUP HAVING RANGE ROWS PARTITION DEFAULT WINDOW TEXT BLOB DAY_SECOND DAY_MINUTE
  DAY_HOUR HOUR_SECOND CONDITION`);

const endsOperand = wordSet(") ?");

/** Words that are a part of the grammar in one place, and the name of a function in another. */
function isGrammar(a: Analysis, at: number): boolean {
  switch (a.word(at)) {
    case "OVER":
      return a.isMariaDb() || a.context.version >= windowsSince;
    case "COLUMNS":
      // JSON_TABLE(.., 'path' COLUMNS (..))
      return a.kind(at - 1) === TokenKind.string;
    case "CUBE":
    case "ROLLUP":
      return !a.isMariaDb() && a.word(at - 1) === "BY";
    case "ESCAPE":
      return a.kind(at - 1) === TokenKind.string || endsOperand.has(a.word(at - 1));
    case "AGAINST":
      return isOfMatch(a, at - 1);
    default:
      return noCalls.has(a.word(at));
  }
}

const windowsSince = 80_002;

/** Whether MATCH and its columns end at `at`: MATCH (a, t.b), MATCH a, b. */
function isOfMatch(a: Analysis, at: number): boolean {
  let first = at;
  if (a.word(at) === ")") {
    while (first > 0 && a.tokens.match(first) !== at) first -= 1;
    return a.word(first - 1) === "MATCH";
  }
  while (first > 0 && (a.isName(first) || a.word(first) === "." || a.word(first) === ",")) first -= 1;
  return a.word(first) === "MATCH" && first < at;
}

/** MariaDB takes its constructors of geometries for stored functions where the number of arguments is none of theirs. */
const constructors = wordSet(
  "GEOMETRYCOLLECTION LINESTRING MULTILINESTRING MULTIPOINT MULTIPOLYGON POINT POLYGON",
);

function isOtherConstructor(a: Analysis, at: number): boolean {
  if (!a.isMariaDb() || !constructors.has(a.word(at))) return false;
  if (a.word(at + 2) === ")") return true;
  if (a.word(at) !== "POINT") return false;
  let commas = 0;
  for (let index = at + 2; index < a.closing(at + 1); index = a.skip(index))
    if (a.word(index) === ",") commas += 1;
  return commas !== 1;
}

/**
 * Notes the call of the one-part name at `at`, a parenthesis right after it. False: this is no call.
 * A name that is no built-in of this server is a stored function of the default schema.
 */
export function noteCall(a: Analysis, at: number): boolean {
  const { draft, context } = a;
  const quoted = a.kind(at) === TokenKind.quoted;
  const upper = a.nameAt(at).toUpperCase();
  const builtin = builtinFunction(upper, context.flavour, context.version);
  const adjacent = a.isCallBy(at);
  const isBuiltin =
    builtin !== undefined &&
    (builtin.form === "any" || (!quoted && (builtin.form === "word" || adjacent))) &&
    (quoted || !isOtherConstructor(a, at));
  if (!isBuiltin) {
    if (!quoted && isGrammar(a, at)) return false;
    // An executable comment before the parenthesis is sent as spaces: then it is the built-in all the same.
    if (builtin !== undefined && a.modes.ignoreSpace) noteIdentityCall(a, at, upper);
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

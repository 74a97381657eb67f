// Expressions are skimmed, not parsed: sub-queries, calls, variables and what stands for the session's identity are
// found; everything else is passed over. A word that no expression can hold is refused: it would mean that the reader
// has lost its place.

import type { Analysis } from "./analysis.ts";
import { noteCall, noteLastValue, noteQualifiedCall } from "./calls.ts";
import { noteBareIdentity, noteSystemVariable } from "./identity-tokens.ts";
import type { Scope } from "./scope.ts";
import { noteQualifier } from "./server-tables.ts";
import { TokenKind } from "./tokens.ts";
import { notSupported, notUnderstood } from "./uncertain.ts";
import { wordSet } from "./words.ts";

/** Words that begin something else than an expression. FROM, FOR and others stand in calls with a grammar of their own. */
const misplaced = wordSet("SELECT INTO FROM JOIN UNION EXCEPT INTERSECT TABLE DELETE PROCEDURE");

/** Calls whose arguments may hold FROM: EXTRACT(DAY FROM d), TRIM(BOTH 'x' FROM s), SUBSTRING(s FROM 2). */
const callsWithFrom = wordSet("EXTRACT TRIM SUBSTRING SUBSTR MID TRIM_ORACLE SUBSTR_ORACLE");

/** Skims [start, end); `fromAllowed` inside the arguments of a call that may hold FROM. */
export function expression(a: Analysis, start: number, end: number, scope: Scope, fromAllowed = false): void {
  let at = start;
  while (at < end) {
    switch (a.kind(at)) {
      case TokenKind.mark:
        at = mark(a, at, end, scope);
        break;
      case TokenKind.word:
        at = word(a, at, end, scope, fromAllowed);
        break;
      case TokenKind.quoted:
        at = name(a, at, end, scope);
        break;
      case TokenKind.systemVariable:
        at = noteSystemVariable(a, at, end);
        break;
      default:
        at += 1;
    }
  }
  if (at > end) notUnderstood(`an expression does not end ${a.near(end)}`);
}

/**
 * Whether the FROM at `at` says from where NTH_VALUE(..) counts: FROM FIRST | LAST, then OVER or what becomes of nulls. As a
 * table's name FIRST could be followed by an alias RESPECT, not by OVER or NULLS: they are reserved where there are window
 * functions, or cannot follow an alias.
 */
export function countsFrom(a: Analysis, at: number): boolean {
  if (a.isMariaDb() || a.context.version < windowsSince || a.word(at - 1) !== ")") return false;
  if (a.word(at + 1) !== "FIRST" && a.word(at + 1) !== "LAST") return false;
  const after = a.word(at + 2);
  return after === "OVER" || ((after === "RESPECT" || after === "IGNORE") && a.word(at + 3) === "NULLS");
}

const windowsSince = 80_011;

function mark(a: Analysis, at: number, end: number, scope: Scope): number {
  switch (a.word(at)) {
    case "(":
      return group(a, at, scope);
    case ";":
      return notUnderstood(`a statement ends ${a.near(at)}`);
    case ":":
      if (a.word(at + 1) === "=" && at + 1 < end) {
        a.draft.notReadOnly("it sets a user variable");
        a.draft.pin("a user variable");
      }
      return at + 1;
    default:
      return at + 1;
  }
}

/** A parenthesis: a query, or an expression. Returns the position after it. */
export function group(a: Analysis, at: number, scope: Scope, fromAllowed = false): number {
  const closing = a.closing(at);
  if (a.opensQuery(at) && !opensValues(a, at, closing)) a.grammar.query(a, at + 1, closing, scope);
  else expression(a, at + 1, closing, scope, fromAllowed);
  return closing + 1;
}

/**
 * Whether a parenthesis opens with VALUES(column) of an upsert, or with rows and nothing that could name a table: read as an
 * expression, both show every sub-query in them.
 */
function opensValues(a: Analysis, open: number, closing: number): boolean {
  if (a.word(open + 1) !== "VALUES" || a.word(open + 2) !== "(") return false;
  for (let at = open + 1; at < closing; at = a.skip(at)) if (setOperators.has(a.word(at))) return false;
  return true;
}

const setOperators = wordSet("UNION EXCEPT INTERSECT");

function word(a: Analysis, at: number, end: number, scope: Scope, fromAllowed: boolean): number {
  const here = a.word(at);
  if (here === "" || a.word(at - 1) === ".") return name(a, at, end, scope);
  if (a.isMariaDb() && (here === "NEXT" || here === "PREVIOUS") && a.isPhrase(at + 1, "VALUE", "FOR")) {
    return sequenceValue(a, at, end);
  }
  if (misplaced.has(here) && !(here === "FROM" && (fromAllowed || countsFrom(a, at)))) {
    return notUnderstood(`${here} stands in an expression ${a.near(at)}`);
  }
  const bare = noteBareIdentity(a, at, end);
  return bare > 0 ? bare : name(a, at, end, scope);
}

/** A name, qualified or not, and the call that it may begin. */
function name(a: Analysis, at: number, end: number, scope: Scope): number {
  let next = at + 1;
  let parts = 1;
  while (next + 1 < end && a.word(next) === "." && a.isIdentifier(next + 1)) {
    next += 2;
    parts += 1;
  }
  // schema.table.* or schema.table.column
  if (parts === 3 || (parts === 2 && a.word(next) === "." && a.word(next + 1) === "*")) noteQualifier(a, at);
  if (next >= end || a.word(next) !== "(") return next;
  if (parts === 1) {
    if (!noteCall(a, at)) return next;
    if (a.word(at) === "JSON_DUALITY_OBJECT") return dualityObject(a, next, scope);
    return group(a, next, scope, callsWithFrom.has(a.word(at)));
  }
  if (parts > 2) notSupported("a call of a routine in a package");
  noteQualifiedCall(a, at);
  return next;
}

/** MySQL 9's JSON_DUALITY_OBJECT([WITH (what may be done through the view)] 'key': value, ..). */
function dualityObject(a: Analysis, open: number, scope: Scope): number {
  const closing = a.closing(open);
  let at = open + 1;
  if (a.word(at) === "WITH") {
    at += 1;
    if (a.word(at) === "(") at = a.skipGroup(at);
    else while (a.kind(at) === TokenKind.word || a.word(at) === ",") at += 1;
  }
  expression(a, at, closing, scope);
  return closing + 1;
}

/** NEXT VALUE FOR s, PREVIOUS VALUE FOR s. */
function sequenceValue(a: Analysis, at: number, end: number): number {
  const moves = a.word(at) === "NEXT";
  if (!moves) noteLastValue(a);
  a.draft.notReadOnly("it uses a sequence");
  const next = a.qualifiedName(at + 3, end);
  const table = a.tableOf(next);
  a.draft.reads.add(table);
  if (moves) a.draft.writes.add(table);
  return next.next;
}

// Query expressions: WITH, SELECT, TABLE, VALUES, set operators, and the clauses behind them
// (https://dev.mysql.com/doc/refman/8.4/en/select.html, .../with.html, .../set-operations.html).

import type { Analysis } from "./analysis.ts";
import { countsFrom, expression, group } from "./expressions.ts";
import type { Scope } from "./scope.ts";
import { noteSelectItem } from "./select-items.ts";
import { beginsClause, isSetOperator, type TableFactor, tableReferences } from "./table-references.ts";
import { TokenKind } from "./tokens.ts";
import { notSupported, notUnderstood } from "./uncertain.ts";
import { wordSet } from "./words.ts";

const selectOptions =
  wordSet(`ALL DISTINCT DISTINCTROW HIGH_PRIORITY STRAIGHT_JOIN SQL_SMALL_RESULT SQL_BIG_RESULT
  SQL_BUFFER_RESULT SQL_CACHE SQL_NO_CACHE SQL_CALC_FOUND_ROWS`);

/** Words with which the clauses behind FROM may begin. */
const clausesAfterFrom = wordSet(
  "WHERE GROUP HAVING WINDOW QUALIFY ORDER LIMIT OFFSET FETCH PROCEDURE FOR LOCK INTO",
);

/** Words with which the clauses behind a parenthesised query, TABLE or VALUES may begin. */
const clausesAfterOperand = wordSet("ORDER LIMIT OFFSET FETCH FOR LOCK INTO PROCEDURE");

/** A query expression. */
export function query(a: Analysis, start: number, end: number, outer: Scope): void {
  armOrQuery(a, start, end, outer, false);
}

/**
 * `arm`: it stands in parentheses as an operand of another. With a WITH of its own MySQL then forgets the names around it,
 * there and in everything that follows it in the whole expression (measured); MariaDB refuses it. Returns whether they are
 * forgotten.
 */
function armOrQuery(a: Analysis, start: number, end: number, outer: Scope, arm: boolean): boolean {
  let at = start;
  let scope = outer;
  let forgets = false;
  if (a.word(at) === "WITH") {
    const { next, names } = withClause(a, at, end);
    at = next;
    scope = { names, outer: arm ? null : outer };
    forgets = arm;
  }
  for (;;) {
    const read = operand(a, at, end, scope);
    at = read.next;
    if (read.forgets) {
      forgets = true;
      scope = null;
    }
    if (at >= end) return forgets;
    if (!isSetOperator(a, at)) notUnderstood(`a query does not end ${a.near(at)}`);
    at += 1;
    if (a.word(at) === "ALL" || a.word(at) === "DISTINCT") at += 1;
  }
}

/** WITH [RECURSIVE] name [(columns)] AS (query), ...: the names, and the position after it. */
export function withClause(
  a: Analysis,
  start: number,
  end: number,
): { readonly next: number; readonly names: ReadonlySet<string> } {
  const recursive = a.word(start + 1) === "RECURSIVE";
  const names = new Set<string>();
  let at = start + (recursive ? 2 : 1);
  for (;;) {
    if (at >= end || !a.isName(at)) notUnderstood(`a name is expected ${a.near(at)}`);
    const key = a.cteKey(a.nameAt(at));
    at += 1;
    if (a.word(at) === "(") at = a.skipGroup(at);
    at = a.expect(at, end, "AS");
    const closing = a.closing(a.word(at) === "(" ? at : notUnderstood(`a query is expected ${a.near(at)}`));
    if (!a.opensQuery(at)) notUnderstood(`a query is expected ${a.near(at)}`);
    if (recursive) names.add(key);
    // Inside, only earlier names of this clause are certain: MariaDB does not look further out from here (measured).
    query(a, at + 1, closing, { names, outer: null });
    names.add(key);
    at = cycle(a, closing + 1, end);
    if (a.word(at) !== ",") return { next: at, names };
    at += 1;
  }
}

/** MariaDB's CYCLE columns RESTRICT. */
function cycle(a: Analysis, start: number, end: number): number {
  if (a.word(start) !== "CYCLE") return start;
  let at = start + 1;
  while (at < end && a.word(at) !== "RESTRICT") at += 1;
  return at + 1;
}

/** One operand with the clauses behind it: the position of the set operator or the end, and whether it is a forgetful arm. */
function operand(a: Analysis, start: number, end: number, scope: Scope): { next: number; forgets: boolean } {
  if (start >= end) notUnderstood(`a query is expected ${a.near(start)}`);
  if (a.word(start) !== "(") return { next: simpleOperand(a, start, end, scope), forgets: false };
  const closing = a.closing(start);
  if (!a.opensQuery(start)) notUnderstood(`a query is expected ${a.near(start)}`);
  const forgets = armOrQuery(a, start + 1, closing, scope, true);
  const next = clauses(a, closing + 1, end, forgets ? null : scope, clausesAfterOperand);
  return { next, forgets };
}

function simpleOperand(a: Analysis, start: number, end: number, scope: Scope): number {
  switch (a.word(start)) {
    case "SELECT":
      return select(a, start + 1, end, scope);
    case "TABLE": {
      const factors: TableFactor[] = [];
      const next = tableReferences(a, start + 1, end, scope, factors);
      if (factors.length !== 1) notUnderstood(`one table is expected ${a.near(start)}`);
      noteReads(a, factors);
      return clauses(a, next, end, scope, clausesAfterOperand);
    }
    case "VALUES":
      return clauses(a, rows(a, start + 1, end, scope), end, scope, clausesAfterOperand);
    default:
      return notUnderstood(`a query is expected ${a.near(start)}`);
  }
}

/** Rows of VALUES: (..), (..) or ROW(..), ROW(..). Returns the position after them. */
export function rows(a: Analysis, start: number, end: number, scope: Scope): number {
  let at = start;
  for (;;) {
    if (a.word(at) === "ROW") at += 1;
    if (at >= end || a.word(at) !== "(") notUnderstood(`a row is expected ${a.near(at)}`);
    at = group(a, at, scope);
    if (at >= end || a.word(at) !== ",") return at;
    at += 1;
  }
}

function noteReads(a: Analysis, factors: readonly TableFactor[]): void {
  for (const { table } of factors) if (table !== null) a.draft.reads.add(table);
}

function select(a: Analysis, start: number, end: number, scope: Scope): number {
  let at = start;
  while (at < end && isSelectOption(a, at)) {
    if (a.word(at) === "SQL_CALC_FOUND_ROWS") a.draft.effects.countsFoundRows = true;
    at += 1;
  }
  at = items(a, at, end, scope);
  if (a.word(at) === "INTO" && at < end) at = into(a, at + 1, end);
  if (at >= end || a.word(at) !== "FROM") return clauses(a, at, end, scope, clausesAfterFrom);
  const factors: TableFactor[] = [];
  at = tableReferences(a, at + 1, end, scope, factors);
  noteReads(a, factors);
  return clauses(a, at, end, scope, clausesAfterFrom);
}

function isSelectOption(a: Analysis, at: number): boolean {
  // MySQL 8 has no query cache: there it is a name.
  if (a.word(at) === "SQL_CACHE" && !a.isMariaDb() && a.context.version >= 80_003) return false;
  return selectOptions.has(a.word(at));
}

function items(a: Analysis, start: number, end: number, scope: Scope): number {
  let at = start;
  for (;;) {
    const first = at;
    while (at < end && !endsItem(a, at)) at = a.skip(at);
    if (at > end || at === first) notUnderstood(`an item is expected ${a.near(first)}`);
    const known = a.draft.identityTokens.length;
    expression(a, first, at, scope);
    if (a.draft.identityTokens.length > known) noteSelectItem(a, first, at, known);
    if (at >= end || a.word(at) !== ",") return at;
    at += 1;
  }
}

function endsItem(a: Analysis, at: number): boolean {
  if (a.word(at) === "FROM") return !countsFrom(a, at);
  return a.word(at) === "," || beginsClause(a, at);
}

/** The clauses from `start` to the next set operator or the end; the first must be one of `allowed`. */
function clauses(
  a: Analysis,
  start: number,
  end: number,
  scope: Scope,
  allowed: ReadonlySet<string>,
): number {
  let at = start;
  if (at < end && !isSetOperator(a, at) && !(allowed.has(a.word(at)) && beginsClause(a, at))) {
    notUnderstood(`a clause is expected ${a.near(at)}`);
  }
  let pending = at;
  while (at < end && !isSetOperator(a, at)) {
    const next = special(a, at, end, scope);
    if (next === at) {
      at = a.skip(at);
      continue;
    }
    expression(a, pending, at, scope);
    at = next;
    pending = next;
  }
  expression(a, pending, at, scope);
  return at;
}

/** A clause that does more than compute; returns `at` where there is none. */
function special(a: Analysis, at: number, end: number, scope: Scope): number {
  if (!beginsClause(a, at)) return at;
  switch (a.word(at)) {
    case "INTO":
      return into(a, at + 1, end);
    case "LOCK":
      a.draft.notReadOnly("it locks rows");
      return a.expect(at, end, "LOCK", "IN", "SHARE", "MODE");
    case "FOR":
      return locking(a, at + 1, end);
    case "PROCEDURE":
      if (a.word(at + 1) !== "ANALYSE" || a.word(at + 2) !== "(") notSupported("PROCEDURE in a query");
      return group(a, at + 2, scope);
    default:
      return at;
  }
}

/** FOR UPDATE | SHARE [OF t, ...] [NOWAIT | SKIP LOCKED | WAIT n]. */
function locking(a: Analysis, start: number, end: number): number {
  if (a.word(start) !== "UPDATE" && a.word(start) !== "SHARE") {
    notUnderstood(`FOR UPDATE or FOR SHARE is expected ${a.near(start)}`);
  }
  a.draft.notReadOnly("it locks rows");
  let at = start + 1;
  if (a.word(at) !== "OF") return at;
  do {
    at += 1;
    // Names of tables or aliases of this query: they add nothing.
    at = a.qualifiedName(at, end).next;
  } while (a.word(at) === ",");
  return at;
}

/** INTO OUTFILE | DUMPFILE 'file', INTO @a, b. */
function into(a: Analysis, start: number, end: number): number {
  a.draft.notReadOnly("INTO stores its result");
  const word = a.word(start);
  if (word === "OUTFILE" || word === "DUMPFILE") {
    a.draft.serverFiles = true;
    if (a.kind(start + 1) !== TokenKind.string) notUnderstood(`a file name is expected ${a.near(start + 1)}`);
    return fileFormat(a, start + 2, end);
  }
  let at = start;
  for (;;) {
    if (a.kind(at) === TokenKind.variable) a.draft.pin("a user variable");
    else if (!a.isName(at)) notUnderstood(`a variable is expected ${a.near(at)}`);
    // A field of MariaDB's row variables.
    at += a.isName(at) && a.word(at + 1) === "." && a.isIdentifier(at + 2) ? 3 : 1;
    if (at >= end || a.word(at) !== ",") return at;
    at += 1;
  }
}

const formatWords =
  wordSet(`CHARACTER SET CHARSET FIELDS COLUMNS TERMINATED BY OPTIONALLY ENCLOSED ESCAPED LINES STARTING
  BINARY`);

/** CHARACTER SET .. FIELDS .. LINES ..: words, strings, and one name of a character set. */
function fileFormat(a: Analysis, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const previous = a.word(at - 1);
    const isName = a.isName(at) && (previous === "SET" || previous === "CHARSET");
    if (!formatWords.has(a.word(at)) && a.kind(at) !== TokenKind.string && !isName) return at;
    at += 1;
  }
  return at;
}

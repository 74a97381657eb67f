// What stands behind FROM, JOIN and UPDATE: tables, derived tables, joins. Parsed strictly: a name that the reader takes
// for an alias while a server takes it for a table would be a way past the ACL
// (https://dev.mysql.com/doc/refman/8.4/en/join.html, https://mariadb.com/docs/server, "JOIN Syntax").

import type { Analysis } from "./analysis.ts";
import { expression, group } from "./expressions.ts";
import { isInScope, type Scope } from "./scope.ts";
import { isOwnList, noteServerTable, serverTableOf } from "./server-tables.ts";
import type { TableReference } from "./statement-summary.ts";
import { notSupported, notUnderstood } from "./uncertain.ts";
import { wordSet } from "./words.ts";

/** One table of a join. */
export interface TableFactor {
  /** Null: a derived table, or a common table expression. */
  readonly table: TableReference | null;
  /** The alias, else the table's own name; empty: none is known. */
  alias: string;
  /** Whether `alias` was written as one. */
  hasAlias: boolean;
}

const clauseWords = wordSet("WHERE HAVING ORDER LIMIT PROCEDURE LOCK INTO FETCH SET");
const setOperators = wordSet("UNION EXCEPT INTERSECT");

// Before these versions the words are names: a table could stand behind an alias of that name.
const offsetReservedSince = 100_600;
const qualifyReservedSince = 90_700;

/** Whether a set operator stands at `at`. */
export function isSetOperator(a: Analysis, at: number): boolean {
  return setOperators.has(a.word(at)) && a.word(at - 1) !== ".";
}

/** Whether a clause begins at `at` that ends a list of items, a join or a condition. */
export function beginsClause(a: Analysis, at: number): boolean {
  const word = a.word(at);
  if (word === "" || a.word(at - 1) === ".") return false;
  if (clauseWords.has(word) || setOperators.has(word)) return true;
  switch (word) {
    case "FOR":
      return !(
        a.isMariaDb() &&
        a.word(at - 1) === "VALUE" &&
        (a.word(at - 2) === "NEXT" || a.word(at - 2) === "PREVIOUS")
      );
    case "GROUP":
      // PERCENTILE_CONT(..) WITHIN GROUP (ORDER BY ..) is part of an expression.
      return a.word(at + 1) === "BY";
    case "WINDOW":
      return a.word(at + 2) === "AS" && a.word(at + 3) === "(";
    case "RETURNING":
      return a.isMariaDb();
    case "OFFSET":
      return a.isMariaDb() && a.context.version >= offsetReservedSince;
    case "QUALIFY":
      return !a.isMariaDb() && a.context.version >= qualifyReservedSince;
    default:
      return false;
  }
}

/**
 * Reads a list of table references; the tables read are added to `factors` only. Returns the position where the list
 * ends: what stands there must be checked by the caller.
 */
export function tableReferences(
  a: Analysis,
  start: number,
  end: number,
  scope: Scope,
  factors: TableFactor[],
): number {
  let at = factor(a, start, end, scope, factors);
  while (at < end) {
    const word = a.word(at);
    const joined = joinEnd(a, at);
    if (word === ",") at = factor(a, at + 1, end, scope, factors);
    else if (joined > at) at = factor(a, joined, end, scope, factors);
    else if (word === "ON") at = condition(a, at + 1, end, scope);
    else if (word === "USING" && a.word(at + 1) === "(") at = a.skipGroup(at + 1);
    else if (word === "}") at += 1;
    else return at;
  }
  return at;
}

/** Behind the words of a join that begin at `at`; `at` itself: there is none. */
function joinEnd(a: Analysis, at: number): number {
  let next = at;
  if (a.word(next) === "NATURAL") next += 1;
  if (a.word(next) === "STRAIGHT_JOIN") return next + 1;
  if (a.word(next) === "LEFT" || a.word(next) === "RIGHT") {
    next += 1;
    if (a.word(next) === "OUTER") next += 1;
  } else if (a.word(next) === "INNER" || a.word(next) === "CROSS") next += 1;
  return a.word(next) === "JOIN" ? next + 1 : at;
}

function condition(a: Analysis, start: number, end: number, scope: Scope): number {
  let at = start;
  while (at < end && !endsCondition(a, at)) at = a.skip(at);
  expression(a, start, at, scope);
  return at;
}

function endsCondition(a: Analysis, at: number): boolean {
  const word = a.word(at);
  if (word === "," || word === "}" || word === "ON" || joinEnd(a, at) > at || beginsClause(a, at))
    return true;
  return word === "USING" && a.word(at + 1) === "(";
}

function factor(a: Analysis, from: number, end: number, scope: Scope, factors: TableFactor[]): number {
  let start = from;
  // { OJ t1 LEFT JOIN t2 ON .. }: the word may be any, the brace closes in the list.
  while (a.word(start) === "{" && a.isIdentifier(start + 1)) start += 2;
  if (start >= end) notUnderstood(`a table is expected ${a.near(start)}`);
  switch (a.word(start)) {
    case "LATERAL":
      if (a.word(start + 1) === "(") return derived(a, start + 1, end, scope, factors);
      break;
    case "(":
      return a.opensQuery(start)
        ? derived(a, start, end, scope, factors)
        : joinGroup(a, start, end, scope, factors);
    case "JSON_TABLE":
      if (a.word(start + 1) !== "(") break;
      group(a, start + 1, scope);
      return alias(a, a.skipGroup(start + 1), end, newFactor(factors, null, ""), true);
    case "DUAL":
      return start + 1;
  }
  return table(a, start, end, scope, factors);
}

function newFactor(factors: TableFactor[], table: TableReference | null, alias: string): TableFactor {
  const made: TableFactor = { table, alias, hasAlias: false };
  factors.push(made);
  return made;
}

function derived(a: Analysis, at: number, end: number, scope: Scope, factors: TableFactor[]): number {
  const closing = a.closing(at);
  if (!a.opensQuery(at)) notUnderstood(`a query is expected ${a.near(at)}`);
  a.grammar.query(a, at + 1, closing, scope);
  return alias(a, period(a, closing + 1, end, scope), end, newFactor(factors, null, ""), true);
}

function joinGroup(a: Analysis, at: number, end: number, scope: Scope, factors: TableFactor[]): number {
  const closing = a.closing(at);
  a.finishAt(tableReferences(a, at + 1, closing, scope, factors), closing);
  return period(a, closing + 1, end, scope);
}

function table(a: Analysis, start: number, end: number, scope: Scope, factors: TableFactor[]): number {
  const name = a.qualifiedName(start, end);
  if (a.word(name.next) === "(") notSupported("a table function");
  const isCte = name.schema === null && !name.leadingDot && isInScope(scope, a.cteKey(name.name));
  const replaced = isCte ? null : serverTableOf(a, a.tableOf(name));
  const made = newFactor(factors, isCte || isOwnList(replaced) ? null : a.tableOf(name), name.name);
  let at = name.next;
  if (a.isPhrase(at, "PARTITION", "(")) at = a.skipGroup(at + 1);
  at = period(a, at, end, scope);
  at = sample(a, at, scope);
  at = alias(a, at, end, made, false);
  if (replaced !== null) {
    const { hasAlias } = made;
    noteServerTable(a, replaced, { first: start, last: name.next - 1, end: at, hasAlias });
  }
  at = sample(a, at, scope);
  // DELETE FROM t AS x PARTITION (p)
  if (a.isPhrase(at, "PARTITION", "(")) at = a.skipGroup(at + 1);
  return indexHints(a, at, end);
}

/** MySQL 9's TABLESAMPLE SYSTEM | BERNOULLI (percentage): as an alias it would have no parenthesis behind the next word. */
function sample(a: Analysis, at: number, scope: Scope): number {
  const isSample = a.word(at) === "TABLESAMPLE" && !a.isMariaDb() && a.word(at + 2) === "(";
  if (!isSample || (a.word(at + 1) !== "SYSTEM" && a.word(at + 1) !== "BERNOULLI")) return at;
  return group(a, at + 2, scope);
}

/** MariaDB's FOR SYSTEM_TIME .. and FOR PORTION OF p FROM .. TO .. */
function period(a: Analysis, start: number, end: number, scope: Scope): number {
  const word = a.word(start + 1);
  if (!a.isMariaDb() || a.word(start) !== "FOR" || (word !== "SYSTEM_TIME" && word !== "PORTION"))
    return start;
  let at = start + 2;
  while (at < end && (!endsCondition(a, at) || a.word(at) === "FROM")) {
    if (a.word(at) === "AS" && a.word(at + 1) !== "OF") break;
    at = a.skip(at);
  }
  expression(a, start + 2, at, scope, true);
  return at;
}

/** `derived`: names of columns may follow. */
function alias(a: Analysis, start: number, end: number, made: TableFactor, derived: boolean): number {
  let at = start;
  if (at < end && a.word(at) === "AS") {
    at += 1;
    if (at >= end || !a.isName(at)) notUnderstood(`an alias is expected ${a.near(at)}`);
  } else if (at >= end || !a.isName(at) || beginsClause(a, at)) return at;
  if (a.word(at) === "TABLESAMPLE") notSupported("TABLESAMPLE");
  made.alias = a.nameAt(at);
  made.hasAlias = true;
  at += 1;
  if (at >= end || a.word(at) !== "(") return at;
  return derived ? a.skipGroup(at) : notUnderstood(`a parenthesis is not expected ${a.near(at)}`);
}

function indexHints(a: Analysis, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const word = a.word(at);
    const object = a.word(at + 1);
    if (word !== "USE" && word !== "IGNORE" && word !== "FORCE") return at;
    if (object !== "INDEX" && object !== "KEY") return at;
    at += 2;
    if (a.word(at) === "FOR") at += a.word(at + 1) === "JOIN" ? 2 : 3;
    at = a.skipGroup(at);
  }
  return at;
}

// INSERT, REPLACE, UPDATE, DELETE: what is written, what is read on the way
// (https://dev.mysql.com/doc/refman/8.4/en/sql-data-manipulation-statements.html).

import type { Analysis } from "./analysis.ts";
import { expression } from "./expressions.ts";
import { readsOwnColumns } from "./own-columns.ts";
import { query, rows, withClause } from "./query.ts";
import type { Scope } from "./scope.ts";
import { leaveTargets } from "./server-tables.ts";
import type { TableReference } from "./statement-summary.ts";
import { type TableFactor, tableReferences } from "./table-references.ts";
import { notUnderstood } from "./uncertain.ts";
import { wordSet } from "./words.ts";

const modifiers = wordSet("LOW_PRIORITY HIGH_PRIORITY DELAYED IGNORE");
const deleteModifiers = wordSet("LOW_PRIORITY IGNORE QUICK");

function skipModifiers(a: Analysis, start: number, skipped: ReadonlySet<string> = modifiers): number {
  let at = start;
  while (skipped.has(a.word(at))) at += 1;
  return at;
}

/** INSERT and REPLACE; returns the kind. */
export function insert(a: Analysis, start: number, end: number, scope: Scope): string {
  const kind = a.word(start);
  a.draft.notReadOnly(`${kind} changes rows`);
  let at = skipModifiers(a, start + 1);
  if (a.word(at) === "INTO") at += 1;
  const name = a.qualifiedName(at, end);
  const target = a.tableOf(name);
  a.draft.writes.add(target);
  at = name.next;
  if (a.isPhrase(at, "PARTITION", "(")) at = a.skipGroup(at + 1);
  if (a.word(at) === "(" && !a.opensQuery(at)) at = columns(a, at);
  at = source(a, at, insertTail(a, at, end), scope, target);
  tailOfInsert(a, at, end, scope, target);
  return kind;
}

/** Names of columns in parentheses. */
function columns(a: Analysis, at: number): number {
  const closing = a.closing(at);
  for (let index = at + 1; index < closing; index += 1) {
    const word = a.word(index);
    if (!a.isIdentifier(index) && word !== "," && word !== ".") {
      notUnderstood(`a column is expected ${a.near(index)}`);
    }
  }
  return closing + 1;
}

/** Where ON DUPLICATE KEY UPDATE or RETURNING begins, or the end. */
function insertTail(a: Analysis, start: number, end: number): number {
  let at = start;
  while (at < end) {
    if (a.isPhrase(at, "ON", "DUPLICATE", "KEY", "UPDATE")) return at;
    if (a.word(at) === "RETURNING" && a.isMariaDb() && a.word(at - 1) !== ".") return at;
    at = a.skip(at);
  }
  return end;
}

/** What the rows come from: VALUES, SET, or a query; with MySQL's row alias. */
function source(a: Analysis, start: number, end: number, scope: Scope, target: TableReference): number {
  let at = start;
  switch (a.word(at)) {
    case "VALUES":
    case "VALUE":
      // VALUES ROW(..) may as well be the first operand of a query.
      if (a.word(at + 1) === "ROW" && !endsRows(a, at + 1, end)) {
        query(a, at, end, scope);
        return end;
      }
      at = rows(a, at + 1, end, scope);
      if (readsOwnColumns(a, a.isMariaDb() ? secondRow(a, start + 1, at) : start + 1, at, target, false))
        a.draft.reads.add(target);
      at = rowAlias(a, at, end);
      break;
    case "SET":
      at += 1;
      while (at < end && !(a.word(at) === "AS" && !a.isMariaDb())) at = a.skip(at);
      expression(a, start + 1, at, scope);
      if (!a.isMariaDb() && readsOwnColumns(a, start + 1, at, target, true)) a.draft.reads.add(target);
      at = rowAlias(a, at, end);
      break;
    default:
      query(a, at, end, scope);
      return end;
  }
  a.finishAt(at, end);
  return at;
}

/** MariaDB looks for SELECT on columns that values are computed from in all rows but the first (measured on 10.11, 11.8). */
function secondRow(a: Analysis, start: number, end: number): number {
  let at = start;
  while (at < end && a.word(at) !== ",") at = a.skip(at);
  return at;
}

/** Whether nothing stands behind the rows, or an alias. */
function endsRows(a: Analysis, start: number, end: number): boolean {
  let at = start;
  while (a.word(at) === "ROW" && a.word(at + 1) === "(") {
    at = a.skipGroup(at + 1);
    if (a.word(at) === "," && at < end) at += 1;
  }
  return at >= end || a.word(at) === "AS";
}

/** AS new [(a, b)]. */
function rowAlias(a: Analysis, start: number, end: number): number {
  if (start >= end || a.word(start) !== "AS") return start;
  if (!a.isName(start + 1)) notUnderstood(`an alias is expected ${a.near(start + 1)}`);
  return a.word(start + 2) === "(" ? a.skipGroup(start + 2) : start + 2;
}

function tailOfInsert(a: Analysis, start: number, end: number, scope: Scope, target: TableReference): void {
  let at = start;
  if (a.word(at) === "ON" && at < end) {
    const from = at + 4;
    at = from;
    while (at < end && !(a.word(at) === "RETURNING" && a.isMariaDb())) at = a.skip(at);
    // MariaDB wants SELECT on the target in any case (measured on 10.11 and 11.8).
    if (a.isMariaDb() || readsColumns(a, from, at)) a.draft.reads.add(target);
    expression(a, from, at, scope);
  }
  if (at >= end) return;
  a.draft.reads.add(target);
  expression(a, a.expect(at, end, "RETURNING"), end, scope);
}

/** Whether assignments [start, end) compute with anything but literals; MySQL wants SELECT for VALUES(column) too. */
function readsColumns(a: Analysis, start: number, end: number): boolean {
  let isTarget = true;
  for (let at = start; at < end; ) {
    const word = a.word(at);
    if (isTarget) {
      isTarget = word !== "=";
      at += 1;
    } else if (word === ",") {
      isTarget = true;
      at += 1;
    } else if (word === "(" || (a.isIdentifier(at) && !plainWords.has(word))) return true;
    else at += 1;
  }
  return false;
}

const plainWords = wordSet("NULL DEFAULT TRUE FALSE");

/** UPDATE of one table or several; returns the kind. */
export function update(a: Analysis, start: number, end: number, scope: Scope): string {
  a.draft.notReadOnly("UPDATE changes rows");
  const factors: TableFactor[] = [];
  const noted = a.draft.identityTokens.length;
  const set = tableReferences(a, skipModifiers(a, start + 1), end, scope, factors);
  leaveTargets(a, noted);
  const first = a.expect(set, end, "SET");
  const clause = assignmentsEnd(a, first, end);
  const bases = factors.filter((factor) => factor.table !== null);
  const written = bases.length === 1 ? new Set(bases) : assigned(a, first, clause, bases);
  noteTables(a, bases, written);
  expression(a, first, clause, scope);
  rest(a, clause, end, scope, updateClauses);
  return "UPDATE";
}

const updateClauses = wordSet("WHERE ORDER LIMIT");
const deleteClauses = wordSet("WHERE ORDER LIMIT RETURNING");

function assignmentsEnd(a: Analysis, start: number, end: number): number {
  let at = start;
  while (at < end && !(updateClauses.has(a.word(at)) && a.word(at - 1) !== ".")) at = a.skip(at);
  return at;
}

/** The tables of a statement by the names that may mean them, in lower case: no look at all tables for each column. */
class Owners {
  private readonly byAlias = new Map<string, TableFactor[]>();
  private readonly byName = new Map<string, TableFactor[]>();
  private readonly asked = new Set<string>();
  readonly found = new Set<TableFactor>();

  constructor(bases: readonly TableFactor[]) {
    for (const base of bases) {
      put(this.byAlias, base.alias, base);
      if (base.table !== null) put(this.byName, base.table.name, base);
    }
  }

  /** Adds the tables that `name` may mean; with a schema before it, a table's own name may be meant though it has an alias. */
  add(name: string, withSchema: boolean): boolean {
    const key = name.toLowerCase();
    const aliased = this.byAlias.get(key);
    const named = withSchema ? this.byName.get(key) : undefined;
    const question = `${withSchema ? "." : ""}${key}`;
    if (!this.asked.has(question)) {
      this.asked.add(question);
      for (const base of [...(aliased ?? []), ...(named ?? [])]) this.found.add(base);
    }
    return aliased !== undefined || named !== undefined;
  }
}

function put(map: Map<string, TableFactor[]>, name: string, base: TableFactor): void {
  const key = name.toLowerCase();
  const list = map.get(key);
  if (list === undefined) map.set(key, [base]);
  else list.push(base);
}

/** The tables that the columns left of `=` may belong to; of a column without qualifier it may be any. */
function assigned(
  a: Analysis,
  start: number,
  end: number,
  bases: readonly TableFactor[],
): ReadonlySet<TableFactor> {
  const owners = new Owners(bases);
  for (let at = start; at < end; ) {
    const qualifier = qualifierOfColumn(a, at, end);
    if (qualifier === null || !owners.add(qualifier.name, qualifier.withSchema)) return new Set(bases);
    while (at < end && a.word(at) !== ",") at = a.skip(at);
    at += 1;
  }
  return owners.found;
}

/** `t` of `t.c`, also of `s.t.c`; null: the column has none. */
function qualifierOfColumn(
  a: Analysis,
  at: number,
  end: number,
): { name: string; withSchema: boolean } | null {
  const isQualified = a.isIdentifier(at) && a.word(at + 1) === "." && a.isIdentifier(at + 2) && at + 2 < end;
  if (!isQualified) return null;
  const withSchema = a.word(at + 3) === "." && a.isIdentifier(at + 4);
  return { name: a.nameAt(withSchema ? at + 2 : at), withSchema };
}

/**
 * Of several tables those that are written are read too: their columns may be what others are set to, and servers want
 * SELECT for that.
 */
function noteTables(a: Analysis, bases: readonly TableFactor[], written: ReadonlySet<TableFactor>): void {
  for (const base of bases) {
    if (base.table === null) continue;
    if (written.has(base)) a.draft.writes.add(base.table);
    if (!written.has(base) || bases.length > 1) a.draft.reads.add(base.table);
  }
}

/** WHERE, ORDER BY, LIMIT, RETURNING: nothing but expressions. */
function rest(a: Analysis, start: number, end: number, scope: Scope, allowed: ReadonlySet<string>): void {
  if (start >= end) return;
  if (!allowed.has(a.word(start))) notUnderstood(`a clause is expected ${a.near(start)}`);
  expression(a, start, end, scope);
}

/** DELETE in its three forms; returns the kind. */
export function deleteRows(a: Analysis, start: number, end: number, scope: Scope): string {
  a.draft.notReadOnly("DELETE changes rows");
  if (a.isMariaDb() && a.isPhrase(start + 1, "HISTORY", "FROM"))
    return deleteHistory(a, start + 3, end, scope);
  const at = skipModifiers(a, start + 1, deleteModifiers);
  if (a.word(at) !== "FROM") {
    const targets: string[][] = [];
    const from = targetList(a, at, end, targets);
    severalTables(a, a.expect(from, end, "FROM"), end, scope, targets);
    return "DELETE";
  }
  const targets: string[][] = [];
  const after = tryTargets(a, at + 1, end, targets);
  if (a.word(after) === "USING" && after < end) severalTables(a, after + 1, end, scope, targets);
  else oneTable(a, at + 1, end, scope);
  return "DELETE";
}

/** DELETE FROM t [PARTITION (..)] [AS a] [WHERE ..] .. */
function oneTable(a: Analysis, start: number, end: number, scope: Scope): void {
  const factors: TableFactor[] = [];
  // A name of a common table expression hides no target.
  const at = tableReferences(a, start, end, null, factors);
  if (factors.length !== 1 || factors[0]?.table === null)
    notUnderstood(`one table is expected ${a.near(start)}`);
  noteTables(a, factors, new Set(factors));
  rest(a, at, end, scope, deleteClauses);
  if (a.isMariaDb() && holdsReturning(a, at, end)) noteReading(a, factors);
}

function noteReading(a: Analysis, factors: readonly TableFactor[]): void {
  for (const { table } of factors) if (table !== null) a.draft.reads.add(table);
}

function holdsReturning(a: Analysis, start: number, end: number): boolean {
  for (let at = start; at < end; at = a.skip(at)) if (a.word(at) === "RETURNING") return true;
  return false;
}

/** DELETE HISTORY FROM t [BEFORE SYSTEM_TIME ..]. */
function deleteHistory(a: Analysis, start: number, end: number, scope: Scope): string {
  let at = a.table(start, end, "writes");
  if (a.isPhrase(at, "PARTITION", "(")) at = a.skipGroup(at + 1);
  if (at < end) expression(a, a.expect(at, end, "BEFORE", "SYSTEM_TIME"), end, scope);
  return "DELETE HISTORY";
}

/** `a, b.*, db.c`: the targets of a delete from several tables. */
function targetList(a: Analysis, start: number, end: number, targets: string[][]): number {
  const next = tryTargets(a, start, end, targets);
  return targets.length > 0 ? next : notUnderstood(`a table is expected ${a.near(start)}`);
}

function tryTargets(a: Analysis, start: number, end: number, targets: string[][]): number {
  let at = start;
  for (;;) {
    if (at >= end || !a.isName(at)) return at;
    const parts = [a.nameAt(at)];
    at += 1;
    while (a.word(at) === "." && a.isIdentifier(at + 1) && at + 1 < end) {
      parts.push(a.nameAt(at + 1));
      at += 2;
    }
    if (a.isPhrase(at, ".", "*")) at += 2;
    targets.push(parts);
    if (at >= end || a.word(at) !== ",") return at;
    at += 1;
  }
}

function severalTables(
  a: Analysis,
  start: number,
  end: number,
  scope: Scope,
  targets: readonly string[][],
): void {
  const factors: TableFactor[] = [];
  const at = tableReferences(a, start, end, scope, factors);
  const bases = factors.filter((factor) => factor.table !== null);
  const owners = new Owners(bases);
  for (const parts of targets) {
    const name = parts[parts.length - 1] ?? "";
    if (parts.length === 1) noteNamesakes(a, name, bases);
    if (owners.add(name, parts.length > 1)) continue;
    // A target that is found nowhere is an error to servers; here it counts as written by its own name.
    a.draft.writes.add(a.tableOf({ schema: parts.length > 1 ? (parts[0] ?? null) : null, name }));
  }
  noteTables(a, bases, owners.found);
  rest(a, at, end, scope, deleteClauses);
}

/** Behind an alias, MariaDB looks for DELETE on the table of that name in the default schema, too (measured). */
function noteNamesakes(a: Analysis, target: string, bases: readonly TableFactor[]): void {
  const { defaultSchema } = a.context;
  if (!a.isMariaDb() || defaultSchema === null) return;
  for (const { table, alias, hasAlias } of bases) {
    const isMeant = hasAlias && alias.toLowerCase() === target.toLowerCase();
    if (isMeant && table !== null && table.schema !== defaultSchema)
      a.draft.writes.add(a.tableOf({ schema: null, name: table.name }));
  }
}

/** WITH .. before UPDATE or DELETE (MySQL), else a query; returns the kind. */
export function withStatement(a: Analysis, start: number, end: number, scope: Scope): string {
  const head = headAfterWith(a, start, end);
  if (head !== "UPDATE" && head !== "DELETE") {
    query(a, start, end, scope);
    return "SELECT";
  }
  const { next, names } = withClause(a, start, end);
  const inner: Scope = { names, outer: scope };
  return head === "UPDATE" ? update(a, next, end, inner) : deleteRows(a, next, end, inner);
}

/** The word that follows the elements of a WITH clause. */
function headAfterWith(a: Analysis, start: number, end: number): string {
  for (let at = start + 1; at < end; at = a.skip(at)) {
    const word = a.word(at);
    if (word === "UPDATE" || word === "DELETE") return word;
    if (
      word === "SELECT" ||
      word === "TABLE" ||
      word === "VALUES" ||
      (word === "(" && a.word(at - 1) !== "AS")
    ) {
      // Columns of an element stand in parentheses too, behind its name.
      if (word !== "(" || a.opensQuery(at)) return word;
    }
  }
  return "";
}

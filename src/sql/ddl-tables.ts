// CREATE, ALTER, DROP, RENAME of tables, sequences and indexes
// (https://dev.mysql.com/doc/refman/8.4/en/create-table.html, .../alter-table.html, .../rename-table.html).

import type { Analysis } from "./analysis.ts";
import { waitEnd } from "./data-statements.ts";
import { definitions } from "./definitions.ts";
import { query } from "./query.ts";
import type { Scope } from "./scope.ts";
import type { TableReference } from "./statement-summary.ts";
import { notUnderstood } from "./uncertain.ts";
import { wordSet } from "./words.ts";

/** IF EXISTS, IF NOT EXISTS. */
export function skipIf(a: Analysis, at: number): number {
  if (a.isPhrase(at, "IF", "NOT", "EXISTS")) return at + 3;
  return a.isPhrase(at, "IF", "EXISTS") ? at + 2 : at;
}

/** What stands between CREATE and TABLE. */
export interface CreateOptions {
  readonly temporary: boolean;
}

/** CREATE TABLE from behind TABLE; returns the kind. */
export function createTable(
  a: Analysis,
  start: number,
  end: number,
  options: CreateOptions,
  scope: Scope,
): string {
  const { draft } = a;
  if (options.temporary) draft.pin("a temporary table");
  else draft.effects.transaction = "commits";
  const name = a.qualifiedName(skipIf(a, start), end);
  const table = a.tableOf(name);
  draft.changes.add(table);
  let at = name.next;
  if (a.word(at) === "LIKE") {
    a.finishAt(a.table(at + 1, end, "reads"), end);
    return "CREATE TABLE";
  }
  if (a.isPhrase(at, "(", "LIKE")) {
    const closing = a.closing(at);
    a.finishAt(a.table(at + 2, closing, "reads"), closing);
    a.finishAt(closing + 1, end);
    return "CREATE TABLE";
  }
  const queryAt = queryStart(a, at, end);
  definitions(a, at, queryAt, name.schema);
  at = queryAt;
  if (at < end) {
    draft.writes.add(table);
    query(a, at, end, scope);
  }
  return "CREATE TABLE";
}

/** Where the query begins that fills a table, or the end. */
function queryStart(a: Analysis, start: number, end: number): number {
  for (let at = start; at < end; at = a.skip(at)) {
    switch (a.word(at)) {
      case "SELECT":
        return at;
      case "TABLE":
      case "VALUES":
        if (a.word(at - 1) !== ".") return at;
        break;
      case "WITH":
        // WITH SYSTEM VERSIONING, WITHOUT ..: an option of the table.
        if (a.word(at + 1) !== "SYSTEM" && a.word(at + 1) !== "PARSER") return at;
        break;
      case "(":
        if (a.opensQuery(at)) return at;
    }
  }
  return end;
}

/** ALTER TABLE from behind TABLE; returns the kind. */
export function alterTable(a: Analysis, start: number, end: number): string {
  a.draft.effects.transaction = "commits";
  const name = a.qualifiedName(skipIf(a, start), end);
  const table = a.tableOf(name);
  a.draft.changes.add(table);
  const first = waitEnd(a, name.next);
  for (let at = first; at < end; at = a.skip(at)) {
    const next = actionWithTable(a, at, end, () => a.draft.writes.add(table));
    if (next > at) at = next - 1;
  }
  notePartitions(a, first, end, table);
  definitions(a, first, end, name.schema);
  return "ALTER TABLE";
}

const partitionsWritten = wordSet("ANALYZE OPTIMIZE REPAIR");

/** What servers want for parts of ALTER TABLE beside ALTER (measured): as for ANALYZE TABLE and the like; ORDER BY on MySQL. */
function notePartitions(a: Analysis, start: number, end: number, table: TableReference): void {
  for (let at = start; at < end; at = a.skip(at)) {
    const word = a.word(at);
    const isMaintained = partitionsWritten.has(word) && a.word(at + 1) === "PARTITION";
    if (isMaintained) a.draft.writes.add(table);
    const isOrdered = !a.isMariaDb() && a.isPhrase(at, "ORDER", "BY");
    if (isMaintained || isOrdered || a.isPhrase(at, "CHECK", "PARTITION")) a.draft.reads.add(table);
  }
}

/** RENAME, EXCHANGE and CONVERT name another table; returns the position after that name, or `at`. */
function actionWithTable(a: Analysis, at: number, end: number, writeOwn: () => void): number {
  switch (a.word(at)) {
    case "RENAME": {
      let next = at + 1;
      const what = a.word(next);
      if (what === "COLUMN" || what === "INDEX" || what === "KEY") return at;
      if (what === "TO" || what === "AS" || what === "=") next += 1;
      return a.table(next, end, "changes", "writes");
    }
    case "EXCHANGE": {
      if (a.word(at + 1) !== "PARTITION") return at;
      writeOwn();
      return a.table(a.expect(at + 3, end, "WITH", "TABLE"), end, "changes", "writes");
    }
    case "CONVERT": {
      // CONVERT TO CHARACTER SET concerns no other table.
      if (a.word(at + 1) === "TABLE") {
        writeOwn();
        return a.table(at + 2, end, "changes", "writes");
      }
      if (a.word(at + 1) !== "PARTITION") return at;
      writeOwn();
      return a.table(a.expect(at + 3, end, "TO", "TABLE"), end, "changes", "writes");
    }
    default:
      return at;
  }
}

/** DROP TABLE and DROP VIEW from behind the word; returns the position after the last name. */
export function dropList(a: Analysis, start: number, end: number): void {
  a.draft.effects.transaction = "commits";
  let at = a.tables(skipIf(a, start), end, ["changes"]);
  if (a.word(at) === "RESTRICT" || a.word(at) === "CASCADE") at += 1;
  a.finishAt(waitEnd(a, at), end);
}

/** RENAME TABLE a TO b, ..; returns the kind. */
export function renameTable(a: Analysis, start: number, end: number): string {
  a.draft.effects.transaction = "commits";
  let at = skipIf(a, start);
  for (;;) {
    at = waitEnd(a, a.table(at, end, "changes"));
    at = a.table(a.expect(at, end, "TO"), end, "changes", "writes");
    if (a.word(at) !== "," || at >= end) break;
    at += 1;
  }
  a.finishAt(at, end);
  return "RENAME TABLE";
}

/** CREATE INDEX and DROP INDEX from behind INDEX: the table stands behind ON. */
export function index(a: Analysis, start: number, end: number): void {
  a.draft.effects.transaction = "commits";
  let at = skipIf(a, start);
  if (!a.isName(at) && a.word(at) !== "PRIMARY") notUnderstood(`an index is expected ${a.near(at)}`);
  at += 1;
  if (a.isPhrase(at, "USING") || a.isPhrase(at, "TYPE")) at += 2;
  at = a.table(a.expect(at, end, "ON"), end, "changes");
  definitions(a, at, end, null);
}

/** CREATE and ALTER SEQUENCE from behind the word. */
export function sequence(a: Analysis, start: number, end: number, options: CreateOptions): void {
  if (options.temporary) a.draft.pin("a temporary sequence");
  a.draft.effects.transaction = "commits";
  definitions(a, a.table(skipIf(a, start), end, "changes"), end, null);
}

// SHOW, DESCRIBE, EXPLAIN and MariaDB's ANALYZE of a statement
// (https://dev.mysql.com/doc/refman/8.4/en/show.html, .../explain.html).

import type { Analysis } from "./analysis.ts";
import { maintain, tablesWithOptions } from "./data-statements.ts";
import { expression } from "./expressions.ts";
import type { Scope } from "./scope.ts";
import { noteShowVariables } from "./show-variables.ts";
import type { OwnShow } from "./statement-summary.ts";
import { TokenKind } from "./tokens.ts";
import { notSupported, notUnderstood } from "./uncertain.ts";
import { wordSet } from "./words.ts";

/** What a form of SHOW names. */
type ShowForm =
  | "table"
  | "schema"
  | "routine"
  | "trigger"
  | "nothing"
  | "in schema"
  | "of table"
  | "users"
  | "sessions";

/** Subjects as the ACL knows them; the longest that fits counts. */
const forms: ReadonlyMap<string, ShowForm> = new Map<string, ShowForm>([
  ...pairs("in schema", ["TABLES", "TABLE STATUS", "OPEN TABLES", "TRIGGERS", "EVENTS"]),
  ...pairs("of table", ["COLUMNS", "FIELDS", "INDEX", "INDEXES", "KEYS"]),
  ...pairs("table", ["CREATE TABLE", "CREATE VIEW", "CREATE SEQUENCE"]),
  ...pairs("schema", ["CREATE DATABASE", "CREATE SCHEMA"]),
  ...pairs("routine", ["CREATE PROCEDURE", "CREATE FUNCTION", "PROCEDURE CODE", "FUNCTION CODE"]),
  ...pairs("trigger", ["CREATE TRIGGER"]),
  ...pairs("users", ["GRANTS", "CREATE USER"]),
  ...pairs("sessions", ["PROCESSLIST"]),
  ...pairs("nothing", [
    ...[
      "DATABASES",
      "SCHEMAS",
      "PROCEDURE STATUS",
      "FUNCTION STATUS",
      "PACKAGE STATUS",
      "PACKAGE BODY STATUS",
      "LIBRARY STATUS",
      "VARIABLES",
      "STATUS",
    ],
    ...[
      "WARNINGS",
      "ERRORS",
      "CHARACTER SET",
      "CHARSET",
      "COLLATION",
      "ENGINES",
      "STORAGE ENGINES",
      "PLUGINS",
    ],
    ...["PLUGINS SONAME", "PRIVILEGES", "PROFILE", "PROFILES", "AUTHORS", "CONTRIBUTORS", "LOCALES"],
    ...["QUERY_RESPONSE_TIME", "WSREP_STATUS", "WSREP_MEMBERSHIP"],
    ...[
      "CREATE EVENT",
      "CREATE SERVER",
      "CREATE PACKAGE",
      "CREATE LIBRARY",
      "CREATE MASKING POLICY",
      "ENGINE",
      "EXPLAIN",
      "ANALYZE",
      "MASTER STATUS",
    ],
    ...[
      "MASTER LOGS",
      "BINARY LOGS",
      "BINARY LOG STATUS",
      "BINLOG STATUS",
      "BINLOG EVENTS",
      "RELAYLOG EVENTS",
    ],
    ...[
      "SLAVE STATUS",
      "ALL SLAVES STATUS",
      "REPLICA STATUS",
      "ALL REPLICAS STATUS",
      "SLAVE HOSTS",
      "REPLICAS",
    ],
    ...["REPLICA HOSTS", "CLIENT_STATISTICS", "USER_STATISTICS", "TABLE_STATISTICS", "INDEX_STATISTICS"],
  ]),
]);

function pairs(form: ShowForm, subjects: readonly string[]): [string, ShowForm][] {
  return subjects.map((subject) => [subject, form]);
}

const isReplica = wordSet("SLAVE REPLICA");
const leadingWords = wordSet("FULL EXTENDED GLOBAL SESSION LOCAL");

/** SHOW; its subject goes into the summary. */
export function show(a: Analysis, start: number, end: number, scope: Scope): string {
  let at = start + 1;
  // SHOW GLOBAL STATUS, but SHOW SLAVE STATUS has words of its own.
  while (leadingWords.has(a.word(at))) at += 1;
  if (a.isPhrase(at, "COUNT", "(", "*", ")")) return showCount(a, at, end);
  // SHOW REPLICA 'connection' STATUS of MariaDB.
  if (isReplica.has(a.word(at)) && a.kind(at + 1) === TokenKind.string && a.word(at + 2) === "STATUS") {
    a.draft.subject = `${a.word(at)} STATUS`;
    a.finishAt(a.word(at + 3) === "NONBLOCKING" ? at + 4 : at + 3, end);
    return "SHOW";
  }
  for (let words = 3; words > 0; words -= 1) {
    const subject = Array.from({ length: words }, (_, index) => a.word(at + index)).join(" ");
    const form = forms.get(subject);
    if (form === undefined) continue;
    // The rows of each would need to be judged by its own subject.
    if (a.draft.subject !== null) notSupported("SHOW beside another statement of its kind in one body");
    a.draft.subject = subject;
    if (subject === "WARNINGS" || subject === "ERRORS") a.draft.asksFor.add("warnings");
    rest(a, form, at + words, end, scope, start);
    return "SHOW";
  }
  return notUnderstood(`a form of SHOW that is unknown ${a.near(at)}`);
}

function showCount(a: Analysis, at: number, end: number): string {
  const what = a.word(at + 4);
  if (what !== "WARNINGS" && what !== "ERRORS")
    notUnderstood(`WARNINGS or ERRORS is expected ${a.near(at + 4)}`);
  a.draft.subject = `COUNT(*) ${what}`;
  a.draft.asksFor.add("warnings");
  a.finishAt(at + 5, end);
  return "SHOW";
}

function rest(a: Analysis, form: ShowForm, start: number, end: number, scope: Scope, head: number): void {
  const { draft } = a;
  switch (form) {
    case "table":
      a.finishAt(a.table(ifNotExists(a, start), end, "reads"), end);
      break;
    case "of table":
      filter(a, ofTable(a, start, end), end, scope);
      break;
    case "in schema":
      filter(a, inSchema(a, start, end), end, scope);
      break;
    case "schema": {
      const name = a.qualifiedName(ifNotExists(a, start), end);
      draft.schemas.push({ name: name.name, access: "see" });
      a.finishAt(name.next, end);
      break;
    }
    case "trigger": {
      // Its text is for those who may change its table, which is not named here.
      const name = a.qualifiedName(start, end);
      const schema = name.schema ?? a.context.defaultSchema;
      if (schema !== null) draft.schemas.push({ name: schema, access: "change" });
      a.finishAt(name.next, end);
      break;
    }
    case "routine": {
      const name = a.qualifiedName(start, end);
      draft.routines.add(a.routineOf(name));
      a.finishAt(name.next, end);
      break;
    }
    case "users":
      users(a, start, end, head);
      break;
    case "sessions":
      a.finishAt(start, end);
      own(a, a.word(start - 2) === "FULL" ? "FULL PROCESSLIST" : "PROCESSLIST", head, end);
      break;
    case "nothing":
      if (draft.subject === "VARIABLES") noteShowVariables(a, head, start, end);
      filter(a, start, end, scope);
      break;
  }
}

function ifNotExists(a: Analysis, at: number): number {
  return a.isPhrase(at, "IF", "NOT", "EXISTS") ? at + 3 : at;
}

function isFrom(a: Analysis, at: number): boolean {
  return a.word(at) === "FROM" || a.word(at) === "IN";
}

/** FROM t [FROM schema]: the schema behind beats the one before the dot. */
function ofTable(a: Analysis, start: number, end: number): number {
  if (!isFrom(a, start)) notUnderstood(`FROM is expected ${a.near(start)}`);
  const name = a.qualifiedName(start + 1, end);
  if (!isFrom(a, name.next)) {
    a.draft.reads.add(a.tableOf(name));
    return name.next;
  }
  const schema = a.qualifiedName(name.next + 1, end);
  if (schema.schema !== null) notUnderstood(`a schema is expected ${a.near(name.next + 1)}`);
  a.draft.reads.add(a.tableOf({ schema: schema.name, name: name.name }));
  return schema.next;
}

function inSchema(a: Analysis, start: number, end: number): number {
  if (!isFrom(a, start)) return start;
  const name = a.qualifiedName(start + 1, end);
  if (name.schema !== null) notUnderstood(`a schema is expected ${a.near(start + 1)}`);
  a.draft.schemas.push({ name: name.name, access: "see" });
  return name.next;
}

const filterWords = wordSet("FOR FROM IN QUERY LIMIT OFFSET TYPE ALL CPU BLOCK IO CONTEXT SWITCHES FORMAT");

/** LIKE, WHERE, LIMIT and what else follows: expressions, of which sub-queries count. */
function filter(a: Analysis, start: number, end: number, scope: Scope): void {
  let at = start;
  while (at < end && filterWords.has(a.word(at))) at += 1;
  expression(a, at, end, scope, true);
}

/** SHOW GRANTS [FOR user], SHOW CREATE USER [user]: oneself or another. */
function users(a: Analysis, start: number, end: number, head: number): void {
  const { draft } = a;
  const isGrants = draft.subject === "GRANTS";
  const at = isGrants && a.word(start) === "FOR" ? start + 1 : start;
  const oneself = at >= end || (a.word(at) === "CURRENT_USER" && isEmptyCall(a, at + 1, end));
  if (!oneself) {
    if (a.word(at) === "CURRENT_USER") notSupported(`${draft.subject} of oneself with more ${a.near(at)}`);
    draft.subject = isGrants ? "GRANTS FOR" : "CREATE USER FOR";
  } else own(a, isGrants ? "GRANTS" : "CREATE USER", head, end);
}

/** Inside another statement nobody could answer in the server's place. */
function own(a: Analysis, what: OwnShow["what"], head: number, end: number): void {
  if (a.stored || a.draft.ownShow !== null) return;
  a.draft.ownShow = { what, start: a.tokens.start(head), end: a.tokens.end(end - 1) };
}

function isEmptyCall(a: Analysis, at: number, end: number): boolean {
  return at >= end || (a.word(at) === "(" && a.word(at + 1) === ")" && at + 2 === end);
}

const explainable = wordSet("SELECT INSERT UPDATE DELETE REPLACE WITH TABLE VALUES");
const explainOptions = wordSet("EXTENDED PARTITIONS ANALYZE");

/** DESCRIBE, DESC, EXPLAIN of a table or a statement; EXPLAIN FOR CONNECTION. */
export function explain(a: Analysis, start: number, end: number, scope: Scope): string {
  let at = start + 1;
  let runs = false;
  for (;;) {
    if (explainOptions.has(a.word(at)) && isOption(a, at, end)) {
      runs ||= a.word(at) === "ANALYZE";
      at += 1;
    } else if (a.isPhrase(at, "FORMAT", "=")) at += 3;
    else if (a.word(at) === "INTO" && a.kind(at + 1) === TokenKind.variable) {
      a.draft.pin("a user variable");
      at += 2;
    } else break;
  }
  if (a.isPhrase(at, "FOR", "CONNECTION")) {
    a.draft.subject = "FOR CONNECTION";
    a.draft.notReadOnly("it looks at another connection");
    return "EXPLAIN";
  }
  if (a.word(at) === "FOR") return explainIn(a, at + 1, end, scope, runs);
  if (a.word(at) === "(" || explainable.has(a.word(at))) {
    a.draft.carry(a.grammar.statement(a, at, end, scope));
    if (runs) a.draft.subject = "ANALYZE";
    return "EXPLAIN";
  }
  return describe(a, at, end);
}

/** DESC extended a: a column of a table that is called so. Only a statement, or more options, may stand behind an option. */
function isOption(a: Analysis, at: number, end: number): boolean {
  const next = at + 1;
  if (next >= end) return false;
  const word = a.word(next);
  if (word === "(" || explainable.has(word) || a.isPhrase(next, "FORMAT", "=")) return true;
  if (word === "FOR" || word === "INTO") return true;
  return explainOptions.has(word) && isOption(a, next, end);
}

/** MySQL 9's EXPLAIN FOR DATABASE s: the statement is read as if it stood behind USE s. */
function explainIn(a: Analysis, start: number, end: number, scope: Scope, runs: boolean): string {
  const word = a.word(start);
  if (a.isMariaDb() || (word !== "SCHEMA" && word !== "DATABASE"))
    notUnderstood(`SCHEMA is expected ${a.near(start)}`);
  const schema = a.qualifiedName(start + 1, end);
  if (schema.schema !== null) notUnderstood(`a schema is expected ${a.near(start + 1)}`);
  const at = schema.next;
  if (a.word(at) !== "(" && !explainable.has(a.word(at)))
    notUnderstood(`a statement is expected ${a.near(at)}`);
  const inner = a.within(schema.name);
  a.draft.carry(a.grammar.statement(inner, at, end, scope));
  // Whether the schema is there is told to those who have a right in it.
  const { reads, writes } = a.draft;
  if (![...reads.items, ...writes.items].some((table) => table.schema === schema.name))
    notSupported("EXPLAIN FOR SCHEMA of a statement without a table in it");
  if (runs) a.draft.subject = "ANALYZE";
  return "EXPLAIN";
}

/** DESCRIBE t [column | 'pattern']. */
function describe(a: Analysis, start: number, end: number): string {
  const at = a.table(start, end, "reads");
  const isOne = a.isIdentifier(at) || a.kind(at) === TokenKind.string;
  a.finishAt(at < end && isOne ? at + 1 : at, end);
  return "DESCRIBE";
}

/** ANALYZE TABLE, or MariaDB's ANALYZE of a statement, which runs it. */
export function analyzeStatement(a: Analysis, start: number, end: number, scope: Scope): string {
  let at = start + 1;
  while (a.word(at) === "LOCAL" || a.word(at) === "NO_WRITE_TO_BINLOG") at += 1;
  if (a.word(at) === "TABLE" || a.word(at) === "TABLES") return maintain(a, start, end);
  at = start + 1;
  if (a.isPhrase(at, "FORMAT", "=")) at += 3;
  if (!explainable.has(a.word(at)) && a.word(at) !== "(")
    notUnderstood(`a statement is expected ${a.near(at)}`);
  a.draft.carry(a.grammar.statement(a, at, end, scope));
  return "ANALYZE";
}

/** FLUSH and CACHE INDEX name tables, too: they are for administrators, the names are for the log. */
export function flush(a: Analysis, start: number, end: number): string {
  let at = start + 1;
  while (a.word(at) === "LOCAL" || a.word(at) === "NO_WRITE_TO_BINLOG") at += 1;
  const word = a.word(at);
  a.draft.subject = word === "" ? null : word;
  const named = (word === "TABLES" || word === "TABLE") && at + 1 < end && a.isName(at + 1);
  if (named) tablesWithOptions(a, at + 1, flushedEnd(a, at + 1, end), ["reads"]);
  if (word.startsWith("TABLE")) a.draft.pin("flushed tables may be locked");
  return "FLUSH";
}

function flushedEnd(a: Analysis, start: number, end: number): number {
  let at = start;
  while (at < end && a.word(at) !== "WITH" && a.word(at) !== "FOR" && a.word(at) !== "AND") at += 1;
  return at;
}

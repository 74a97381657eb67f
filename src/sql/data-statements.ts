// LOAD, CALL, DO, HANDLER, LOCK TABLES and the maintenance of tables
// (https://dev.mysql.com/doc/refman/8.4/en/load-data.html, .../handler.html, .../lock-tables.html).

import { type Analysis, decodeName, type QualifiedName } from "./analysis.ts";
import { expression, group } from "./expressions.ts";
import type { Scope } from "./scope.ts";
import { decodeString } from "./string-literal.ts";
import { TokenKind } from "./tokens.ts";
import { notSupported, notUnderstood } from "./uncertain.ts";
import { wordSet } from "./words.ts";

/** What the string at `at` stands for, one character a byte. */
export function bytesAt(a: Analysis, at: number): string {
  const written = a.kind(at) === TokenKind.string ? a.tokens.slice(at) : null;
  const decoded = written === null ? null : decodeString(written, a.modes.noBackslashEscapes);
  return decoded ?? notUnderstood(`a string is expected ${a.near(at)}`);
}

/** The text of the string at `at`, as the client's character set has it. */
export function stringAt(a: Analysis, at: number): string {
  return decodeName(bytesAt(a, at), a.context.characterSet === "latin1");
}

/** LOAD DATA | XML, LOAD INDEX INTO CACHE. */
export function load(a: Analysis, start: number, end: number, scope: Scope): string {
  const { draft } = a;
  if (a.isPhrase(start + 1, "INDEX", "INTO", "CACHE")) {
    tablesWithOptions(a, start + 4, end, ["reads"]);
    return "LOAD INDEX";
  }
  const format = a.word(start + 1);
  if (format !== "DATA" && format !== "XML") notUnderstood(`DATA or XML is expected ${a.near(start + 1)}`);
  draft.notReadOnly("LOAD changes rows");
  let at = start + 2;
  if (a.word(at) === "LOW_PRIORITY" || a.word(at) === "CONCURRENT") at += 1;
  // MySQL 9: LOAD DATA FROM INFILE | URL | S3 'where' [COUNT n] [IN PRIMARY KEY ORDER]
  if (a.word(at) === "FROM" && !a.isMariaDb()) at += 1;
  const local = a.word(at) === "LOCAL";
  if (local) at += 1;
  const isRemote = !a.isMariaDb() && (a.word(at) === "URL" || a.word(at) === "S3");
  at = isRemote ? at + 1 : a.expect(at, end, "INFILE");
  const file = stringAt(a, at);
  if (local && !isRemote) draft.loadLocalFile = file;
  else draft.serverFiles = true;
  at += 1;
  if (a.word(at) === "COUNT" && a.kind(at + 1) === TokenKind.number) at += 2;
  if (a.isPhrase(at, "IN", "PRIMARY", "KEY", "ORDER")) at += 4;
  if (a.word(at) === "REPLACE" || a.word(at) === "IGNORE") at += 1;
  at = a.table(a.expect(at, end, "INTO", "TABLE"), end, "writes");
  if (a.isPhrase(at, "PARTITION", "(")) at = a.skipGroup(at + 1);
  // IGNORE n LINES, FIELDS .., (columns), SET a = expression.
  expression(a, loadFormat(a, at, end), end, scope);
  return `LOAD ${format}`;
}

/** The words and strings of the file's format; what follows is columns and SET. */
function loadFormat(a: Analysis, start: number, end: number): number {
  let at = start;
  while (at < end && a.word(at) !== "(" && !(a.word(at) === "SET" && a.word(at - 1) !== "CHARACTER")) at += 1;
  return a.word(at) === "(" && at < end ? loadColumns(a, at) : at;
}

function loadColumns(a: Analysis, at: number): number {
  const closing = a.closing(at);
  for (let index = at + 1; index < closing; index += 1) {
    if (a.kind(index) === TokenKind.variable) a.draft.pin("a user variable");
    else if (!a.isIdentifier(index) && a.word(index) !== ",")
      notUnderstood(`a column is expected ${a.near(index)}`);
  }
  return closing + 1;
}

/** CALL p(..). */
export function call(a: Analysis, start: number, end: number, scope: Scope): string {
  const { draft } = a;
  draft.notReadOnly("CALL runs a stored procedure");
  const name = a.qualifiedName(start + 1, end);
  draft.routines.add(a.routineOf(name));
  // A procedure may set user variables, and make temporary tables.
  draft.pin("a stored procedure");
  if (a.word(name.next) === "(" && name.next < end) a.finishAt(group(a, name.next, scope), end);
  else a.finishAt(name.next, end);
  return "CALL";
}

/** DO expression, .. */
export function doExpressions(a: Analysis, start: number, end: number, scope: Scope): string {
  a.draft.notReadOnly("DO is run for its effects");
  expression(a, start + 1, end, scope);
  return "DO";
}

/**
 * HANDLER t OPEN [AS alias] | READ | CLOSE. The last two name what OPEN gave a name to: unless the session knows of it, that
 * counts as a table.
 */
export function handler(a: Analysis, start: number, end: number, scope: Scope): string {
  const { draft } = a;
  draft.notReadOnly("HANDLER keeps a table open");
  const name = a.qualifiedName(start + 1, end);
  const verb = a.word(name.next);
  draft.subject = verb;
  switch (verb) {
    case "OPEN":
      draft.pin("an open HANDLER");
      openHandler(a, name, end);
      return "HANDLER";
    case "READ":
    case "CLOSE":
      expression(a, name.next + 1, end, scope);
      // A table of a sub-query must not be taken for what is opened.
      if (draft.reads.items.length === 0 && name.schema === null) nameHandler(a, name.name);
      draft.reads.add(a.tableOf(name));
      return "HANDLER";
    default:
      return notUnderstood(`OPEN, READ or CLOSE is expected ${a.near(name.next)}`);
  }
}

function openHandler(a: Analysis, name: QualifiedName, end: number): void {
  a.draft.reads.add(a.tableOf(name));
  let at = name.next + 1;
  if (at >= end) {
    nameHandler(a, name.name);
    return;
  }
  if (a.word(at) === "AS") at += 1;
  if (!a.isName(at)) notUnderstood(`an alias is expected ${a.near(at)}`);
  // Whoever carries it has a name of its own: nobody would know what the alias stands for.
  if (a.depth > 1 || a.draft.innerKinds.length > 0)
    notSupported("HANDLER .. OPEN AS inside another statement");
  nameHandler(a, a.nameAt(at));
  a.finishAt(at + 1, end);
}

/** Kept among the names of PREPARE; no name there begins with this byte. */
function nameHandler(a: Analysis, name: string): void {
  if (a.depth <= 1 && a.draft.innerKinds.length === 0) a.draft.preparedName = `\0${name.toLowerCase()}`;
}

/** Why a session stays on its connection that UNLOCK TABLES takes away. */
export const LOCKED_TABLES = "locked tables";

/** LOCK TABLES t [AS a] READ [LOCAL] | [LOW_PRIORITY] WRITE, ..; LOCK INSTANCE FOR BACKUP. */
export function lock(a: Analysis, start: number, end: number): string {
  a.draft.notReadOnly("it locks tables");
  if (a.word(start + 1) === "INSTANCE") {
    a.draft.pin("a locked instance");
    return "LOCK INSTANCE";
  }
  a.draft.pin(LOCKED_TABLES);
  if (a.word(start + 1) !== "TABLES" && a.word(start + 1) !== "TABLE") {
    notUnderstood(`TABLES is expected ${a.near(start + 1)}`);
  }
  let at = start + 2;
  for (;;) {
    const name = a.qualifiedName(at, end);
    at = name.next;
    if (a.word(at) === "AS") at += 1;
    if (a.isName(at) && a.word(at) !== "CONCURRENT") at += 1;
    while (a.word(at) === "LOW_PRIORITY" || a.word(at) === "CONCURRENT") at += 1;
    const mode = a.word(at);
    if (mode !== "READ" && mode !== "WRITE") notUnderstood(`READ or WRITE is expected ${a.near(at)}`);
    a.draft[mode === "READ" ? "reads" : "writes"].add(a.tableOf(name));
    at += 1;
    if (a.word(at) === "LOCAL" || (a.word(at) === "CONCURRENT" && mode === "WRITE")) at += 1;
    if (a.word(at) !== "," || at >= end) break;
    at += 1;
  }
  a.finishAt(waitEnd(a, at), end);
  return "LOCK TABLES";
}

/** MariaDB's WAIT n and NOWAIT. */
export function waitEnd(a: Analysis, at: number): number {
  if (a.word(at) === "NOWAIT") return at + 1;
  return a.word(at) === "WAIT" && a.kind(at + 1) === TokenKind.number ? at + 2 : at;
}

/** UNLOCK TABLES | INSTANCE. */
export function unlock(a: Analysis, start: number, end: number): string {
  a.draft.effects.any = true;
  a.finishAt(start + 2, end);
  const word = a.word(start + 1);
  if (word === "INSTANCE") return "UNLOCK INSTANCE";
  return word === "TABLES" || word === "TABLE"
    ? "UNLOCK TABLES"
    : notUnderstood(`TABLES is expected ${a.near(start + 1)}`);
}

const maintained: ReadonlyMap<string, readonly ("reads" | "writes" | "changes")[]> = new Map([
  ["CHECK", ["reads"]],
  ["CHECKSUM", ["reads"]],
  ["ANALYZE", ["writes"]],
  ["OPTIMIZE", ["changes"]],
  ["REPAIR", ["changes"]],
]);

/** CHECK, CHECKSUM, ANALYZE, OPTIMIZE, REPAIR TABLE; CHECK and REPAIR VIEW. */
export function maintain(a: Analysis, start: number, end: number): string {
  const verb = a.word(start);
  a.draft.notReadOnly(`${verb} looks after stored tables`);
  let at = start + 1;
  while (a.word(at) === "LOCAL" || a.word(at) === "NO_WRITE_TO_BINLOG") at += 1;
  const object = a.word(at);
  const isView = object === "VIEW" || object === "VIEWS";
  if (!isView && object !== "TABLE" && object !== "TABLES") notUnderstood(`TABLE is expected ${a.near(at)}`);
  if (isView && verb !== "CHECK" && verb !== "REPAIR") notUnderstood(`TABLE is expected ${a.near(at)}`);
  tablesWithOptions(
    a,
    at + 1,
    end,
    maintained.get(verb) ?? notUnderstood("a maintenance statement is unknown"),
  );
  if (verb !== "CHECK" && verb !== "CHECKSUM") a.draft.effects.transaction = "commits";
  // MySQL 9 has a privilege for what replicas are not told of.
  if (verb === "OPTIMIZE" && !a.isMariaDb() && a.word(start + 1) !== object) return "OPTIMIZE LOCAL TABLE";
  return `${verb} ${isView ? "VIEW" : "TABLE"}`;
}

const tableOptions =
  wordSet(`QUICK FAST MEDIUM EXTENDED CHANGED FOR UPGRADE USE_FRM FROM MYSQL WAIT NOWAIT PERSISTENT ALL
  COLUMNS INDEXES PARTITION INDEX KEY IGNORE LEAVES HISTOGRAM ON DROP WITH BUCKETS USING DATA FORCE MANUAL AUTO UPDATE
  LAST_UPDATE`);

/** Tables with commas between, each with options; names of columns, indexes and partitions add nothing. */
export function tablesWithOptions(
  a: Analysis,
  start: number,
  end: number,
  lists: readonly ("reads" | "writes" | "changes")[],
): void {
  let at = a.table(start, end, ...lists);
  let columns = false;
  while (at < end) {
    const word = a.word(at);
    if (word === "(") at = a.skipGroup(at);
    else if (word === ",") at = columns ? at + 1 : a.table(at + 1, end, ...lists);
    else if (tableOptions.has(word) || a.kind(at) === TokenKind.number || a.kind(at) === TokenKind.string) {
      // UPDATE HISTOGRAM ON a, b: from here on commas part columns; only one table may stand before.
      columns ||= word === "HISTOGRAM";
      at += 1;
    } else if (columns && a.isName(at)) at += 1;
    else notUnderstood(`a table is expected ${a.near(at)}`);
  }
}

/** TRUNCATE [TABLE] t. */
export function truncate(a: Analysis, start: number, end: number): string {
  a.draft.notReadOnly("TRUNCATE empties a table");
  a.draft.effects.transaction = "commits";
  const at = a.table(a.word(start + 1) === "TABLE" ? start + 2 : start + 1, end, "changes");
  a.finishAt(waitEnd(a, at), end);
  return "TRUNCATE";
}

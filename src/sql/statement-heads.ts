// THE table of statement heads: the first word of a statement, and who reads the rest. A head that does not stand here is
// refused (https://dev.mysql.com/doc/refman/8.4/en/sql-statements.html,
// https://mariadb.com/docs/server/reference/sql-statements).

import { noteAccounts } from "./accounts.ts";
import type { Analysis } from "./analysis.ts";
import { beginsCompound, bodyStatement } from "./compound.ts";
import {
  call,
  doExpressions,
  handler,
  load,
  lock,
  maintain,
  tablesWithOptions,
  truncate,
  unlock,
} from "./data-statements.ts";
import { define } from "./ddl.ts";
import { renameTable } from "./ddl-tables.ts";
import { deleteRows, insert, update, withStatement } from "./dml.ts";
import { expression } from "./expressions.ts";
import { query } from "./query.ts";
import type { Scope } from "./scope.ts";
import {
  begin,
  deallocate,
  endTransaction,
  execute,
  kill,
  prepare,
  savepoint,
  start,
  use,
  xa,
} from "./session-statements.ts";
import { set } from "./set.ts";
import { analyzeStatement, explain, flush, show } from "./show.ts";
import { TokenKind } from "./tokens.ts";
import { notUnderstood } from "./uncertain.ts";
import { wordSet } from "./words.ts";

/** Reads one statement [start, end); returns its kind. */
type HeadReader = (a: Analysis, start: number, end: number, scope: Scope) => string;

const reading =
  (kind: string): HeadReader =>
  (a, at, end, scope) => {
    query(a, at, end, scope);
    return kind;
  };

/** For administrators, or without anything to look at: the kind says all. */
const named =
  (kind: string): HeadReader =>
  () =>
    kind;

/** The kind has the second word where it is one of these. */
const second =
  (head: string, ...words: readonly string[]): HeadReader =>
  (a, at) =>
    words.includes(a.word(at + 1)) ? `${head} ${a.word(at + 1)}` : head;

/** The same for what leaves something on its connection. */
const pinning =
  (kind: string, because: string): HeadReader =>
  (a) => {
    a.draft.pin(because);
    return kind;
  };

const heads: ReadonlyMap<string, HeadReader> = new Map<string, HeadReader>(
  Object.entries({
    // Reading
    SELECT: reading("SELECT"),
    TABLE: reading("TABLE"),
    VALUES: reading("VALUES"),
    "(": reading("SELECT"),
    WITH: withStatement,
    DO: doExpressions,
    HELP: help,
    HANDLER: handler,
    SHOW: show,
    DESCRIBE: explain,
    DESC: explain,
    EXPLAIN: explain,
    CHECK: maintain,
    CHECKSUM: maintain,
    // Writing
    INSERT: insert,
    REPLACE: insert,
    UPDATE: update,
    DELETE: deleteRows,
    LOAD: load,
    CALL: call,
    TRUNCATE: truncate,
    ANALYZE: analyzeStatement,
    OPTIMIZE: maintain,
    REPAIR: maintain,
    LOCK: lock,
    UNLOCK: unlock,
    // Defining
    CREATE: define,
    ALTER: define,
    DROP: (a, at, end, scope) =>
      a.word(at + 1) === "PREPARE" ? deallocate(a, at, end) : define(a, at, end, scope),
    RENAME: rename,
    // The session
    SET: set,
    USE: use,
    BEGIN: begin,
    START: start,
    COMMIT: endTransaction,
    ROLLBACK: endTransaction,
    SAVEPOINT: savepoint,
    RELEASE: savepoint,
    XA: xa,
    PREPARE: prepare,
    EXECUTE: execute,
    DEALLOCATE: deallocate,
    KILL: kill,
    SIGNAL: signal,
    RESIGNAL: signal,
    GET: diagnostics,
    // Accounts
    GRANT: named("GRANT"),
    REVOKE: named("REVOKE"),
    // The server
    FLUSH: flush,
    RESET: reset,
    CACHE: cacheIndex,
    SHUTDOWN: named("SHUTDOWN"),
    RESTART: named("RESTART"),
    PURGE: named("PURGE"),
    // The events that describe those that follow are the session's.
    BINLOG: pinning("BINLOG", "replayed binary log events"),
    CHANGE: named("CHANGE"),
    STOP: named("STOP"),
    CLONE: named("CLONE"),
    BACKUP: pinning("BACKUP", "a backup's locks"),
    INSTALL: second("INSTALL", "PLUGIN", "COMPONENT"),
    UNINSTALL: second("UNINSTALL", "PLUGIN", "COMPONENT"),
    IMPORT: named("IMPORT"),
  } satisfies Record<string, HeadReader>),
);

/** All heads, for the tests. */
export const statementHeads: readonly string[] = [...heads.keys()];

/** Statements in statements are bounded: EXPLAIN of SET STATEMENT of PREPARE. */
const depthMax = 12;

/** One statement of any kind; returns the kind. */
export function statement(a: Analysis, at: number, end: number, scope: Scope): string {
  if (at >= end) return a.depth === 0 ? "EMPTY" : notUnderstood(`a statement is expected ${a.near(at)}`);
  if (a.depth >= depthMax) notUnderstood("too many statements inside statements");
  a.depth += 1;
  const kind = one(a, at, end, scope);
  noteAccounts(a, kind, at, end);
  a.depth -= 1;
  return kind;
}

function one(a: Analysis, at: number, end: number, scope: Scope): string {
  if (beginsCompound(a, at)) {
    a.finishAt(bodyStatement(a, at, end, scope), end);
    return "COMPOUND";
  }
  const reader = heads.get(a.word(at));
  return reader === undefined
    ? notUnderstood(`a statement that is unknown ${a.near(at)}`)
    : reader(a, at, end, scope);
}

function rename(a: Analysis, at: number, end: number): string {
  const object = a.word(at + 1);
  if (object === "USER") return "RENAME USER";
  if (object !== "TABLE" && object !== "TABLES") notUnderstood(`TABLE is expected ${a.near(at + 1)}`);
  return renameTable(a, at + 2, end);
}

/** HELP 'text', or a word. */
function help(a: Analysis, at: number, end: number): string {
  const isOne = a.kind(at + 1) === TokenKind.string || a.isIdentifier(at + 1);
  a.finishAt(at + 1 < end && isOne ? at + 2 : at + 1, end);
  return "HELP";
}

function signal(a: Analysis, at: number, end: number, scope: Scope): string {
  expression(a, at + 1, end, scope);
  return a.word(at);
}

/** What conditions tell of names. */
const messageItems =
  wordSet(`MESSAGE_TEXT CONSTRAINT_CATALOG CONSTRAINT_SCHEMA CONSTRAINT_NAME CATALOG_NAME SCHEMA_NAME
  TABLE_NAME COLUMN_NAME`);

/** GET [CURRENT | STACKED] DIAGNOSTICS .. */
function diagnostics(a: Analysis, at: number, end: number, scope: Scope): string {
  const next = a.word(at + 1) === "DIAGNOSTICS" ? at + 1 : at + 2;
  expression(a, a.expect(next, end, "DIAGNOSTICS"), end, scope);
  a.draft.asksFor.add("warnings");
  for (let index = next; index < end; index += 1)
    if (messageItems.has(a.word(index))) a.draft.asksFor.add("messages");
  a.draft.pin("a user variable");
  return "GET DIAGNOSTICS";
}

/** RESET CONNECTION does not exist as text: what is reset is the server's. */
function reset(): string {
  return "RESET";
}

function cacheIndex(a: Analysis, at: number, end: number): string {
  let last = end;
  while (last > at && a.word(last) !== "IN") last -= 1;
  tablesWithOptions(a, a.expect(at + 1, end, "INDEX"), last > at ? last : end, ["reads"]);
  return "CACHE INDEX";
}

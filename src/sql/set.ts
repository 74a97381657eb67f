// SET in all its forms: variables of the session, the server and the user, NAMES, CHARACTER SET, TRANSACTION, and MariaDB's
// SET STATEMENT (https://dev.mysql.com/doc/refman/8.4/en/set-variable.html, .../set-names.html, .../set-transaction.html).

import type { Analysis } from "./analysis.ts";
import { stringAt } from "./data-statements.ts";
import { expression } from "./expressions.ts";
import type { Scope } from "./scope.ts";
import type { VariableAssignment } from "./statement-summary.ts";
import { TokenKind } from "./tokens.ts";
import { notSupported, notUnderstood } from "./uncertain.ts";
import { wordSet } from "./words.ts";

type AssignedScope = VariableAssignment["scope"];

const scopeWords: ReadonlyMap<string, AssignedScope> = new Map([
  ["GLOBAL", "global"],
  ["SESSION", "session"],
  ["LOCAL", "session"],
  ["PERSIST", "persist"],
  ["PERSIST_ONLY", "persist"],
]);

/** Storage engines whose tables are kept elsewhere, or show other tables: to set one as default is refused. */
const ownEngines =
  wordSet(`INNODB MYISAM ARIA MEMORY HEAP ARCHIVE CSV BLACKHOLE ROCKSDB NDB NDBCLUSTER TOKUDB MERGE
  MRG_MYISAM DEFAULT`);

/** Whether tables of this engine hold their own rows in the server, or show tables that the statement names. */
export function isKnownEngine(name: string): boolean {
  return ownEngines.has(name.toUpperCase());
}

/** SET; returns the kind. */
export function set(a: Analysis, start: number, end: number, scope: Scope): string {
  switch (a.word(start + 1)) {
    case "STATEMENT":
      if (a.isMariaDb()) return setStatement(a, start, end, scope);
      break;
    case "ROLE":
      a.draft.pin("SET ROLE");
      return "SET ROLE";
    case "PASSWORD":
      return "SET PASSWORD";
    case "DEFAULT":
      if (a.word(start + 2) === "ROLE") return "SET DEFAULT ROLE";
      break;
    case "RESOURCE":
      if (a.word(start + 2) === "GROUP") {
        a.draft.pin("SET RESOURCE GROUP");
        return "SET RESOURCE GROUP";
      }
  }
  let kind = "SET";
  let at = start + 1;
  for (;;) {
    const next = elementEnd(a, at, end);
    const own = element(a, at, next, scope);
    if (own === "SET PASSWORD" || at === start + 1) kind = own;
    if (next >= end) return kind;
    at = next + 1;
  }
}

function elementEnd(a: Analysis, start: number, end: number): number {
  let at = start;
  while (at < end && a.word(at) !== ",") at = a.skip(at);
  // The characteristics of a transaction have commas of their own.
  if (isTransaction(a, start)) {
    while (at < end && (a.word(at + 1) === "READ" || a.word(at + 1) === "ISOLATION")) {
      at += 1;
      while (at < end && a.word(at) !== ",") at += 1;
    }
  }
  return at;
}

function isTransaction(a: Analysis, at: number): boolean {
  return a.word(scopeWords.has(a.word(at)) ? at + 1 : at) === "TRANSACTION";
}

/** One element of the list; returns the kind that a SET of it alone has. */
function element(a: Analysis, start: number, end: number, scope: Scope): string {
  const word = a.word(start);
  const next = a.word(start + 1);
  const assigns = next === "=" || next === ":" || next === ".";
  if (!assigns) {
    switch (word) {
      case "NAMES":
        return names(a, start + 1, end, "SET NAMES");
      case "CHARSET":
        return names(a, start + 1, end, "SET CHARACTER SET");
      case "CHARACTER":
      case "CHAR":
        return names(a, a.expect(start + 1, end, "SET"), end, "SET CHARACTER SET");
      case "PASSWORD":
        return "SET PASSWORD";
    }
  }
  if (word === "PASSWORD" && assigns && next !== ".") return "SET PASSWORD";
  if (isTransaction(a, start) && !assigns) return transaction(a, start, end);
  assignment(a, start, end, scope);
  return "SET";
}

/** NAMES and CHARACTER SET: [DEFAULT | name ['COLLATE' collation]]. */
function names(a: Analysis, at: number, end: number, kind: string): string {
  const value = literal(a, at, at + 1);
  if (value === null || at >= end) notUnderstood(`a character set is expected ${a.near(at)}`);
  let next = at + 1;
  let collation: string | null = null;
  // DEFAULT can be said again on another connection like any name, alone.
  let known = true;
  if (a.word(next) === "COLLATE" && next < end) {
    collation = literal(a, next + 1, next + 2);
    known = collation !== null && a.word(next + 1) !== "DEFAULT" && a.word(at) !== "DEFAULT";
    next += 2;
  }
  a.finishAt(next, end);
  const { effects } = a.draft;
  effects.any = true;
  effects.characterSet = { value: a.word(at) === "DEFAULT" ? null : (value ?? "").toLowerCase() };
  // SET CHARACTER SET takes the collation from the default schema.
  if (kind === "SET NAMES" && known && value !== null) {
    const isDefault = a.word(at) === "DEFAULT";
    effects.names = { characterSet: isDefault ? "DEFAULT" : value, collation };
  } else a.draft.pin(kind);
  return kind;
}

/** [scope] TRANSACTION ..: without a scope it is for the next one only. */
function transaction(a: Analysis, start: number, end: number): string {
  const scope = scopeWords.get(a.word(start));
  for (let at = start; at < end; at += 1) {
    if (a.kind(at) !== TokenKind.word && a.word(at) !== ",")
      notUnderstood(`something unexpected stands ${a.near(at)}`);
  }
  if (scope === undefined) {
    a.draft.effects.nextTransaction = true;
    return "SET TRANSACTION";
  }
  for (let at = start + 2; at < end; at += 1) {
    if (a.word(at) === "LEVEL") characteristic(a, scope, "transaction_isolation", levelAt(a, at + 1, end));
    else if (a.word(at) === "READ" && a.word(at - 1) !== "LEVEL")
      characteristic(a, scope, "transaction_read_only", a.word(at + 1) === "ONLY" ? "1" : "0");
  }
  return "SET TRANSACTION";
}

function characteristic(a: Analysis, scope: AssignedScope, name: string, value: string): void {
  a.draft.assigns.push(scope === "session" ? { scope, name, value } : { scope, name });
  if (scope === "session") a.draft.effects.any = true;
}

/** READ COMMITTED and the like, as the variable has it. */
function levelAt(a: Analysis, at: number, end: number): string {
  const words: string[] = [];
  for (let index = at; index < end && a.word(index) !== ","; index += 1)
    words.push(a.nameAt(index).toUpperCase());
  return words.join("-");
}

/** What stands left of an assignment. */
interface Target {
  readonly scope: AssignedScope;
  readonly name: string;
  readonly next: number;
}

function assignment(a: Analysis, start: number, end: number, scope: Scope): void {
  const target = assigned(a, start, end);
  let at = target.next;
  if (a.word(at) === ":") at += 1;
  at = a.expect(at, end, "=");
  if (at >= end) notUnderstood(`a value is expected ${a.near(at)}`);
  const value = literal(a, at, end) ?? nullResults(a, target, at, end);
  if (value === null) expression(a, at, end, scope);
  if (isNextTransaction(a, start, target)) a.draft.effects.nextTransaction = true;
  else note(a, target, value);
}

/** character_set_results = NULL: results come as they are stored. */
function nullResults(a: Analysis, { name }: Target, at: number, end: number): string | null {
  return name === "character_set_results" && a.word(at) === "NULL" && at + 1 === end ? "NULL" : null;
}

/** `SET @@transaction_isolation = ..`, without a scope, is for the next transaction only. */
function isNextTransaction(a: Analysis, start: number, { name }: Target): boolean {
  if (a.kind(start) !== TokenKind.systemVariable || scopeWords.has(a.word(start + 1))) return false;
  return /^(tx|transaction)_(isolation|read_only)$/.test(name);
}

function assigned(a: Analysis, start: number, end: number): Target {
  if (a.kind(start) === TokenKind.variable) {
    return { scope: "user", name: a.tokens.slice(start).slice(1), next: start + 1 };
  }
  const atSigns = a.kind(start) === TokenKind.systemVariable;
  let at = atSigns ? start + 1 : start;
  const written = scopeWords.get(a.word(at));
  const hasScope = written !== undefined && (atSigns ? a.word(at + 1) === "." : a.word(at + 1) !== "=");
  if (hasScope) at += atSigns ? 2 : 1;
  // SET GLOBAL @@x is nothing that servers take.
  if (at >= end || !a.isIdentifier(at)) notUnderstood(`a variable is expected ${a.near(at)}`);
  let name = a.nameAt(at).toLowerCase();
  at += 1;
  const isRow = a.word(at) === "." && a.isIdentifier(at + 1);
  if (isRow) {
    // NEW.column in a trigger, a row variable in a body, or a variable of a key cache.
    name = `${name}.${a.nameAt(at + 1).toLowerCase()}`;
    at += 2;
  }
  const scope =
    hasScope && written !== undefined ? written : (localScope(a, name, isRow, atSigns) ?? "session");
  return { scope, name, next: at };
}

function localScope(a: Analysis, name: string, isRow: boolean, atSigns: boolean): AssignedScope | null {
  if (atSigns) return null;
  const [first = ""] = isRow ? name.split(".") : [name];
  if (a.locals.has(first)) return "local";
  return isRow && a.stored && (first === "new" || first === "old") ? "local" : null;
}

/** The value, where it is one literal, a signed number, or a bare word (ON, utf8mb4, a mode); null: an expression. */
function literal(a: Analysis, at: number, end: number): string | null {
  const kind = a.kind(at);
  if (at + 2 === end && a.word(at) === "-" && a.kind(at + 1) === TokenKind.number)
    return `-${a.tokens.slice(at + 1)}`;
  if (at + 1 !== end) return null;
  // Bits and bytes are computed with: x'41', b'01'.
  if (kind === TokenKind.string) return /^[xXbB]'/.test(a.tokens.slice(at)) ? null : stringAt(a, at);
  if (kind === TokenKind.number) return a.tokens.slice(at);
  return kind === TokenKind.quoted || isBareWord(a, at) ? a.nameAt(at) : null;
}

const computedWords = wordSet("CURRENT_USER CURRENT_ROLE NULL");

function isBareWord(a: Analysis, at: number): boolean {
  return (
    a.kind(at) === TokenKind.word &&
    !computedWords.has(a.word(at)) &&
    !a.locals.has(a.nameAt(at).toLowerCase())
  );
}

const engineVariables: ReadonlySet<string> = new Set([
  "default_storage_engine",
  "default_tmp_storage_engine",
  "enforce_storage_engine",
  "storage_engine",
]);

function note(a: Analysis, { scope, name }: Target, value: string | null): void {
  const { draft } = a;
  const isDefault = value?.toUpperCase() === "DEFAULT";
  const known = value === null || isDefault ? null : value;
  if (scope !== "session" || isDefault) draft.assigns.push({ scope, name });
  else if (value === null) draft.assigns.push({ scope, name, computed: true });
  else draft.assigns.push({ scope, name, value });
  if (scope === "user") draft.pin("a user variable");
  if (scope !== "session") return;
  if (engineVariables.has(name) && (value === null || !isKnownEngine(value))) {
    notSupported("a default storage engine that is not known");
  }
  draft.effects.any = true;
  if (name === "sql_mode") draft.effects.sqlMode = { value: known };
  else if (name === "character_set_client")
    draft.effects.characterSet = { value: known?.toLowerCase() ?? null };
  else if (name === "autocommit") autocommit(a, known);
}

function autocommit(a: Analysis, value: string | null): void {
  if (value !== null && /^(1|on|true)$/i.test(value)) a.draft.effects.autocommit = true;
  else if (value !== null && /^(0|off|false)$/i.test(value)) a.draft.effects.autocommit = false;
  else a.draft.pin("autocommit set to something");
}

/** Variables that change how the text behind FOR is read: its analysis would not be what the server does. */
const readingVariables = /^(sql_mode|character_set_.*|collation_.*|old_mode)$/;

/** Whether the variable (in lower case) changes how text is read. */
export function isReadingVariable(name: string): boolean {
  return readingVariables.test(name);
}

/** Variables (in lower case) that decide through which character set MariaDB takes a text that is prepared by SQL. */
export function readsPreparedTexts(name: string): boolean {
  return name === "character_set_connection" || name === "collation_connection";
}

/** SET STATEMENT a = 1, .. FOR statement. */
function setStatement(a: Analysis, start: number, end: number, scope: Scope): string {
  let at = start + 2;
  let value = at;
  while (at < end && a.word(at) !== "FOR") {
    const target = assigned(a, at, end);
    if (target.scope !== "session") notUnderstood(`a session variable is expected ${a.near(at)}`);
    if (isReadingVariable(target.name)) notSupported("SET STATEMENT of how text is read");
    value = a.expect(target.next, end, "=");
    at = value;
    while (at < end && a.word(at) !== "," && a.word(at) !== "FOR") at = a.skip(at);
    expression(a, value, at, scope);
    a.draft.assigns.push({ scope: "session", name: target.name });
    if (engineVariables.has(target.name)) notSupported("a default storage engine for one statement");
    if (a.word(at) === "," && at < end) at += 1;
  }
  a.draft.carry(a.grammar.statement(a, a.expect(at, end, "FOR"), end, scope));
  if (a.draft.kill !== null) a.draft.kill = { scope: a.draft.kill.scope, id: null };
  return "SET STATEMENT";
}

// Functions and variables that tell who the session is: their places, so that the gateway can put its own truth there
// (https://dev.mysql.com/doc/refman/8.4/en/information-functions.html). The analyser meets them only where they are
// expressions: strings, names, `DEFINER = CURRENT_USER` and the like never come here.

import { type Analysis, identityCountMax } from "./analysis.ts";
import type { IdentityName, StatementSummary } from "./statement-summary.ts";
import { TokenKind } from "./tokens.ts";
import { notUnderstood } from "./uncertain.ts";
import { wordSet } from "./words.ts";

const functions: ReadonlyMap<string, IdentityName> = new Map([
  ["USER", "user"],
  ["SESSION_USER", "user"],
  ["SYSTEM_USER", "user"],
  ["CURRENT_USER", "current_user"],
  ["CURRENT_ROLE", "current_role"],
  ["CONNECTION_ID", "connection_id"],
  ["DATABASE", "database"],
  ["SCHEMA", "database"],
  ["ROW_COUNT", "row_count"],
  ["FOUND_ROWS", "found_rows"],
]);

const variables: ReadonlySet<string> = new Set<IdentityName>([
  "proxy_user",
  "external_user",
  "pseudo_thread_id",
  "check_proxy_users",
  "mysql_native_password_proxy_users",
  "caching_sha2_password_proxy_users",
  "sha256_password_proxy_users",
]);

const scopes = wordSet("GLOBAL SESSION LOCAL PERSIST PERSIST_ONLY");

/** CURRENT_USER, and MariaDB's CURRENT_ROLE, without parentheses. Returns the position after it; 0: it is none. */
export function noteBareIdentity(a: Analysis, at: number, end: number): number {
  const word = a.word(at);
  const isBare = word === "CURRENT_USER" || (word === "CURRENT_ROLE" && a.isMariaDb());
  if (!isBare || (at + 1 < end && a.word(at + 1) === "(")) return 0;
  add(a, functions.get(word) ?? "user", at, at, false);
  return at + 1;
}

/** A call of the built-in `name` (in capitals) at `at`; only without arguments it is one of these. */
export function noteIdentityCall(a: Analysis, at: number, name: string): void {
  const identity = functions.get(name);
  if (identity !== undefined && a.word(at + 2) === ")") add(a, identity, at, at + 2, false);
}

/** `@@[scope.]name`. Returns the position after it. */
export function noteSystemVariable(a: Analysis, at: number, end: number): number {
  const scoped = scopes.has(a.word(at + 1)) && a.word(at + 2) === ".";
  const nameAt = scoped ? at + 3 : at + 1;
  if (nameAt >= end || !a.isIdentifier(nameAt)) notUnderstood(`a system variable has no name ${a.near(at)}`);
  let last = nameAt;
  // Key caches have variables of two parts.
  while (last + 2 < end && a.word(last + 1) === "." && a.isIdentifier(last + 2)) last += 2;
  const name = a.nameAt(nameAt).toLowerCase();
  if (last === nameAt && variables.has(name)) {
    add(a, name as IdentityName, at, last, scoped && a.word(at + 1) === "GLOBAL");
  }
  switch (name) {
    case "warning_count":
    case "error_count":
      a.draft.asksFor.add("warnings");
      break;
    case "last_insert_id":
    case "identity":
      a.draft.asksFor.add("insert id");
      break;
  }
  return last + 1;
}

function add(a: Analysis, name: IdentityName, first: number, last: number, global: boolean): void {
  a.noteToken(name, first, last, { global });
}

/** Statements in which these words stand in expressions only. */
const skimmedHeads = wordSet("SELECT WITH VALUES DO INSERT REPLACE UPDATE DELETE CALL SET (");

/** What is left of a statement that was not understood to its end: calls without arguments and variables are plain to see. */
export function skimIdentity(a: Analysis, start: number, end: number): void {
  const { tokens, draft } = a;
  if (!skimmedHeads.has(a.word(start)) || a.stored) return;
  const knownEnd = draft.identityTokens.reduce((last, token) => Math.max(last, token.end), 0);
  for (let at = start; at < end; at += 1) {
    if (tokens.start(at) < knownEnd || a.word(at - 1) === "." || a.word(at + 1) === ".") continue;
    if (a.kind(at) === TokenKind.systemVariable) skimVariable(a, at, end);
    else if (a.kind(at) === TokenKind.word && noteBareIdentity(a, at, end) === 0 && isPlainCall(a, at))
      noteIdentityCall(a, at, a.word(at));
  }
}

/** Behind these stands the name of a table. */
const beforeTables = wordSet(
  "INTO INSERT REPLACE IGNORE DELAYED LOW_PRIORITY HIGH_PRIORITY UPDATE FROM JOIN TABLE",
);
/** Built in whatever stands before the parenthesis; others are a stored function's names with a space there. */
const reservedCalls = wordSet("USER CURRENT_USER");

function isPlainCall(a: Analysis, at: number): boolean {
  if (a.word(at + 1) !== "(" || beforeTables.has(a.word(at - 1))) return false;
  const adjacent = a.modes.ignoreSpace || a.tokens.end(at) === a.tokens.start(at + 1);
  return adjacent || reservedCalls.has(a.word(at));
}

function skimVariable(a: Analysis, at: number, end: number): void {
  const behind = scopes.has(a.word(at + 1)) && a.word(at + 2) === "." ? at + 3 : at + 1;
  if (behind < end && a.isIdentifier(behind)) noteSystemVariable(a, at, end);
}

/** Whether anything in the statements has to be replaced. */
export function namesIdentity(statements: readonly StatementSummary[]): boolean {
  return statements.some((one) => one.identityTokens.some(({ name }) => name !== "database"));
}

/** What changes from statement to statement: a server's own answer is right where it is stored. */
const ofStatements: ReadonlySet<IdentityName> = new Set<IdentityName>([
  "database",
  "row_count",
  "found_rows",
]);

/** What cannot be replaced, in words for people; null: all can be. */
export function untellableIdentity(statements: readonly StatementSummary[]): string | null {
  for (const { identityTokens } of statements) {
    for (const { place, name } of identityTokens) {
      if (place === "beyond")
        return `more than ${identityCountMax} mentions of USER() and the like in one text`;
      if (place === "stored" && !ofStatements.has(name)) return `${spelled(name)} in what is stored`;
    }
  }
  return null;
}

function spelled(name: IdentityName): string {
  if (name.endsWith("processlist") || name === "qualifier") return "the process list";
  return variables.has(name) ? `@@${name}` : `${name.toUpperCase()}()`;
}

const mayName =
  /user|current_role|connection_id|pseudo_thread_id|processlist|grants|password|proxy|threads|session|variables/i;

/** Whether a text that could not be read may tell who the session is; never false where it does. One character a byte. */
export function mayNameIdentity(text: string): boolean {
  return mayName.test(text);
}

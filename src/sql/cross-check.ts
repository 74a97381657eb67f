// A second look at statements that read and write rows, in code that shares nothing with the analyser but the tokens: every
// name right after FROM, JOIN, INTO, UPDATE or TABLE must be a table that the summary lists, a common table expression or an
// alias. It cannot find everything (tables in comma lists), but what it finds is a fault of the analyser.

import { foldObjectName } from "./object-name.ts";
import { reservedWords } from "./reserved-words.ts";
import type { StatementSummary } from "./statement-summary.ts";
import { unquoteName } from "./string-literal.ts";
import { TokenKind, type Tokens } from "./tokens.ts";
import { wordSet } from "./words.ts";

const checkedKinds: ReadonlySet<string> = new Set([
  ...[
    "SELECT",
    "TABLE",
    "VALUES",
    "INSERT",
    "REPLACE",
    "UPDATE",
    "DELETE",
    "DELETE HISTORY",
    "DO",
    "EXPLAIN",
    "ANALYZE",
  ],
]);
const leaders = wordSet("FROM JOIN INTO UPDATE TABLE STRAIGHT_JOIN");
const between = wordSet("( { OJ LATERAL LOW_PRIORITY IGNORE");
const noTables = wordSet("SELECT WITH VALUES TABLE DUAL JSON_TABLE OUTFILE DUMPFILE ROW");
const fromCalls = wordSet("EXTRACT TRIM SUBSTRING SUBSTR MID TRIM_ORACLE SUBSTR_ORACLE");
const periods = wordSet("PORTION SYSTEM_TIME");

/** Why the summary of the statement [start, end) cannot be whole; null: nothing was found. */
export function crossCheck(
  tokens: Tokens,
  start: number,
  end: number,
  summary: StatementSummary,
): string | null {
  if (!checkedKinds.has(summary.kind)) return null;
  const known = new Set<string>();
  for (const list of [summary.reads, summary.writes, summary.changes]) {
    for (const { name } of list) known.add(foldObjectName(name));
  }
  // Tables of sessions are the gateway's own.
  if (
    summary.identityTokens.some(
      ({ name }) => name === "processlist" || name === "performance_schema_processlist",
    )
  )
    known.add("processlist");
  let aliases: ReadonlySet<string> | null = null;
  for (const at of namesAfterLeaders(tokens, start, end)) {
    const name = lastPart(tokens, at);
    if (known.has(name)) continue;
    aliases ??= introducedNames(tokens, start, end);
    if (!aliases.has(name)) return "a second look found a table that the first one did not";
  }
  return null;
}

/** The positions of names in place of tables. */
function namesAfterLeaders(tokens: Tokens, start: number, end: number): number[] {
  const found: number[] = [];
  /** For every open parenthesis: whether it belongs to a call that may hold FROM. */
  const calls: boolean[] = [];
  let inPeriod = false;
  for (let at = start; at < end; at += 1) {
    const word = tokens.word(at);
    if (word === "(") calls.push(fromCalls.has(tokens.word(at - 1)));
    else if (word === ")") calls.pop();
    else if (periods.has(word)) inPeriod = true;
    else if (leaders.has(word) && tokens.word(at - 1) !== ".") {
      const isPlain =
        word === "FROM"
          ? calls[calls.length - 1] === true || inPeriod || isOfWindow(tokens, at)
          : isNoLeader(tokens, at);
      inPeriod = false;
      const next = isPlain ? -1 : nameAfter(tokens, at + 1, end);
      if (next >= 0) found.push(next);
    }
  }
  return found;
}

/** NTH_VALUE(..) FROM FIRST OVER (..). */
function isOfWindow(tokens: Tokens, at: number): boolean {
  const counted = tokens.word(at + 1) === "FIRST" || tokens.word(at + 1) === "LAST";
  return counted && (tokens.word(at + 2) === "OVER" || tokens.word(at + 3) === "NULLS");
}

/** FOR UPDATE, FOR JOIN, ON DUPLICATE KEY UPDATE, SELECT STRAIGHT_JOIN: words that lead to no table. */
function isNoLeader(tokens: Tokens, at: number): boolean {
  const before = tokens.word(at - 1);
  if (tokens.word(at) === "UPDATE") return before === "FOR" || before === "KEY" || before === "ON";
  // USE INDEX FOR JOIN (..).
  if (tokens.word(at) === "JOIN") return before === "FOR";
  if (tokens.word(at) !== "STRAIGHT_JOIN") return false;
  return before === "SELECT" || before === "DISTINCT" || before === "ALL" || before.startsWith("SQL_");
}

function nameAfter(tokens: Tokens, from: number, end: number): number {
  let at = from;
  while (at < end && between.has(tokens.word(at)) && !isNamedSo(tokens, at)) at += 1;
  const kind = tokens.kind(at);
  if (at >= end || (kind !== TokenKind.word && kind !== TokenKind.quoted)) return -1;
  return noTables.has(tokens.word(at)) ? -1 : at;
}

/** Whether OJ without a brace, or LATERAL without a query, is a table's name. */
function isNamedSo(tokens: Tokens, at: number): boolean {
  if (tokens.word(at) === "OJ") return tokens.word(at - 1) !== "{";
  return tokens.word(at) === "LATERAL" && !queryHeads.has(tokens.word(at + 2));
}

const queryHeads = wordSet("( SELECT WITH VALUES TABLE");

/** The table's part of the name at `at`, for comparison. */
function lastPart(tokens: Tokens, at: number): string {
  let last = at;
  while (tokens.word(last + 1) === "." && tokens.word(last + 2) !== "*") last += 2;
  return nameOf(tokens, last);
}

function nameOf(tokens: Tokens, at: number): string {
  const written = tokens.slice(at);
  const bytes = tokens.kind(at) === TokenKind.quoted ? unquoteName(written) : written;
  return foldObjectName(Buffer.from(bytes, "latin1").toString("utf8"));
}

/** Names that the statement itself makes: before AS ( of a common table expression, behind AS, behind a table or parenthesis. */
function introducedNames(tokens: Tokens, start: number, end: number): Set<string> {
  const names = new Set<string>();
  for (let at = start; at < end; at += 1) {
    const kind = tokens.kind(at);
    if (kind !== TokenKind.word && kind !== TokenKind.quoted) continue;
    const before = tokens.word(at - 1);
    const isElement =
      (before === "WITH" || before === "RECURSIVE" || before === ",") &&
      (tokens.word(at + 1) === "AS" || tokens.word(at + 1) === "(");
    const beforeKind = tokens.kind(at - 1);
    const isBehindName =
      beforeKind === TokenKind.quoted || (beforeKind === TokenKind.word && !reservedWords.has(before));
    if (isElement || before === "AS" || before === ")" || isBehindName) names.add(nameOf(tokens, at));
  }
  return names;
}

// What defines a table: columns, keys, options, partitions. Skimmed for what reaches beyond the table itself: parents of
// foreign keys, tables of a MERGE table, storage engines that keep or show data elsewhere, files, and expressions.

import type { Analysis } from "./analysis.ts";
import { noteCall } from "./calls.ts";
import { group } from "./expressions.ts";
import { isKnownEngine } from "./set.ts";
import { TokenKind } from "./tokens.ts";
import { notSupported, notUnderstood } from "./uncertain.ts";
import { wordSet } from "./words.ts";

const misplaced = wordSet("SELECT JOIN INSERT DELETE FROM");

/** Words behind which a parenthesis holds an expression: DEFAULT (..), CHECK (..), AS (..), ON UPDATE .., PARTITION BY HASH (..). */
const beforeExpression = wordSet("DEFAULT CHECK AS HASH RANGE LIST");

/** Skims [start, end). */
export function definitions(a: Analysis, start: number, end: number): void {
  const outside = a.stored;
  a.stored = true;
  skim(a, start, end);
  a.stored = outside;
}

function skim(a: Analysis, start: number, end: number): void {
  for (let at = start; at < end; ) {
    const word = a.kind(at) === TokenKind.word || a.kind(at) === TokenKind.mark ? a.word(at) : "";
    if (word === "" || a.word(at - 1) === ".") {
      at += 1;
      continue;
    }
    if (misplaced.has(word) && !isOption(a, at))
      notUnderstood(`${word} stands in a definition ${a.near(at)}`);
    at = part(a, at, end, word);
  }
}

/** ON DELETE, INSERT_METHOD and the like are not statements. */
function isOption(a: Analysis, at: number): boolean {
  return a.word(at) === "DELETE" && a.word(at - 1) === "ON";
}

function part(a: Analysis, at: number, end: number, word: string): number {
  switch (word) {
    case "(":
      return parenthesis(a, at);
    case "REFERENCES":
      return a.table(at + 1, end, "reads");
    case "UNION":
      return mergeUnion(a, at, end);
    case "ENGINE":
    case "TYPE":
      return engine(a, at, end);
    case "CONNECTION":
      if (hasValue(a, at)) notSupported("a table with a CONNECTION");
      return at + 1;
    case "DIRECTORY":
      if (a.word(at - 1) === "DATA" || a.word(at - 1) === "INDEX") a.draft.serverFiles = true;
      return at + 1;
    case "CURRENT_USER":
    case "CURRENT_ROLE":
      noteStoredIdentity(a, at);
      return at + 1;
    default:
      // DEFAULT f(..): MariaDB takes a call without parentheses around it.
      return isCall(a, at) && noteCall(a, at + 1) ? group(a, at + 2, null) : at + 1;
  }
}

function isCall(a: Analysis, at: number): boolean {
  const before = a.word(at) === "DEFAULT" || (a.word(at) === "UPDATE" && a.word(at - 1) === "ON");
  return before && a.isIdentifier(at + 1) && a.word(at + 2) === "(";
}

function parenthesis(a: Analysis, at: number): number {
  const closing = a.closing(at);
  const before = a.word(at - 1);
  if (beforeExpression.has(before)) return group(a, at, null);
  if (a.opensQuery(at)) return group(a, at, null);
  skim(a, at + 1, closing);
  return closing + 1;
}

function noteStoredIdentity(a: Analysis, at: number): void {
  const name = a.word(at) === "CURRENT_USER" ? "current_user" : "current_role";
  a.draft.identityTokens.push({
    name,
    start: a.tokens.start(at),
    end: a.tokens.end(at),
    place: "stored",
    global: false,
  });
}

/** Whether a value stands behind the option at `at`: otherwise the word is the name of something. */
function hasValue(a: Analysis, at: number): boolean {
  return a.word(at + 1) === "=" || a.kind(at + 1) === TokenKind.string;
}

/** UNION [=] (t, ..): the tables of a MERGE table are read and written through it. */
function mergeUnion(a: Analysis, at: number, end: number): number {
  const open = a.word(at + 1) === "=" ? at + 2 : at + 1;
  if (open >= end || a.word(open) !== "(") notUnderstood(`UNION stands in a definition ${a.near(at)}`);
  const closing = a.closing(open);
  if (open + 1 < closing) a.finishAt(a.tables(open + 1, closing, ["reads", "writes"]), closing);
  return closing + 1;
}

function engine(a: Analysis, at: number, end: number): number {
  const value = a.word(at + 1) === "=" ? at + 2 : at + 1;
  const isOption = a.word(at + 1) === "=" || (a.word(at) === "ENGINE" && a.isIdentifier(value));
  if (!isOption || value >= end) return at + 1;
  const name = a.kind(value) === TokenKind.string ? a.tokens.slice(value).slice(1, -1) : a.nameAt(value);
  if (!isKnownEngine(name)) notSupported("a storage engine that is not known");
  return value + 1;
}

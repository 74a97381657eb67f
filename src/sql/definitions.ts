// What defines a table: columns, keys, options, partitions. Skimmed for what reaches beyond the table itself: parents of
// foreign keys, tables of a MERGE table, storage engines that keep or show data elsewhere, files, and expressions.

import type { Analysis } from "./analysis.ts";
import { noteCall } from "./calls.ts";
import { expression, group } from "./expressions.ts";
import { noteSystemVariable } from "./identity-tokens.ts";
import { isKnownEngine } from "./set.ts";
import { TokenKind } from "./tokens.ts";
import { notSupported, notUnderstood } from "./uncertain.ts";
import { wordSet } from "./words.ts";

const misplaced = wordSet("SELECT JOIN INSERT DELETE FROM");

/** Words behind which a parenthesis holds an expression: DEFAULT (..), CHECK (..), AS (..), ON UPDATE .., PARTITION BY HASH (..). */
const beforeExpression = wordSet("DEFAULT CHECK AS HASH RANGE LIST");

/** Skims [start, end) of a table of `schema`, null: no schema was written: parents without one are of the same schema. */
export function definitions(a: Analysis, start: number, end: number, schema: string | null): void {
  const outside = a.stored;
  a.stored = true;
  skim(a, start, end, schema);
  a.stored = outside;
}

function skim(a: Analysis, start: number, end: number, schema: string | null): void {
  for (let at = start; at < end; ) {
    const word = a.kind(at) === TokenKind.word || a.kind(at) === TokenKind.mark ? a.word(at) : "";
    if (word === "" || a.word(at - 1) === ".") {
      at += 1;
      continue;
    }
    if (misplaced.has(word) && !isOption(a, at))
      notUnderstood(`${word} stands in a definition ${a.near(at)}`);
    at = part(a, at, end, word, schema);
  }
}

/** ON DELETE, INSERT_METHOD and the like are not statements. */
function isOption(a: Analysis, at: number): boolean {
  return a.word(at) === "DELETE" && a.word(at - 1) === "ON";
}

function part(a: Analysis, at: number, end: number, word: string, schema: string | null): number {
  switch (word) {
    case "(":
      return parenthesis(a, at, schema);
    case "REFERENCES":
      return parent(a, at + 1, end, schema);
    case "DEFAULT":
      return defaultValue(a, at + 1, end);
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
      return word === "UPDATE" && a.word(at - 1) === "ON" ? bareCall(a, at + 1) : at + 1;
  }
}

/** The parent of a foreign key. */
function parent(a: Analysis, at: number, end: number, schema: string | null): number {
  const name = a.qualifiedName(at, end);
  const isOfTable = name.schema === null && !name.leadingDot;
  a.draft.reads.add(a.tableOf(isOfTable ? { schema, name: name.name } : name));
  // MariaDB looks for the right in the default schema all the same (measured on 10.11 and 11.8).
  if (isOfTable && schema !== null && a.isMariaDb() && a.context.defaultSchema !== null)
    a.draft.reads.add(a.tableOf(name));
  return name.next;
}

/**
 * Behind DEFAULT: MariaDB takes some expressions without parentheses around them, CASE .. END, {d ..}, NEXT VALUE FOR s and
 * variables among them. Other values are passed over like any word.
 */
function defaultValue(a: Analysis, at: number, end: number): number {
  if (a.kind(at) === TokenKind.systemVariable) return noteSystemVariable(a, at, end);
  const stop = a.isMariaDb() ? bareExpressionEnd(a, at, end) : at;
  if (stop === at) return bareCall(a, at);
  expression(a, at, stop, null);
  return stop;
}

/** f(..): MariaDB takes a call without parentheses around it. `at`: there is none. */
function bareCall(a: Analysis, at: number): number {
  return a.isIdentifier(at) && a.word(at + 1) === "(" && noteCall(a, at) ? group(a, at + 1, null) : at;
}

/** `at`: none of these stands there. */
function bareExpressionEnd(a: Analysis, at: number, end: number): number {
  switch (a.word(at)) {
    case "CASE":
      return partnerEnd(a, at, end, "CASE", "END");
    case "{":
      return partnerEnd(a, at, end, "{", "}");
    case "NEXT":
    case "PREVIOUS":
      return a.isPhrase(at + 1, "VALUE", "FOR") ? a.qualifiedName(at + 3, end).next : at;
    default:
      return at;
  }
}

function partnerEnd(a: Analysis, start: number, end: number, opening: string, closing: string): number {
  let depth = 0;
  for (let at = start; at < end; at += 1) {
    const word = a.word(at - 1) === "." ? "" : a.word(at);
    if (word === opening) depth += 1;
    else if (word === closing) depth -= 1;
    if (depth === 0) return at + 1;
  }
  return notUnderstood(`${closing} is expected at the end`);
}

function parenthesis(a: Analysis, at: number, schema: string | null): number {
  const closing = a.closing(at);
  const before = a.word(at - 1);
  if (beforeExpression.has(before)) return group(a, at, null);
  if (a.opensQuery(at)) return group(a, at, null);
  skim(a, at + 1, closing, schema);
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

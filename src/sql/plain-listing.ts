// Whether the condition of SHOW .. WHERE tells nothing about rows that are dropped from its answer. Expressions can: by user
// variables, by error texts, by warnings about numbers that are none, by the time they take. So only columns that are
// compared with strings are let through (https://dev.mysql.com/doc/refman/8.4/en/extended-show.html).

import type { LexOptions } from "./dialect.ts";
import { lex } from "./lexer.ts";
import { TokenKind, type Tokens } from "./tokens.ts";

/** Judges the text of one SHOW, one character a byte. False also where it cannot be read. */
export function isPlainListing(text: string, options: LexOptions): boolean {
  const tokens = lex(text, options);
  const plain = isPlainText(tokens);
  tokens.release();
  return plain;
}

function isPlainText(tokens: Tokens): boolean {
  if (tokens.refusal !== null || tokens.matchParentheses() !== null) return false;
  let end = tokens.count;
  while (end > 0 && tokens.word(end - 1) === ";") end -= 1;
  for (let at = 0; at < end; at += 1) {
    if (tokens.kind(at) === TokenKind.word && tokens.word(at) === "WHERE")
      return isPlain(tokens, at + 1, end);
  }
  return true;
}

/** Conditions between AND and OR. */
function isPlain(tokens: Tokens, start: number, end: number): boolean {
  let at = start;
  for (;;) {
    const next = comparisonEnd(tokens, at);
    if (next === null) return false;
    if (next === end) return true;
    const word = tokens.word(next);
    if (word !== "AND" && word !== "OR") return false;
    at = next + 1;
  }
}

/** `column = 'x'`, `column [NOT] LIKE 'x'`, `column [NOT] IN ('x', 'y')`: what stands behind it; null: it is none of these. */
function comparisonEnd(tokens: Tokens, start: number): number | null {
  const kind = tokens.kind(start);
  if (kind !== TokenKind.word && kind !== TokenKind.quoted) return null;
  let at = start + 1;
  if (tokens.word(at) === "NOT") at += 1;
  const operator = tokens.word(at);
  if (operator === "IN") return stringsEnd(tokens, at + 1);
  const isSign = operator === "=" || operator === "<" || operator === "!";
  if (!isSign && operator !== "LIKE") return null;
  at += 1;
  if (operator === "<" && tokens.word(at) === ">") at += 1;
  else if (operator === "!" && tokens.word(at) === "=") at += 1;
  else if (operator === "<" || operator === "!") return null;
  return isString(tokens, at) ? at + 1 : null;
}

function stringsEnd(tokens: Tokens, start: number): number | null {
  if (tokens.word(start) !== "(") return null;
  let at = start + 1;
  for (;;) {
    const folded = tokens.kind(at) === TokenKind.literals && onlyStrings.test(tokens.slice(at));
    if (!folded && !isString(tokens, at)) return null;
    at += 1;
    if (tokens.word(at) === ")") return at + 1;
    if (tokens.word(at) !== ",") return null;
    at += 1;
  }
}

const onlyStrings = /^\s*'[^'\\]*'(?:\s*,\s*'[^'\\]*')*\s*$/;

/** Strings with a letter before them are bits and bytes. */
function isString(tokens: Tokens, at: number): boolean {
  return tokens.kind(at) === TokenKind.string && /^["']/.test(tokens.slice(at));
}

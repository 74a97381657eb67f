// The shape of a text for people and logs: its words and names, `?` for every literal. Stricter than the look-ups of the
// cache: where it is not certain where a literal begins and ends, there is no shape at all, for a value may stand in it.

import { isUtf8 } from "node:buffer";
import { lexInContext } from "./analyze.ts";
import type { AnalysisContext } from "./analyzed-text.ts";
import { defaultReadingModes, isUnsafe } from "./dialect.ts";
import { reservedWords } from "./reserved-words.ts";
import { statementHeads } from "./statement-heads.ts";
import { TokenKind, type Tokens } from "./tokens.ts";

/** Why a text has no readable fingerprint. Codes are stable: logs carry them. */
export const unreadableReasons = {
  not_readable: "no server reads it to its end as we do: an open quote, an unsafe character set, a NUL byte",
  unknown_modes: "it has backslashes, and whether they escape is not known",
  executable_comment: "it has a comment that some servers run",
  unknown_statement: "its first word begins no statement: anything may stand in it",
  odd_quotes: "a word follows a string without a space, as in 'O'Brien'",
} as const;

/** One of them. */
export type UnreadableReason = keyof typeof unreadableReasons;

/** What may be told of a text. */
export interface ReadableFingerprint {
  /** Its first word, when that begins a statement; null: it does not. */
  readonly head: string | null;
  /** null: see `reason`. */
  readonly shape: string | null;
  readonly reason: UnreadableReason | null;
}

const heads: ReadonlySet<string> = new Set(statementHeads);

/** Reads `text` as the server does in `context`; linear in the text, never throws. Comments and hints are left out. */
export function readableFingerprint(text: Uint8Array, known: AnalysisContext): ReadableFingerprint {
  const written = Buffer.from(text.buffer, text.byteOffset, text.length).toString("latin1");
  const context = presentable(text, written, known);
  const tokens = lexInContext(written, context, context.modes ?? defaultReadingModes);
  const head = headOf(tokens);
  const reason = unreadableBecause(tokens, head, written, context);
  const shape = reason === null ? shapeOf(tokens) : null;
  tokens.release();
  if (shape === null) return { head, shape, reason };
  const encoding = context.characterSet === "utf8" ? "utf8" : "latin1";
  return { head, shape: Buffer.from(shape, "latin1").toString(encoding), reason };
}

/**
 * Where the character set is not known: its quotes are the same bytes in every set that clients may use, but for a
 * backslash (see below) or a backtick as the second byte of a character. So a text in UTF-8 without those can be read.
 */
function presentable(text: Uint8Array, written: string, context: AnalysisContext): AnalysisContext {
  if (!isUnsafe(context.characterSet) || !isUtf8(text) || /[^\0-\x7f][\\`]/.test(written)) return context;
  return { ...context, characterSet: "utf8" };
}

function headOf(tokens: Tokens): string | null {
  const word = tokens.word(0);
  if (word === "(") return "SELECT";
  return heads.has(word) ? word : null;
}

function unreadableBecause(
  tokens: Tokens,
  head: string | null,
  written: string,
  { modes }: AnalysisContext,
): UnreadableReason | null {
  if (modes === null ? written.includes("\\") : modes.oracle) return "unknown_modes";
  if (tokens.refusal !== null) return "not_readable";
  if (/\/\*M?!/.test(written)) return "executable_comment";
  if (head === null) return "unknown_statement";
  for (let index = 1; index < tokens.count; index += 1) {
    if (tokens.kind(index - 1) !== TokenKind.string || tokens.start(index) !== tokens.end(index - 1))
      continue;
    if (tokens.kind(index) !== TokenKind.mark && tokens.kind(index) !== TokenKind.variable)
      return "odd_quotes";
  }
  return null;
}

const closing: ReadonlySet<string> = new Set([",", ")", ";", "."]);
const opening: ReadonlySet<string> = new Set(["(", "."]);

/** Tokens one space apart, whatever the text had, so that equal statements look alike. */
function shapeOf(tokens: Tokens): string {
  let shape = "";
  for (let index = 0; index < tokens.count; index += 1) {
    shape += (index > 0 && isApart(tokens, index) ? " " : "") + part(tokens, index);
  }
  return shape;
}

function isApart(tokens: Tokens, index: number): boolean {
  const word = tokens.word(index);
  const before = tokens.word(index - 1);
  if (closing.has(word) || opening.has(before)) return false;
  if (tokens.kind(index - 1) === TokenKind.systemVariable) return false;
  // `count(` and `count (` are not the same to servers; marks that touch, as `<=`, are one operator.
  const touch = tokens.start(index) === tokens.end(index - 1);
  if (word === "(" || tokens.kind(index) === TokenKind.variable) return !touch;
  return !(touch && tokens.kind(index) === TokenKind.mark && tokens.kind(index - 1) === TokenKind.mark);
}

function part(tokens: Tokens, index: number): string {
  switch (tokens.kind(index)) {
    case TokenKind.number:
    case TokenKind.string:
      return "?";
    case TokenKind.literals:
      return "?, ...";
    case TokenKind.word:
      return wordShape(tokens, index);
    case TokenKind.variable:
      // The host of an account, or a variable with a name in quotes: written as values are.
      return /^@['"]/.test(tokens.slice(index)) ? "@?" : tokens.slice(index);
    default:
      return tokens.slice(index);
  }
}

/**
 * The head and reserved words lose their case. A name that begins with a digit, or goes on where a number has ended, is
 * more likely a value without its quotes.
 */
function wordShape(tokens: Tokens, index: number): string {
  const word = tokens.word(index);
  if (reservedWords.has(word) || (index === 0 && word !== "")) return word;
  const touchesNumber =
    tokens.kind(index - 1) === TokenKind.number && tokens.end(index - 1) === tokens.start(index);
  const written = tokens.slice(index);
  return touchesNumber || /^\d/.test(written) ? "?" : written;
}

// The condition of SHOW DATABASES, to be put behind a SELECT with the same rows.
// https://dev.mysql.com/doc/refman/8.4/en/show-databases.html

import type { LexOptions } from "./dialect.ts";
import { lex } from "./lexer.ts";
import { TokenKind, type Tokens } from "./tokens.ts";

/** What stands behind SHOW DATABASES; one character a byte. */
export interface ListingCondition {
  /** `LIKE 'x'` or `WHERE ...` as written; empty: nothing. */
  readonly text: string;
  /** Where it begins. */
  readonly start: number;
  readonly isLike: boolean;
  /** The pattern of LIKE, where it is written without escapes; null: there is none, or it is not. */
  readonly pattern: string | null;
}

/** Reads the text of one SHOW DATABASES; null: it is none that is understood. */
export function listingCondition(text: string, options: LexOptions): ListingCondition | null {
  const tokens = lex(text, options);
  const condition = read(tokens, text);
  tokens.release();
  return condition;
}

function read(tokens: Tokens, text: string): ListingCondition | null {
  if (tokens.refusal !== null || tokens.matchParentheses() !== null) return null;
  let end = tokens.count;
  while (end > 0 && tokens.word(end - 1) === ";") end -= 1;
  const subject = tokens.word(1);
  if (tokens.word(0) !== "SHOW" || (subject !== "DATABASES" && subject !== "SCHEMAS")) return null;
  if (end === 2) return { text: "", start: text.length, isLike: false, pattern: null };
  const word = tokens.word(2);
  if (word !== "LIKE" && word !== "WHERE") return null;
  const written = text.slice(tokens.start(2), tokens.end(end - 1));
  if (word === "WHERE") return { text: written, start: tokens.start(2), isLike: false, pattern: null };
  if (end !== 4 || tokens.kind(3) !== TokenKind.string) return null;
  const pattern = /^'([^'\\`]*)'$/.exec(tokens.slice(3))?.[1] ?? null;
  return { text: written, start: tokens.start(2), isLike: true, pattern };
}

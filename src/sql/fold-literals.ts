// Keeps the tokens of long lists few: what stands between parentheses and is literals only becomes one token, and of
// equal rows one after the other the first stays. No table, name or call can be lost by it.

import { TokenKind, type Tokens } from "./tokens.ts";

/**
 * Called before the `,` or `)` at offset `at` becomes a token. Folds the item that ends here into the literals before
 * it, where these begin right after an opening parenthesis; at `)` also the whole row into an equal one before it.
 */
export function foldLiterals(tokens: Tokens, closes: boolean, at: number): void {
  foldItem(tokens);
  if (closes) foldRow(tokens, at);
}

/** `( literals , item` becomes `( literals`. */
function foldItem(tokens: Tokens): void {
  const last = tokens.count - 1;
  const length = itemLength(tokens, last);
  if (length === 0) return;
  const before = last - length;
  const isList =
    tokens.word(before) === "," && isLiteral(tokens, before - 1) && tokens.word(before - 2) === "(";
  if (isList) tokens.fold(length + 1, TokenKind.literals, tokens.end(last));
  else if (tokens.word(before) === "(" && length > 1) {
    tokens.fold(length - 1, TokenKind.literals, tokens.end(last));
  }
}

/** Tokens of the item that ends at `last` and is one literal, with a sign or an introducer; 0: it is something else. */
function itemLength(tokens: Tokens, last: number): number {
  if (!isLiteral(tokens, last)) return 0;
  const before = tokens.word(last - 1);
  if (before === "(" || before === ",") return 1;
  const prefix = before === "-" || before === "+" || isIntroducer(tokens, last - 1);
  const opening = tokens.word(last - 2);
  return prefix && (opening === "(" || opening === ",") ? 2 : 0;
}

function isIntroducer(tokens: Tokens, index: number): boolean {
  return tokens.kind(index) === TokenKind.word && tokens.text.charCodeAt(tokens.start(index)) === 95;
}

const literalWords: ReadonlySet<string> = new Set(["NULL", "DEFAULT", "TRUE", "FALSE"]);

function isLiteral(tokens: Tokens, index: number): boolean {
  const kind = tokens.kind(index);
  if (kind === TokenKind.string || kind === TokenKind.number || kind === TokenKind.literals) return true;
  return kind === TokenKind.word && literalWords.has(tokens.word(index));
}

/** `( literals ) , ( literals` becomes `( literals`; the `)` that follows closes it. */
function foldRow(tokens: Tokens, at: number): void {
  const last = tokens.count - 1;
  if (
    isLiteral(tokens, last) &&
    tokens.word(last - 1) === "(" &&
    tokens.word(last - 2) === "," &&
    tokens.word(last - 3) === ")" &&
    isLiteral(tokens, last - 4) &&
    tokens.word(last - 5) === "("
  ) {
    tokens.fold(4, TokenKind.literals, at);
  }
}

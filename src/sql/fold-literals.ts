// Keeps the tokens of long lists few: what stands between parentheses and is literals only becomes one token, and of
// rows one after the other that differ in literals only the first stays. No table, name or call can be lost by it.

import { TokenKind, type Tokens } from "./tokens.ts";
import { wordSet } from "./words.ts";

/**
 * Called before the `,` or `)` at offset `at` becomes a token. Folds the item that ends here into the literals before
 * it, where these begin right after an opening parenthesis; at `)` also the whole row into an equal one before it.
 */
export function foldLiterals(tokens: Tokens, closes: boolean, at: number): void {
  foldItem(tokens);
  if (!closes) return;
  foldRow(tokens, at);
  if (tokens.count > tokensBeforeRows) foldSameRow(tokens);
}

/** Only in long texts rows are worth a comparison. */
const tokensBeforeRows = 2048;
/** Longer rows are not compared. */
const rowTokensMax = 128;

/** Each occurrence of these is looked for, since it may have to be replaced. */
const identityWords = wordSet(
  "USER CURRENT_USER SESSION_USER SYSTEM_USER CONNECTION_ID CURRENT_ROLE DATABASE SCHEMA",
);

/** `(x1, f(1)), (x2, f(2)`: a row of the same names, calls and marks as the one before it, whatever its literals, goes. */
function foldSameRow(tokens: Tokens): void {
  const last = tokens.count - 1;
  const open = openingOf(tokens, last);
  const length = last - open;
  if (open < 0 || tokens.word(open - 1) !== "," || tokens.word(open - 2) !== ")") return;
  const before = open - 3;
  if (tokens.word(before - length) !== "(") return;
  for (let offset = 0; offset < length; offset += 1)
    if (!meansTheSame(tokens, last - offset, before - offset)) return;
  tokens.drop(length + 3);
}

/** The unmatched `(` at or before `last`; -1: it is too far away. */
function openingOf(tokens: Tokens, last: number): number {
  let depth = 0;
  for (let at = last; at >= 0 && at > last - rowTokensMax; at -= 1) {
    const word = tokens.word(at);
    if (word === ")") depth += 1;
    else if (word === "(" && depth === 0) return at;
    else if (word === "(") depth -= 1;
  }
  return -1;
}

function meansTheSame(tokens: Tokens, one: number, other: number): boolean {
  if (isValue(tokens, one) && isValue(tokens, other)) return true;
  const kind = tokens.kind(one);
  if (kind !== tokens.kind(other)) return false;
  switch (kind) {
    case TokenKind.parameter:
      return true;
    case TokenKind.mark:
      return tokens.word(one) === tokens.word(other);
    case TokenKind.word:
      return tokens.slice(one) === tokens.slice(other) && !identityWords.has(tokens.word(one));
    default:
      return false;
  }
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

/** A literal that cannot be called: DEFAULT can. */
function isValue(tokens: Tokens, index: number): boolean {
  return isLiteral(tokens, index) && tokens.word(index) !== "DEFAULT";
}

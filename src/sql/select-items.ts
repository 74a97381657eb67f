// Items of a SELECT list without an alias: their own text is the column's heading, so an identity function in one can only
// be replaced when that text is given as an alias.

import type { Analysis } from "./analysis.ts";
import { TokenKind } from "./tokens.ts";
import { wordSet } from "./words.ts";

/** Words behind which a name is an operand, not an alias. */
const operators =
  wordSet(`AND OR NOT XOR IS IN LIKE RLIKE REGEXP BETWEEN DIV MOD COLLATE BINARY INTERVAL CASE WHEN THEN ELSE
  AS ESCAPE SOUNDS OF USING DISTINCT ALL SELECT`);

/** Words that end an expression themselves. */
const operands = wordSet("END NULL TRUE FALSE UNKNOWN CURRENT_USER CURRENT_ROLE");

/** schema . table . column */
const columnTokens = 5;

/** Notes the item [start, end), in which identity tokens from number `known` on were found, unless it has an alias. */
export function noteSelectItem(a: Analysis, start: number, end: number, known: number): void {
  const { identityTokens } = a.draft;
  // A column by its whole name: the heading is its last part, or there are several columns.
  if (a.draft.identityTokens[known]?.name === "qualifier" && end - start <= columnTokens) return;
  const endsWithToken = identityTokens[identityTokens.length - 1]?.end === a.tokens.end(end - 1);
  if (!endsWithToken && hasAlias(a, start, end)) return;
  a.draft.unnamedItems.push({ start: a.tokens.start(start), end: a.tokens.end(end - 1) });
}

function isLiteralPrefix(a: Analysis, at: number): boolean {
  return a.kind(at) === TokenKind.word && /^(_\w+|date|time|timestamp)$/i.test(a.tokens.slice(at));
}

function hasAlias(a: Analysis, start: number, end: number): boolean {
  const last = end - 1;
  const kind = a.kind(last);
  if (last === start) return false;
  const previous = a.word(last - 1);
  if (previous === "AS") return true;
  if (previous === ".") return false;
  if (kind === TokenKind.string) {
    if (previous === ")") return true;
    // LIKE 'x', _utf8'x', DATE '2020-01-01': the string is an operand.
    return a.isIdentifier(last - 1) && !operators.has(previous) && !isLiteralPrefix(a, last - 1);
  }
  if (kind !== TokenKind.quoted && (kind !== TokenKind.word || operands.has(a.word(last)))) return false;
  if (operators.has(previous)) return false;
  return previous === ")" || a.kind(last - 1) !== TokenKind.mark;
}

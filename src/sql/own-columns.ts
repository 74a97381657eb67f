// Whether the values of an INSERT are computed from the target's own columns: they stand for defaults and for what was
// assigned before, and MySQL wants SELECT for them; MariaDB only in all rows but the first (both measured).

import type { Analysis } from "./analysis.ts";
import { reservedWords } from "./reserved-words.ts";
import type { TableReference } from "./statement-summary.ts";
import { TokenKind } from "./tokens.ts";
import { wordSet } from "./words.ts";

/** Behind these stands the name of a type, a collation, a character set. */
const beforeOtherNames = wordSet("AS USING COLLATE CHARSET SET");
/** Units and types that are no reserved words. */
const otherNames: ReadonlySet<string> = new Set(
  `DAY HOUR MINUTE SECOND MONTH YEAR WEEK QUARTER MICROSECOND SIGNED DATE TIME DATETIME TIMESTAMP JSON UNKNOWN ROW ANY SOME
  ARRAY NCHAR NATIONAL VALUE END RETURNING EMPTY ERROR`.split(/\s+/),
);

/**
 * Looks through expressions [start, end); with `assignments` through `column = expression, ..`. Inside of sub-queries with
 * tables of their own only columns that are qualified by the target's name are told apart from theirs.
 */
export function readsOwnColumns(
  a: Analysis,
  start: number,
  end: number,
  target: TableReference,
  assignments: boolean,
): boolean {
  let depth = 0;
  let subqueryEnd = -1;
  let isAssigned = assignments;
  for (let at = start; at < end; at += 1) {
    switch (a.kind(at)) {
      case TokenKind.mark: {
        const mark = a.word(at);
        if (mark === "(") {
          depth += 1;
          if (at > subqueryEnd && a.opensQuery(at) && holdsFrom(a, at)) subqueryEnd = a.closing(at);
        } else if (mark === ")") depth -= 1;
        else if (depth === 0 && mark === ",") isAssigned = assignments;
        else if (depth === 0 && mark === "=") isAssigned = false;
        break;
      }
      case TokenKind.word:
      case TokenKind.quoted:
        if (!isAssigned && (at < subqueryEnd ? isQualifiedBy(a, at, target) : isColumn(a, at, target)))
          return true;
    }
  }
  return false;
}

function holdsFrom(a: Analysis, open: number): boolean {
  const closing = a.closing(open);
  for (let at = open + 1; at < closing; at += 1)
    if (a.word(at) === "FROM" || a.word(at) === "TABLE") return true;
  return false;
}

function isQualifiedBy(a: Analysis, at: number, target: TableReference): boolean {
  return (
    a.word(at + 1) === "." &&
    a.isIdentifier(at + 2) &&
    a.nameAt(at).toLowerCase() === target.name.toLowerCase()
  );
}

function isColumn(a: Analysis, at: number, target: TableReference): boolean {
  if (a.word(at - 1) === "." || a.word(at + 1) === "(") return false;
  // NEW.a in a trigger, r.a of a loop.
  if (a.word(at + 1) === ".") return isQualifiedBy(a, at, target) || isQualifiedBy(a, at + 2, target);
  if (a.locals.has(a.nameAt(at).toLowerCase())) return false;
  if (a.kind(at) === TokenKind.quoted) return true;
  const name = a.tokens.slice(at);
  if (reservedWords.has(a.word(at)) || otherNames.has(name.toUpperCase())) return false;
  // _utf8mb4'x': the character set of a string.
  if (a.kind(at + 1) === TokenKind.string) return false;
  return !beforeOtherNames.has(a.word(at - 1));
}

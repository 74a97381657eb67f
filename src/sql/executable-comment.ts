// Comments that servers run: /*! .. */ and /*!80000 .. */, MariaDB's /*M! .. */. Which of them run is measured on MySQL
// 9.7 and MariaDB 10.11 (https://dev.mysql.com/doc/refman/8.4/en/comments.html,
// https://mariadb.com/docs/server/reference/sql-structure/comment-syntax). Where versions of one family read the digits
// differently, and it matters, the comment is refused.

import { isDigit, isSpace } from "./byte-classes.ts";
import type { LexOptions } from "./dialect.ts";

/** How one such comment is read. */
export interface ExecutableComment {
  /** Whether what it holds is text like any other. */
  readonly runs: boolean;
  /** After the opening mark with its digits; of a comment that does not run after the whole comment. */
  readonly end: number;
  readonly refusal: string | null;
}

/** MariaDB took over no syntax of MySQL's versions from 5.7 up: it skips comments for them. */
const foreignVersionFirst = 50_700;
const foreignVersionLast = 99_999;

/** Before these versions of MySQL a sixth digit may be read as text. */
const fiveDigitsBefore = 80_000;
const sixDigitsFrom = 80_400;

/** Reads the comment whose slash stands at `start`. */
export function readExecutableComment(text: string, start: number, options: LexOptions): ExecutableComment {
  const isMariaDb = text.charCodeAt(start + 2) !== 33;
  const digitsAt = start + (isMariaDb ? 4 : 3);
  if (isMariaDb && options.flavour === "mysql") return plain(text, start);
  let digits = 0;
  while (digits < 6 && isDigit(text.charCodeAt(digitsAt + digits))) digits += 1;
  if (digits < 5) return { runs: true, end: digitsAt, refusal: null };
  const six = Number(text.slice(digitsAt, digitsAt + digits));
  if (options.flavour === "mariadb") {
    const foreign = !isMariaDb && six >= foreignVersionFirst && six <= foreignVersionLast;
    return six <= options.version && !foreign
      ? { runs: true, end: digitsAt + digits, refusal: null }
      : skipped(text, digitsAt);
  }
  const five = digits === 5 ? six : Math.trunc(six / 10);
  if (digits === 6 && options.version >= fiveDigitsBefore) {
    const agreed = isSpace(text.charCodeAt(digitsAt + 6)) && options.version >= sixDigitsFrom;
    const bothSkip = five > options.version && six > options.version;
    if (!agreed && !bothSkip) {
      return {
        runs: false,
        end: start,
        refusal: "an executable comment whose version servers read differently",
      };
    }
    return six <= options.version
      ? { runs: true, end: digitsAt + 6, refusal: null }
      : skipped(text, digitsAt);
  }
  return five <= options.version ? { runs: true, end: digitsAt + 5, refusal: null } : skipped(text, digitsAt);
}

/** A comment like any other: it ends at the first end. */
function plain(text: string, start: number): ExecutableComment {
  const end = text.indexOf("*/", start + 2);
  return end < 0 ? unended(start) : { runs: false, end: end + 2, refusal: null };
}

/** One that does not run may hold comments of its own, one level deep. */
function skipped(text: string, from: number): ExecutableComment {
  let at = from;
  for (;;) {
    const end = text.indexOf("*/", at);
    if (end < 0) return unended(from);
    const inner = text.indexOf("/*", at);
    if (inner < 0 || inner > end) return { runs: false, end: end + 2, refusal: null };
    const innerEnd = text.indexOf("*/", inner + 2);
    if (innerEnd < 0) return unended(from);
    at = innerEnd + 2;
  }
}

function unended(start: number): ExecutableComment {
  return { runs: false, end: start, refusal: "a comment without an end" };
}

/**
 * The text with its executable comments resolved: marks of those that run and the whole of those that do not become
 * spaces, so no server can read it otherwise, and every offset stays. `parts` are those of its tokens.
 */
export function resolveExecutableComments(text: Uint8Array, parts: readonly number[]): Uint8Array {
  if (parts.length === 0) return text;
  const resolved = Uint8Array.from(text);
  for (let index = 0; index < parts.length; index += 2) resolved.fill(32, parts[index], parts[index + 1]);
  return resolved;
}

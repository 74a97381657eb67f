// What in a text sql_mode and character set could make mean something else: servers read the text of a prepared statement
// anew when a table of it has changed, in the modes and the character set that the session has by then (measured on MySQL
// 9.7 and MariaDB 10.11 and 11.8; MariaDB keeps the modes). Knows no grammar.

import { namesThatMindSpace } from "./builtin-functions.ts";
import type { CharacterSetClass, ReadingModes } from "./dialect.ts";

/** How texts are read. `modes` null: not known. */
export interface TextReading {
  readonly modes: ReadingModes | null;
  readonly characterSet: CharacterSetClass;
}

/** A sum of what the text holds; 0: every session reads it alike. */
export type ReadingTraits = number;

const doubleQuote = 1;
const backslash = 2;
const beyondAscii = 4;
/** A name without a parenthesis right behind it, with which a call may begin under IGNORE_SPACE. */
const spacedCall = 8;
const spaced = new RegExp(`\\b(?:${namesThatMindSpace.join("|")})\\b(?!\\()`, "i");

/** The traits of a text, one character a byte. */
export function readingTraitsOf(text: string): ReadingTraits {
  return (
    (text.includes('"') ? doubleQuote : 0) |
    (text.includes("\\") ? backslash : 0) |
    (/[^\0-\x7f]/.test(text) ? beyondAscii : 0) |
    (spaced.test(text) ? spacedCall : 0)
  );
}

/** Whether a text with these traits may mean something else under `now` than it meant under `then`. */
export function mayReadOtherwise(traits: ReadingTraits, then: TextReading, now: TextReading): boolean {
  if (then.characterSet !== now.characterSet) {
    if ((traits & beyondAscii) !== 0) return true;
    if (then.characterSet === "unreadable" || now.characterSet === "unreadable") return true;
  }
  const [before, after] = [then.modes, now.modes];
  if (before === null || after === null) return before !== after || traits !== 0;
  return (
    before.oracle !== after.oracle ||
    (before.ansiQuotes !== after.ansiQuotes && (traits & doubleQuote) !== 0) ||
    (before.noBackslashEscapes !== after.noBackslashEscapes && (traits & backslash) !== 0) ||
    (before.ignoreSpace !== after.ignoreSpace && (traits & spacedCall) !== 0)
  );
}

// What single bytes are to the lexer, as the servers' state maps have it, and whole UTF-8 characters.

import type { CharacterSetClass } from "./dialect.ts";

const letter = 1;
const digit = 2;
const space = 4;
const hex = 8;

const ascii = new Uint8Array(128);
for (let code = 0; code < 128; code += 1) {
  const character = String.fromCharCode(code);
  if (/[A-Za-z_$]/.test(character)) ascii[code] = letter;
  if (/[0-9]/.test(character)) ascii[code] = digit;
  if (/[0-9A-Fa-f]/.test(character)) ascii[code] = (ascii[code] ?? 0) | hex;
  if (code === 32 || (code >= 9 && code <= 13)) ascii[code] = space;
}

/** A byte that may begin a name: letters, `_`, `$`, and everything beyond ASCII. */
export function beginsName(code: number): boolean {
  return code > 127 || ((ascii[code] ?? 0) & letter) !== 0;
}

/** A byte that may stand in a name. */
export function continuesName(code: number): boolean {
  return code > 127 || ((ascii[code] ?? 0) & (letter | digit)) !== 0;
}

/** 0 to 9. */
export function isDigit(code: number): boolean {
  return ((ascii[code] ?? 0) & digit) !== 0;
}

/** 0 to 9, a to f in both cases. */
export function isHexDigit(code: number): boolean {
  return ((ascii[code] ?? 0) & hex) !== 0;
}

/** White space between tokens: space, tab, newline, vertical tab, form feed, carriage return. */
export function isSpace(code: number): boolean {
  return ((ascii[code] ?? 0) & space) !== 0;
}

/** Whether nothing but white space stands in [start, end). */
export function isBlank(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (!isSpace(text.charCodeAt(at))) return false;
  return true;
}

/** After `--` these begin a comment: white space, control characters, and the end of the text (NaN). */
export function endsDashes(code: number): boolean {
  return Number.isNaN(code) || code <= 32 || code === 127;
}

/**
 * Bytes of the character beyond ASCII that begins at `at`, where it is a letter of a name; 0: it is not, or it is not
 * valid. The servers read latin1's letters only (0xA0 is a space to them), and of UTF-8 every whole character.
 */
export function nameCharacterBytes(text: string, at: number, characterSet: CharacterSetClass): number {
  const first = text.charCodeAt(at);
  if (characterSet === "latin1") return first >= 0xc0 && first !== 0xd7 && first !== 0xf7 ? 1 : 0;
  if (characterSet !== "utf8") return 0;
  const second = text.charCodeAt(at + 1);
  if (first >= 0xc2 && first <= 0xdf) return isTrail(second) ? 2 : 0;
  const third = text.charCodeAt(at + 2);
  if (first >= 0xe0 && first <= 0xef) {
    if (!isTrail(second) || !isTrail(third)) return 0;
    // Overlong forms and halves of surrogate pairs are no characters.
    if (first === 0xe0 && second < 0xa0) return 0;
    return first === 0xed && second > 0x9f ? 0 : 3;
  }
  if (first < 0xf0 || first > 0xf4) return 0;
  if (!isTrail(second) || !isTrail(third) || !isTrail(text.charCodeAt(at + 3))) return 0;
  if (first === 0xf0 && second < 0x90) return 0;
  return first === 0xf4 && second > 0x8f ? 0 : 4;
}

function isTrail(code: number): boolean {
  return code >= 0x80 && code <= 0xbf;
}

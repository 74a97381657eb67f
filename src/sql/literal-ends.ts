// Where literals with a form of their own end: numbers with prefix, point or exponent, strings with prefix. Pure offsets.

import { continuesName, isDigit, isHexDigit } from "./byte-classes.ts";

const ZERO = 0x30;
const LETTER_B = 0x62;
const LETTER_E = 0x65;
const LETTER_X = 0x78;
const QUOTE = 0x27;
const PLUS = 0x2b;
const MINUS = 0x2d;

function isBit(here: number): boolean {
  return here === ZERO || here === ZERO + 1;
}

/** The end of x'..' or b'..' that begins at `start`; 0: it is malformed; -1: there is none. */
export function prefixedStringEnd(text: string, start: number): number {
  const prefix = text.charCodeAt(start) | 0x20;
  if (prefix !== LETTER_X && prefix !== LETTER_B) return -1;
  const fits = prefix === LETTER_X ? isHexDigit : isBit;
  let end = start + 2;
  while (fits(text.charCodeAt(end))) end += 1;
  const isWhole = prefix === LETTER_B || (end - start) % 2 === 0;
  return text.charCodeAt(end) === QUOTE && isWhole ? end + 1 : 0;
}

/** The end of 0x.. or 0b.. at `start` (small letters only, as servers have it); 0: it is something else. */
export function prefixedNumberEnd(text: string, start: number): number {
  const prefix = text.charCodeAt(start + 1);
  if (text.charCodeAt(start) !== ZERO || (prefix !== LETTER_X && prefix !== LETTER_B)) return 0;
  const fits = prefix === LETTER_X ? isHexDigit : isBit;
  let end = start + 2;
  while (fits(text.charCodeAt(end))) end += 1;
  return end > start + 2 && !continuesName(text.charCodeAt(end)) ? end : 0;
}

/** The end of an exponent whose letter stands at `at`; 0: there is none. */
export function exponentEnd(text: string, at: number): number {
  if ((text.charCodeAt(at) | 0x20) !== LETTER_E) return 0;
  let end = at + 1;
  const sign = text.charCodeAt(end);
  if (sign === PLUS || sign === MINUS) end += 1;
  if (!isDigit(text.charCodeAt(end))) return 0;
  while (isDigit(text.charCodeAt(end))) end += 1;
  return end;
}

/** The end of a number with a point: digits, the point, digits, an exponent; 0: the exponent has no digits. */
export function pointNumberEnd(text: string, start: number): number {
  let at = start;
  while (isDigit(text.charCodeAt(at))) at += 1;
  at += 1;
  while (isDigit(text.charCodeAt(at))) at += 1;
  return (text.charCodeAt(at) | 0x20) === LETTER_E ? exponentEnd(text, at) : at;
}

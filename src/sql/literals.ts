// Values as SQL that means the same in every sql_mode and character set, and is never a column's position.

import { assert } from "../base/assert.ts";

/** A whole number that is not negative. */
export function integerLiteral(value: number): string {
  assert(Number.isSafeInteger(value) && value >= 0, "a number in SQL is whole and not negative");
  return `CAST(${value} AS UNSIGNED)`;
}

/** A text of utf8mb4 that may have so many characters. */
export function stringLiteral(value: string, characters: number): string {
  return `CAST(${hexLiteral(value)} AS CHAR(${characters}) CHARACTER SET utf8mb4)`;
}

/**
 * A text, or NULL, with everything that servers make of `function_`: type, length, collation, and its weight beside other
 * collations, on which comparisons with columns depend. It must be of utf8mb3, as the functions about accounts are; a
 * character beyond that becomes `?`, as it would in an account's name. The function is not called.
 */
export function textInPlaceOf(function_: string, value: string | null): string {
  const narrow = value === null ? null : value.replace(/[\u{10000}-\u{10ffff}]/gu, "?");
  return `IF(1, ${narrow === null ? "NULL" : hexLiteral(narrow)}, ${function_})`;
}

/** A number with the type and length of `function_`, which is not called. */
export function integerInPlaceOf(function_: string, value: number): string {
  return `IF(1, ${integerLiteral(value)}, ${function_})`;
}

function hexLiteral(value: string): string {
  return `_utf8mb4 x'${Buffer.from(value, "utf8").toString("hex")}'`;
}

// Values as SQL that means the same in every sql_mode and character set, is never a column's position, and has the type
// that servers give the functions it stands for.

import { assert } from "../base/assert.ts";
import type { Flavour } from "./dialect.ts";

/** A whole number that is not negative. */
export function integerLiteral(value: number): string {
  assert(Number.isSafeInteger(value) && value >= 0, "a number in SQL is whole and not negative");
  return `CAST(${value} AS UNSIGNED)`;
}

/** Characters of the longest account: name, `@`, host. */
export function accountCharactersMax(flavour: Flavour): number {
  return flavour === "mariadb" ? 384 : 288;
}

/** A text of utf8mb3, as the functions about accounts have it. */
export function stringLiteral(
  value: string,
  flavour: Flavour,
  characters: number = accountCharactersMax(flavour),
): string {
  const hex = Buffer.from(value, "utf8").toString("hex");
  return `CAST(CONVERT(_utf8mb4 x'${hex}' USING utf8mb3) AS CHAR(${characters}) CHARACTER SET utf8mb3)`;
}

// What a login's collation id may be. Beyond one byte: COM_CHANGE_USER has two bytes for the id, the handshake that the
// gateway logs in with has one: docs/decisions/2026-11-21-collations-beyond-one-byte.md. And never of a character set in
// which ASCII is not ASCII: https://dev.mysql.com/doc/refman/8.4/en/charset-connection.html. Pure.

import type { ServerFlavour } from "../backend/backend-connection.ts";
import { type SqlError, sqlError } from "../errors/sql-error.ts";

const UTF8MB3_GENERAL_CI = 33;
const UTF8MB4_GENERAL_CI = 45;
const UTF8MB4_0900_AI_CI = 255;
/** MariaDB's UCA-14.0.0 collations of utf8mb3: 2048 to 2303. Those of utf8mb4 follow. */
const UTF8MB3_UCA1400 = { first: 2048, last: 2303 } as const;

/**
 * The id, 0..255, that a backend is logged in with for the id of a COM_CHANGE_USER: the id itself, or a collation of the
 * same character set where the id needs two bytes. Beyond 255 MySQL has utf8mb4 only, and so has MariaDB but for
 * utf8mb3, and for character sets that no client may use.
 */
export function loginCollation(id: number, flavour: ServerFlavour): number {
  if (id <= 255) return id;
  if (flavour === "mysql") return UTF8MB4_0900_AI_CI;
  return id >= UTF8MB3_UCA1400.first && id <= UTF8MB3_UCA1400.last ? UTF8MB3_GENERAL_CI : UTF8MB4_GENERAL_CI;
}

/** Collation ids, from first to last, of the character sets that no client may use. Both families have the same ones. */
const wideCharacterSets: readonly (readonly [first: number, last: number, name: string])[] = [
  [35, 35, "ucs2"],
  [54, 55, "utf16"],
  [56, 56, "utf16le"],
  [60, 61, "utf32"],
  [62, 62, "utf16le"],
  [90, 90, "ucs2"],
  [101, 124, "utf16"],
  [128, 151, "ucs2"],
  [159, 159, "ucs2"],
  [160, 183, "utf32"],
];

/** The error of a login with a collation that no client may have, as servers put it; null: it may be. */
export function refusedCollation(id: number): SqlError | null {
  const wide = wideCharacterSets.find(([first, last]) => id >= first && id <= last);
  if (wide === undefined) return null;
  return sqlError("ER_WRONG_VALUE_FOR_VAR", { name: "character_set_client", value: wide[2] });
}

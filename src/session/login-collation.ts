// Collation ids beyond one byte. COM_CHANGE_USER has two bytes for the id, the handshake that the gateway logs in with has
// one: docs/decisions/2026-11-21-collations-beyond-one-byte.md. Pure.

import type { ServerFlavour } from "../backend/backend-connection.ts";

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

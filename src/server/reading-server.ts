// The server as it reads texts, from what health has learnt of it.

import type { LearnedServer } from "../backend/health.ts";
import type { ReadingServer } from "../session/reading.ts";
import type { LowerCaseTableNames } from "../sql/object-name.ts";

/**
 * The same object for the same server: sessions compare it. null too where its version is not known: nobody could tell
 * which executable comments it reads.
 */
export function readingServerOf(
  server: LearnedServer | null,
  before: ReadingServer | null,
  newestVersionNumber: number = server?.versionNumber ?? 0,
): ReadingServer | null {
  if (server === null || server.versionNumber === 0) return null;
  const { flavour, versionNumber } = server;
  const lowerCaseTableNames = nameCaseOf(server.lowerCaseTableNames);
  const isKnown =
    before?.flavour === flavour &&
    before.versionNumber === versionNumber &&
    before.newestVersionNumber === newestVersionNumber &&
    before.lowerCaseTableNames === lowerCaseTableNames;
  return isKnown ? before : { flavour, versionNumber, newestVersionNumber, lowerCaseTableNames };
}

/** Of a value that a server has told: a new one, were there any, ignores case. */
export function nameCaseOf(lowerCaseTableNames: number): LowerCaseTableNames {
  return lowerCaseTableNames === 1 || lowerCaseTableNames === 2 ? lowerCaseTableNames : 0;
}

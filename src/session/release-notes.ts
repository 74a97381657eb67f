// What the pool is told when a session gives its connection back: what is on it, or that it must be reset. Pure.

import type { Handover, ReleaseNotes } from "../backend/backend-pool.ts";
import { CLIENT_MULTI_STATEMENTS, has } from "../wire/capabilities.ts";

/** With all fields from the start, so that every release has the same shape of object; `owed` is the caller's to set. */
export type NotesOfRelease = { -readonly [Field in keyof ReleaseNotes]-?: ReleaseNotes[Field] };

/** `holdsBecause`: why the session could not have left it; null: all that is on it can be said elsewhere. */
export function releaseNotes(
  handover: Handover,
  schemaUncertain: boolean,
  holdsBecause: string | null,
  capabilities: number,
): NotesOfRelease {
  const isDescribed = !schemaUncertain && holdsBecause === null;
  return {
    handover: isDescribed ? handover : null,
    optionToggled: handover.multiStatements !== has(capabilities, CLIENT_MULTI_STATEMENTS),
    database: schemaUncertain ? undefined : handover.database,
    owed: null,
  };
}

// What a reload changed, for the log: names only.

import type { UserDirectory, UserEntry } from "./user-directory.ts";

/** Names of users, and of entries as `user[index]` (of the file in which they stand). */
export interface DirectoryChanges {
  readonly usersAdded: readonly string[];
  readonly usersRemoved: readonly string[];
  /** Users of both files whose entries or their order differ. */
  readonly usersChanged: readonly string[];
  /** Entries of the new file that the old one did not have, those of new users included. */
  readonly entriesAdded: readonly string[];
  /** Entries of the old file that the new one does not have any more. */
  readonly entriesRemoved: readonly string[];
}

/** Compares two generations. */
export function describeChanges(old: UserDirectory, next: UserDirectory): DirectoryChanges {
  const usersAdded = next.userNames.filter((user) => old.entriesOf(user) === null);
  const usersRemoved = old.userNames.filter((user) => next.entriesOf(user) === null);
  const usersChanged: string[] = [];
  const entriesAdded: string[] = [];
  const entriesRemoved: string[] = [];
  for (const user of [...old.userNames, ...usersAdded]) {
    const before = old.entriesOf(user);
    const after = next.entriesOf(user);
    for (const name of missingFrom(before ?? [], after ?? [])) entriesAdded.push(name);
    for (const name of missingFrom(after ?? [], before ?? [])) entriesRemoved.push(name);
    if (before !== null && after !== null && fingerprints(before) !== fingerprints(after)) {
      usersChanged.push(user);
    }
  }
  return { usersAdded, usersRemoved, usersChanged, entriesAdded, entriesRemoved };
}

/** The entries of `entries` that `others` does not have. */
function missingFrom(others: readonly UserEntry[], entries: readonly UserEntry[]): string[] {
  const known = new Set(others.map((entry) => entry.fingerprint));
  return entries
    .filter((entry) => !known.has(entry.fingerprint))
    .map((entry) => `${entry.user}[${entry.index}]`);
}

function fingerprints(entries: readonly UserEntry[]): string {
  return entries.map((entry) => entry.fingerprint).join(" ");
}

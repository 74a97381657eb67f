// What a reload changed, for the log: names only.

import { runAtOnce, type Steps } from "../base/steps.ts";
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
  return runAtOnce(stepsOfChanges(old, next));
}

/** The same in steps. */
export function* stepsOfChanges(old: UserDirectory, next: UserDirectory): Steps<DirectoryChanges> {
  const usersAdded: string[] = [];
  const usersRemoved: string[] = [];
  const usersChanged: string[] = [];
  const entriesAdded: string[] = [];
  const entriesRemoved: string[] = [];
  for (const user of old.userNames) {
    yield;
    const before = old.entriesOf(user) ?? [];
    const after = next.entriesOf(user);
    if (after === null) usersRemoved.push(user);
    else if (areSame(before, after)) continue;
    else usersChanged.push(user);
    entriesAdded.push(...missingFrom(before, after ?? []));
    entriesRemoved.push(...missingFrom(after ?? [], before));
  }
  for (const user of next.userNames) {
    yield;
    if (old.entriesOf(user) !== null) continue;
    usersAdded.push(user);
    entriesAdded.push(...missingFrom([], next.entriesOf(user) ?? []));
  }
  return { usersAdded, usersRemoved, usersChanged, entriesAdded, entriesRemoved };
}

/** Whether two generations have the same entries of a user, in the same order. */
export function areSame(before: readonly UserEntry[], after: readonly UserEntry[]): boolean {
  return (
    before.length === after.length &&
    before.every((entry, index) => entry.fingerprint === after[index]?.fingerprint)
  );
}

/** The entries of `entries` that `others` does not have. */
function missingFrom(others: readonly UserEntry[], entries: readonly UserEntry[]): string[] {
  const known = new Set(others.map((entry) => entry.fingerprint));
  return entries
    .filter((entry) => !known.has(entry.fingerprint))
    .map((entry) => `${entry.user}[${entry.index}]`);
}

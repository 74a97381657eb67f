// What a users file must be as a whole: rules between entries and between users.

import { joinPointer } from "../base/json-text.ts";
import type { Steps } from "../base/steps.ts";
import { credentialOf, type UserEntry } from "./user-directory.ts";
import type { Remark } from "./users-file.ts";

/** `$A$` entries that one user may have: each costs milliseconds at a full login, for every user of the file. */
export const cryptEntriesPerUserMax = 4;

/** Entries that one user may have: every login tries them, and one of an unknown user takes as long. */
export const entriesPerUserMax = 1000;

type Users = ReadonlyMap<string, readonly UserEntry[]>;
type PointerOf = (entry: UserEntry) => string;

/** What makes the file unusable. */
export function* complainAboutUsers(users: Users, pointerOf: PointerOf): Steps<Remark[]> {
  const complaints: Remark[] = [];
  let entryCount = 0;
  for (const [user, entries] of users) {
    yield;
    entryCount += entries.length;
    if (user === "") complaints.push({ pointer: "/", message: "A user's name must not be empty" });
    if (user.includes("\0")) {
      complaints.push({
        pointer: joinPointer("", user),
        message: "A user's name must not hold a NUL character",
      });
    }
    const tooMany = entries[entriesPerUserMax];
    if (tooMany !== undefined) {
      complaints.push({
        pointer: pointerOf(tooMany),
        message: `User ${JSON.stringify(user)} has ${entries.length} entries: at most ${entriesPerUserMax} are allowed, as every login tries them`,
      });
    }
    const crypts = entries.filter((entry) => credentialOf(entry, "sha256crypt") !== undefined);
    const beyond = crypts[cryptEntriesPerUserMax];
    if (beyond !== undefined) {
      complaints.push({
        pointer: `${pointerOf(beyond)}/CachingSha2Password`,
        message: `User ${JSON.stringify(user)} has ${crypts.length} entries with a "$A$..." string: at most ${cryptEntriesPerUserMax} are allowed, as each one slows down logins`,
      });
    }
    for (const entry of entries) complaints.push(...complainAboutProxyFor(entry, users, pointerOf));
  }
  if (entryCount === 0) {
    complaints.push({ pointer: "", message: "The file has no user: nobody could log in" });
  }
  return complaints;
}

/** What a person should know about a usable file. */
export function* warnAboutUsers(users: Users, pointerOf: PointerOf): Steps<Remark[]> {
  const warnings: Remark[] = [];
  const bases = new Set<string>();
  for (const entries of users.values()) {
    for (const { proxyFor } of entries) for (const base of proxyFor) bases.add(base);
    yield;
  }
  for (const [user, entries] of users) {
    yield;
    if (entries.length === 0) {
      warnings.push({
        pointer: joinPointer("", user),
        message: `User ${JSON.stringify(user)} has no entry and cannot log in`,
      });
    }
    for (const entry of entries) {
      const name = `'${user}[${entry.index}]'`;
      const known = entry.proxyFor.filter((base) => users.has(base));
      for (const base of entry.proxyFor) {
        if (users.has(base)) continue;
        warnings.push({
          pointer: `${pointerOf(entry)}/ProxyFor`,
          message: `'ProxyFor' of ${name} names ${JSON.stringify(base)}, which is no user of this file: it is passed over`,
        });
      }
      if (known.length > 1) {
        warnings.push({
          pointer: `${pointerOf(entry)}/ProxyFor`,
          message: `'ProxyFor' of ${name} names ${known.length} users: the first that admits the client is taken`,
        });
      }
      if (
        entry.credentials.length === 0 &&
        entry.spiffeId === null &&
        !entry.accountLocked &&
        !bases.has(user)
      ) {
        warnings.push({
          pointer: pointerOf(entry),
          message: `Entry ${name} has no password, no hash and no spiffe_id: it cannot log in`,
        });
      }
    }
  }
  return warnings;
}

function complainAboutProxyFor(entry: UserEntry, users: Users, pointerOf: PointerOf): Remark[] {
  const complaints: Remark[] = [];
  for (const base of entry.proxyFor) {
    const says = `'ProxyFor' of '${entry.user}[${entry.index}]'`;
    const pointer = `${pointerOf(entry)}/ProxyFor`;
    if (base === entry.user) {
      complaints.push({ pointer, message: `${says} must name another user, not its own` });
    } else if (!users.has(base) && /[%*@]/.test(base)) {
      complaints.push({
        pointer,
        message: `${says} must be a user's name, without a pattern and without a host: current value is ${JSON.stringify(base.slice(0, 100))}`,
      });
    }
  }
  return complaints;
}

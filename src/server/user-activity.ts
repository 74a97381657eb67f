// What this gateway has seen of every entry of the users file: last login, logins, live sessions. For `users list`, the
// metrics and the status page; it decides nothing. What it keeps grows with the entries that are used, not with the file.

import { timingSafeEqual } from "node:crypto";
import type { EntryActivity, UserActivitySnapshot, UsersPart, UsersProof } from "../admin/admin-sources.ts";
import type { Clock } from "../base/clock.ts";
import type { Steps } from "../base/steps.ts";
import type { Identity } from "../identity/identity.ts";
import { areSame } from "../users/directory-changes.ts";
import type { UserDirectory, UserEntry } from "../users/user-directory.ts";
import { digestOfEntries, stepsOfDirectoryDigest } from "../users/users-file-entry.ts";

interface Seen {
  readonly user: string;
  logins: number;
  lastLoginMs: number;
}

/** How many sessions entries hold now. */
export interface LiveSessions {
  countOfEntry(user: string, fingerprint: string): number;
  /** Of all entries together. */
  readonly heldByEntries: number;
}

/** Entries with numbers of their own, and what all others have together; null: there are no others. */
export interface EntryTotals {
  readonly own: readonly EntryActivity[];
  readonly others: Pick<EntryActivity, "logins" | "liveSessions" | "lastLoginMs"> | null;
}

/** Counts logins per entry, for as long as the users file has the entry unchanged. An entry's fingerprint names its user, too. */
export class UserActivity {
  readonly #clock: Clock;
  readonly #live: LiveSessions;
  readonly #countingSinceMs: number;
  /** Since when entries are counted that came or changed while the gateway ran; the others are since its start. */
  #since = new Map<string, number>();
  /** By fingerprint: entries that somebody logged in by. */
  readonly #seen = new Map<string, Seen>();

  constructor(clock: Clock, live: LiveSessions) {
    this.#clock = clock;
    this.#live = live;
    this.#countingSinceMs = clock.wallMs();
  }

  /** Notes a finished login: at its entry, and at the base's entry when a proxy user was mapped. */
  recordLogin(identity: Identity): void {
    for (const entry of [identity.entry, identity.baseEntry]) {
      if (entry === null) continue;
      const seen = this.#seen.get(entry.fingerprint);
      const lastLoginMs = this.#clock.wallMs();
      if (seen === undefined) this.#seen.set(entry.fingerprint, { user: entry.user, logins: 1, lastLoginMs });
      else {
        seen.logins += 1;
        seen.lastLoginMs = lastLoginMs;
      }
    }
  }

  /** What a reload changes: entries that are new begin to be counted, those that are gone are forgotten at its end. */
  *prepare(directory: UserDirectory, previous: UserDirectory): Steps<() => void> {
    const nowMs = this.#clock.wallMs();
    const since = new Map<string, number>();
    for (const user of directory.userNames) {
      yield;
      const before = previous.entriesOf(user) ?? [];
      const after = directory.entriesOf(user) ?? [];
      const isUnchanged = areSame(before, after);
      if (isUnchanged && this.#since.size === 0) continue;
      for (const { fingerprint } of after) {
        const isOld = isUnchanged || before.some((entry) => entry.fingerprint === fingerprint);
        const sinceMs = isOld ? this.#since.get(fingerprint) : nowMs;
        if (sinceMs !== undefined) since.set(fingerprint, sinceMs);
      }
    }
    const gone: string[] = [];
    for (const [fingerprint, { user }] of this.#seen) {
      yield;
      const entries = directory.entriesOf(user) ?? [];
      if (!entries.some((entry) => entry.fingerprint === fingerprint)) gone.push(fingerprint);
    }
    return () => {
      this.#since = since;
      for (const fingerprint of gone) this.#seen.delete(fingerprint);
    };
  }

  /** The entries of a part of `directory`. */
  *snapshot(
    directory: UserDirectory,
    file: Pick<UserActivitySnapshot, "loadedAtMs" | "stale">,
    part: UsersPart,
  ): Steps<UserActivitySnapshot> {
    const { generation, shape } = directory;
    const holding = part.holding.toLowerCase();
    const entries: EntryActivity[] = [];
    const isWhole = part.users === null && holding === "";
    let matching = 0;
    for (const user of part.users ?? directory.userNames) {
      if (isWhole && entries.length >= part.limit) break;
      yield;
      for (const entry of directory.entriesOf(user) ?? []) {
        if (holding !== "" && !`${user} ${entry.userData}`.toLowerCase().includes(holding)) continue;
        if (matching >= part.from && entries.length < part.limit) entries.push(this.#activityOf(entry));
        matching += 1;
      }
    }
    const proven = part.proof === null ? null : yield* stepsOfProof(directory, part.users, part.proof);
    const counted = { countingSinceMs: this.#countingSinceMs, generation, ...file };
    const total = shape.entryCount;
    return { ...counted, total, matching: isWhole ? total : matching, entries, proven };
  }

  /** The first `ownMax` entries of the file one by one, and the others together. */
  totals(directory: UserDirectory, ownMax: number): EntryTotals {
    const own: EntryActivity[] = [];
    for (const user of directory.userNames) {
      if (own.length >= ownMax) break;
      for (const entry of directory.entriesOf(user) ?? [])
        if (own.length < ownMax) own.push(this.#activityOf(entry));
    }
    if (directory.shape.entryCount <= own.length) return { own, others: null };
    const ownPrints = new Set(own.map(({ fingerprint }) => fingerprint));
    const others = { logins: 0, liveSessions: this.#live.heldByEntries, lastLoginMs: 0 };
    for (const { liveSessions } of own) others.liveSessions -= liveSessions;
    for (const [fingerprint, { logins, lastLoginMs }] of this.#seen) {
      if (ownPrints.has(fingerprint)) continue;
      others.logins += logins;
      others.lastLoginMs = Math.max(others.lastLoginMs, lastLoginMs);
    }
    return { own, others };
  }

  #activityOf(entry: UserEntry): EntryActivity {
    const { user, index, fingerprint, userData, credentials, notBeforeMs, notAfterMs, accountLocked } = entry;
    const seen = this.#seen.get(fingerprint);
    return {
      ...{ user, index, fingerprint, userData, notBeforeMs, notAfterMs, accountLocked },
      credentialKinds: credentials.map((credential) => credential.kind),
      countingSinceMs: this.#since.get(fingerprint) ?? this.#countingSinceMs,
      lastLoginMs: seen?.lastLoginMs ?? null,
      liveSessions: this.#live.countOfEntry(user, fingerprint),
      logins: seen?.logins ?? 0,
    };
  }
}

function* stepsOfProof(
  directory: UserDirectory,
  users: UsersPart["users"],
  proof: UsersProof,
): Steps<boolean> {
  if (!/^[0-9a-f]{32,128}$/.test(proof.key)) return false;
  const key = Buffer.from(proof.key, "hex");
  const digest =
    users === null
      ? yield* stepsOfDirectoryDigest(directory, key)
      : digestOfEntries(directory.entriesOf(users[0] ?? "") ?? [], key);
  const wanted = Buffer.from(digest);
  const said = Buffer.from(proof.digest);
  return said.length === wanted.length && timingSafeEqual(said, wanted);
}

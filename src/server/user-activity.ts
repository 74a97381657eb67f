// What this gateway has seen of every entry of the users file: last login, logins, live sessions. For `users list` and
// the status page; it decides nothing.

import type { UserActivitySnapshot } from "../admin/admin-sources.ts";
import type { Clock } from "../base/clock.ts";
import type { Identity } from "../identity/identity.ts";
import type { UserDirectory } from "../users/user-directory.ts";

interface Seen {
  /** Since when this entry is counted: the start, or the reload that brought or changed it. */
  readonly sinceMs: number;
  logins: number;
  lastLoginMs: number | null;
}

/** Counts logins per entry, for as long as the users file has the entry unchanged. */
export class UserActivity {
  private readonly clock: Clock;
  private readonly countingSinceMs: number;
  private seen = new Map<string, Seen>();

  constructor(clock: Clock) {
    this.clock = clock;
    this.countingSinceMs = clock.wallMs();
  }

  /** Notes a finished login: at its entry, and at the base's entry when a proxy user was mapped. */
  recordLogin(identity: Identity): void {
    for (const entry of [identity.entry, identity.baseEntry]) {
      const seen = entry === null ? undefined : this.seen.get(keyOf(entry.user, entry.fingerprint));
      if (seen === undefined) continue; // None, or judged by a file that a reload has just replaced.
      seen.logins += 1;
      seen.lastLoginMs = this.clock.wallMs();
    }
  }

  /** Begins to count the entries that are new in `directory` and forgets those that are gone. Call it at every load. */
  adopt(directory: UserDirectory): void {
    const next = new Map<string, Seen>();
    for (const user of directory.userNames) {
      for (const entry of directory.entriesOf(user) ?? []) {
        const key = keyOf(user, entry.fingerprint);
        next.set(key, this.seen.get(key) ?? { sinceMs: this.clock.wallMs(), logins: 0, lastLoginMs: null });
      }
    }
    this.seen = next;
  }

  /**
   * All entries of `directory`. `stale`: the file on disk is bad and older than what is used; `liveSessions` tells how
   * many sessions an entry holds now.
   */
  snapshot(
    directory: UserDirectory,
    stale: boolean,
    liveSessions: (user: string, fingerprint: string) => number,
  ): UserActivitySnapshot {
    const entries = directory.userNames.flatMap((user) =>
      (directory.entriesOf(user) ?? []).map((entry) => {
        const seen = this.seen.get(keyOf(user, entry.fingerprint));
        return {
          user,
          index: entry.index,
          fingerprint: entry.fingerprint,
          userData: entry.userData,
          credentialKinds: entry.credentials.map((credential) => credential.kind),
          notBeforeMs: entry.notBeforeMs,
          notAfterMs: entry.notAfterMs,
          accountLocked: entry.accountLocked,
          countingSinceMs: seen?.sinceMs ?? this.clock.wallMs(),
          lastLoginMs: seen?.lastLoginMs ?? null,
          liveSessions: liveSessions(user, entry.fingerprint),
          logins: seen?.logins ?? 0,
        };
      }),
    );
    return { countingSinceMs: this.countingSinceMs, generation: directory.generation, stale, entries };
  }
}

function keyOf(user: string, fingerprint: string): string {
  return `${user}\u0000${fingerprint}`;
}

// What the admin side shows, as snapshots through interfaces that the gateway fills in. No secret fits into them.

/** Whether clients should be sent here. */
export interface Readiness {
  readonly ready: boolean;
  /** Why not, one sentence each; empty when ready. */
  readonly reasons: readonly string[];
  /** What an operator should know all the same, e.g. that the embedded database serves. */
  readonly notes: readonly string[];
}

/** One entry of the users file, and what this gateway has seen of it. */
export interface EntryActivity {
  readonly user: string;
  /** 0-based position in the user's list. */
  readonly index: number;
  /** Names the entry over reloads that leave it unchanged; tells nothing about its secrets. */
  readonly fingerprint: string;
  readonly userData: string;
  /** Which forms its password has: `native`, `sha2`, ...; empty: none. */
  readonly credentialKinds: readonly string[];
  /** Since when this entry is counted, in milliseconds since the epoch: a reload that changes an entry begins anew. */
  readonly countingSinceMs: number;
  /** Milliseconds since the epoch; null: none since `countingSinceMs`. */
  readonly lastLoginMs: number | null;
  /** Sessions that the entry holds now. */
  readonly liveSessions: number;
  /** Logins since `countingSinceMs`. */
  readonly logins: number;
}

/** All entries, and since when this gateway has counted. */
export interface UserActivitySnapshot {
  /** Start of this gateway, in milliseconds since the epoch. */
  readonly countingSinceMs: number;
  /** Generation of the users file in use. */
  readonly generation: number;
  /** Whether the file on disk is bad, so that an older content is in use. */
  readonly stale: boolean;
  readonly entries: readonly EntryActivity[];
}

/** What the gateway offers to the admin side. Every call is cheap and answers at once. */
export interface AdminSources {
  readiness(): Readiness;
  /** null: logins are not judged by a users file. */
  userActivity(): UserActivitySnapshot | null;
}

// What the admin side shows, as snapshots through interfaces that the gateway fills in. No secret fits into them.

import type { TrafficHistory } from "./traffic-history.ts";

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
  /** Times between which the entry is accepted, in milliseconds since the epoch; null: no such end. */
  readonly notBeforeMs: number | null;
  readonly notAfterMs: number | null;
  /** Whether it cannot log in itself. */
  readonly accountLocked: boolean;
  /** Since when this entry is counted, in milliseconds since the epoch: a reload that changes an entry begins anew. */
  readonly countingSinceMs: number;
  /** Milliseconds since the epoch; null: none since `countingSinceMs`. */
  readonly lastLoginMs: number | null;
  /** Sessions that the entry holds now. */
  readonly liveSessions: number;
  /** Logins since `countingSinceMs`. */
  readonly logins: number;
}

/** Which entries are asked for: a users file may have hundreds of thousands. */
export interface UsersPart {
  /** Only those of these users; null: of all. */
  readonly users: readonly string[] | null;
  /** Part of the user's name or UserData, without regard to case; empty: any. */
  readonly holding: string;
  /** So many of those that match are passed over, and at most so many are told. */
  readonly from: number;
  readonly limit: number;
  /** Asks whether the entries of the first of `users`, or of all, are those of a file at hand; null: not asked. */
  readonly proof: UsersProof | null;
}

/** A digest of all entries of a user, or of the file, under a key of the asker: it tells whether two have the same file, and no more. */
export interface UsersProof {
  /** Hexadecimal, both. */
  readonly key: string;
  readonly digest: string;
}

/** Entries, and since when this gateway has counted. */
export interface UserActivitySnapshot {
  /** Start of this gateway, in milliseconds since the epoch. */
  readonly countingSinceMs: number;
  /** Generation of the users file in use. */
  readonly generation: number;
  /** When it was loaded, in milliseconds since the epoch. */
  readonly loadedAtMs: number;
  /** Whether the file on disk is bad, so that an older content is in use. */
  readonly stale: boolean;
  /** Entries of the file. */
  readonly total: number;
  /** Those that match. */
  readonly matching: number;
  /** The part that was asked for, in the order of the file. */
  readonly entries: readonly EntryActivity[];
  /** Whether the proof held; null: none was asked for. */
  readonly proven: boolean | null;
}

/** A live session. Texts that a client chose are cut by whoever fills this in. */
export interface SessionRow {
  readonly id: number;
  /** null until the login succeeded. */
  readonly user: string | null;
  readonly userData: string | null;
  readonly groups: readonly string[];
  /** `user[index]` of the users file. */
  readonly entry: string | null;
  readonly host: string;
  readonly port: number;
  readonly transport: "tcp" | "unix";
  readonly tls: string | null;
  readonly plugin: string | null;
  readonly program: string | null;
  readonly database: string | null;
  readonly phase: "login" | "idle" | "busy";
  readonly command: string | null;
  readonly statement: string | null;
  /** Milliseconds. */
  readonly phaseMs: number;
  /** Milliseconds. */
  readonly ageMs: number;
  readonly inTransaction: boolean;
  readonly pinnedBecause: string | null;
  readonly preparedStatements: number;
  readonly tablet: string | null;
}

/** Connections of one account on one server. */
export interface PoolRow {
  readonly account: string;
  readonly leased: number;
  readonly idle: number;
  readonly connecting: number;
  /** Sessions that wait for a connection. */
  readonly waiting: number;
  /** Why logins pause; null: they do not. */
  readonly loginError: string | null;
}

/** One database server. */
export interface TabletRow {
  readonly alias: string;
  /** `db1:3306`, or the path of a socket. */
  readonly address: string;
  readonly ready: boolean;
  /** Why not; null when ready. */
  readonly reason: string | null;
  /** What it is to keyspaces now, e.g. `shop: primary`; empty: there are none, or it serves none. */
  readonly roles: readonly string[];
  /** Last known; null: never reached. */
  readonly version: string | null;
  readonly readOnly: boolean | null;
  /** Most connections of one account. */
  readonly poolSize: number;
  readonly pools: readonly PoolRow[];
}

/** One kind of denial by the table ACL. Texts that a client chose are cut by whoever fills this in. */
export interface DenialRow {
  /** `dry_run`: it ran all the same. */
  readonly outcome: "denied" | "dry_run";
  readonly statementKind: string;
  readonly object: string;
  readonly name: string | null;
  readonly role: string | null;
  readonly ruleGroup: string | null;
  readonly ruleEntry: string | null;
  readonly ruleList: string | null;
  readonly rulePrincipal: string | null;
  readonly errorCode: number;
  /** The login that met it last. */
  readonly user: string;
  readonly host: string;
  readonly userData: string;
  readonly groups: readonly string[];
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly lastMs: number;
  /** Sentences: what decided, and what would have to change. */
  readonly explanation: readonly string[];
}

/** One watched file. */
export interface FileRow {
  readonly name: string;
  readonly path: string;
  /** 1 at start, one more with every reload. */
  readonly generation: number;
  /** Milliseconds since the epoch. */
  readonly loadedAtMs: number;
  /** null: what is on disk is in use. */
  readonly failure: { readonly atMs: number; readonly problems: readonly string[] } | null;
}

/** A certificate or revocation list; of several in one file, the one that ends first. */
export interface CertificateRow {
  /** `server certificate`, ... */
  readonly use: string;
  /** The file, or the database server that showed it. */
  readonly path: string;
  /** Whom it names; of a revocation list, the CA. */
  readonly subject: string;
  /** Milliseconds since the epoch. */
  readonly notAfterMs: number;
  /** From when on its end is worth a warning, in milliseconds since the epoch. */
  readonly warnMs: number;
}

/** What the gateway offers to the admin side. Every call is cheap; what looks at all users does so in steps. */
export interface AdminSources {
  /** Milliseconds since the epoch: now, and when this gateway was made. */
  readonly nowMs: () => number;
  readonly startedMs: number;
  readonly history: TrafficHistory;
  /** Brings what is shown up to date, where it is collected from several processes. Called before each request. */
  refresh(): Promise<void>;
  readiness(): Readiness;
  /** Resolves with null: logins are not judged by a users file. */
  userActivity(part: UsersPart): Promise<UserActivitySnapshot | null>;
  /** Live sessions, logged in or not, in no order. */
  sessions(): readonly SessionRow[];
  tablets(): readonly TabletRow[];
  /** What was denied of late, the latest first; null: nobody judges statements. */
  denials(): readonly DenialRow[] | null;
  files(): readonly FileRow[];
  certificates(): readonly CertificateRow[];
  /** Ends a session at once and records it in the audit log; false: there is none with this id. `from`: who asks. */
  endSession(id: number, from: string): boolean;
}

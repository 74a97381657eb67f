// The users of one generation of the users file, ready for look-ups. Immutable: a reload makes a new one. It also knows
// what is the same for every user of the file: logins follow that, so that they tell nothing about one user.

import { runAtOnce, type Steps } from "../base/steps.ts";
import type { Credential } from "./credential.ts";
import type { SourceHostRule } from "./source-host.ts";
import type { SpiffeRule } from "./spiffe-rule.ts";

/** One entry of a user's list; the first that accepts a login wins. */
export interface UserEntry {
  readonly user: string;
  /** 0-based position in the user's list. */
  readonly index: number;
  /** Stable over reloads that leave the entry unchanged; reveals nothing of its secrets. */
  readonly fingerprint: string;
  readonly userData: string;
  readonly groups: readonly string[];
  /** Forms of one password, at most one of each kind; empty: no credential. */
  readonly credentials: readonly Credential[];
  readonly sourceHost: SourceHostRule;
  /** The SPIFFE id that a certificate must prove; null: none is asked for. */
  readonly spiffeId: SpiffeRule | null;
  /** Names of base users in written order. */
  readonly proxyFor: readonly string[];
  readonly accountLocked: boolean;
  readonly requireSecureTransport: boolean;
  /** Milliseconds since the epoch; null: no bound. */
  readonly notBeforeMs: number | null;
  /** The last millisecond at which the entry is accepted. */
  readonly notAfterMs: number | null;
  /** null: no limit. */
  readonly maxConnections: number | null;
}

/** What the users of a file have together: the shape of every login, known or unknown user. */
export interface DirectoryShape {
  /** Whether an entry's password can be proven by mysql_native_password or in clear only. */
  readonly hasNativeOnlyEntries: boolean;
  /** Whether there is an entry that mysql_native_password cannot prove. */
  readonly hasEntriesBeyondNative: boolean;
  /** Whether there is an entry that nothing but the password in clear can prove. */
  readonly hasClearOnlyEntries: boolean;
  /** Entries of all users. */
  readonly entryCount: number;
  /** Entries of the user that has most. */
  readonly entriesPerUserMax: number;
  /** SHA-256 crypt rounds of all entries of the user that has most. */
  readonly cryptRoundsPerUserMax: number;
  /** Every `$A$` string of the file. */
  readonly authenticationStrings: ReadonlySet<string>;
}

/** All users of one file generation. */
export interface UserDirectory {
  readonly generation: number;
  /** The entries of a user in file order; null when the file has no such user. */
  entriesOf(user: string): readonly UserEntry[] | null;
  readonly userNames: readonly string[];
  readonly shape: DirectoryShape;
}

/** Makes a directory of entries by user. */
export function* stepsOfUserDirectory(
  users: ReadonlyMap<string, readonly UserEntry[]>,
  generation: number,
): Steps<UserDirectory> {
  const shape = yield* shapeOf(users);
  return {
    generation,
    entriesOf: (user) => users.get(user) ?? null,
    userNames: [...users.keys()],
    shape,
  };
}

/** The users of nobody. */
export const emptyUserDirectory: UserDirectory = runAtOnce(stepsOfUserDirectory(new Map(), 0));

/** The entry's credential of a kind; undefined when it has none. */
export function credentialOf<K extends Credential["kind"]>(
  entry: UserEntry,
  kind: K,
): Extract<Credential, { kind: K }> | undefined {
  return entry.credentials.find(
    (credential): credential is Extract<Credential, { kind: K }> => credential.kind === kind,
  );
}

function* shapeOf(users: ReadonlyMap<string, readonly UserEntry[]>): Steps<DirectoryShape> {
  const authenticationStrings = new Set<string>();
  let hasNativeOnlyEntries = false;
  let hasEntriesBeyondNative = false;
  let hasClearOnlyEntries = false;
  let entryCount = 0;
  let entriesPerUserMax = 1;
  let cryptRoundsPerUserMax = 0;
  for (const entries of users.values()) {
    yield;
    entryCount += entries.length;
    entriesPerUserMax = Math.max(entriesPerUserMax, entries.length);
    let cryptRounds = 0;
    for (const entry of entries) {
      const kinds = new Set(entry.credentials.map((credential) => credential.kind));
      const crypt = credentialOf(entry, "sha256crypt");
      if (crypt !== undefined) {
        authenticationStrings.add(crypt.authenticationString);
        cryptRounds += crypt.rounds;
      }
      if (kinds.size === 0) continue;
      const native = kinds.has("native") || kinds.has("clear");
      const sha2 = kinds.has("sha2") || kinds.has("clear");
      if (kinds.has("native") && !sha2) hasNativeOnlyEntries = true;
      if (!native) hasEntriesBeyondNative = true;
      if (!native && !sha2) hasClearOnlyEntries = true;
    }
    cryptRoundsPerUserMax = Math.max(cryptRoundsPerUserMax, cryptRounds);
  }
  return {
    hasNativeOnlyEntries,
    hasEntriesBeyondNative,
    hasClearOnlyEntries,
    entryCount,
    entriesPerUserMax,
    cryptRoundsPerUserMax,
    authenticationStrings,
  };
}

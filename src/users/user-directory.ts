// The users of one generation of the users file, ready for look-ups. Immutable: a reload makes a new one.

import type { Credential } from "./credential.ts";
import type { SourceHostRule } from "./source-host.ts";

/** One entry of a user's list; the first that accepts a login wins. */
export interface UserEntry {
  readonly user: string;
  /** 0-based position in the user's list. */
  readonly index: number;
  /** Stable over reloads that leave the entry unchanged; reveals nothing of its secrets. */
  readonly fingerprint: string;
  readonly userData: string;
  readonly groups: readonly string[];
  /** Forms of one password; empty: no credential. */
  readonly credentials: readonly Credential[];
  readonly sourceHost: SourceHostRule;
  readonly spiffeId: string | null;
  /** Names of base users in written order. */
  readonly proxyFor: readonly string[];
  readonly accountLocked: boolean;
  readonly requireSecureTransport: boolean;
  /** Milliseconds since the epoch; null: no bound. */
  readonly notBeforeMs: number | null;
  readonly notAfterMs: number | null;
  /** null: no limit. */
  readonly maxConnections: number | null;
}

/** All users of one file generation. */
export interface UserDirectory {
  readonly generation: number;
  /** The entries of a user in file order; null when the file has no such user. */
  entriesOf(user: string): readonly UserEntry[] | null;
  readonly userNames: readonly string[];
  /** Which credential kinds occur in the whole file; negotiation depends on these, never on one user's entries. */
  readonly credentialKinds: ReadonlySet<Credential["kind"]>;
}

// The identity of a session: proven at login, fixed until COM_CHANGE_USER (ARCHITECTURE.md, invariant 5). Authoriser
// and router receive it whole.

import type { ImmediateCallerId } from "./caller-id.ts";
import type { Peer } from "./peer.ts";

/** Who a session is, and how that was proven. */
export interface Identity {
  /** The name the client logged in with: USER() shows `loginUser@peer.host`. */
  readonly loginUser: string;
  /** The account whose rights hold: the base account when a proxy user is mapped, else the login user. */
  readonly authUser: string;
  /** The host part of CURRENT_USER(): the entry's SourceHost as written, or `%`. */
  readonly authHost: string;
  /** `'login'@'host'` as @@proxy_user shows it; null when not mapped. */
  readonly proxyUser: string | null;
  /** UserData and Groups: what ACL and routing decide by. */
  readonly callerId: ImmediateCallerId;
  /** Which entry of the users file accepted: `user[index]` at `generation`; for metrics and audit. */
  readonly entry: EntryReference;
  /** The base account's entry when a proxy user is mapped: its limits hold too. */
  readonly baseEntry: EntryReference | null;
  /** The authentication plugin that completed the login, or `none` / `clientcert`. */
  readonly plugin: string;
  /** The verified SPIFFE id that was needed for this login; null when it played no part. */
  readonly spiffeId: string | null;
  readonly peer: Peer;
}

/** Names one entry of the users file without holding any of its secrets. */
export interface EntryReference {
  readonly user: string;
  /** 0-based position in the user's list. */
  readonly index: number;
  /** Generation of the users file in which it stood. */
  readonly generation: number;
  /** Stable over reloads that do not change the entry: a digest of its content (no secret can be derived). */
  readonly fingerprint: string;
}

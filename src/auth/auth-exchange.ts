// The conversation of a login, as a generator: it yields what the server says next, receives the client's payload, and
// returns the outcome. No sockets: testable with arrays.

import type { SqlError } from "../errors/sql-error.ts";
import type { UserEntry } from "../users/user-directory.ts";

/** What the server sends next: AuthSwitchRequest (`fe`) or AuthMoreData (`01`). `data` excludes the header byte. */
export type AuthStep =
  | { readonly kind: "switch"; readonly plugin: string; readonly data: Uint8Array }
  | {
      readonly kind: "more";
      readonly data: Uint8Array;
      /** False when no answer of the client follows (fast-auth success `01 03`): the generator is resumed at once with an empty payload. */
      readonly expectsReply: boolean;
    };

/** An accepted login: which entry, by which plugin. */
export interface AuthenticatedUser {
  readonly loginUser: string;
  readonly entry: UserEntry;
  /** Generation of the users file that judged the login. */
  readonly generation: number;
  /** The plugin that completed the login. */
  readonly plugin: string;
  /** The verified SPIFFE id, when the entry demanded one. */
  readonly spiffeId: string | null;
}

/** The end of the conversation. */
export type AuthOutcome =
  | { readonly kind: "accepted"; readonly user: AuthenticatedUser }
  | {
      readonly kind: "refused";
      /** What the client reads. */
      readonly error: SqlError;
      /** Stable reason code for the audit log, e.g. `unknown_user`, `wrong_password`, `account_locked`. */
      readonly reason: string;
      readonly plugin: string;
    };

/** Receives the client's next payload after each step that expects a reply. */
export type AuthExchange = AsyncGenerator<AuthStep, AuthOutcome, Uint8Array>;

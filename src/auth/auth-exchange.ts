// The conversation of a login: it gives what the server says next, receives the client's payload, and ends with the
// outcome. No sockets: testable with arrays.

import type { SqlError } from "../errors/sql-error.ts";
import type { UserDirectory, UserEntry } from "../users/user-directory.ts";

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
  /** The users that judged the login: a reload in between does not change who it is. */
  readonly directory: UserDirectory;
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

/**
 * A login under way. `next` receives the client's payload after each step that expects a reply, an empty one before the
 * first, and gives the next step, or the outcome (`done`). Any async generator is one; but most logins are judged at
 * once by what the client said first, and then no promise is made.
 */
export interface AuthExchange {
  next(payload: Uint8Array): AuthProgress | Promise<AuthProgress>;
}

/** What comes next. */
export type AuthProgress = IteratorResult<AuthStep, AuthOutcome>;

/** A conversation that is over before anything was said. */
export function decided(outcome: AuthOutcome): AuthExchange {
  return { next: () => ({ done: true, value: outcome }) };
}

/** A conversation in which one thing is said before the outcome. */
export function decidedAfter(step: AuthStep, outcome: AuthOutcome): AuthExchange {
  let isSaid = false;
  return {
    next: () => {
      if (isSaid) return { done: true, value: outcome };
      isSaid = true;
      return { done: false, value: step };
    },
  };
}

/** Goes on with another conversation inside a generator. */
export async function* continueWith(
  exchange: AuthExchange,
): AsyncGenerator<AuthStep, AuthOutcome, Uint8Array> {
  let progress = await exchange.next(new Uint8Array(0));
  while (progress.done !== true) progress = await exchange.next(yield progress.value);
  return progress.value;
}

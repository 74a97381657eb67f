// Guards one server against our own logins: few at a time, and after a failure none for a while, growing with every
// further one. A wrong password must not hammer (it can lock the account), nor must a server that comes up be stormed.

import type { Clock } from "../base/clock.ts";
import type { BackendLoginError } from "./login-error.ts";

/** Logins under way at a time, to one server. */
export const concurrentLoginsMax = 16;

/** First and longest pause after a failure, in milliseconds, by kind: 1045 can lock accounts, so it waits longer. */
const pauses = {
  access_denied: { firstMs: 1000, longestMs: 30_000 },
  other: { firstMs: 100, longestMs: 5000 },
} as const;

/** What stands in the way of a login now. */
export type GateState =
  | { readonly kind: "open" }
  /** Too many are under way: `onOpen` tells when one has ended. */
  | { readonly kind: "busy" }
  /** The last one failed: `onOpen` tells when it is time to try again. */
  | { readonly kind: "pausing"; readonly error: BackendLoginError };

/** Counts and delays logins of one account to one server. */
export class LoginGate {
  readonly #clock: Clock;
  readonly #onOpen: () => void;
  #underWay = 0;
  #failures = 0;
  #error: BackendLoginError | null = null;
  #resumeMs = 0;
  #timer: NodeJS.Timeout | null = null;

  /** `onOpen` is called whenever logins have become possible again. */
  constructor(clock: Clock, onOpen: () => void) {
    this.#clock = clock;
    this.#onOpen = onOpen;
  }

  get state(): GateState {
    if (this.#error !== null && this.#clock.monotonicMs() < this.#resumeMs) {
      return { kind: "pausing", error: this.#error };
    }
    // After a failure one login shows whether it is over; the others follow it.
    const allowed = this.#error === null ? concurrentLoginsMax : 1;
    return this.#underWay < allowed ? { kind: "open" } : { kind: "busy" };
  }

  /** The failure that logins pause for, or that the next one is to disprove. */
  get error(): BackendLoginError | null {
    return this.#error;
  }

  /** A login begins. `succeeded` or `failed` must follow. */
  enter(): void {
    this.#underWay += 1;
  }

  /** It worked. */
  succeeded(): void {
    this.#underWay -= 1;
    this.#failures = 0;
    this.#error = null;
    this.#stopTimer();
    this.#onOpen();
  }

  /** It failed. A client's own wish that cannot be met says nothing about the server. */
  failed(error: BackendLoginError): void {
    this.#underWay -= 1;
    if (error.kind !== "client_wish" && error.kind !== "unsuitable") this.#pause(error);
    else this.#onOpen();
  }

  /** Forgets the failure: health has seen the server well. */
  reopen(): void {
    if (this.#error === null) return;
    this.#failures = 0;
    this.#resumeMs = 0;
    this.#stopTimer();
    this.#onOpen();
  }

  close(): void {
    this.#stopTimer();
  }

  #pause(error: BackendLoginError): void {
    const nowMs = this.#clock.monotonicMs();
    // Logins that were under way together fail together: that counts once.
    if (this.#error === null || nowMs >= this.#resumeMs) {
      const { firstMs, longestMs } = error.kind === "access_denied" ? pauses.access_denied : pauses.other;
      this.#resumeMs = nowMs + Math.min(longestMs, firstMs * 2 ** Math.min(this.#failures, 16));
      this.#failures += 1;
    }
    this.#error = error;
    this.#stopTimer();
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#onOpen();
      },
      Math.ceil(this.#resumeMs - nowMs) + 1,
    );
    this.#timer.unref();
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

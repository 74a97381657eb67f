// The moment by which something must be done, on the monotonic clock; and waiting no longer than that.

import type { Clock } from "./clock.ts";

/** Node's timers count in 31 bits: a longer wait would fire at once. About 24.8 days, in milliseconds. */
export const timerMsMax: number = 2 ** 31 - 1;

/** A moment in the future. */
export interface Deadline {
  /** Milliseconds left; never negative. */
  remainingMs(): number;
  expired(): boolean;
}

/** The moment `timeoutMs` from now. 0 and less: already expired. `Infinity`: never. */
export function deadlineAfter(timeoutMs: number, clock: Clock): Deadline {
  const endMs = clock.monotonicMs() + timeoutMs;
  return {
    remainingMs: () => Math.max(0, endMs - clock.monotonicMs()),
    expired: () => clock.monotonicMs() >= endMs,
  };
}

/** What {@link settleBy} resolves to when the time is over. */
export const expired: unique symbol = Symbol("expired");

/**
 * The result of `promise`, or {@link expired} when `deadline` comes first; its own timer never outlives it. What the
 * promise stands for goes on: the caller cancels it.
 */
export async function settleBy<T>(promise: Promise<T>, deadline: Deadline): Promise<T | typeof expired> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<typeof expired>((resolve) => {
    timer = setTimeout(() => resolve(expired), Math.min(deadline.remainingMs(), timerMsMax));
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

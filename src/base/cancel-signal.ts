// Cancelling for hot paths: what an AbortSignal offers, without its event machinery (an AbortController costs several
// microseconds, and every login would make one).

/** The part of AbortSignal that waits need; an AbortSignal is one. */
export interface CancelSignal {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** Makes a signal and cancels it once. Listeners are called at most once. */
export class CancelSource implements CancelSignal {
  #aborted = false;
  #listeners: (() => void)[] | null = null;

  get aborted(): boolean {
    return this.#aborted;
  }

  /** Cancels; later calls change nothing. */
  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    const listeners = this.#listeners ?? [];
    this.#listeners = null;
    for (const listener of listeners) listener();
  }

  addEventListener(_type: "abort", listener: () => void): void {
    if (this.#aborted) return;
    this.#listeners ??= [];
    this.#listeners.push(listener);
  }

  removeEventListener(_type: "abort", listener: () => void): void {
    if (this.#listeners === null) return;
    this.#listeners = this.#listeners.filter((one) => one !== listener);
  }
}

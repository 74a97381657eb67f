// One limit on memory that many sessions share: the statements being collected (`statement_buffer_bytes`).

/** Counts reserved bytes against a limit. */
export class ByteBudget {
  readonly bytesMax: number;
  #reservedBytes = 0;
  readonly #waiting = new Set<() => void>();

  /** `bytesMax` is in bytes, for all users of the budget together. */
  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  get reservedBytes(): number {
    return this.#reservedBytes;
  }

  /** Reserves `bytes`; false, and nothing reserved, when they do not fit now. */
  tryReserve(bytes: number): boolean {
    if (this.#reservedBytes + bytes > this.bytesMax) return false;
    this.#reservedBytes += bytes;
    return true;
  }

  /** Gives bytes back and wakes whoever waits. */
  release(bytes: number): void {
    this.#reservedBytes -= bytes;
    if (bytes === 0 || this.#waiting.size === 0) return;
    const woken = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of woken) wake();
  }

  /** Calls back once, at the next release. Returns a function that forgets the wish. */
  whenReleased(wake: () => void): () => void {
    this.#waiting.add(wake);
    return () => this.#waiting.delete(wake);
  }
}

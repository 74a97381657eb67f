// Connection ids as clients see them: in the greeting, CONNECTION_ID(), the process list and KILL. 32 bits: 12 random
// bits that name the process, 20 bits that count. Never reused while live.

/** A gateway connection id; not interchangeable with a backend's thread id. */
export type ConnectionId = number & { readonly __brand: "ConnectionId" };

const COUNTER_BITS = 20;
const COUNTER_COUNT = 2 ** COUNTER_BITS;
const PREFIX_COUNT = 2 ** 12;

/** Hands out ids. `randomPrefix` returns a number of which 12 bits are used; 0 is avoided, so ids stay above 1M. */
export class ConnectionIds {
  readonly #prefix: number;
  readonly #live = new Set<number>();
  #counter = 0;

  constructor(randomPrefix: () => number) {
    this.#prefix = Math.max(1, randomPrefix() % PREFIX_COUNT);
  }

  /** The next free id, or null when all 2^20 are live. */
  take(): ConnectionId | null {
    if (this.#live.size >= COUNTER_COUNT - 1) return null;
    do {
      this.#counter = (this.#counter + 1) % COUNTER_COUNT;
    } while (this.#counter === 0 || this.#live.has(this.#counter));
    this.#live.add(this.#counter);
    return (this.#prefix * COUNTER_COUNT + this.#counter) as ConnectionId;
  }

  /** Gives an id back when its session has ended. */
  giveBack(id: ConnectionId): void {
    this.#live.delete(id % COUNTER_COUNT);
  }
}

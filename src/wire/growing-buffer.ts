// Bytes that arrive piece by piece, kept in one block of memory that grows by doubling: a client that sends one byte at
// a time costs no more memory than one that sends all at once, and no byte is copied more than twice on the way.

const FIRST_CAPACITY_BYTES = 1024;
const nothing = Buffer.alloc(0);

/** Appends at the end, hands out the whole. */
export class GrowingBuffer {
  #block: Buffer = nothing;
  #length = 0;

  /** Bytes held. */
  get length(): number {
    return this.#length;
  }

  /** Bytes of memory taken: what a budget has to count. */
  get capacityBytes(): number {
    return this.#block.length;
  }

  /**
   * Appends `chunk[from, to)`. `expectedBytes` is how long the whole is known to become: memory is never taken beyond
   * it, and never far ahead of what has really arrived, so an announced length alone costs nothing.
   */
  append(chunk: Uint8Array, from: number, to: number, expectedBytes: number): void {
    const needed = this.#length + (to - from);
    if (needed > this.#block.length) this.#grow(needed, expectedBytes);
    this.#block.set(from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to), this.#length);
    this.#length = needed;
  }

  /** What is held; valid until the next append or take. */
  peek(): Buffer {
    return this.#block.subarray(0, this.#length);
  }

  /** All bytes, as memory that now belongs to the caller; this buffer is empty again. */
  take(): Buffer {
    const whole = this.#block.subarray(0, this.#length);
    this.#block = nothing;
    this.#length = 0;
    return whole;
  }

  #grow(needed: number, expectedBytes: number): void {
    const doubled = Math.max(FIRST_CAPACITY_BYTES, this.#block.length * 2);
    const capacity = Math.max(needed, Math.min(doubled, expectedBytes));
    // Not from Node's shared pool: the block may live long and grow large.
    const block = Buffer.allocUnsafeSlow(capacity);
    this.#block.copy(block, 0, 0, this.#length);
    this.#block = block;
  }
}

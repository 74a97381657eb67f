// The client's side of LOAD DATA LOCAL: packets of file content until an empty one. Pure over bytes, any chunking.

const HEADER_BYTES = 4;

/** Finds the end of the file in the client's bytes. */
export class LocalFileTracker {
  #headerBytes = 0;
  #length = 0;
  #missingBytes = 0;
  /** Whether the empty packet has passed. */
  complete = false;

  /** Walks over `chunk[from, to)`; returns the offset behind the empty packet, or `to`. */
  feed(chunk: Uint8Array, from: number, to: number): number {
    let at = from;
    while (at < to && !this.complete) {
      if (this.#missingBytes > 0) {
        const taken = Math.min(this.#missingBytes, to - at);
        this.#missingBytes -= taken;
        at += taken;
        continue;
      }
      const byte = chunk[at] ?? 0;
      if (this.#headerBytes < 3) this.#length |= byte << (8 * this.#headerBytes);
      this.#headerBytes += 1;
      at += 1;
      if (this.#headerBytes < HEADER_BYTES) continue;
      this.complete = this.#length === 0;
      this.#missingBytes = this.#length;
      this.#headerBytes = 0;
      this.#length = 0;
    }
    return at;
  }
}

// Collects one packet of a reply that is to be seen whole before it is forwarded. The response boundary has judged its
// length (INSPECTED_PAYLOAD_BYTES_MAX), so it is one frame. Holds no memory between two packets.

import { assert } from "../base/assert.ts";
import { frameLengthAt } from "./frames.ts";
import { GrowingBuffer } from "./growing-buffer.ts";
import { FRAME_HEADER_BYTES } from "./limits.ts";

/** Takes one frame, header included, from chunks of any size. */
export class PacketCollector {
  readonly #frame = new GrowingBuffer();
  #wantedBytes = FRAME_HEADER_BYTES;
  #sequence = 0;

  /** Whether a whole frame is there. */
  get complete(): boolean {
    return this.#wantedBytes === this.#frame.length && this.#frame.length >= FRAME_HEADER_BYTES;
  }

  /** The sequence number of the frame that was collected last. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Copies bytes of `chunk[from, to)` up to the end of the frame; returns where it stopped. */
  push(chunk: Uint8Array, from: number, to: number): number {
    let at = from;
    while (at < to && !this.complete) {
      const end = Math.min(to, at + this.#wantedBytes - this.#frame.length);
      this.#frame.append(chunk, at, end, this.#wantedBytes);
      at = end;
      if (this.#frame.length === FRAME_HEADER_BYTES) this.#readHeader();
    }
    return at;
  }

  /** The payload, which now belongs to the caller; the collector is empty again. */
  take(): Buffer {
    assert(this.complete, "a packet was taken before it was there");
    this.#wantedBytes = FRAME_HEADER_BYTES;
    return this.#frame.take().subarray(FRAME_HEADER_BYTES);
  }

  /** Forgets a packet that was begun. */
  clear(): void {
    this.#wantedBytes = FRAME_HEADER_BYTES;
    this.#frame.take();
  }

  #readHeader(): void {
    const header = this.#frame.peek();
    this.#sequence = header[3] ?? 0;
    this.#wantedBytes = FRAME_HEADER_BYTES + frameLengthAt(header, 0);
  }
}

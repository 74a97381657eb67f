// The client's side of LOAD DATA LOCAL: packets of file content, then an empty one. Finds the end in chunks of any size;
// copies nothing.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_local_infile_request.html

import { FRAME_HEADER_BYTES, FRAME_PAYLOAD_BYTES_MAX } from "./limits.ts";

/** Follows one file; one object per LOAD DATA LOCAL. */
export class LocalFileTracker {
  /** Whether the empty packet has passed. */
  complete = false;
  #headerBytes = 0;
  #length = 0;
  /** Bytes of the current frame's body that have not arrived. */
  #missingBytes = 0;
  /** Whether the next frame continues a packet: then an empty one ends that packet, not the file. */
  #continues = false;

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
      this.#takeHeaderByte(chunk[at] as number);
      at += 1;
    }
    return at;
  }

  #takeHeaderByte(byte: number): void {
    // The fourth byte is the sequence number: the server judges it.
    if (this.#headerBytes < 3) this.#length |= byte << (8 * this.#headerBytes);
    this.#headerBytes += 1;
    if (this.#headerBytes < FRAME_HEADER_BYTES) return;
    this.complete = this.#length === 0 && !this.#continues;
    this.#continues = this.#length === FRAME_PAYLOAD_BYTES_MAX;
    this.#missingBytes = this.#length;
    this.#headerBytes = 0;
    this.#length = 0;
  }
}

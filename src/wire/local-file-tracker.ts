// The client's side of LOAD DATA LOCAL: packets of file content, then an empty one. Finds the end in chunks of any size;
// copies nothing. A wrong sequence number is a fault: servers end the statement there and take what follows for commands,
// which nobody would have judged (seen in MariaDB 10.11 and MySQL 9.7).
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_local_infile_request.html

import { FRAME_HEADER_BYTES, FRAME_PAYLOAD_BYTES_MAX } from "./limits.ts";

/** Follows one file; one object per LOAD DATA LOCAL. */
export class LocalFileTracker {
  /** Whether the empty packet has passed. */
  complete = false;
  /** Whether a packet had a wrong sequence number. Nothing from its last header byte on may reach the server. */
  outOfOrder = false;
  /** The sequence number that the next frame must have; of the reply when it has not. */
  sequence: number;
  #headerBytes = 0;
  #length = 0;
  /** Bytes of the current frame's body that have not arrived. */
  #missingBytes = 0;
  /** Whether the next frame continues a packet: then an empty one ends that packet, not the file. */
  #continues = false;

  /** `requestSequence`: of the packet by which the server asked for the file. */
  constructor(requestSequence: number) {
    this.sequence = (requestSequence + 1) & 0xff;
  }

  /** Walks over `chunk[from, to)`; returns the offset behind the empty packet, of a byte that is out of order, or `to`. */
  feed(chunk: Uint8Array, from: number, to: number): number {
    let at = from;
    while (at < to && !this.complete) {
      if (this.#missingBytes > 0) {
        const taken = Math.min(this.#missingBytes, to - at);
        this.#missingBytes -= taken;
        at += taken;
        continue;
      }
      if (!this.#takeHeaderByte(chunk[at] as number)) return at;
      at += 1;
    }
    return at;
  }

  /** Three bytes of length, then the sequence number; false: it is a wrong one. */
  #takeHeaderByte(byte: number): boolean {
    if (this.#headerBytes < FRAME_HEADER_BYTES - 1) {
      this.#length |= byte << (8 * this.#headerBytes);
      this.#headerBytes += 1;
      return true;
    }
    if (this.outOfOrder || byte !== this.sequence) {
      this.outOfOrder = true;
      return false;
    }
    this.sequence = (byte + 1) & 0xff;
    this.complete = this.#length === 0 && !this.#continues;
    this.#continues = this.#length === FRAME_PAYLOAD_BYTES_MAX;
    this.#missingBytes = this.#length;
    this.#headerBytes = 0;
    this.#length = 0;
    return true;
  }
}

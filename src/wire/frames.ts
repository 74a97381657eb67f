// Frames: a header (u24 length, u8 sequence number) and a body. A payload of 0xFFFFFF bytes or more spans several; an
// exact multiple ends with an empty one. Knows nothing of what a packet means.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html

import { GrowingBuffer } from "./growing-buffer.ts";
import { FRAME_HEADER_BYTES, FRAME_PAYLOAD_BYTES_MAX } from "./limits.ts";

/** The number of frames that a payload takes. */
export function frameCount(payloadBytes: number): number {
  return Math.floor(payloadBytes / FRAME_PAYLOAD_BYTES_MAX) + 1;
}

/** The length in the frame header at `offset`. The caller makes sure that three bytes are there. */
export function frameLengthAt(bytes: Uint8Array, offset: number): number {
  return (bytes[offset] ?? 0) | ((bytes[offset + 1] ?? 0) << 8) | ((bytes[offset + 2] ?? 0) << 16);
}

/** One payload as frames, numbered from `sequence` on (mod 256). Copies the payload. */
export function encodeFrames(payload: Uint8Array, sequence: number): Buffer {
  const frames = frameCount(payload.length);
  const bytes = Buffer.allocUnsafe(payload.length + frames * FRAME_HEADER_BYTES);
  let at = 0;
  let from = 0;
  for (let index = 0; index < frames; index += 1) {
    const length = Math.min(FRAME_PAYLOAD_BYTES_MAX, payload.length - from);
    bytes.writeUIntLE(length, at, 3);
    bytes[at + 3] = (sequence + index) & 0xff;
    bytes.set(payload.subarray(from, from + length), at + FRAME_HEADER_BYTES);
    at += FRAME_HEADER_BYTES + length;
    from += length;
  }
  return bytes;
}

/** Several payloads, one behind the other, as frames numbered from `sequence` on: a whole reply in one write. */
export function encodePackets(payloads: readonly Uint8Array[], sequence: number): Buffer {
  let next = sequence;
  const parts = payloads.map((payload) => {
    const frames = encodeFrames(payload, next);
    next += frameCount(payload.length);
    return frames;
  });
  return Buffer.concat(parts);
}

/** Why frames cannot be read on. */
export type FrameFault =
  /** A frame has another number than the one that was due: 1156. */
  | "out of order"
  /** The packet's announced payload is beyond the limit: 1043 in a login, 1153 in a command. */
  | "too large";

/** What {@link FrameReader} is doing. */
export type FrameReaderState = "more" | "complete" | FrameFault;

/**
 * Collects whole packets from chunks of any size, for logins and other talk that is not the hot path. Sequence numbers
 * are checked and counted on; both directions share them, so whoever writes a packet advances `sequence` too.
 */
export class FrameReader {
  /** The number that the next frame must have. */
  sequence: number;
  /** `complete`: a packet is to be taken. A fault stays. */
  state: FrameReaderState = "more";
  readonly #payloadBytesMax: number;
  readonly #header = new Uint8Array(FRAME_HEADER_BYTES);
  #headerBytes = 0;
  #payload = new GrowingBuffer();
  /** Bytes of the current frame's body that have not arrived. */
  #missingBytes = 0;
  #frameBytes = 0;

  /** `payloadBytesMax`: the limit of one packet over all its frames. */
  constructor(payloadBytesMax: number, sequence = 0) {
    this.#payloadBytesMax = payloadBytesMax;
    this.sequence = sequence;
  }

  /**
   * Takes bytes of `chunk[from, to)` up to the end of one packet, copying them. Returns where it stopped: before `to`
   * when a packet is complete (take it, then push the rest) or at a fault.
   */
  push(chunk: Uint8Array, from = 0, to: number = chunk.length): number {
    let at = from;
    while (this.state === "more" && at < to) {
      if (this.#headerBytes < FRAME_HEADER_BYTES) {
        this.#header[this.#headerBytes] = chunk[at] ?? 0;
        this.#headerBytes += 1;
        at += 1;
        if (this.#headerBytes === FRAME_HEADER_BYTES) this.#beginFrame();
        continue;
      }
      const end = Math.min(to, at + this.#missingBytes);
      // With more frames to come the whole may grow to the limit: then memory doubles instead of growing by frames.
      const isLast = this.#frameBytes < FRAME_PAYLOAD_BYTES_MAX;
      const expected = isLast ? this.#payload.length + this.#missingBytes : this.#payloadBytesMax;
      this.#payload.append(chunk, at, end, expected);
      this.#missingBytes -= end - at;
      at = end;
      if (this.#missingBytes === 0) this.#endFrame();
    }
    return at;
  }

  /** The collected payload, which now belongs to the caller; the reader goes on with the next packet. */
  take(): Buffer {
    this.state = "more";
    return this.#payload.take();
  }

  /** Whether a packet has begun and not ended. */
  get collecting(): boolean {
    return this.#headerBytes > 0 || this.#payload.length > 0;
  }

  #beginFrame(): void {
    // The number is judged before the length: who speaks another protocol is told so, whatever its bytes spell.
    if (this.#header[3] !== this.sequence) {
      this.state = "out of order";
      return;
    }
    this.#frameBytes = frameLengthAt(this.#header, 0);
    if (this.#payload.length + this.#frameBytes > this.#payloadBytesMax) {
      this.state = "too large";
      return;
    }
    this.sequence = (this.sequence + 1) & 0xff;
    this.#missingBytes = this.#frameBytes;
    if (this.#missingBytes === 0) this.#endFrame();
  }

  #endFrame(): void {
    this.#headerBytes = 0;
    if (this.#frameBytes < FRAME_PAYLOAD_BYTES_MAX) this.state = "complete";
  }
}

// Where a client's command begins and ends: the quick test for the usual case (one chunk is one command), and a collector
// for everything else. Knows limits and sequence numbers, not what commands mean.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html

import { assert } from "../base/assert.ts";
import { frameLengthAt } from "./frames.ts";
import { GrowingBuffer } from "./growing-buffer.ts";
import { FRAME_HEADER_BYTES, FRAME_PAYLOAD_BYTES_MAX } from "./limits.ts";

/**
 * Whether `chunk` is exactly one whole command: one frame with sequence number 0, not empty, below
 * `allowedPacketBytes`. Everything else goes through a {@link CommandCollector}, faults too.
 */
export function isWholeCommand(
  chunk: Uint8Array,
  allowedPacketBytes: number = FRAME_PAYLOAD_BYTES_MAX,
): boolean {
  const payloadBytes = chunk.length - FRAME_HEADER_BYTES;
  return (
    payloadBytes > 0 &&
    chunk[3] === 0 &&
    frameLengthAt(chunk, 0) === payloadBytes &&
    payloadBytes < FRAME_PAYLOAD_BYTES_MAX &&
    payloadBytes < allowedPacketBytes
  );
}

/**
 * The payload of a whole command. It aliases `frames` where the command is one frame; where it spans several, a copy is
 * made (as large as the command).
 */
export function payloadOf(frames: Uint8Array): Uint8Array {
  if (frameLengthAt(frames, 0) < FRAME_PAYLOAD_BYTES_MAX) return frames.subarray(FRAME_HEADER_BYTES);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < frames.length; ) {
    const end = at + FRAME_HEADER_BYTES + frameLengthAt(frames, at);
    parts.push(frames.subarray(at + FRAME_HEADER_BYTES, end));
    at = end;
  }
  return Buffer.concat(parts);
}

/** The sequence number of the first packet of the reply to a whole command. */
export function replySequenceOf(frames: Uint8Array): number {
  let at = 0;
  let sequence = 0;
  while (at < frames.length) {
    sequence = frames[at + 3] ?? 0;
    at += FRAME_HEADER_BYTES + frameLengthAt(frames, at);
  }
  return (sequence + 1) & 0xff;
}

/** Why a command cannot be read; the connection ends with this error, since what follows cannot be told apart. */
export interface CommandFault {
  readonly symbol: "ER_NET_PACKETS_OUT_OF_ORDER" | "ER_NET_PACKET_TOO_LARGE";
  /** The sequence number of the ERR: 0 when numbers are out of order, as MySQL does. */
  readonly replySequence: number;
}

/** What a push has led to; `consumedBytes` counts from the push's `from`. */
export type Collected =
  | { readonly kind: "more"; readonly consumedBytes: number }
  /** A whole command, headers included, in memory that now belongs to the caller. */
  | { readonly kind: "command"; readonly consumedBytes: number; readonly frames: Buffer }
  | ({ readonly kind: "error"; readonly consumedBytes: number } & CommandFault);

/**
 * Collects one command from chunks of any size. A byte is copied twice at most on average, however large the command is
 * and however small the chunks are, and memory follows what has arrived, not what was announced.
 */
export class CommandCollector {
  /** max_allowed_packet: a payload of exactly this many bytes is refused, as MySQL does (seen in 9.7.4). */
  readonly allowedPacketBytes: number;
  readonly #frames = new GrowingBuffer();
  /** Bytes of the current header that are there. */
  #headerBytes = 0;
  #header = new Uint8Array(FRAME_HEADER_BYTES);
  /** Payload over all frames so far, as announced. */
  #payloadBytes = 0;
  #missingBytes = 0;
  #expectedBytes = 0;
  #isLastFrame = false;
  #sequence = 0;
  #fault: CommandFault | null = null;

  /** `allowedPacketBytes`: max_allowed_packet, over all frames of one command. */
  constructor(allowedPacketBytes: number) {
    this.allowedPacketBytes = allowedPacketBytes;
  }

  /** Whether a command has begun and not ended. */
  get collecting(): boolean {
    return this.#headerBytes > 0 || this.#frames.length > 0;
  }

  /** Bytes of the unfinished command that have arrived, headers included. */
  get collectedBytes(): number {
    return this.#frames.length;
  }

  /** Bytes of memory that they take: at most twice as many, and never more than the command will have. */
  get capacityBytes(): number {
    return this.#frames.capacityBytes;
  }

  /** Takes bytes of `chunk[from, to)` up to the end of one command. After an error nothing is taken any more. */
  push(chunk: Uint8Array, from = 0, to: number = chunk.length): Collected {
    let at = from;
    while (this.#fault === null) {
      const frameIsWhole = this.#headerBytes === FRAME_HEADER_BYTES && this.#missingBytes === 0;
      if (frameIsWhole && this.#isLastFrame) {
        return { kind: "command", consumedBytes: at - from, frames: this.#take() };
      }
      if (frameIsWhole) this.#headerBytes = 0;
      if (at >= to) return { kind: "more", consumedBytes: at - from };
      at =
        this.#headerBytes < FRAME_HEADER_BYTES
          ? this.#takeHeaderByte(chunk, at)
          : this.#takeBody(chunk, at, to);
    }
    return { kind: "error", consumedBytes: at - from, ...this.#fault };
  }

  #takeHeaderByte(chunk: Uint8Array, at: number): number {
    this.#header[this.#headerBytes] = chunk[at] ?? 0;
    this.#headerBytes += 1;
    if (this.#headerBytes === FRAME_HEADER_BYTES) this.#beginFrame();
    return at + 1;
  }

  #takeBody(chunk: Uint8Array, at: number, to: number): number {
    const end = Math.min(to, at + this.#missingBytes);
    this.#frames.append(chunk, at, end, this.#expectedBytes);
    this.#missingBytes -= end - at;
    return end;
  }

  #beginFrame(): void {
    if (this.#header[3] !== this.#sequence) {
      this.#fault = { symbol: "ER_NET_PACKETS_OUT_OF_ORDER", replySequence: 0 };
      return;
    }
    this.#sequence = (this.#sequence + 1) & 0xff;
    const frameBytes = frameLengthAt(this.#header, 0);
    this.#payloadBytes += frameBytes;
    if (this.#payloadBytes >= this.allowedPacketBytes) {
      this.#fault = { symbol: "ER_NET_PACKET_TOO_LARGE", replySequence: this.#sequence };
      this.#frames.take();
      return;
    }
    this.#isLastFrame = frameBytes < FRAME_PAYLOAD_BYTES_MAX;
    this.#missingBytes = frameBytes;
    const wholeBytes = this.#frames.length + FRAME_HEADER_BYTES + frameBytes;
    // With more frames to come the whole may grow to the limit: then memory doubles instead of growing frame by frame.
    this.#expectedBytes = this.#isLastFrame ? wholeBytes : wholeBytes + this.allowedPacketBytes;
    this.#frames.append(this.#header, 0, FRAME_HEADER_BYTES, this.#expectedBytes);
  }

  #take(): Buffer {
    assert(this.#frames.length > 0, "a command was taken before it was there");
    this.#headerBytes = 0;
    this.#payloadBytes = 0;
    this.#isLastFrame = false;
    this.#sequence = 0;
    return this.#frames.take();
  }
}

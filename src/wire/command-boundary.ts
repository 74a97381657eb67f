// Where a client's command begins and ends: the quick test for the usual case (one chunk, one command), and a collector
// for everything else. Pure over bytes.

const HEADER_BYTES = 4;
const FRAME_PAYLOAD_MAX = 0xffffff;

/** Whether `chunk` is exactly one command in one frame with sequence number 0. */
export function isWholeCommand(chunk: Uint8Array): boolean {
  const bytes = chunk.length;
  if (bytes <= HEADER_BYTES || chunk[3] !== 0) return false;
  const payloadBytes = (chunk[0] ?? 0) | ((chunk[1] ?? 0) << 8) | ((chunk[2] ?? 0) << 16);
  return payloadBytes + HEADER_BYTES === bytes && payloadBytes < FRAME_PAYLOAD_MAX;
}

/** The payload of a whole command. Aliases `frames` unless the command spans several frames. */
export function payloadOf(frames: Uint8Array): Uint8Array {
  if (lengthAt(frames, 0) < FRAME_PAYLOAD_MAX) return frames.subarray(HEADER_BYTES);
  const parts: Uint8Array[] = [];
  let at = 0;
  while (at < frames.length) {
    const end = at + HEADER_BYTES + lengthAt(frames, at);
    parts.push(frames.subarray(at + HEADER_BYTES, end));
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
    at += HEADER_BYTES + lengthAt(frames, at);
  }
  return (sequence + 1) & 0xff;
}

/** What a push has led to. */
export type Collected =
  | { readonly kind: "more"; readonly consumedBytes: number }
  /** A whole command, headers included; a copy. */
  | { readonly kind: "command"; readonly consumedBytes: number; readonly frames: Buffer }
  | {
      readonly kind: "error";
      readonly consumedBytes: number;
      readonly symbol: "ER_NET_PACKETS_OUT_OF_ORDER" | "ER_NET_PACKET_TOO_LARGE";
      readonly replySequence: number;
    };

/** Collects one command from chunks of any size, without copying what was collected before. */
export class CommandCollector {
  readonly #payloadBytesMax: number;
  #parts: Buffer[] = [];
  #header: Buffer = Buffer.alloc(0);
  #payloadBytes = 0;
  #missingBytes = 0;
  #isLastFrame = false;
  #sequenceNext = 0;

  /** `payloadBytesMax`: max_allowed_packet, over all frames of one command. */
  constructor(payloadBytesMax: number) {
    this.#payloadBytesMax = payloadBytesMax;
  }

  /** Payload announced so far, in bytes. */
  get collectedBytes(): number {
    return this.#payloadBytes;
  }

  /** Whether a command has begun and not ended. */
  get collecting(): boolean {
    return this.#parts.length > 0 || this.#header.length > 0;
  }

  /** Takes bytes up to the end of the command. */
  push(chunk: Uint8Array): Collected {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    let at = 0;
    for (;;) {
      if (this.#missingBytes > 0) {
        const end = Math.min(bytes.length, at + this.#missingBytes);
        this.#missingBytes -= end - at;
        this.#parts.push(Buffer.from(bytes.subarray(at, end)));
        at = end;
        if (this.#missingBytes > 0) return { kind: "more", consumedBytes: at };
      }
      if (this.#isLastFrame) return { kind: "command", consumedBytes: at, frames: this.#take() };
      const end = Math.min(bytes.length, at + HEADER_BYTES - this.#header.length);
      this.#header = Buffer.concat([this.#header, bytes.subarray(at, end)]);
      at = end;
      if (this.#header.length < HEADER_BYTES) return { kind: "more", consumedBytes: at };
      const error = this.#beginFrame();
      if (error !== null)
        return { kind: "error", consumedBytes: at, symbol: error, replySequence: this.#errorSequence(error) };
    }
  }

  #beginFrame(): "ER_NET_PACKETS_OUT_OF_ORDER" | "ER_NET_PACKET_TOO_LARGE" | null {
    const header = this.#header;
    if (header[3] !== this.#sequenceNext) return "ER_NET_PACKETS_OUT_OF_ORDER";
    const frameBytes = lengthAt(header, 0);
    this.#payloadBytes += frameBytes;
    this.#sequenceNext = (this.#sequenceNext + 1) & 0xff;
    if (this.#payloadBytes > this.#payloadBytesMax) return "ER_NET_PACKET_TOO_LARGE";
    this.#parts.push(header);
    this.#header = Buffer.alloc(0);
    this.#missingBytes = frameBytes;
    this.#isLastFrame = frameBytes < FRAME_PAYLOAD_MAX;
    return null;
  }

  /** MySQL answers a wrong sequence number in the command phase with number 0. */
  #errorSequence(error: string): number {
    return error === "ER_NET_PACKETS_OUT_OF_ORDER" ? 0 : this.#sequenceNext;
  }

  #take(): Buffer {
    const frames = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#payloadBytes = 0;
    this.#isLastFrame = false;
    this.#sequenceNext = 0;
    return frames;
  }
}

function lengthAt(frames: Uint8Array, at: number): number {
  return (frames[at] ?? 0) | ((frames[at + 1] ?? 0) << 8) | ((frames[at + 2] ?? 0) << 16);
}

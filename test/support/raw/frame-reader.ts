// Frames off a byte stream, exactly as they came, for clients and servers of tests. Written apart from src/wire on
// purpose: what is tested must not be its own judge. https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html
import type { Duplex } from "node:stream";

/** One frame: header fields and body. */
export interface Frame {
  readonly sequence: number;
  readonly length: number;
  readonly payload: Buffer;
}

/** Thrown by reads when the stream ended: `received` are the bytes of the unfinished frame. */
export class StreamEnded extends Error {
  override readonly name = "StreamEnded";
  readonly received: Buffer;
  constructor(received: Buffer, cause: Error | null) {
    super(
      `the stream ended with ${received.length} bytes of an unfinished frame`,
      cause ? { cause } : undefined,
    );
    this.received = received;
  }
}

/** Reads frames from one stream; one read at a time. */
export class FrameReader {
  private readonly stream: Duplex;
  private chunks: Buffer[] = [];
  private bytes = 0;
  private ended = false;
  private failure: Error | null = null;
  private wake: (() => void) | null = null;
  private readonly onData = (chunk: Buffer): void => {
    this.chunks.push(chunk);
    this.bytes += chunk.length;
    if (this.bytes > 4 * 1024 * 1024) this.stream.pause();
    this.wake?.();
  };
  private readonly onEnd = (): void => {
    this.ended = true;
    this.wake?.();
  };
  private readonly onError = (error: Error): void => {
    this.failure = error;
    this.onEnd();
  };

  constructor(stream: Duplex) {
    this.stream = stream;
    stream.on("data", this.onData);
    stream.on("end", this.onEnd);
    stream.on("close", this.onEnd);
    stream.on("error", this.onError);
  }

  /** Lets go of the stream; bytes that were read and not consumed are returned. */
  detach(): Buffer {
    this.stream.off("data", this.onData);
    this.stream.off("end", this.onEnd);
    this.stream.off("close", this.onEnd);
    this.stream.off("error", this.onError);
    this.stream.on("error", () => {});
    this.stream.pause();
    const rest = Buffer.concat(this.chunks);
    this.chunks = [];
    this.bytes = 0;
    return rest;
  }

  /** Bytes that arrived and were not read as frames yet. */
  get unreadBytes(): number {
    return this.bytes;
  }

  /** Whether the peer has ended the stream. */
  get hasEnded(): boolean {
    return this.ended;
  }

  /** Stops or starts taking bytes from the stream: a slow reader. */
  pause(): void {
    this.stream.pause();
  }

  /**
   * The next frame.
   * @throws StreamEnded when the stream ends first; Error after `timeoutMs` of silence.
   */
  async readFrame(timeoutMs = 20_000): Promise<Frame> {
    const header = await this.take(4, timeoutMs);
    const length = header.readUIntLE(0, 3);
    return { sequence: header[3] ?? 0, length, payload: await this.take(length, timeoutMs) };
  }

  /** Resolves to all bytes that arrive before the stream ends. */
  async readToEnd(timeoutMs = 20_000): Promise<Buffer> {
    while (!this.ended) {
      this.stream.resume();
      const before = this.bytes;
      await this.more(timeoutMs, () => this.ended || this.bytes !== before);
    }
    const all = Buffer.concat(this.chunks);
    this.chunks = [];
    this.bytes = 0;
    return all;
  }

  private async take(count: number, timeoutMs: number): Promise<Buffer> {
    while (this.bytes < count) {
      if (this.ended) throw new StreamEnded(Buffer.concat(this.chunks), this.failure);
      this.stream.resume();
      const before = this.bytes;
      await this.more(timeoutMs, () => this.ended || this.bytes !== before);
    }
    const first = this.chunks[0];
    if (first !== undefined && first.length >= count) {
      const rest = first.subarray(count);
      if (rest.length === 0) this.chunks.shift();
      else this.chunks[0] = rest;
      this.bytes -= count;
      return first.subarray(0, count);
    }
    const all = Buffer.concat(this.chunks);
    this.chunks = all.length > count ? [all.subarray(count)] : [];
    this.bytes -= count;
    return all.subarray(0, count);
  }

  private more(timeoutMs: number, arrived: () => boolean): Promise<void> {
    if (arrived()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.wake = null;
        reject(new Error(`nothing arrived for ${timeoutMs} ms (${this.bytes} bytes of a frame so far)`));
      }, timeoutMs);
      this.wake = () => {
        if (!arrived()) return;
        clearTimeout(timer);
        this.wake = null;
        resolve();
      };
    });
  }
}

/** Cuts `payload` into frames from `sequence` on; a multiple of 0xFFFFFF gets its empty last frame. */
export function toFrames(payload: Uint8Array, sequence = 0): Buffer {
  const parts: Buffer[] = [];
  let offset = 0;
  for (;;) {
    const length = Math.min(payload.length - offset, 0xffffff);
    const header = Buffer.alloc(4);
    header.writeUIntLE(length, 0, 3);
    header[3] = sequence++ & 0xff;
    parts.push(header, Buffer.from(payload.buffer, payload.byteOffset + offset, length));
    offset += length;
    if (length < 0xffffff) return Buffer.concat(parts);
  }
}

// ByteChannel over any Duplex stream: TLS sockets, and the stream pairs of tests. Knows no protocol.

import type { Duplex } from "node:stream";
import type { ByteChannel, ByteReceiver } from "./byte-channel.ts";

const nothing = Buffer.alloc(0);
/** A peer that does not end its side after we ended ours is cut off after this time, in milliseconds. */
const LINGER_MS = 5000;
const nobody: ByteReceiver = { onBytes: () => {}, onClosed: () => {} };

/** Chunks are the stream's own Buffers. Starts paused: call `setReceiver`, then `resume`. */
export class DuplexChannel implements ByteChannel {
  readonly stream: Duplex;
  #receiver: ByteReceiver = nobody;
  #closed = false;
  #failure: Error | null = null;

  constructor(stream: Duplex) {
    this.stream = stream;
    stream.pause();
    stream.on("data", (chunk: Buffer) => this.#receiver.onBytes(chunk));
    stream.pause();
    const close = (): void => this.#close();
    stream.on("end", close);
    stream.on("close", close);
    stream.on("error", (error) => {
      this.#failure = error;
      close();
    });
  }

  setReceiver(receiver: ByteReceiver): void {
    this.#receiver = receiver;
  }

  write(chunk: Uint8Array): boolean {
    if (this.#closed) return true;
    this.stream.write(chunk);
    return this.stream.writableLength === 0;
  }

  whenWritable(callback: () => void): void {
    if (this.#closed || this.stream.destroyed) {
      queueMicrotask(callback);
      return;
    }
    this.stream.write(nothing, () => callback());
  }

  get unwrittenBytes(): number {
    return this.stream.writableLength;
  }

  pause(): void {
    this.stream.pause();
  }

  resume(): void {
    this.stream.resume();
  }

  end(): void {
    this.#receiver = nobody;
    if (this.stream.destroyed) return;
    this.stream.end();
    this.stream.resume();
    const linger = setTimeout(() => this.stream.destroy(), LINGER_MS);
    linger.unref();
    this.stream.once("close", () => clearTimeout(linger));
  }

  destroy(error?: Error): void {
    if (error !== undefined) this.#failure = error;
    this.stream.destroy();
    this.#close();
  }

  get closed(): boolean {
    return this.#closed;
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // A peer that has ended its side gets what was already written to it, then the stream goes.
    if (!this.stream.destroyed) this.stream.end(() => this.stream.destroy());
    this.#receiver.onClosed(this.#failure);
  }
}

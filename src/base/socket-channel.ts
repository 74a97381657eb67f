// ByteChannel over a net.Socket that reads into one buffer of its own (Node's `onread`): no Buffer, no event and no
// stream bookkeeping per read. Knows no protocol.

import net from "node:net";
import { giveReadBuffer, takeReadBuffer } from "./buffer-shelf.ts";
import type { ByteChannel, ByteReceiver } from "./byte-channel.ts";
import { type DirectWriter, writeTo } from "./direct-write.ts";

const nothing = Buffer.alloc(0);
/** A peer that does not end its side after we ended ours is cut off after this time, in milliseconds. */
const LINGER_MS = 5000;

/** Receives nothing: stands in until a receiver is set. */
const nobody: ByteReceiver = { onBytes: () => {}, onClosed: () => {} };

/**
 * Reads into a fixed buffer and writes chunks as they are. The chunk handed to the receiver aliases that buffer.
 * Starts paused: call `setReceiver`, then `resume`.
 */
export class SocketChannel implements ByteChannel, DirectWriter {
  /** The socket itself: for keepalive settings and the TLS upgrade; reading it elsewhere breaks the channel. */
  readonly socket: net.Socket;
  #receiver: ByteReceiver = nobody;
  #paused = true;
  #closed = false;
  #failure: Error | null = null;
  #readBuffer: Buffer | null;
  /**
   * Whether somebody may still write out of the read buffer: a receiver whose write was not taken at once pauses this
   * channel until it was. Such a buffer is never used again.
   */
  #bufferLent = false;
  /** Written past the socket's stream and not yet handed to the kernel. */
  #queuedBytes = 0;
  #whenQueueEmpty: (() => void)[] = [];

  private constructor(makeSocket: (onread: net.OnReadOpts) => net.Socket, readBufferBytes: number) {
    const buffer = takeReadBuffer(readBufferBytes);
    this.#readBuffer = buffer;
    this.socket = makeSocket({
      buffer,
      callback: (bytesRead) => {
        this.#receiver.onBytes(bytesRead === readBufferBytes ? buffer : buffer.subarray(0, bytesRead));
        return !this.#paused;
      },
    });
    const close = (): void => this.#close();
    this.socket.on("end", close);
    this.socket.on("close", () => {
      close();
      this.#giveBackBuffer();
    });
    this.socket.on("error", (error) => {
      this.#failure = error;
      close();
    });
  }

  /**
   * Takes over an accepted socket (server option `pauseOnConnect`). `net.Server` cannot pass `onread`, so the handle is
   * moved into a new socket; where a Node version has no such handle, the result is null and the caller falls back to
   * a DuplexChannel.
   */
  static accept(accepted: net.Socket, readBufferBytes: number): SocketChannel | null {
    const holder = accepted as unknown as { _handle: unknown };
    const handle = holder._handle;
    if (handle === null || typeof handle !== "object") return null;
    holder._handle = null;
    return SocketChannel.overHandle(handle, readBufferBytes);
  }

  /**
   * A channel over the handle of an accepted connection that no socket owns yet. The options hold all that net.Socket and
   * streams write into a copy of theirs: all these copies then have one hidden class. Otherwise V8 makes new ones for every
   * socket (Node 20: `{ ...options }` and then an assignment), which costs 10 us and litters the old generation: all that a
   * dead connection refers to then survives minor collections.
   */
  static overHandle(handle: object, readBufferBytes: number): SocketChannel {
    return new SocketChannel(
      (onread) =>
        new net.Socket({
          handle,
          onread,
          allowHalfOpen: false,
          emitClose: false,
          autoDestroy: true,
          decodeStrings: false,
        } as net.SocketConstructorOpts & { handle: unknown }),
      readBufferBytes,
    );
  }

  /** Connects; the returned channel is not yet connected: `socket` tells by its `connect` event. */
  static connect(options: net.NetConnectOpts, readBufferBytes: number): SocketChannel {
    return new SocketChannel((onread) => net.connect({ ...options, onread }), readBufferBytes);
  }

  setReceiver(receiver: ByteReceiver): void {
    this.#receiver = receiver;
  }

  write(chunk: Uint8Array): boolean {
    if (this.#closed) return true;
    const outcome = writeTo(this.socket, chunk, this);
    if (outcome === "taken") return true;
    if (outcome === "queued") this.#queuedBytes += chunk.length;
    else if (outcome !== "streamed") this.socket.destroy(outcome);
    return this.unwrittenBytes === 0;
  }

  /** See DirectWriter. */
  onWritten(bytes: number): void {
    this.#queuedBytes -= bytes;
    if (this.#queuedBytes > 0) return;
    for (const callback of this.#whenQueueEmpty.splice(0)) callback();
  }

  whenWritable(callback: () => void): void {
    if (this.#closed || this.socket.destroyed) {
      queueMicrotask(callback);
    } else if (this.#queuedBytes > 0) {
      this.#whenQueueEmpty.push(callback);
    } else {
      this.socket.write(nothing, () => callback());
    }
  }

  get unwrittenBytes(): number {
    return this.socket.writableLength + this.#queuedBytes;
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#bufferLent = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#receiver !== nobody) this.#bufferLent = false;
    if (!this.#closed) this.socket.resume();
  }

  end(): void {
    // Nothing more is wanted from the peer; but its end must be seen, so the socket keeps reading into the void. A
    // close with unread bytes would reset the connection and take the last reply with it.
    this.#receiver = nobody;
    if (this.socket.destroyed) return;
    this.socket.end();
    this.resume();
    const linger = setTimeout(() => this.socket.destroy(), LINGER_MS);
    linger.unref();
    this.socket.once("close", () => clearTimeout(linger));
  }

  destroy(error?: Error): void {
    if (error !== undefined) this.#failure = error;
    this.socket.destroy();
    this.#close();
  }

  get closed(): boolean {
    return this.#closed;
  }

  #giveBackBuffer(): void {
    const buffer = this.#readBuffer;
    this.#readBuffer = null;
    if (buffer !== null && !this.#bufferLent) giveReadBuffer(buffer);
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.socket.destroySoon();
    this.#receiver.onClosed(this.#failure);
  }
}

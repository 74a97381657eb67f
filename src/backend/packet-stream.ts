// Packets one by one on a backend channel, for logins and for the gateway's own commands between two sessions. Bounded,
// with strict sequence numbers. The relay of clients' commands never goes through here.

import type { ByteChannel, ByteReceiver } from "../base/byte-channel.ts";
import { encodeFrames, FrameReader, frameCount } from "../wire/frames.ts";
import { BackendLoginError } from "./login-error.ts";

const nothing = Buffer.alloc(0);

/** Reads and writes whole packets; one read at a time. */
export class PacketStream implements ByteReceiver {
  readonly #channel: ByteChannel;
  readonly #reader: FrameReader;
  /** Bytes behind the packet that was read last; the channel is paused while there are any. */
  #rest: Uint8Array = nothing;
  #failure: BackendLoginError | null = null;
  #waiting: { resolve(payload: Buffer): void; reject(error: BackendLoginError): void } | null = null;

  /** Takes the channel over. Packets beyond `payloadBytesMax` fail the stream. */
  constructor(channel: ByteChannel, payloadBytesMax: number) {
    this.#channel = channel;
    this.#reader = new FrameReader(payloadBytesMax);
    channel.setReceiver(this);
  }

  /** Sends one packet with the sequence number that is due. */
  write(payload: Uint8Array): void {
    this.#channel.write(encodeFrames(payload, this.#reader.sequence));
    this.#reader.sequence = (this.#reader.sequence + frameCount(payload.length)) & 0xff;
  }

  /** The next packet begins the reply to a command. */
  expectReply(): void {
    this.#reader.sequence = 1;
  }

  /** What number the next packet must have: goes on behind a TLS upgrade. */
  get sequence(): number {
    return this.#reader.sequence;
  }

  set sequence(value: number) {
    this.#reader.sequence = value;
  }

  /**
   * The next packet's payload, which belongs to the caller.
   * @throws BackendLoginError when the channel closes, the bytes are no packets, or `fail` is called.
   */
  read(): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      const rest = this.#rest;
      this.#rest = nothing;
      if (rest.length > 0) this.#take(rest);
      else this.#settle();
      if (this.#waiting !== null) this.#channel.resume();
    });
  }

  /** Fails the read under way and all later ones. */
  fail(error: BackendLoginError): void {
    this.#failure ??= error;
    this.#settle();
  }

  /**
   * Ends the stream's use of the channel, which flows on: whoever comes next sets its receiver at once. False: the
   * server has sent bytes that nobody asked for.
   */
  detach(): boolean {
    return this.#rest.length === 0 && !this.#reader.collecting && this.#failure === null;
  }

  onBytes(chunk: Uint8Array): void {
    if (this.#waiting === null) {
      // Nobody reads: keep what was on its way and stop the flow.
      this.#rest = this.#rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#rest, chunk]);
      this.#channel.pause();
      return;
    }
    this.#take(chunk);
  }

  onClosed(error: Error | null): void {
    const why = error === null ? "the server closed the connection" : error.message;
    this.fail(new BackendLoginError("unreachable", `Connection lost: ${why}`, { cause: error ?? undefined }));
  }

  #take(chunk: Uint8Array): void {
    const reader = this.#reader;
    const end = reader.push(chunk);
    if (reader.state === "complete" && end < chunk.length) {
      this.#rest = Buffer.from(chunk.subarray(end));
      this.#channel.pause();
    } else if (reader.state === "out of order" || reader.state === "too large") {
      this.#channel.pause();
      this.#failure ??= new BackendLoginError("protocol", `The server sent a packet that is ${reader.state}`);
    }
    this.#settle();
  }

  #settle(): void {
    const waiting = this.#waiting;
    if (waiting === null) return;
    if (this.#reader.state === "complete") {
      this.#waiting = null;
      waiting.resolve(this.#reader.take());
    } else if (this.#failure !== null) {
      this.#waiting = null;
      waiting.reject(this.#failure);
    }
  }
}

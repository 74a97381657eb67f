// Packets one by one, as the login needs them: bounded, with strict sequence numbers, awaiting each answer. The command
// phase does not use it: relay and command loop work on chunks.

import type { ByteChannel, ByteReceiver } from "../base/byte-channel.ts";

/** Why no packet came. `timed_out` and others are set through `fail`. */
export type ExchangeFailure = "closed" | "out_of_order" | "too_large" | "aborted";

/** A packet's payload (a copy, owned by the receiver), or why there is none. */
export type ReceivedPacket =
  | { readonly kind: "packet"; readonly payload: Buffer }
  | { readonly kind: "failure"; readonly failure: ExchangeFailure };

const HEADER_BYTES = 4;
const nothing = Buffer.alloc(0);

/** Reads and writes whole packets on a channel during the connection phase. */
export class PacketExchange implements ByteReceiver {
  readonly #channel: ByteChannel;
  readonly #payloadBytesMax: number;
  #buffered: Buffer = nothing;
  #failure: ExchangeFailure | null = null;
  #held: Buffer | null = null;
  #waiting: ((packet: ReceivedPacket) => void) | null = null;
  /** Called when the client goes away while nobody reads. */
  onGone: (() => void) | null = null;
  /** The sequence number that the next packet in either direction must have. */
  sequence: number;

  /** `payloadBytesMax` bounds what one packet of a client that is not yet authenticated may hold. */
  constructor(channel: ByteChannel, payloadBytesMax: number, sequence = 0) {
    this.#channel = channel;
    this.#payloadBytesMax = payloadBytesMax;
    this.sequence = sequence;
    channel.setReceiver(this);
  }

  /** Sends one packet. Its payload must be below 2^24 - 1 bytes, as every packet of a login is. */
  write(payload: Uint8Array): void {
    const held = this.takeHeld();
    const frame = this.#frame(payload);
    this.#channel.write(held === null ? frame : Buffer.concat([held, frame]));
  }

  /** Sends one packet together with the next one: the client answers nothing in between. */
  hold(payload: Uint8Array): void {
    const held = this.#held;
    const frame = this.#frame(payload);
    this.#held = held === null ? frame : Buffer.concat([held, frame]);
  }

  /** What is to be sent before anything else; whoever takes it sends it. */
  takeHeld(): Buffer | null {
    const held = this.#held;
    this.#held = null;
    return held;
  }

  #frame(payload: Uint8Array): Buffer {
    const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
    frame.writeUIntLE(payload.length, 0, 3);
    frame[3] = this.sequence;
    frame.set(payload, HEADER_BYTES);
    this.sequence = (this.sequence + 1) & 0xff;
    return frame;
  }

  /** Waits for the next packet. One call at a time. */
  read(): Promise<ReceivedPacket> {
    const held = this.takeHeld();
    if (held !== null) this.#channel.write(held);
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.#deliver();
    });
  }

  /** Ends the current and all later reads; used by deadlines and KILL. */
  abort(): void {
    this.#fail("aborted");
  }

  /** What was read behind the last packet. The channel flows on: whoever comes next sets its receiver at once. */
  detach(): Buffer {
    const rest = this.#buffered;
    this.#buffered = nothing;
    return rest;
  }

  onBytes(chunk: Uint8Array): void {
    this.#buffered =
      this.#buffered.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#buffered, chunk]);
    if (this.#buffered.length > this.#payloadBytesMax + HEADER_BYTES) this.#channel.pause();
    this.#deliver();
  }

  onClosed(): void {
    this.#fail("closed");
    this.onGone?.();
  }

  #fail(failure: ExchangeFailure): void {
    this.#failure ??= failure;
    this.#deliver();
  }

  #deliver(): void {
    const waiting = this.#waiting;
    if (waiting === null) return;
    const packet = this.#take();
    if (packet !== null) {
      this.#waiting = null;
      waiting(packet);
    } else {
      this.#channel.resume();
    }
  }

  #take(): ReceivedPacket | null {
    if (this.#failure === "aborted") return { kind: "failure", failure: "aborted" };
    const buffered = this.#buffered;
    if (buffered.length >= HEADER_BYTES) {
      // The sequence number is judged before the length: an HTTP request is told so at once.
      if (buffered[3] !== this.sequence) return this.#refuse("out_of_order");
      const payloadBytes = buffered.readUIntLE(0, 3);
      if (payloadBytes > this.#payloadBytesMax) return this.#refuse("too_large");
      const end = HEADER_BYTES + payloadBytes;
      if (buffered.length >= end) {
        this.#buffered = buffered.subarray(end);
        this.sequence = (this.sequence + 1) & 0xff;
        return { kind: "packet", payload: buffered.subarray(HEADER_BYTES, end) };
      }
    }
    return this.#failure === null ? null : { kind: "failure", failure: this.#failure };
  }

  #refuse(failure: ExchangeFailure): ReceivedPacket {
    this.#failure = failure;
    this.#channel.pause();
    return { kind: "failure", failure };
  }
}

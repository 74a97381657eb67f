// The hot path: one command's bytes to the backend, its reply's bytes to the client. Chunks are copied as they are; the
// response boundary reads packet headers and endings only. No promise, event or timer per packet or per command.

import type { Permit } from "../acl/permit.ts";
import type { BackendLease } from "../backend/backend-pool.ts";
import type { ByteChannel, ByteReceiver } from "../base/byte-channel.ts";
import type { Clock } from "../base/clock.ts";
import type { CutManner } from "../routing/judge-keyspace.ts";
import { COM_STMT_EXECUTE } from "../wire/commands.ts";
import type { PacketCollector } from "../wire/packet-collector.ts";
import { WireError } from "../wire/reader.ts";
import type { ResponseBoundary } from "../wire/response-boundary.ts";
import { closingFrames, opensCursor } from "./prepared-command.ts";
import type { ReplyFilter } from "./reply-filter.ts";
import type { SessionMetrics } from "./session-metrics.ts";

/** What the relay tells its session. Called synchronously while a chunk is handled. */
export interface RelayObserver {
  /** The reply has ended; the boundary's summary describes it until the next `begin`. */
  onReplyComplete(): void;
  /**
   * A packet that must be seen whole before the client gets it (ERR, file request, PREPARE_OK, session-track OK).
   * Returns the payload to forward: the same, or a rewritten one; null: forward nothing (the observer has taken over).
   */
  onInspect(payload: Buffer, sequence: number): Uint8Array | null;
  /** The backend connection is gone or has broken the protocol. `forwardedBytes` tells whether the client saw any of the reply. */
  onBackendFailed(reason: string, forwardedBytes: number): void;
  /** The server is to be left: at once, or when what runs has ended (`leaving`). */
  onBackendCut(manner: CutManner, reason: string): void;
  /** A mistake of ours while bytes were handled: it ends this session and no other. */
  onFailure(error: unknown): void;
}

const HEADER_BYTES = 4;

/** Relays between one client channel and one lent backend connection at a time. */
export class Relay implements ByteReceiver {
  readonly boundary: ResponseBoundary;
  readonly #observer: RelayObserver;
  readonly #collector: PacketCollector;
  #client: ByteChannel;
  #lease: BackendLease | null = null;
  #active = false;
  #collecting = false;
  #carry: Buffer | null = null;
  #forwardedBytes = 0;
  /** Drops rows of the reply under way; null: the client gets it as it is. */
  #filter: ReplyFilter | null = null;
  /** Monotonic milliseconds since when the client has not taken what was written to it; null: it has. */
  blockedSinceMs: number | null = null;
  /** The server of the present lease is to be left as soon as `manner` wants it; null: it is not. */
  leaving: { readonly manner: CutManner; readonly reason: string } | null = null;
  readonly #clock: Clock;
  readonly #metrics: SessionMetrics;

  constructor(
    client: ByteChannel,
    boundary: ResponseBoundary,
    collector: PacketCollector,
    observer: RelayObserver,
    clock: Clock,
    metrics: SessionMetrics,
  ) {
    this.#metrics = metrics;
    this.#clock = clock;
    this.#client = client;
    this.boundary = boundary;
    this.#collector = collector;
    this.#observer = observer;
  }

  /** Whether a reply is under way. */
  get active(): boolean {
    return this.#active;
  }

  /** Bytes of the reply under way that the client was sent. */
  get forwardedBytes(): number {
    return this.#forwardedBytes;
  }

  get lease(): BackendLease | null {
    return this.#lease;
  }

  /** Takes a lease over: from now on its bytes come here. */
  attach(lease: BackendLease): void {
    // It may be the same one, after questions that were not the session's.
    if (lease !== this.#lease) this.leaving = null;
    this.#lease = lease;
    const onCut = (manner: CutManner, reason: string): void => this.#observer.onBackendCut(manner, reason);
    lease.onCut = onCut;
    lease.connection.setReceiver(this);
    if (this.blockedSinceMs === null) lease.connection.resume();
  }

  /** Lets the lease go without ending it; the caller releases or closes it. */
  detach(): BackendLease | null {
    const lease = this.#lease;
    if (lease !== null) lease.onCut = null;
    this.#lease = null;
    this.leaving = null;
    this.#active = false;
    this.#collecting = false;
    this.#collector.clear();
    return lease;
  }

  /** Calls back at once, or when everything that was forwarded has left the buffers it was read into. */
  whenClientHasTakenAll(callback: () => void): void {
    if (this.blockedSinceMs === null) callback();
    else this.#client.whenWritable(callback);
  }

  /** Sends a whole command (frames as the client sent them). Its reply will end with `onReplyComplete`. */
  send(permit: Permit, command: number, frames: Uint8Array, filter: ReplyFilter | null = null): void {
    const lease = this.#lease;
    if (lease === null) {
      this.#observer.onBackendFailed("no backend connection is attached", 0);
      return;
    }
    this.#active = true;
    this.#carry = null;
    this.#forwardedBytes = 0;
    this.#filter = filter;
    this.boundary.begin(command, command === COM_STMT_EXECUTE && opensCursor(frames));
    const unused = lease.connection.prepared.takeClosing();
    if (unused.length > 0) lease.connection.send(permit, closingFrames(unused));
    this.#forwardToBackend(lease, permit, frames);
    if (this.#active && this.boundary.state === "complete") this.#complete(0);
  }

  /** Passes further bytes of a running command: the file of LOAD DATA LOCAL. */
  sendMore(permit: Permit, bytes: Uint8Array): void {
    if (this.#lease !== null) this.#forwardToBackend(this.#lease, permit, bytes);
  }

  onBytes(chunk: Uint8Array): void {
    try {
      this.#take(chunk);
    } catch (error) {
      this.#observer.onFailure(error);
    }
  }

  #take(chunk: Uint8Array): void {
    if (!this.#active) {
      this.#observer.onBackendFailed("it sent bytes that nobody asked for", 0);
      return;
    }
    let bytes = chunk;
    if (this.#carry !== null) {
      // Rare: a chunk ended within the few bytes that tell a packet's meaning. They are looked at again.
      bytes = Buffer.concat([this.#carry, chunk]);
      this.#carry = null;
    }
    let from = 0;
    while (this.#active && from < bytes.length) {
      const next = this.#collecting ? this.#collect(bytes, from) : this.#walk(bytes, from);
      if (next === from && !this.#collecting) {
        if (this.#active) this.#carry = Buffer.from(bytes.subarray(from));
        return;
      }
      from = next;
    }
  }

  onClosed(error: Error | null): void {
    this.#observer.onBackendFailed(error?.message ?? "it closed the connection", this.#forwardedBytes);
  }

  /** Walks and forwards; returns where to go on. */
  #walk(chunk: Uint8Array, from: number): number {
    const boundary = this.boundary;
    const end = boundary.feed(chunk, from, chunk.length);
    if (end > from)
      this.#forwardToClient(from === 0 && end === chunk.length ? chunk : chunk.subarray(from, end));
    if (boundary.state === "complete") this.#complete(chunk.length - end);
    else if (boundary.state === "inspect") this.#collecting = true;
    else if (boundary.state === "broken") {
      this.#observer.onBackendFailed(`it sent what is no reply: ${boundary.fault}`, this.#forwardedBytes);
    }
    return end;
  }

  /** Collects the packet that is to be inspected; returns where to go on. */
  #collect(chunk: Uint8Array, from: number): number {
    const end = this.#collector.push(chunk, from, chunk.length);
    if (!this.#collector.complete) return end;
    this.#collecting = false;
    const sequence = this.#collector.sequence;
    const payload = this.#collector.take();
    const forwarded = this.#observer.onInspect(payload, sequence);
    if (forwarded === null || !this.#active) return end;
    this.boundary.accept(payload);
    this.#forwardToClient(frame(forwarded, sequence));
    if (this.boundary.state === "complete") this.#complete(chunk.length - end);
    return end;
  }

  /** A server that says more than its reply is not to be believed about anything: `bytesBehind` must be 0. */
  #complete(bytesBehind: number): void {
    if (bytesBehind > 0) {
      this.#observer.onBackendFailed("it sent bytes behind the end of its reply", this.#forwardedBytes);
      return;
    }
    this.#active = false;
    this.#observer.onReplyComplete();
  }

  #forwardToClient(reply: Uint8Array): void {
    const bytes = this.#filter === null ? reply : this.#filtered(this.#filter, reply);
    if (bytes.length === 0) return;
    this.#forwardedBytes += bytes.length;
    this.#metrics.bytesToClients += bytes.length;
    if (this.#client.write(bytes)) return;
    if (this.blockedSinceMs !== null) return;
    // The kernel has not taken everything: `bytes` may alias the backend's read buffer, so nothing is read into it
    // until the client has taken it. Backpressure and buffer safety are this one rule.
    this.blockedSinceMs = this.#clock.monotonicMs();
    this.#lease?.connection.pause();
    this.#client.whenWritable(() => {
      this.blockedSinceMs = null;
      this.#lease?.connection.resume();
    });
  }

  #filtered(filter: ReplyFilter, reply: Uint8Array): Uint8Array {
    try {
      return filter.push(reply);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#observer.onBackendFailed(`its rows cannot be filtered: ${error.message}`, this.#forwardedBytes);
      return reply.subarray(0, 0);
    }
  }

  #forwardToBackend(lease: BackendLease, permit: Permit, bytes: Uint8Array): void {
    if (lease.connection.send(permit, bytes)) return;
    this.#client.pause();
    lease.connection.whenWritable(() => this.#client.resume());
  }
}

/** One packet as a frame; payloads that are inspected are far below the 16 MiB of one frame. */
function frame(payload: Uint8Array, sequence: number): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  bytes.writeUIntLE(payload.length, 0, 3);
  bytes[3] = sequence;
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

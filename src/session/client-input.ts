// The client's bytes in the command phase: whole commands for the loop, file content for the backend, and what was
// sent ahead kept within bounds. Knows where a command ends, not what it means.

import type { ByteChannel, ByteReceiver } from "../base/byte-channel.ts";
import type { MysqlErrorSymbol } from "../errors/mysql-errors.ts";
import { CommandCollector, isWholeCommand } from "../wire/command-boundary.ts";
import type { LocalFileTracker } from "../wire/local-file-tracker.ts";
import type { ByteBudget } from "./byte-budget.ts";

/** What a client may send ahead while its command runs, in bytes; beyond, it is not read until the command is done. */
const STASH_BYTES_MAX = 64 * 1024;
/** Statements up to this size are collected without asking the shared budget, in bytes. */
const UNBUDGETED_BYTES_MAX = 16 * 1024;
/** A statement waits this long for memory that other sessions' statements hold; then 1041. */
export const STARVED_WAIT_MS = 10_000;
const nothing = Buffer.alloc(0);

/** Takes what the input makes of the bytes. */
export interface InputOwner {
  /** Whether the next command may begin. */
  readonly idle: boolean;
  /** A whole command. `frames` may alias the channel's read buffer. */
  onCommand(frames: Uint8Array): void;
  /** Bytes that are no command: the session ends with this error. */
  onInputError(symbol: MysqlErrorSymbol, replySequence: number): void;
  /** A command has begun and is not there yet; `starved`: it waits for memory, not for the client. */
  onPartial(starved: boolean): void;
  /** Content of a file that the backend asked for. */
  onFileContent(bytes: Uint8Array): void;
  onClientClosed(error: Error | null): void;
  /** A mistake of ours while bytes were handled: it ends this session and no other. */
  onFailure(error: unknown): void;
}

/** Reads one client. */
export class ClientInput implements ByteReceiver {
  readonly #channel: ByteChannel;
  readonly #owner: InputOwner;
  readonly #budget: ByteBudget;
  readonly #collector: CommandCollector;
  #stash: Buffer = nothing;
  #file: LocalFileTracker | null = null;
  #reservedBytes = 0;
  #forgetWish: (() => void) | null = null;
  #serving = false;

  constructor(channel: ByteChannel, packetBytesMax: number, budget: ByteBudget, owner: InputOwner) {
    this.#channel = channel;
    this.#owner = owner;
    this.#budget = budget;
    this.#collector = new CommandCollector(packetBytesMax);
  }

  /** Whether part of a command has arrived. */
  get partial(): boolean {
    return this.#collector.collecting || this.#stash.length > 0;
  }

  /** Whether a command waits for memory. */
  get starved(): boolean {
    return this.#forgetWish !== null;
  }

  /** Takes the client's bytes (again), beginning with what somebody else read too much. */
  listen(leftover: Buffer): void {
    this.#stash = this.#stash.length === 0 ? leftover : Buffer.concat([leftover, this.#stash]);
    this.#channel.setReceiver(this);
  }

  /** Whether the client is still sending a file. */
  get expectsFile(): boolean {
    return this.#file !== null;
  }

  /** From now on the client's packets are a file's content, until an empty one; also those that it has sent ahead. */
  expectFile(tracker: LocalFileTracker): void {
    this.#file = tracker;
    if (this.#stash.length === 0) return;
    const ahead = this.#stash;
    this.#stash = nothing;
    // First: what is passed may want the client to wait.
    this.#channel.resume();
    this.#stash = Buffer.from(this.#passFile(tracker, ahead));
  }

  onBytes(chunk: Uint8Array): void {
    try {
      this.#take(chunk);
    } catch (error) {
      this.#owner.onFailure(error);
    }
  }

  #take(chunk: Uint8Array): void {
    if (this.#owner.idle && !this.partial && isWholeCommand(chunk, this.#collector.allowedPacketBytes)) {
      this.#owner.onCommand(chunk);
      return;
    }
    const rest = this.#file === null ? chunk : this.#passFile(this.#file, chunk);
    if (rest.length === 0) return;
    this.#stash = this.#stash.length === 0 ? Buffer.from(rest) : Buffer.concat([this.#stash, rest]);
    this.serve();
  }

  onClosed(error: Error | null): void {
    this.#owner.onClientClosed(error);
  }

  /** Makes commands of what has arrived, one after the other, until one is under way or more bytes are needed. */
  serve(): void {
    if (this.#serving) return;
    this.#serving = true;
    while (this.#owner.idle && this.#stash.length > 0 && !this.starved) this.#collect();
    this.#serving = false;
    if (!this.#owner.idle && this.#stash.length > STASH_BYTES_MAX) this.#channel.pause();
  }

  /** Forgets everything: the session has ended. */
  clear(): void {
    this.#stash = nothing;
    this.#forgetWish?.();
    this.#forgetWish = null;
    this.#budget.release(this.#reservedBytes);
    this.#reservedBytes = 0;
  }

  #collect(): void {
    if (!this.#reserve()) return;
    const stash = this.#stash;
    const result = this.#collector.push(stash);
    this.#stash = stash.subarray(result.consumedBytes);
    if (result.kind === "more") {
      this.#owner.onPartial(false);
    } else if (result.kind === "command") {
      this.#owner.onCommand(result.frames);
    } else {
      this.#owner.onInputError(result.symbol, result.replySequence);
    }
  }

  /** Called by the owner when a command has been dealt with: its memory is free again. */
  commandDone(): void {
    if (this.#reservedBytes === 0) return;
    this.#budget.release(this.#reservedBytes);
    this.#reservedBytes = 0;
  }

  /** Memory for what is about to be collected; while there is none, the client is not read. */
  #reserve(): boolean {
    const wantedBytes = this.#collector.collectedBytes + this.#stash.length;
    if (wantedBytes <= UNBUDGETED_BYTES_MAX) return true;
    const moreBytes = wantedBytes - this.#reservedBytes;
    if (moreBytes <= 0 || this.#budget.tryReserve(moreBytes)) {
      this.#reservedBytes = Math.max(this.#reservedBytes, wantedBytes);
      return true;
    }
    this.#channel.pause();
    this.#forgetWish = this.#budget.whenReleased(() => {
      this.#forgetWish = null;
      this.#channel.resume();
      this.serve();
    });
    this.#owner.onPartial(true);
    return false;
  }

  #passFile(tracker: LocalFileTracker, chunk: Uint8Array): Uint8Array {
    const end = tracker.feed(chunk, 0, chunk.length);
    if (tracker.outOfOrder) {
      this.#owner.onInputError("ER_NET_PACKETS_OUT_OF_ORDER", tracker.sequence);
      return nothing;
    }
    this.#owner.onFileContent(end === chunk.length ? chunk : chunk.subarray(0, end));
    if (tracker.complete) this.#file = null;
    return chunk.subarray(end);
  }
}

// A connection in the hands of one session. The session gets a handle that dies with the lease: whatever it does with
// it later hits nobody else's connection.

import type { Permit } from "../acl/permit.ts";
import { assert } from "../base/assert.ts";
import type { ByteReceiver } from "../base/byte-channel.ts";
import type { CutManner } from "../routing/judge-keyspace.ts";
import type { Route } from "../routing/route.ts";
import type { Capabilities } from "../wire/capabilities.ts";
import {
  hideLastReply,
  readGrants,
  readRunning,
  readUserVariable,
  readVariables,
  tellLastError,
} from "./ask-connection.ts";
import type {
  BackendConnection,
  BackendConnectionId,
  ServerFacts,
  SessionNames,
} from "./backend-connection.ts";
import type {
  BackendLease,
  Handover,
  LeaseTaker,
  ReleaseNotes,
  RunningStatement,
  SessionVariables,
  ToldError,
} from "./backend-pool.ts";
import type { PooledConnection } from "./pooled-connection.ts";
import { type PrepareReply, type PrepareRequest, prepareStatement } from "./prepare-statement.ts";
import type { PreparedCopies } from "./prepared-copies.ts";
import { awaitWritePosition, readWritePosition, type WritePosition } from "./write-position.ts";

/** What the pool does when a lease ends, or is to be killed. */
export interface LeaseOwner {
  /** Leases that are held now; each keeps itself in it. */
  readonly leases: Set<Lease>;
  /** Whether a session waits for a connection. */
  readonly isWanted: boolean;
  /** Now, in monotonic milliseconds. */
  nowMs(): number;
  /** A connection that is wanted can be taken from this lease. */
  takeOffer(): void;
  /** `dirty`: commands of the session ran on it, and nobody knows what they left: it must be reset. */
  takeBack(connection: PooledConnection, notes: ReleaseNotes, dirty: boolean): void;
  discard(connection: PooledConnection, reason: string): void;
  /** For one question of ours, in milliseconds. */
  readonly housekeepingTimeoutMs: number;
  /** Kills what runs on the connection, unless `stillHeld` turns false before. Never rejects. */
  kill(connection: PooledConnection, stillHeld: () => boolean): Promise<void>;
}

/** See BackendLease. */
export class Lease implements BackendLease {
  readonly connection: LeasedConnection;
  readonly serial: number;
  readonly route: Route;
  onCut: ((manner: CutManner, reason: string) => void) | null = null;
  readonly #pooled: PooledConnection;
  readonly #owner: LeaseOwner;
  #killing: Promise<void> | null = null;
  #state: "held" | "releasing" | "ended" = "held";
  /** Whether a reply to a question of ours is due. */
  #asking = false;
  /** Who is told when the connection is taken; null: it is not offered. */
  #taker: LeaseTaker | null = null;
  /** Since when it is offered, in monotonic milliseconds. */
  offeredSinceMs = 0;

  constructor(pooled: PooledConnection, route: Route, serial: number, owner: LeaseOwner) {
    this.connection = new LeasedConnection(pooled);
    this.serial = serial;
    this.route = route;
    this.#pooled = pooled;
    this.#owner = owner;
    owner.leases.add(this);
  }

  /** Of the connection: which lane it is in. */
  get capabilities(): Capabilities {
    return this.#pooled.capabilities;
  }

  offer(taker: LeaseTaker, sinceMs: number): void {
    if (this.#state !== "held") return;
    this.#taker = taker;
    this.offeredSinceMs = sinceMs;
    if (this.#owner.isWanted && this.isOffered) this.#owner.takeOffer();
  }

  keep(): void {
    this.#taker = null;
  }

  /** Whether the connection can be taken away now. */
  get isOffered(): boolean {
    // A kill under way must not hit whoever gets the connection next.
    const isFree = this.#taker !== null && this.#state === "held" && this.#killing === null && !this.#asking;
    return isFree && !this.#pooled.closed && this.offeredSinceMs <= this.#owner.nowMs();
  }

  /** An offered connection as its session would leave it; it stays where it is. null: it cannot be taken now. */
  look(): PooledConnection | null {
    if (this.#taker === null || !this.isOffered) return null;
    noteHandover(this.#pooled, this.#taker.describe());
    return this.#pooled;
  }

  /** Takes an offered connection away from its session. null: it cannot be used any more and is discarded. */
  take(): PooledConnection | null {
    const taker = this.#taker;
    if (taker === null) return null;
    noteHandover(this.#pooled, taker.describe());
    this.#pooled.owed = taker.onTaken();
    const wasLost = this.connection.revoke();
    this.#end();
    if (wasLost === null) return this.#pooled;
    this.#owner.discard(this.#pooled, wasLost);
    return null;
  }

  /** Its session must leave the server. */
  cut(manner: CutManner, reason: string): void {
    if (this.#state !== "held") return;
    if (this.onCut !== null) this.onCut(manner, reason);
    else this.#pooled.channel.destroy();
  }

  readVariables(withFoundRows: boolean, names: readonly string[] = []): Promise<SessionVariables | null> {
    return this.#ask((connection, timeoutMs) => readVariables(connection, withFoundRows, names, timeoutMs));
  }

  hideLastReply(rows: number): Promise<true | null> {
    return this.#ask<true>(async (connection, timeoutMs) => {
      await hideLastReply(connection, rows, timeoutMs);
      return true;
    });
  }

  tellLastError(error: ToldError): Promise<true | null> {
    return this.#ask<true>(async (connection, timeoutMs) => {
      await tellLastError(connection, error, timeoutMs);
      return true;
    });
  }

  readGrants(): Promise<readonly string[] | null> {
    return this.#ask(readGrants);
  }

  readUserVariable(name: string): Promise<{ readonly value: number | null } | null> {
    return this.#ask((connection, timeoutMs) => readUserVariable(connection, name, timeoutMs));
  }

  readRunning(threadIds: readonly number[]): Promise<ReadonlyMap<number, RunningStatement> | null> {
    return this.#ask((connection, timeoutMs) => readRunning(connection, threadIds, timeoutMs));
  }

  readWritePosition(): Promise<WritePosition | null> {
    return this.#ask(readWritePosition);
  }

  awaitWritePosition(position: WritePosition, withinMs: number): Promise<boolean | null> {
    return this.#ask((connection) => awaitWritePosition(connection, position, withinMs));
  }

  prepareStatement(request: PrepareRequest): Promise<PrepareReply | null> {
    return this.#ask((connection, timeoutMs) => prepareStatement(connection, request, timeoutMs));
  }

  /** `question` rejects with BackendLoginError: then the connection is not to be used any more. */
  async #ask<Answer>(
    question: (connection: PooledConnection, timeoutMs: number) => Promise<Answer>,
  ): Promise<Answer | null> {
    if (this.#state !== "held" || this.#asking || this.#pooled.closed) return null;
    this.#asking = true;
    try {
      return await question(this.#pooled, this.#owner.housekeepingTimeoutMs);
    } catch (error) {
      this.close(error instanceof Error ? error.message : String(error));
      return null;
    } finally {
      this.#asking = false;
    }
  }

  release(notes: ReleaseNotes = {}): void {
    if (this.#state !== "held") return;
    if (this.#asking) {
      this.close("its session ended while the server was asked something for it");
      return;
    }
    const used = this.connection.used;
    const wasLost = this.connection.revoke();
    const handover = notes.handover ?? null;
    if (handover !== null) noteHandover(this.#pooled, handover);
    this.#pooled.owed = notes.owed ?? null;
    if (wasLost !== null) {
      this.#end();
      this.#owner.discard(this.#pooled, wasLost);
    } else if (this.#killing === null) {
      this.#end();
      this.#owner.takeBack(this.#pooled, notes, used && handover === null);
    } else {
      // The kill must not hit whoever gets the connection next.
      this.#state = "releasing";
      void this.#killing.then(() => {
        if (this.#state !== "releasing") return;
        this.#end();
        this.#owner.takeBack(this.#pooled, notes, true);
      });
    }
  }

  close(reason: string): void {
    if (this.#state === "ended") return;
    this.#end();
    this.connection.revoke();
    this.#owner.discard(this.#pooled, reason);
  }

  #end(): void {
    this.#state = "ended";
    this.#taker = null;
    this.#owner.leases.delete(this);
  }

  cancel(): Promise<void> {
    if (this.#state !== "held") return this.#killing ?? Promise.resolve();
    if (this.#killing === null) {
      const killing = this.#owner
        .kill(this.#pooled, () => this.#state !== "ended" && !this.#pooled.closed)
        .then(() => {
          if (this.#killing === killing) this.#killing = null;
          if (this.isOffered && this.#owner.isWanted) this.#owner.takeOffer();
        });
      this.#killing = killing;
    }
    return this.#killing;
  }
}

function noteHandover(connection: PooledConnection, handover: Handover): void {
  connection.schema = { known: true, name: handover.database };
  connection.settings = handover.settings;
  connection.multiStatements = handover.multiStatements;
  connection.insertId = handover.insertId;
  // MariaDB forgets them only with a statement that reads a table; on MySQL COM_INIT_DB tells how many there are.
  connection.hasDiagnostics ||= handover.hasDiagnostics;
}

/** The session's handle. */
class LeasedConnection implements BackendConnection {
  readonly id: BackendConnectionId;
  readonly server: ServerFacts;
  readonly capabilities: Capabilities;
  readonly loginCollation: number;
  readonly names: SessionNames;
  readonly prepared: PreparedCopies;
  readonly #pooled: PooledConnection;
  #live = true;
  /** Why it was lost before a receiver of the session's was there to be told; null: it was not. */
  #lost: { readonly reason: string; readonly error: Error | null } | null = null;
  used = false;

  constructor(pooled: PooledConnection) {
    this.id = pooled.id;
    this.server = pooled.server;
    this.capabilities = pooled.capabilities;
    this.loginCollation = pooled.loginCollation;
    this.names = pooled.names;
    this.prepared = pooled.prepared;
    this.#pooled = pooled;
    this.#standIn();
  }

  send(permit: Permit, bytes: Uint8Array): boolean {
    assert(this.#live, "a lease that has ended sends nothing");
    this.used = true;
    return this.#pooled.send(permit, bytes);
  }

  whenWritable(callback: () => void): void {
    this.#pooled.channel.whenWritable(callback);
  }

  get unwrittenBytes(): number {
    return this.#pooled.channel.unwrittenBytes;
  }

  setReceiver(receiver: ByteReceiver): void {
    assert(this.#live, "a lease that has ended receives nothing");
    this.#pooled.channel.setReceiver(receiver);
    const lost = this.#lost;
    if (lost !== null) queueMicrotask(() => receiver.onClosed(lost.error ?? new Error(lost.reason)));
  }

  pause(): void {
    if (this.#live) this.#pooled.channel.pause();
  }

  resume(): void {
    if (this.#live) this.#pooled.channel.resume();
  }

  get closed(): boolean {
    return this.#pooled.closed;
  }

  /** Ends the handle. Returns why the connection cannot be used again; null: it can. */
  revoke(): string | null {
    this.#live = false;
    this.#standIn();
    if (this.#lost !== null) return this.#lost.reason;
    if (this.#pooled.closed) return "the connection was closed";
    // What nobody has taken yet would come out in front of the next session's commands.
    return this.#pooled.channel.unwrittenBytes > 0 ? "bytes of its last command are not sent yet" : null;
  }

  /** Receives while the session does not. */
  #standIn(): void {
    const { channel } = this.#pooled;
    channel.setReceiver({
      onBytes: () => {
        this.#lost ??= { reason: "the server sent bytes that nobody asked for", error: null };
        channel.destroy();
      },
      onClosed: (error) => {
        this.#lost ??= { reason: error?.message ?? "the server closed it", error };
      },
    });
  }
}

// A connection in the hands of one session. The session gets a handle that dies with the lease: whatever it does with
// it later hits nobody else's connection.

import type { Permit } from "../acl/permit.ts";
import { assert } from "../base/assert.ts";
import type { ByteReceiver } from "../base/byte-channel.ts";
import type { Route } from "../routing/route.ts";
import type { Capabilities } from "../wire/capabilities.ts";
import type {
  BackendConnection,
  BackendConnectionId,
  ServerFacts,
  SessionNames,
} from "./backend-connection.ts";
import type { BackendLease, ReleaseNotes, SessionVariables } from "./backend-pool.ts";
import type { PooledConnection } from "./pooled-connection.ts";
import type { PrepareReply, PrepareRequest } from "./prepare-statement.ts";
import type { PreparedCopies } from "./prepared-copies.ts";

/** What the pool does when a lease ends, or is to be killed. */
export interface LeaseOwner {
  /** `used`: commands of the session ran on it, so it must be reset. */
  takeBack(connection: PooledConnection, notes: ReleaseNotes, used: boolean): void;
  discard(connection: PooledConnection, reason: string): void;
  /** Asks for the session's variables. Rejects with BackendLoginError: the connection is not to be used any more. */
  readVariables(connection: PooledConnection): Promise<SessionVariables>;
  /** Makes the last reply one of `rows` rows without warnings. Rejects likewise. */
  hideLastReply(connection: PooledConnection, rows: number): Promise<void>;
  /** The lines of the account's SHOW GRANTS. Rejects likewise. */
  readGrants(connection: PooledConnection): Promise<readonly string[]>;
  /** Prepares a session's statement. Rejects likewise. */
  prepareStatement(connection: PooledConnection, request: PrepareRequest): Promise<PrepareReply>;
  /** Kills what runs on the connection, unless `stillHeld` turns false before. Never rejects. */
  kill(connection: PooledConnection, stillHeld: () => boolean): Promise<void>;
}

/** See BackendLease. */
export class Lease implements BackendLease {
  readonly connection: LeasedConnection;
  readonly serial: number;
  readonly route: Route;
  readonly #pooled: PooledConnection;
  readonly #owner: LeaseOwner;
  #killing: Promise<void> | null = null;
  #state: "held" | "releasing" | "ended" = "held";
  /** Whether a reply to a question of ours is due. */
  #asking = false;

  constructor(pooled: PooledConnection, route: Route, serial: number, owner: LeaseOwner) {
    this.connection = new LeasedConnection(pooled);
    this.serial = serial;
    this.route = route;
    this.#pooled = pooled;
    this.#owner = owner;
  }

  readVariables(): Promise<SessionVariables | null> {
    return this.#ask(() => this.#owner.readVariables(this.#pooled));
  }

  hideLastReply(rows: number): Promise<true | null> {
    return this.#ask<true>(async () => {
      await this.#owner.hideLastReply(this.#pooled, rows);
      return true;
    });
  }

  readGrants(): Promise<readonly string[] | null> {
    return this.#ask(() => this.#owner.readGrants(this.#pooled));
  }

  prepareStatement(request: PrepareRequest): Promise<PrepareReply | null> {
    return this.#ask(() => this.#owner.prepareStatement(this.#pooled, request));
  }

  async #ask<Answer>(question: () => Promise<Answer>): Promise<Answer | null> {
    if (this.#state !== "held" || this.#asking || this.#pooled.closed) return null;
    this.#asking = true;
    try {
      return await question();
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
    if (wasLost !== null) {
      this.#state = "ended";
      this.#owner.discard(this.#pooled, wasLost);
    } else if (this.#killing === null) {
      this.#state = "ended";
      this.#owner.takeBack(this.#pooled, notes, used);
    } else {
      // The kill must not hit whoever gets the connection next.
      this.#state = "releasing";
      void this.#killing.then(() => {
        if (this.#state !== "releasing") return;
        this.#state = "ended";
        this.#owner.takeBack(this.#pooled, notes, true);
      });
    }
  }

  close(reason: string): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.connection.revoke();
    this.#owner.discard(this.#pooled, reason);
  }

  cancel(): Promise<void> {
    if (this.#state !== "held") return this.#killing ?? Promise.resolve();
    if (this.#killing === null) {
      const killing = this.#owner
        .kill(this.#pooled, () => this.#state !== "ended" && !this.#pooled.closed)
        .then(() => {
          if (this.#killing === killing) this.#killing = null;
        });
      this.#killing = killing;
    }
    return this.#killing;
  }
}

/** The session's handle. */
class LeasedConnection implements BackendConnection {
  readonly id: BackendConnectionId;
  readonly server: ServerFacts;
  readonly capabilities: Capabilities;
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

// All connections of one account on one server: who is served, when a connection is made, cleaned, or ended. Limit,
// login gate and account are common to its lanes.

import { type SqlError, sqlError } from "../errors/sql-error.ts";
import type { BackendAccount, Tablet } from "../routing/route.ts";
import type { ServerFacts } from "./backend-connection.ts";
import { Lease, type LeaseOwner } from "./backend-lease.ts";
import type { AcquireRequest, BackendLease, ReleaseNotes, SessionVariables } from "./backend-pool.ts";
import type { KillQuery } from "./kill-query.ts";
import { asClientError, BackendLoginError } from "./login-error.ts";
import { LoginGate } from "./login-gate.ts";
import { makeConnection } from "./make-connection.ts";
import { type Lane, Lanes } from "./pool-lane.ts";
import type { PoolLimits, PoolSnapshot, PoolTools } from "./pool-settings.ts";
import { interrupted, Waiter } from "./pool-waiter.ts";
import type { PooledConnection } from "./pooled-connection.ts";
import {
  cleanConnection,
  fitConnection,
  fitness,
  hideLastReply,
  readGrants,
  readVariables,
  type Wish,
} from "./prepare-connection.ts";
import { type PrepareReply, type PrepareRequest, prepareStatement } from "./prepare-statement.ts";
import type { SessionNamesCache } from "./session-names.ts";

/** What groups of one pool share. */
export interface GroupTools extends PoolTools {
  readonly limits: PoolLimits;
  readonly names: SessionNamesCache;
  readonly killQuery: KillQuery;
  /** Aborted when the pool closes. */
  readonly closing: AbortSignal;
  readonly nextSerial: () => number;
}

/** A session whose prepared connection breaks gets another one, this many times. */
const brokenConnectionsMax = 2;

/** See the file's head. */
export class PoolGroup implements LeaseOwner {
  readonly #tablet: Tablet;
  readonly #tools: GroupTools;
  readonly #gate: LoginGate;
  readonly #lanes = new Lanes();
  #account: BackendAccount;
  /** Connections that exist or are being made. */
  #total = 0;
  /** Of the newest login; null before the first. */
  #server: ServerFacts | null = null;
  #pumping = false;
  #pumpAgain = false;

  constructor(tablet: Tablet, account: BackendAccount, tools: GroupTools) {
    this.#tablet = tablet;
    this.#account = account;
    this.#tools = tools;
    this.#gate = new LoginGate(tools.clock, () => this.#pump());
  }

  acquire(request: AcquireRequest): Promise<BackendLease | SqlError> {
    const { clock, limits, closing, nextSerial, observer } = this.#tools;
    if (closing.aborted) return Promise.resolve(sqlError("ER_SERVER_SHUTDOWN"));
    if (request.signal.aborted) return Promise.resolve(interrupted());
    this.#adopt(request.route.account);
    if (this.#waiting >= limits.waitersMax) {
      return Promise.resolve(exhausted(`${limits.waitersMax} sessions wait already`));
    }
    const lane = this.#lanes.of(request.capabilities);
    const waiter = new Waiter(request, nextSerial(), clock.monotonicMs());
    lane.waiters.push(waiter);
    this.#pump();
    if (!waiter.settled) {
      const onDeadline = (): SqlError => {
        observer.waitTimedOut();
        const { error } = this.#gate;
        return error === null
          ? exhausted(`backend_pool_size=${limits.connectionsMax}`)
          : asClientError(error);
      };
      waiter.arm(limits.waitTimeoutMs, onDeadline, () => {
        lane.forget(waiter);
        observer.waited(clock.monotonicMs() - waiter.sinceMs);
      });
    }
    return waiter.promise;
  }

  snapshot(): PoolSnapshot {
    const idle = this.#lanes.sum((lane) => lane.idle.length + lane.resetting);
    const connecting = this.#lanes.sum((lane) => lane.connecting);
    return {
      tablet: this.#tablet.alias,
      account: this.#account.name,
      leased: this.#total - idle - connecting,
      idle,
      connecting,
      waiting: this.#waiting,
      loginError: this.#gate.error?.message ?? null,
    };
  }

  /** Closes what has been idle or alive for too long. True: nothing is left, nobody waits. */
  sweep(nowMs: number): boolean {
    const { idleTimeoutMs } = this.#tools.limits;
    for (const lane of this.#lanes) {
      const stale = lane.idle.filter(
        (connection) =>
          this.#isRetired(connection, nowMs) ||
          (idleTimeoutMs > 0 && nowMs - connection.idleSinceMs >= idleTimeoutMs),
      );
      for (const connection of stale) this.#quitIdle(lane, connection);
    }
    this.#lanes.dropEmpty();
    return this.#total === 0 && this.#waiting === 0;
  }

  /** Health has seen the server well: no need to pause for an old failure. */
  reopen(): void {
    this.#gate.reopen();
  }

  /** Ends idle connections and turns away who waits. Leases go on until they come back. */
  close(): void {
    this.#gate.close();
    for (const lane of this.#lanes) {
      for (const connection of [...lane.idle]) this.#quitIdle(lane, connection);
      for (const waiter of lane.waiters.splice(0)) this.#settle(waiter, sqlError("ER_SERVER_SHUTDOWN"));
    }
  }

  // ---- leases that end ----

  takeBack(connection: PooledConnection, notes: ReleaseNotes, used: boolean): void {
    const lane = this.#lanes.of(connection.capabilities);
    if (!used || this.#isRetired(connection, this.#tools.clock.monotonicMs())) {
      this.#putIdle(lane, connection);
      this.#pump();
      return;
    }
    lane.resetting += 1;
    void this.#clean(lane, connection, notes);
  }

  discard(connection: PooledConnection, reason: string): void {
    this.#drop(connection, reason);
    this.#pump();
  }

  readVariables(connection: PooledConnection): Promise<SessionVariables> {
    return readVariables(connection, this.#tools.limits.housekeepingTimeoutMs);
  }

  hideLastReply(connection: PooledConnection, rows: number): Promise<void> {
    return hideLastReply(connection, rows, this.#tools.limits.housekeepingTimeoutMs);
  }

  readGrants(connection: PooledConnection): Promise<readonly string[]> {
    return readGrants(connection, this.#tools.limits.housekeepingTimeoutMs);
  }

  prepareStatement(connection: PooledConnection, request: PrepareRequest): Promise<PrepareReply> {
    return prepareStatement(connection, request, this.#tools.limits.housekeepingTimeoutMs);
  }

  kill(connection: PooledConnection, stillHeld: () => boolean): Promise<void> {
    return this.#tools.killQuery.kill(
      { tablet: this.#tablet, account: this.#account, threadId: connection.id },
      stillHeld,
    );
  }

  async #clean(lane: Lane, connection: PooledConnection, notes: ReleaseNotes): Promise<void> {
    const { limits, sessionAssignments } = this.#tools;
    try {
      await cleanConnection(connection, notes, sessionAssignments, limits.housekeepingTimeoutMs);
      lane.resetting -= 1;
      this.#putIdle(lane, connection);
    } catch (error) {
      lane.resetting -= 1;
      this.#drop(connection, reasonOf(error));
    }
    this.#pump();
  }

  // ---- serving ----

  /** Does whatever can be done for those who wait. Called after every change; never recursive. */
  #pump(): void {
    if (this.#pumping) {
      this.#pumpAgain = true;
      return;
    }
    this.#pumping = true;
    do {
      this.#pumpAgain = false;
      // New connections go to the lane whose first waiter came first.
      for (const lane of this.#lanes.inOrderOfNeed()) {
        this.#serveIdle(lane);
        this.#connectFor(lane);
      }
      this.#failHopeless();
    } while (this.#pumpAgain);
    this.#pumping = false;
  }

  #serveIdle(lane: Lane): void {
    for (let index = 0; index < lane.waiters.length && lane.idle.length > 0; ) {
      const waiter = lane.waiters[index];
      if (waiter === undefined) return;
      const wish = this.#wishOf(waiter);
      const connection = lane.take(wish);
      if (connection === null) {
        index += 1;
        continue;
      }
      lane.waiters.splice(index, 1);
      if (fitness(connection, wish) === 0) this.#lend(lane, waiter, connection);
      else void this.#prepare(lane, waiter, connection, wish);
    }
  }

  /** Says to the server what the next session needs. Its waiter may be settled otherwise meanwhile. */
  async #prepare(lane: Lane, waiter: Waiter, connection: PooledConnection, wish: Wish): Promise<void> {
    try {
      const verdict = await fitConnection(connection, wish, this.#tools.limits.housekeepingTimeoutMs);
      if (verdict === "fits") {
        this.#lend(lane, waiter, connection);
      } else {
        this.#putIdle(lane, connection);
        if (verdict !== "unfit") this.#settle(waiter, verdict);
        else if (!waiter.settled) lane.waiters.unshift(waiter);
      }
    } catch (error) {
      this.#drop(connection, reasonOf(error));
      waiter.brokenConnections += 1;
      if (waiter.brokenConnections > brokenConnectionsMax) {
        this.#settle(waiter, sqlError("ER_SERVER_ISNT_AVAILABLE", {}, { reason: reasonOf(error) }));
      } else if (!waiter.settled) {
        lane.waiters.unshift(waiter);
      }
    }
    this.#pump();
  }

  #lend(lane: Lane, waiter: Waiter, connection: PooledConnection): void {
    const lease = new Lease(connection, waiter.request.route, this.#tools.nextSerial(), this);
    if (!this.#settle(waiter, lease)) this.#putIdle(lane, connection);
  }

  #settle(waiter: Waiter, result: BackendLease | SqlError): boolean {
    const settled = waiter.settle(result);
    const { clock, observer } = this.#tools;
    if (settled) observer.waited(clock.monotonicMs() - waiter.sinceMs);
    return settled;
  }

  /** Nobody is left whose connection could come back, and logins fail: waiting would only delay the bad news. */
  #failHopeless(): void {
    const { state } = this.#gate;
    if (this.#total > 0 || state.kind !== "pausing") return;
    for (const lane of this.#lanes) {
      for (const waiter of lane.waiters.splice(0)) this.#settle(waiter, asClientError(state.error));
    }
  }

  // ---- connections ----

  #connectFor(lane: Lane): void {
    while (lane.unprovided > 0 && this.#gate.state.kind === "open" && this.#makeRoom()) {
      const waiter = lane.waiters[lane.waiters.length - lane.unprovided];
      if (waiter === undefined) return;
      this.#total += 1;
      lane.connecting += 1;
      this.#gate.enter();
      void this.#connect(lane, waiter.request.collation);
    }
  }

  /** Within the limit, if need be at the expense of the connection that has been idle longest (it fits nobody). */
  #makeRoom(): boolean {
    if (this.#total < this.#tools.limits.connectionsMax) return true;
    const longest = this.#lanes.longestIdle();
    if (longest === null) return false;
    this.#quitIdle(longest.lane, longest.connection);
    return true;
  }

  async #connect(lane: Lane, collation: number): Promise<void> {
    const { observer } = this.#tools;
    const account = this.#account;
    try {
      const connection = await makeConnection(
        { tablet: this.#tablet, account, capabilities: lane.capabilities, collation },
        this.#tools,
      );
      lane.connecting -= 1;
      this.#server = connection.server;
      observer.loginFinished(this.#tablet.alias, "connected");
      this.#putIdle(lane, connection);
      this.#gate.succeeded();
    } catch (error) {
      lane.connecting -= 1;
      this.#total -= 1;
      const failure =
        error instanceof BackendLoginError
          ? error
          : new BackendLoginError("protocol", reasonOf(error), { cause: error });
      observer.loginFinished(this.#tablet.alias, "failed");
      observer.loginFailed(this.#tablet.alias, account.name, failure.message);
      this.#failWishes(lane, collation, failure);
      this.#gate.failed(failure);
    }
    this.#pump();
  }

  /** Failures that concern what some clients asked for, and nobody else. */
  #failWishes(lane: Lane, collation: number, failure: BackendLoginError): void {
    if (failure.kind !== "client_wish" && failure.kind !== "unsuitable") return;
    const isMeant = (waiter: Waiter): boolean =>
      failure.kind === "unsuitable" || waiter.request.collation === collation;
    const error =
      failure.kind === "unsuitable"
        ? asClientError(failure)
        : sqlError("ER_UNKNOWN_CHARACTER_SET", { name: `#${collation}` }, { reason: failure.message });
    for (const waiter of lane.waiters.filter(isMeant)) {
      lane.forget(waiter);
      this.#settle(waiter, error);
    }
  }

  #putIdle(lane: Lane, connection: PooledConnection): void {
    const nowMs = this.#tools.clock.monotonicMs();
    if (this.#tools.closing.aborted || connection.closed || this.#isRetired(connection, nowMs)) {
      this.#total -= 1;
      connection.quit();
      return;
    }
    connection.idleSinceMs = nowMs;
    lane.idle.push(connection);
    connection.watch((reason) => {
      if (!lane.remove(connection)) return;
      this.#drop(connection, `while idle: ${reason}`);
      this.#pump();
    });
  }

  #quitIdle(lane: Lane, connection: PooledConnection): void {
    if (!lane.remove(connection)) return;
    this.#total -= 1;
    connection.quit();
  }

  #drop(connection: PooledConnection, reason: string): void {
    this.#total -= 1;
    connection.destroy();
    this.#tools.observer.connectionClosed(this.#tablet.alias, reason);
  }

  /** Of an old credential, or too old itself. */
  #isRetired(connection: PooledConnection, nowMs: number): boolean {
    const { lifetimeMs } = this.#tools.limits;
    if (connection.generation !== this.#account.generation) return true;
    return lifetimeMs > 0 && nowMs - connection.createdMs >= lifetimeMs;
  }

  /** A newer credential of the account: connections of the old one drain. */
  #adopt(account: BackendAccount): void {
    if (account.generation <= this.#account.generation) return;
    this.#account = account;
    this.#gate.reopen();
    this.sweep(this.#tools.clock.monotonicMs());
  }

  // ---- small facts ----

  get #waiting(): number {
    return this.#lanes.sum((lane) => lane.waiters.length);
  }

  #wishOf(waiter: Waiter): Wish {
    const { route, collation } = waiter.request;
    const names =
      this.#server === null ? null : this.#tools.names.get(this.#tablet.alias, this.#server, collation);
    return { database: route.database, collation, names };
  }
}

function exhausted(limit: string): SqlError {
  return sqlError("ER_BACKEND_POOL_EXHAUSTED", { limit });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

// All connections of one account on one server: who is served, when a connection is made, cleaned, or ended. Limit,
// login gate and account are common to its lanes.

import { type SqlError, sqlError } from "../errors/sql-error.ts";
import type { CutManner } from "../routing/judge-keyspace.ts";
import type { BackendAccount, Tablet } from "../routing/route.ts";
import { Lease, type LeaseOwner } from "./backend-lease.ts";
import type { AcquireRequest, BackendLease, ReleaseNotes } from "./backend-pool.ts";
import { cleanConnection } from "./clean-connection.ts";
import {
  asClientError,
  type BackendLoginError,
  brokenError,
  leftServer,
  reasonOf,
  wishError,
} from "./login-error.ts";
import { PoolConnections } from "./pool-connections.ts";
import { PoolErrands } from "./pool-errands.ts";
import { type Lane, Lanes } from "./pool-lane.ts";
import { bestOffer, longestOffered } from "./pool-offers.ts";
import type { GroupTools, PoolSnapshot } from "./pool-settings.ts";
import { Upkeep } from "./pool-upkeep.ts";
import { exhausted, interrupted, Waiter } from "./pool-waiter.ts";
import type { PooledConnection } from "./pooled-connection.ts";
import { fitConnection, fitness, settleLeftovers, type Wish, wishOf } from "./prepare-connection.ts";
import type { ClientShare } from "./usual-clients.ts";

/** A session whose prepared connection breaks gets another one, this many times. */
const brokenConnectionsMax = 2;

/** See the file's head. */
export class PoolGroup implements LeaseOwner {
  readonly leases = new Set<Lease>();
  readonly #tablet: Tablet;
  readonly #tools: GroupTools;
  readonly #lanes = new Lanes();
  readonly #connections: PoolConnections;
  readonly #upkeep: Upkeep;
  /** Grows when sessions are sent away: those on their way to this server are routed anew. */
  #epoch = 0;
  #pumping = false;
  #pumpAgain = false;
  readonly #errands: PoolErrands;

  constructor(tablet: Tablet, account: BackendAccount, tools: GroupTools) {
    this.#tablet = tablet;
    this.#tools = tools;
    this.#errands = new PoolErrands(tools.limits.housekeepingTimeoutMs);
    this.#connections = new PoolConnections(tablet, account, tools, () => this.#pump());
    this.#upkeep = new Upkeep({
      tablet: tablet.alias,
      lanes: this.#lanes,
      connections: this.#connections,
      leases: this.leases,
      tools,
      rest: (connection) => void this.#rest(this.#lanes.of(connection.capabilities), connection),
      onFailure: (lane, collation, failure) => this.#failWishes(lane, collation, failure),
      pump: () => this.#pump(),
    });
  }

  acquire(request: AcquireRequest): Promise<BackendLease | SqlError> {
    const { clock, limits, closing, nextSerial, observer } = this.#tools;
    if (closing.aborted) return Promise.resolve(sqlError("ER_SERVER_SHUTDOWN"));
    if (request.signal.aborted) return Promise.resolve(interrupted());
    if (this.#connections.adopt(request.route.account)) this.sweep(clock.monotonicMs());
    if (this.#waiting >= limits.waitersMax) {
      return Promise.resolve(exhausted(`${limits.waitersMax} sessions wait already`));
    }
    const lane = this.#lanes.of(request.capabilities);
    const waiter = new Waiter(request, nextSerial(), clock.monotonicMs(), this.#epoch);
    lane.waiters.push(waiter);
    this.#pump();
    if (!waiter.settled) {
      const onDeadline = (): SqlError => {
        observer.waitTimedOut();
        const { error } = this.#connections.gate;
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
      account: this.#connections.account.name,
      leased: this.#connections.total - idle - connecting,
      offered: [...this.leases].filter((lease) => lease.isOffered).length,
      idle,
      connecting,
      waiting: this.#waiting,
      loginError: this.#connections.gate.error?.message ?? null,
    };
  }

  /** Closes what has been idle or alive for too long. True: nothing is left, nobody waits. */
  sweep(nowMs: number): boolean {
    this.#upkeep.sweep(nowMs);
    return this.#connections.total === 0 && this.#waiting === 0 && !this.#upkeep.wantsAny;
  }

  /** From now on these are kept ready, also if nobody asks. */
  keepReady(wanted: readonly ClientShare[], account: BackendAccount): void {
    this.#upkeep.want(wanted, account);
  }

  /** Nothing is kept ready: the server is not to be used now, or the account is gone. */
  keepNothing(): void {
    this.#upkeep.wantNothing();
  }

  /** Health has seen the server well: no need to pause for an old failure. */
  reopen(): void {
    this.#connections.gate.reopen();
    this.#upkeep.forgive();
  }

  /** Sends everybody away from the server: see ConnectionPool.cut. */
  cut(manner: CutManner, reason: string): void {
    this.#epoch += 1;
    for (const lease of [...this.leases]) {
      const connection = lease.isOffered ? lease.take() : null;
      if (connection !== null) void this.#rest(this.#lanes.of(connection.capabilities), connection);
      else lease.cut(manner, reason);
    }
    for (const waiter of this.#errands.cut(manner, reason)) this.#settle(waiter, leftServer(reason));
    this.#turnAway(leftServer(reason));
  }

  /** Ends idle connections and turns away who waits. Leases go on until they come back. */
  close(): void {
    this.#connections.gate.close();
    this.#turnAway(sqlError("ER_SERVER_SHUTDOWN"));
  }

  #turnAway(error: SqlError): void {
    for (const lane of this.#lanes) {
      for (const connection of [...lane.idle]) this.#connections.quitIdle(lane, connection);
      for (const waiter of lane.waiters.splice(0)) this.#settle(waiter, error);
    }
  }

  // ---- leases that end ----

  get isWanted(): boolean {
    return this.#lanes.isWanted;
  }

  nowMs(): number {
    return this.#tools.clock.monotonicMs();
  }

  takeOffer(): void {
    this.#pump();
  }

  takeBack(connection: PooledConnection, notes: ReleaseNotes, dirty: boolean): void {
    const lane = this.#lanes.of(connection.capabilities);
    if (!dirty || this.#connections.isRetired(connection, this.nowMs())) {
      void this.#rest(lane, connection);
      return;
    }
    lane.resetting += 1;
    void this.#clean(lane, connection, notes);
  }

  discard(connection: PooledConnection, reason: string): void {
    this.#connections.drop(connection, reason);
    this.#pump();
  }

  get housekeepingTimeoutMs(): number {
    return this.#tools.limits.housekeepingTimeoutMs;
  }

  kill(connection: PooledConnection, stillHeld: () => boolean): Promise<void> {
    return this.#tools.killQuery.kill(
      { tablet: this.#tablet, account: this.#connections.account, threadId: connection.id },
      stillHeld,
    );
  }

  async #clean(lane: Lane, connection: PooledConnection, notes: ReleaseNotes): Promise<void> {
    const { sessionAssignments } = this.#tools;
    try {
      await this.#errands.run(connection, null, async (timeoutMs) => {
        if (connection.owed !== null) await settleLeftovers(connection, timeoutMs);
        await cleanConnection(connection, notes, sessionAssignments, timeoutMs);
      });
      lane.resetting -= 1;
      this.#connections.putIdle(lane, connection);
    } catch (error) {
      lane.resetting -= 1;
      this.#connections.drop(connection, reasonOf(error));
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
        this.#takeFor(lane);
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
      this.#serve(lane, waiter, connection, wish);
    }
  }

  #serve(lane: Lane, waiter: Waiter, connection: PooledConnection, wish: Wish): void {
    if (fitness(connection, wish) === 0) this.#lend(lane, waiter, connection);
    else void this.#prepare(lane, waiter, connection, wish);
  }

  /** Connections that sessions can do without go to those who wait and for whom none can be made. */
  #takeFor(lane: Lane): void {
    while (lane.unprovided > 0) {
      const index = lane.waiters.length - lane.unprovided;
      const waiter = lane.waiters[index];
      if (waiter === undefined) return;
      const wish = this.#wishOf(waiter);
      const lease = bestOffer(this.leases, lane, wish);
      if (lease === null) return;
      const connection = lease.take();
      if (connection === null) continue;
      this.#tools.observer.taken("session");
      lane.waiters.splice(index, 1);
      this.#serve(lane, waiter, connection, wish);
    }
  }

  /** Makes a connection idle that a session has left; what it is owed is told first. */
  async #rest(lane: Lane, connection: PooledConnection): Promise<void> {
    if (connection.owed !== null) {
      lane.resetting += 1;
      try {
        await this.#errands.run(connection, null, (timeoutMs) => settleLeftovers(connection, timeoutMs));
        lane.resetting -= 1;
      } catch (error) {
        lane.resetting -= 1;
        this.#connections.drop(connection, reasonOf(error));
        this.#pump();
        return;
      }
    }
    this.#connections.putIdle(lane, connection);
    this.#pump();
  }

  /** Says to the server what the next session needs. Its waiter may be settled otherwise meanwhile. */
  async #prepare(lane: Lane, waiter: Waiter, connection: PooledConnection, wish: Wish): Promise<void> {
    try {
      const verdict = await this.#errands.run(connection, waiter, (ms) =>
        fitConnection(connection, wish, ms),
      );
      if (verdict === "fits") {
        this.#lend(lane, waiter, connection);
      } else {
        this.#connections.putIdle(lane, connection);
        if (verdict !== "unfit") this.#settle(waiter, verdict);
        else if (!waiter.settled) lane.waiters.unshift(waiter);
      }
    } catch (error) {
      this.#connections.drop(connection, reasonOf(error));
      waiter.brokenConnections += 1;
      if (waiter.brokenConnections > brokenConnectionsMax) {
        this.#settle(waiter, brokenError(error));
      } else if (!waiter.settled) {
        lane.waiters.unshift(waiter);
      }
    }
    this.#pump();
  }

  #lend(lane: Lane, waiter: Waiter, connection: PooledConnection): void {
    if (waiter.settled || waiter.epoch !== this.#epoch) {
      this.#settle(waiter, leftServer("the server's role has changed"));
      this.#connections.putIdle(lane, connection);
      return;
    }
    this.#settle(waiter, new Lease(connection, waiter.request.route, this.#tools.nextSerial(), this));
  }

  #settle(waiter: Waiter, result: BackendLease | SqlError): void {
    if (waiter.settle(result)) this.#tools.observer.waited(this.nowMs() - waiter.sinceMs);
  }

  /** Nobody is left whose connection could come back, and logins fail: waiting would only delay the bad news. */
  #failHopeless(): void {
    const { state } = this.#connections.gate;
    if (this.#connections.total > 0 || state.kind !== "pausing") return;
    for (const lane of this.#lanes) {
      for (const waiter of lane.waiters.splice(0)) this.#settle(waiter, asClientError(state.error));
    }
  }

  #connectFor(lane: Lane): void {
    while (lane.unprovided > 0 && this.#connections.gate.state.kind === "open" && this.#makeRoom(lane)) {
      const waiter = lane.waiters[lane.waiters.length - lane.unprovided];
      if (waiter === undefined) return;
      const { collation } = waiter.request;
      const onFailure = (failure: BackendLoginError): void => this.#failWishes(lane, collation, failure);
      void this.#connections.make(lane, collation, onFailure).then(() => this.#pump());
    }
  }

  /** Within the limit, if need be at the expense of the connection that has been idle longest (it fits nobody). */
  #makeRoom(lane: Lane): boolean {
    if (this.#connections.total < this.#tools.limits.connectionsMax) return true;
    const longest = this.#lanes.longestIdle();
    if (longest === null) return this.#takeRoom(lane);
    this.#connections.quitIdle(longest.lane, longest.connection);
    return true;
  }

  /** A connection that fits nobody in this lane, or is of another lane while this one has none. */
  #takeRoom(lane: Lane): boolean {
    const waiter = lane.waiters[lane.waiters.length - lane.unprovided];
    if (waiter === undefined) return false;
    const wish = this.#wishOf(waiter);
    if (bestOffer(this.leases, lane, wish) !== null) return false;
    const lease = longestOffered(this.leases, this.#isPoor(lane, waiter) ? null : lane);
    const connection = lease?.take() ?? null;
    if (connection === null) return false;
    this.#tools.observer.taken("room");
    if (connection.owed === null) {
      this.#connections.quit(connection);
      return true;
    }
    // It is idle as soon as its session was told, and then makes room.
    void this.#rest(this.#lanes.of(connection.capabilities), connection);
    return false;
  }

  /** Whether a lane may live at the expense of the others: it has nothing, or has waited for too long. */
  #isPoor(lane: Lane, waiter: Waiter): boolean {
    if (this.nowMs() - waiter.sinceMs > this.#tools.limits.waitTimeoutMs / 10) return true;
    if (lane.connecting + lane.resetting + lane.idle.length > 0) return false;
    for (const lease of this.leases) if (lane.owns(lease)) return false;
    return true;
  }

  /** Failures that concern what some clients asked for, and nobody else. */
  #failWishes(lane: Lane, collation: number, failure: BackendLoginError): void {
    if (failure.kind !== "client_wish" && failure.kind !== "unsuitable") return;
    const isMeant = (waiter: Waiter): boolean =>
      failure.kind === "unsuitable" || waiter.request.collation === collation;
    const error = wishError(failure, collation);
    for (const waiter of lane.waiters.filter(isMeant)) {
      lane.forget(waiter);
      this.#settle(waiter, error);
    }
  }

  get #waiting(): number {
    return this.#lanes.sum((lane) => lane.waiters.length);
  }

  #wishOf({ request }: Waiter): Wish {
    const { server } = this.#connections;
    const { alias } = this.#tablet;
    return wishOf(request, server === null ? null : this.#tools.names.get(alias, server, request.collation));
  }
}

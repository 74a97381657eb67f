// What a pool does for its connections while nobody asks for one: those that are too old or too long unused are closed,
// and as many as are wanted are kept ready, made anew where they are missing. A server that refuses is left in peace.

import type { BackendAccount } from "../routing/route.ts";
import type { Lease } from "./backend-lease.ts";
import type { BackendLoginError } from "./login-error.ts";
import type { PoolConnections } from "./pool-connections.ts";
import type { Lane, Lanes } from "./pool-lane.ts";
import type { GroupTools } from "./pool-settings.ts";
import type { PooledConnection } from "./pooled-connection.ts";
import type { ClientShare } from "./usual-clients.ts";

/** A connection that is offered that long, in milliseconds, and wanted by nobody is idle: timeouts run for it. */
const unusedAfterMs = 1000;
/** Logins in advance at a time: sessions that wait need the others of the login gate. */
const advanceLoginsMax = 4;
/** Pauses of logins in advance after failures, in milliseconds: doubling. A refused password may lock the account. */
const firstPauseMs = 1000;
const longestPauseMs = 60_000;

/** What upkeep works on. */
export interface UpkeepParts {
  readonly tablet: string;
  readonly lanes: Lanes;
  readonly connections: PoolConnections;
  readonly leases: ReadonlySet<Lease>;
  readonly tools: GroupTools;
  /** Makes a connection idle that was taken from its session. */
  readonly rest: (connection: PooledConnection) => void;
  /** A login has failed: who waits in that lane may be concerned. */
  readonly onFailure: (lane: Lane, collation: number, failure: BackendLoginError) => void;
  readonly pump: () => void;
}

/** See the file's head. */
export class Upkeep {
  readonly #parts: UpkeepParts;
  /** What is to be ready; none: the server is not to be used, or nothing is wanted. */
  #wanted: readonly ClientShare[] = [];
  #underWay = 0;
  /** Grows with every login in advance. */
  #turn = 0;
  #failures = 0;
  #resumeMs = 0;

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
  }

  /** From now on these are kept ready. */
  want(wanted: readonly ClientShare[], account: BackendAccount): void {
    this.#wanted = wanted;
    if (wanted.length === 0) return;
    const { connections, tools } = this.#parts;
    if (connections.adopt(account)) {
      this.forgive();
      this.sweep(tools.clock.monotonicMs());
    }
    this.#topUp();
  }

  get wantsAny(): boolean {
    return this.#wanted.length > 0;
  }

  wantNothing(): void {
    this.#wanted = [];
  }

  /** The server is well again, or another password holds: failures count no more. */
  forgive(): void {
    this.#failures = 0;
    this.#resumeMs = 0;
  }

  /** Closes what has been idle or alive for too long. */
  sweep(nowMs: number): void {
    const { lanes, connections } = this.#parts;
    this.#takeUnused(nowMs);
    for (const lane of lanes) {
      for (const connection of [...lane.idle])
        if (connections.isRetired(connection, nowMs)) connections.quitIdle(lane, connection);
      this.#closeUnused(lane, nowMs);
    }
    lanes.dropEmpty();
  }

  /** The one used last is at the end: those at the beginning have been idle longest. */
  #closeUnused(lane: Lane, nowMs: number): void {
    const { idleTimeoutMs } = this.#parts.tools.limits;
    if (idleTimeoutMs === 0) return;
    const stale = lane.idle.filter(({ idleSinceMs }) => nowMs - idleSinceMs >= idleTimeoutMs);
    const spare = Math.max(0, lane.idle.length - this.#countFor(lane));
    for (const connection of stale.slice(0, spare)) this.#parts.connections.quitIdle(lane, connection);
  }

  #countFor(lane: Lane): number {
    return this.#wanted.find(({ capabilities }) => capabilities === lane.capabilities)?.count ?? 0;
  }

  /** What sessions have offered for a while, and nobody wanted, is idle; what is too old as well. */
  #takeUnused(nowMs: number): void {
    const { leases, connections, tools, rest } = this.#parts;
    for (const lease of leases) {
      if (!lease.isOffered) continue;
      const isUnused = nowMs - lease.offeredSinceMs >= unusedAfterMs;
      const offered = isUnused ? null : lease.look();
      if (!isUnused && (offered === null || !connections.isRetired(offered, nowMs))) continue;
      const connection = lease.take();
      if (connection === null) continue;
      tools.observer.taken("unused");
      rest(connection);
    }
  }

  #topUp(): void {
    const { lanes, connections, tools } = this.#parts;
    if (tools.closing.aborted || tools.clock.monotonicMs() < this.#resumeMs) return;
    for (const { capabilities, collations, count } of this.#wanted) {
      const lane = lanes.of(capabilities);
      for (let missing = count - this.#readyIn(lane); missing > 0; missing -= 1) {
        const isFull = connections.total >= tools.limits.connectionsMax;
        if (isFull || this.#underWay >= advanceLoginsMax || connections.gate.state.kind !== "open") return;
        void this.#make(lane, collations[this.#turn++ % collations.length] ?? 0);
      }
    }
  }

  /** Idle ones, those that will be, and those that sessions could do without. */
  #readyIn(lane: Lane): number {
    let ready = lane.idle.length + Math.max(0, lane.connecting + lane.resetting - lane.waiters.length);
    for (const lease of this.#parts.leases) if (lease.isOffered && lane.owns(lease)) ready += 1;
    return ready;
  }

  async #make(lane: Lane, collation: number): Promise<void> {
    const { connections, tools, tablet, onFailure, pump } = this.#parts;
    const failed: { with: BackendLoginError | null } = { with: null };
    this.#underWay += 1;
    await connections.make(lane, collation, (failure) => {
      failed.with = failure;
      onFailure(lane, collation, failure);
    });
    this.#underWay -= 1;
    if (failed.with === null) {
      this.forgive();
      tools.observer.madeInAdvance(tablet);
    } else {
      this.#pause(failed.with);
    }
    pump();
    this.#topUp();
  }

  #pause({ kind }: BackendLoginError): void {
    const pauseMs =
      kind === "access_denied"
        ? longestPauseMs
        : Math.min(longestPauseMs, firstPauseMs * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 16);
    this.#resumeMs = this.#parts.tools.clock.monotonicMs() + pauseMs;
  }
}

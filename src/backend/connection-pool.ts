// The pool of backend connections: one group per server and account.

import { setMaxListeners } from "node:events";
import type { SqlError } from "../errors/sql-error.ts";
import type { CutManner } from "../routing/judge-keyspace.ts";
import type { BackendAccount, Tablet } from "../routing/route.ts";
import { tabletKey } from "../routing/tablet-address.ts";
import type { AcquireRequest, BackendLease, BackendPool } from "./backend-pool.ts";
import { KillQuery } from "./kill-query.ts";
import { PoolGroup } from "./pool-group.ts";
import type { PoolLimits, PoolSnapshot, PoolTools } from "./pool-settings.ts";
import { SessionNamesCache } from "./session-names.ts";
import { UsualClients } from "./usual-clients.ts";

/** When the pool closes, what it still has to say to servers (kills, resets) may take so long, in milliseconds. */
const LAST_WORDS_MS = 2000;

/** See BackendPool. */
export class ConnectionPool implements BackendPool {
  readonly #limits: PoolLimits;
  readonly #tools: PoolTools;
  readonly #groups = new Map<string, PoolGroup>();
  readonly #names = new SessionNamesCache();
  readonly #usual = new UsualClients();
  readonly #killQuery: KillQuery;
  readonly #closing = new AbortController();
  readonly #sweeper: NodeJS.Timeout;
  #serial = 0;

  constructor(limits: PoolLimits, tools: PoolTools) {
    this.#limits = limits;
    this.#tools = tools;
    // Every login under way listens to it.
    setMaxListeners(0, this.#closing.signal);
    this.#killQuery = new KillQuery({ ...tools, limits });
    // Coarse: an idle connection lives up to half a timeout longer than it must, one that is offered half a second.
    const sweepMs = Math.min(500, Math.max(100, (limits.idleTimeoutMs || Number.POSITIVE_INFINITY) / 2));
    this.#sweeper = setInterval(() => this.sweep(), sweepMs);
    this.#sweeper.unref();
  }

  acquire(request: AcquireRequest): Promise<BackendLease | SqlError> {
    this.#usual.note(request.capabilities, request.collation);
    return this.#groupOf(request.route.tablet, request.route.account).acquire(request);
  }

  /** Closes what has been idle or alive for too long; called now and then by the pool's own timer. */
  sweep(): void {
    const nowMs = this.#tools.clock.monotonicMs();
    this.#usual.fade(nowMs);
    for (const [key, group] of this.#groups) {
      // Offers that were not to be taken before now.
      group.takeOffer();
      // A group that pauses after failed logins is kept: its memory is what protects the server.
      if (group.sweep(nowMs) && group.snapshot().loginError === null) this.#groups.delete(key);
    }
    this.keepReady();
  }

  /** Makes connections in advance where too few are ready; also called when a server has come into use. */
  keepReady(): void {
    const { minIdle } = this.#limits;
    if (minIdle === 0 || this.#tools.ready === undefined || this.#closing.signal.aborted) return;
    const { servers, announced } = this.#tools.ready();
    const shares = this.#usual.shares(minIdle, announced);
    const kept = new Set<PoolGroup>();
    for (const { tablet, account } of servers) {
      const group = this.#groupOf(tablet, account);
      kept.add(group);
      group.keepReady(shares, account);
    }
    for (const group of this.#groups.values()) if (!kept.has(group)) group.keepNothing();
  }

  /** Health has seen the server well: pauses after failed logins end. */
  reopen(tablet: Tablet): void {
    for (const group of this.#groupsOn(tablet)) group.reopen();
  }

  /**
   * Sends sessions away from a server: leases are cut as `manner` says, those left after `graceMs` at once; idle
   * connections are closed, and who waits for one is routed anew.
   */
  cut(tablet: Tablet, manner: CutManner, reason: string, graceMs: number): void {
    for (const group of this.#groupsOn(tablet)) {
      const held = [...group.leases];
      group.cut(manner, reason);
      if (manner === "now" || held.length === 0) continue;
      const late = (): void => {
        for (const lease of held) lease.cut("now", `${reason}; no time is left`);
      };
      setTimeout(late, graceMs).unref();
    }
  }

  #groupsOn(tablet: Tablet): readonly PoolGroup[] {
    const prefix = tabletKey(tablet);
    return [...this.#groups].filter(([key]) => key.startsWith(prefix)).map(([, group]) => group);
  }

  snapshot(): readonly PoolSnapshot[] {
    return [...this.#groups.values()].map((group) => group.snapshot());
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    this.#closing.abort();
    for (const group of this.#groups.values()) group.close();
    const late = (): void => {
      for (const group of this.#groups.values()) group.cut("now", "the pool is closed");
    };
    // Without a socket that keeps the process there is nothing to cut.
    setTimeout(late, LAST_WORDS_MS).unref();
    await this.#killQuery.close(LAST_WORDS_MS);
  }

  #groupOf(tablet: Tablet, account: BackendAccount): PoolGroup {
    const key = tabletKey(tablet) + account.name;
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = new PoolGroup(tablet, account, {
        ...this.#tools,
        limits: this.#limits,
        names: this.#names,
        killQuery: this.#killQuery,
        closing: this.#closing.signal,
        nextSerial: () => ++this.#serial,
      });
      this.#groups.set(key, group);
    }
    return group;
  }
}

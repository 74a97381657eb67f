// Watches the servers of a topology and tells the router who serves what. Servers that a reload leaves as they are go on
// being watched; those that are gone are left.

import type { KeyspaceState, TopologyStates } from "../routing/keyspace-state.ts";
import type { BackendAccount, Tablet } from "../routing/route.ts";
import type { KeyspaceConfig, Topology } from "../routing/topology.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { BackendLoginRequest, LoggedIn } from "./backend-login.ts";
import type { ConnectionPool } from "./connection-pool.ts";
import { type HealthStatus, HealthWatch, type LearnedServer } from "./health.ts";
import { placeOfTablet } from "./outage.ts";
import type { OutageBuffer } from "./outage-buffer.ts";
import { type Agreement, agreeOn } from "./server-agreement.ts";

const healthTimeoutMs = 2000;
const healthLoginTimeoutMs = 5000;

/** What watching needs. */
export interface TopologyWatchTools {
  readonly logIn: (request: BackendLoginRequest) => Promise<LoggedIn>;
  /** The account of health checks, as it is now. */
  readonly account: () => BackendAccount;
  readonly pool: ConnectionPool;
  readonly outages: OutageBuffer;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Told what the servers are together, whenever that may have changed. */
  readonly onAgreement: (server: LearnedServer) => void;
}

interface Watched {
  readonly tablet: Tablet;
  readonly intervalMs: number;
  readonly health: HealthWatch;
}

/** See the file's head. */
export class TopologyWatch implements TopologyStates {
  readonly #tools: TopologyWatchTools;
  #topology: Topology;
  #watched = new Map<string, Watched>();
  /** What each server was at its last login. */
  readonly #learned = new Map<string, LearnedServer>();
  #states = new Map<string, KeyspaceState>();
  #agreement: Agreement = { server: null, unsuitable: new Map() };
  /** Capabilities that greetings have told of. */
  #announced: number | null = null;
  #generation = 1;

  constructor(topology: Topology, tools: TopologyWatchTools) {
    this.#topology = topology;
    this.#tools = tools;
  }

  get generation(): number {
    return this.#generation;
  }

  /** Begins to watch. Resolves when every server was asked once; never rejects. */
  async start(): Promise<void> {
    await this.adopt(this.#topology);
  }

  /** The topology is another one. Resolves when its new servers were asked once; never rejects. */
  async adopt(topology: Topology): Promise<void> {
    this.#topology = topology;
    const before = this.#watched;
    this.#watched = new Map();
    const begun: Promise<void>[] = [];
    for (const keyspace of topology.keyspaces.values()) {
      for (const { tablet } of keyspace.tablets) {
        const key = keyOf(tablet);
        if (this.#watched.has(key)) continue;
        const intervalMs = shortestInterval(topology, key);
        const known = before.get(key);
        if (known?.intervalMs === intervalMs) {
          this.#watched.set(key, known);
          continue;
        }
        const watched = {
          tablet: known?.tablet ?? tablet,
          intervalMs,
          health: this.#watch(tablet, intervalMs),
        };
        this.#watched.set(key, watched);
        begun.push(watched.health.start());
      }
    }
    for (const [key, { tablet, health }] of before) {
      if (this.#watched.get(key)?.health === health) continue;
      health.stop();
      if (this.#watched.has(key)) continue;
      this.#learned.delete(key);
      this.#leave(tablet);
    }
    this.#judge();
    await Promise.all(begun);
  }

  keyspace(name: string): KeyspaceState | null {
    return this.#states.get(name) ?? null;
  }

  /** What the servers are together; null: none was reached yet. */
  get server(): LearnedServer | null {
    return this.#agreement.server;
  }

  /** Greetings tell of these capabilities from now on: no server that lacks one of them is used. */
  announce(capabilities: number): void {
    if (this.#agreement.server !== null) this.#announced = capabilities;
  }

  statusOf(tablet: Tablet): HealthStatus | null {
    const key = keyOf(tablet);
    const status = this.#watched.get(key)?.health.status ?? null;
    const why = this.#agreement.unsuitable.get(key);
    if (status === null || why === undefined || !status.ready) return status;
    return { ...status, ready: false, reason: `Database server '${tablet.alias}' ${why}` };
  }

  /** Asks all servers, or one, at once. */
  askNow(alias: string | null = null): void {
    for (const { tablet, health } of this.#watched.values())
      if (alias === null || tablet.alias === alias) health.askNow();
  }

  stop(): void {
    for (const { health } of this.#watched.values()) health.stop();
  }

  #watch(tablet: Tablet, intervalMs: number): HealthWatch {
    const { pool, outages, logger, metrics, logIn, account } = this.#tools;
    const up = metrics.gauge("backend_up", { tablet: tablet.alias });
    return new HealthWatch(
      { tablet, account, intervalMs, loginTimeoutMs: healthLoginTimeoutMs, timeoutMs: healthTimeoutMs },
      {
        logIn,
        onLogin: (server) => {
          this.#learned.set(keyOf(tablet), server);
          this.#judge();
          pool.reopen(tablet);
        },
        onResult: (result) => {
          if (result.kind === "seen") outages.release(placeOfTablet(tablet));
        },
        onChange: (status, detail) => {
          up.set(status.ready ? 1 : 0);
          const fields = { tablet: tablet.alias, server_version: status.server?.versionText ?? null };
          if (status.ready) logger.info("The database server is ready", fields);
          else logger.warn("The database server is not ready", { ...fields, reason: status.reason, detail });
          this.#judge();
        },
      },
    );
  }

  /** Nobody is sent there any more; transactions may end. */
  #leave(tablet: Tablet): void {
    const { pool, metrics } = this.#tools;
    metrics.gauge("backend_up", { tablet: tablet.alias }).set(0);
    pool.cut(tablet, "after_transaction", "it is no longer in the topology", leaveGraceMs);
  }

  #judge(): void {
    const before = this.#agreement;
    this.#agreement = agreeOn(this.#knownServers(), this.#announced);
    for (const [key, why] of this.#agreement.unsuitable) {
      if (before.unsuitable.get(key) === why) continue;
      const tablet = this.#watched.get(key)?.tablet.alias;
      this.#tools.logger.error("A database server is not used: it does not fit the others", { tablet, why });
    }
    const states = new Map<string, KeyspaceState>();
    for (const keyspace of this.#topology.keyspaces.values())
      states.set(keyspace.name, this.#stateOf(keyspace));
    this.#states = states;
    this.#generation += 1;
    for (const [name, { primary }] of states)
      if (primary !== null) this.#tools.outages.release(`keyspace:${name}`);
    if (this.#agreement.server !== null) this.#tools.onAgreement(this.#agreement.server);
  }

  /** Those of the default target first: they decide what the others must be. */
  #knownServers() {
    const { keyspaces, defaultTarget } = this.#topology;
    const first = defaultTarget === null ? undefined : keyspaces.get(defaultTarget.keyspace);
    const known = new Map<string, { key: string; server: LearnedServer }>();
    for (const keyspace of first === undefined ? keyspaces.values() : [first, ...keyspaces.values()]) {
      for (const { tablet } of keyspace.tablets) {
        const key = keyOf(tablet);
        const server = this.#learned.get(key);
        if (server !== undefined && !known.has(key)) known.set(key, { key, server });
      }
    }
    return [...known.values()];
  }

  #stateOf(keyspace: KeyspaceConfig): KeyspaceState {
    const usable = (type: string): Tablet[] =>
      keyspace.tablets.flatMap((one) => {
        const watched = this.#watched.get(keyOf(one.tablet));
        const isReady = one.type === type && this.statusOf(one.tablet)?.ready === true;
        return isReady && watched !== undefined ? [watched.tablet] : [];
      });
    const primary = usable("primary")[0] ?? null;
    return {
      primary,
      noPrimaryBecause: primary === null ? `No primary tablet of keyspace '${keyspace.name}' is ready` : null,
      replicas: usable("replica"),
      rdonly: usable("rdonly"),
    };
  }
}

/** Sessions on a server that left the topology have so long for their transactions, in milliseconds. */
const leaveGraceMs = 60_000;

const keys = new WeakMap<Tablet, string>();

function keyOf(tablet: Tablet): string {
  let key = keys.get(tablet);
  if (key === undefined) {
    key = JSON.stringify([tablet.alias, tablet.address, tablet.tls]);
    keys.set(tablet, key);
  }
  return key;
}

function shortestInterval({ keyspaces }: Topology, key: string): number {
  let shortest = Number.POSITIVE_INFINITY;
  for (const { healthIntervalMs, tablets } of keyspaces.values())
    if (tablets.some(({ tablet }) => keyOf(tablet) === key)) shortest = Math.min(shortest, healthIntervalMs);
  return shortest;
}

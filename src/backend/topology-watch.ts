// Watches the servers of a topology and tells the router who serves what. Servers that a reload leaves as they are go on
// being watched; those that are gone are left.

import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../base/clock.ts";
import type { CutManner } from "../routing/judge-keyspace.ts";
import type { KeyspaceState, TopologyStates } from "../routing/keyspace-state.ts";
import type { BackendAccount, Tablet } from "../routing/route.ts";
import { tabletKey } from "../routing/tablet-address.ts";
import type { ProbeResult } from "../routing/tablet-observation.ts";
import type { MonitorKind, Topology } from "../routing/topology.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { BackendLoginRequest, LoggedIn } from "./backend-login.ts";
import type { ConnectionPool } from "./connection-pool.ts";
import { type HealthStatus, HealthWatch, type LearnedServer } from "./health.ts";
import { KeyspaceJudge } from "./keyspace-judge.ts";
import { KeyspaceReport } from "./keyspace-report.ts";
import { type Follows, placeOfTablet } from "./outage.ts";
import type { OutageBuffer } from "./outage-buffer.ts";
import { type Agreement, agreeOn } from "./server-agreement.ts";

/** A check that takes longer than the interval, within these bounds, has failed; milliseconds. */
const checkTimeoutMs = { least: 500, most: 2000 } as const;
/** Between two checks while a keyspace has no primary, in milliseconds: statements wait for one. */
const urgentIntervalMs = 250;
/** What may end first on a server that is the primary no more has so long, in milliseconds. */
const cutGraceMs = 10_000;

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
  readonly clock: Clock;
  /** Whom other processes of this gateway write to when this one starts, by keyspace. @default nobody has said */
  readonly primaries?: Readonly<Record<string, string>>;
  /** From 0 to 1: spreads the checks of many gateways and servers. */
  readonly random: () => number;
}

/** How a server is asked: by the shortest interval of its keyspaces, and for all their monitors. */
interface Manner {
  readonly intervalMs: number;
  readonly monitors: readonly MonitorKind[];
}

interface Watched {
  readonly tablet: Tablet;
  readonly manner: Manner;
  readonly health: HealthWatch;
}

/** See the file's head. */
export class TopologyWatch implements TopologyStates {
  readonly #tools: TopologyWatchTools;
  #topology: Topology;
  #watched = new Map<string, Watched>();
  /** What each server was at its last login. */
  readonly #learned = new Map<string, LearnedServer>();
  #judges = new Map<string, KeyspaceJudge>();
  /** When a keyspace got its primary, or lost it, by name; monotonic milliseconds. */
  readonly #changedMs = new Map<string, number>();
  readonly #report: KeyspaceReport;
  #agreement: Agreement = { server: null, newestVersionNumber: 0, unsuitable: new Map() };
  /** Capabilities that greetings have told of. */
  #announced: number | null = null;
  #generation = 1;

  constructor(topology: Topology, tools: TopologyWatchTools) {
    this.#topology = topology;
    this.#tools = tools;
    this.#report = new KeyspaceReport(tools.logger, tools.metrics);
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
    this.#adoptKeyspaces(topology);
    const begun: Promise<void>[] = [];
    for (const keyspace of topology.keyspaces.values()) {
      for (const { tablet } of keyspace.tablets) {
        const key = tabletKey(tablet);
        if (this.#watched.has(key)) continue;
        const manner = mannerFor(topology, key);
        const known = before.get(key);
        if (known !== undefined && isDeepStrictEqual(known.manner, manner)) {
          this.#watched.set(key, known);
          continue;
        }
        const watched = { tablet: known?.tablet ?? tablet, manner, health: this.#watch(tablet, manner) };
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
    this.#agree();
    await Promise.all(begun);
  }

  /** What is known of tablets that stay goes on. */
  #adoptKeyspaces({ keyspaces }: Topology): void {
    const before = this.#judges;
    this.#judges = new Map();
    for (const [name, { config }] of before) {
      if (keyspaces.has(name)) continue;
      this.#report.forget(config);
      this.#changedMs.delete(name);
    }
    for (const [name, config] of keyspaces) {
      const known = before.get(name) ?? null;
      if (known !== null) this.#report.forget(known.config);
      const judge = new KeyspaceJudge(config, known, this.#tools.primaries?.[name] ?? null);
      this.#judges.set(name, judge);
      this.#report.gauges(config, judge.verdict);
    }
    this.#generation += 1;
  }

  keyspace(name: string): KeyspaceState | null {
    return this.#judges.get(name)?.state ?? null;
  }

  /** The aliases of the primaries there are now, by keyspace. */
  get primaries(): Readonly<Record<string, string>> {
    const found = [...this.#judges].flatMap(([name, { verdict }]) =>
      verdict.primary === null ? [] : [[name, verdict.primary] as const],
    );
    return Object.fromEntries(found);
  }

  /** How a keyspace was judged last; null: there is none of this name. */
  judge(name: string): KeyspaceJudge | null {
    return this.#judges.get(name) ?? null;
  }

  /** What a refusal of this server may mean: see Outages. */
  follows(tablet: Tablet): Follows {
    const monitors = this.#watched.get(tabletKey(tablet))?.manner.monitors ?? [];
    if (monitors.includes("galera"))
      return this.#isChanging(tablet) ? "galera_changing" : "read_only_and_galera";
    return monitors.some((monitor) => monitor !== "none") ? "read_only" : "nothing";
  }

  /** Whether one of its keyspaces has got another primary so lately that sessions may still be on the former one. */
  #isChanging(tablet: Tablet): boolean {
    const sinceMs = this.#tools.clock.monotonicMs() - cutGraceMs;
    for (const [name, changedMs] of this.#changedMs)
      if (changedMs > sinceMs && this.#judges.get(name)?.conditionOf(tablet) != null) return true;
    return false;
  }

  /** What the servers are together; null: none was reached yet. */
  get server(): LearnedServer | null {
    return this.#agreement.server;
  }

  /** Version of the newest server; 0: none was reached yet. */
  get newestVersionNumber(): number {
    return this.#agreement.newestVersionNumber;
  }

  /** Greetings tell of these capabilities from now on: no server that lacks one of them is used. */
  announce(capabilities: number): void {
    if (this.#agreement.server !== null) this.#announced = capabilities;
  }

  statusOf(tablet: Tablet): HealthStatus | null {
    const key = tabletKey(tablet);
    const status = this.#watched.get(key)?.health.status ?? null;
    const why = this.#agreement.unsuitable.get(key);
    if (status === null || why === undefined || !status.ready) return status;
    return { ...status, ready: false, reason: `Database server '${tablet.alias}' ${why}` };
  }

  /** Asks all servers of a keyspace at once. */
  askKeyspace(name: string): void {
    for (const { tablet } of this.#judges.get(name)?.config.tablets ?? [])
      this.#watched.get(tabletKey(tablet))?.health.askNow();
  }

  /** Asks all servers, or one, at once. */
  askNow(alias: string | null = null): void {
    for (const { tablet, health } of this.#watched.values())
      if (alias === null || tablet.alias === alias) health.askNow();
  }

  /** Nobody is told of servers any more, so nobody may wait for them. */
  stop(): void {
    for (const { health } of this.#watched.values()) health.stop();
    this.#tools.outages.close();
  }

  #watch(tablet: Tablet, { intervalMs, monitors }: Manner): HealthWatch {
    const { pool, logger, metrics, logIn, account, random } = this.#tools;
    const timeoutMs = Math.min(checkTimeoutMs.most, Math.max(checkTimeoutMs.least, intervalMs));
    const up = metrics.gauge("backend_up", { tablet: tablet.alias });
    return new HealthWatch(
      {
        tablet,
        account,
        intervalMs: () => (this.#isUrgent(tablet) ? Math.min(urgentIntervalMs, intervalMs) : intervalMs),
        loginTimeoutMs: timeoutMs,
        timeoutMs,
        scope: monitors,
      },
      {
        logIn,
        random,
        onLogin: (server) => {
          this.#learned.set(tabletKey(tablet), server);
          this.#agree();
          pool.reopen(tablet);
        },
        onResult: (result) => this.#see(tablet, result),
        onChange: (status, detail) => {
          up.set(status.ready ? 1 : 0);
          const fields = { tablet: tablet.alias, server_version: status.server?.versionText ?? null };
          if (status.ready) logger.info("The database server is ready", fields);
          else logger.warn("The database server is not ready", { ...fields, reason: status.reason, detail });
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

  /** A keyspace that it stands in has no primary. */
  #isUrgent(tablet: Tablet): boolean {
    for (const judge of this.#judges.values())
      if (judge.state.primary === null && judge.conditionOf(tablet) !== null) return true;
    return false;
  }

  #see(tablet: Tablet, result: ProbeResult): void {
    const { metrics, outages, clock } = this.#tools;
    metrics.counter("health_checks_total", { tablet: tablet.alias, outcome: result.kind }).add();
    const why = this.#agreement.unsuitable.get(tabletKey(tablet));
    const counted: ProbeResult = why === undefined ? result : { kind: "failed", reason: why };
    let isDown = true;
    for (const judge of this.#judges.values()) {
      const state = judge.state;
      const judgement = judge.see(tablet, counted, clock.monotonicMs());
      if (judgement === null) continue;
      if (judge.state !== state) this.#generation += 1;
      if (judge.state.primary !== state.primary) this.#changedMs.set(judge.config.name, clock.monotonicMs());
      const condition = judge.conditionOf(tablet);
      if (condition !== null) this.#report.lag(tablet.alias, condition);
      if (condition?.up === true) isDown = false;
      this.#report.changed(judge.config, judgement.before, judgement.after);
      for (const cut of judgement.cuts) this.#cut(cut.tablet, cut.manner);
      if (state.primary !== null && judge.state.primary === null) this.askKeyspace(judge.config.name);
      if (judge.state.primary !== null) outages.release(`keyspace:${judge.config.name}`);
    }
    // It is there, or routing leads elsewhere now.
    if (result.kind === "seen" || isDown) outages.release(placeOfTablet(tablet));
  }

  #cut(tablet: Tablet, manner: CutManner): void {
    const { pool, logger } = this.#tools;
    logger.info("Sessions leave a database server", { tablet: tablet.alias, manner });
    pool.cut(tablet, manner, "it is the primary no more, or does not answer", cutGraceMs);
  }

  /** What the servers are together, after one has told what it is. */
  #agree(): void {
    const before = this.#agreement;
    this.#agreement = agreeOn(this.#knownServers(), this.#announced);
    for (const [key, why] of this.#agreement.unsuitable) {
      if (before.unsuitable.get(key) === why) continue;
      const tablet = this.#watched.get(key)?.tablet.alias;
      this.#tools.logger.error("A database server is not used: it does not fit the others", { tablet, why });
    }
    if (this.#agreement.server !== null) this.#tools.onAgreement(this.#agreement.server);
  }

  /** Those of the default target first: they decide what the others must be. */
  #knownServers() {
    const { keyspaces, defaultTarget } = this.#topology;
    const first = defaultTarget === null ? undefined : keyspaces.get(defaultTarget.keyspace);
    const known = new Map<string, { key: string; server: LearnedServer }>();
    for (const keyspace of first === undefined ? keyspaces.values() : [first, ...keyspaces.values()]) {
      for (const { tablet } of keyspace.tablets) {
        const key = tabletKey(tablet);
        const server = this.#learned.get(key);
        if (server !== undefined && !known.has(key)) known.set(key, { key, server });
      }
    }
    return [...known.values()];
  }
}

/** Sessions on a server that left the topology have so long for their transactions, in milliseconds. */
const leaveGraceMs = 60_000;

function mannerFor({ keyspaces }: Topology, key: string): Manner {
  const own = [...keyspaces.values()].filter(({ tablets }) =>
    tablets.some(({ tablet }) => tabletKey(tablet) === key),
  );
  return {
    intervalMs: Math.min(...own.map(({ healthIntervalMs }) => healthIntervalMs)),
    monitors: [...new Set(own.map(({ monitor }) => monitor))].sort(),
  };
}

// A topology under watch, its servers in memory: a replication group whose primary changes, and what the gateway does
// about it. Group Replication is scripted here, as its tables tell of it.
import { afterEach, describe, expect, it } from "vitest";
import { BackendLoginError } from "../../../src/backend/login-error.ts";
import { OutageBuffer } from "../../../src/backend/outage-buffer.ts";
import { TopologyWatch } from "../../../src/backend/topology-watch.ts";
import { systemClock } from "../../../src/base/clock.ts";
import type { CutManner } from "../../../src/routing/judge-keyspace.ts";
import type { Tablet } from "../../../src/routing/route.ts";
import type { KeyspaceConfig, Topology } from "../../../src/routing/topology.ts";
import type { Logger } from "../../../src/telemetry/logger.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { toFrames } from "../../support/raw/frame-reader.ts";
import { waitUntil } from "../../support/scratch.ts";
import { MemoryBackend } from "../../support/scripted-backend.ts";

/** A result of several rows in classic EOF framing. */
function rowsReply(columns: number, rows: readonly (readonly string[])[]): Buffer {
  const eof = Buffer.from([0xfe, 0, 0, 2, 0]);
  const packets = [
    Buffer.from([columns]),
    ...Array.from({ length: columns }, () => Buffer.from("definition")),
    eof,
  ];
  for (const row of rows)
    packets.push(
      Buffer.concat(row.map((text) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]))),
    );
  packets.push(eof);
  return Buffer.concat(packets.map((packet, index) => toFrames(packet, index + 1)));
}

const tabletOf = (alias: string): Tablet => ({
  alias,
  address: { kind: "tcp", host: alias, port: 3306 },
  tls: { mode: "DISABLED", ca: null, cert: null, key: null },
});

/** A group as each of its members sees it. */
class ScriptedGroup {
  readonly members = new Map<string, { state: string; role: string }>();
  readonly down = new Set<string>();
  readonly backend: MemoryBackend;

  constructor(aliases: readonly string[]) {
    for (const alias of aliases) this.members.set(alias, { state: "ONLINE", role: "SECONDARY" });
    this.backend = new MemoryBackend({
      flavour: "mysql",
      onLogin: ({ tablet }) => {
        if (this.down.has(tablet.alias)) throw new BackendLoginError("unreachable", "connect ECONNREFUSED");
      },
      onCommand: (command, { request }) => this.#answer(command, request.tablet.alias),
    });
  }

  elect(primary: string): void {
    for (const [alias, member] of this.members) member.role = alias === primary ? "PRIMARY" : "SECONDARY";
  }

  kill(alias: string): void {
    this.down.add(alias);
    this.members.delete(alias);
    for (const { request, stream } of this.backend.open) if (request.tablet.alias === alias) stream.destroy();
  }

  #answer(command: string, alias: string): Buffer | undefined {
    if (command.includes("GLOBAL VARIABLES")) {
      const isPrimary = this.members.get(alias)?.role === "PRIMARY";
      return rowsReply(2, [
        ["lower_case_table_names", "0"],
        ["read_only", isPrimary ? "OFF" : "ON"],
        ["super_read_only", isPrimary ? "OFF" : "ON"],
        ["server_uuid", `uuid-${alias}`],
        ["group_replication_group_name", "g1"],
        ["group_replication_single_primary_mode", "ON"],
      ]);
    }
    if (command.includes("replication_group_members"))
      return rowsReply(
        3,
        [...this.members].map(([member, { state, role }]) => [`uuid-${member}`, state, role]),
      );
    return command.includes("replication_applier_status") ? rowsReply(1, [["0"]]) : undefined;
  }
}

const open: { stop(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.stop();
});

async function watchGroup(group: ScriptedGroup, aliases: readonly string[]) {
  const keyspace: KeyspaceConfig = {
    name: "shop",
    database: "shop",
    monitor: "group_replication",
    maxReplicaLagMs: null,
    healthIntervalMs: 50,
    healthFailures: 2,
    failbackChecks: 0,
    tablets: aliases.map((alias) => ({ tablet: tabletOf(alias), type: "replica" })),
  };
  const topology = { keyspaces: new Map([["shop", keyspace]]), defaultTarget: null } as unknown as Topology;
  const cuts: [string, CutManner][] = [];
  const lines: string[] = [];
  const log = (message: string): void => void lines.push(message);
  const logger = { debug: log, info: log, warn: log, error: log } as unknown as Logger;
  const metrics = createMetrics({ processMetrics: false });
  const outages = new OutageBuffer(
    { enabled: true, windowMs: 5000, statementsMax: 10 },
    { clock: systemClock, metrics, onSuspect: () => {}, follows: (tablet) => watch.follows(tablet) },
  );
  const watch: TopologyWatch = new TopologyWatch(topology, {
    logIn: group.backend.logIn,
    account: () => ({ name: "monitor", user: "watch", password: () => "", generation: 1 }),
    pool: {
      cut: (tablet: Tablet, manner: CutManner) => void cuts.push([tablet.alias, manner]),
      reopen: () => {},
    } as never,
    outages,
    logger,
    metrics,
    clock: systemClock,
    random: () => 0.5,
    onAgreement: () => {},
  });
  open.push(watch);
  await watch.start();
  const primary = (): string | null => watch.keyspace("shop")?.primary?.alias ?? null;
  return { watch, cuts, lines, metrics, outages, primary, topology, keyspace };
}

const three = ["db1", "db2", "db3"];

describe("a replication group", () => {
  it("is followed from one primary to the next", async () => {
    const group = new ScriptedGroup(three);
    group.elect("db2");
    const { watch, cuts, lines, metrics, primary } = await watchGroup(group, three);
    expect(primary()).toBe("db2");
    expect(watch.keyspace("shop")?.replicas.map(({ alias }) => alias)).toEqual(["db1", "db3"]);
    expect(watch.follows(tabletOf("db1"))).toBe("read_only");
    const { generation } = watch;
    group.elect("db3");
    await waitUntil(() => primary() === "db3", "the new primary");
    expect(watch.generation).toBeGreaterThan(generation);
    expect(cuts).toEqual([["db2", "after_statement"]]);
    expect(lines).toContain("A keyspace has another primary");
    expect(await metrics.text()).toContain('gatehouse_primary_changes_total{keyspace="shop"} 1');
  });

  it("whose primary dies has none until the others have elected one; who waits is released then", async () => {
    const group = new ScriptedGroup(three);
    group.elect("db1");
    const { cuts, outages, primary } = await watchGroup(group, three);
    group.kill("db1");
    await waitUntil(() => primary() === null, "no primary");
    await waitUntil(() => cuts.some(([alias, manner]) => alias === "db1" && manner === "now"), "the cut");
    const signal = new AbortController().signal;
    const waiting = outages.wait("keyspace:shop", outages.ticket(), signal, new Error("none") as never);
    group.elect("db3");
    expect(await waiting).toBe("again");
    expect(primary()).toBe("db3");
  });

  it("that has lost its majority is not written to", async () => {
    const group = new ScriptedGroup(three);
    group.elect("db1");
    const { primary, watch } = await watchGroup(group, three);
    for (const alias of ["db2", "db3"]) {
      const member = group.members.get(alias);
      if (member !== undefined) member.state = "UNREACHABLE";
    }
    await waitUntil(() => primary() === null, "no primary");
    expect(watch.judge("shop")?.verdict.unusable.get("db1")).toBe("has lost the majority of its group");
  });

  it("is known on after a reload that leaves its tablets, and left when it is gone", async () => {
    const group = new ScriptedGroup(three);
    group.elect("db2");
    const { watch, cuts, primary, keyspace, topology } = await watchGroup(group, three);
    const changed = { ...keyspace, maxReplicaLagMs: 5000, tablets: keyspace.tablets.slice(0, 2) };
    const logins = group.backend.connections.length;
    await watch.adopt({ ...topology, keyspaces: new Map([["shop", changed]]) });
    expect(primary()).toBe("db2");
    expect(watch.keyspace("shop")?.replicas.map(({ alias }) => alias)).toEqual(["db1"]);
    expect(group.backend.connections.length).toBe(logins);
    expect(cuts).toEqual([["db3", "after_transaction"]]);
    await watch.adopt({ ...topology, keyspaces: new Map() });
    expect(watch.keyspace("shop")).toBeNull();
  });
});

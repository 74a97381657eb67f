// Who is the primary, who serves reads, and who is left at once: rows of health checks and the verdict after them.
import { describe, expect, it } from "vitest";
import {
  type CutManner,
  type JudgedTablet,
  judgeKeyspace,
  type KeyspaceRules,
  type KeyspaceVerdict,
  noVerdict,
  tabletsToCut,
} from "../../../src/routing/judge-keyspace.ts";
import { nextCondition, unaskedTablet } from "../../../src/routing/tablet-condition.ts";
import type {
  GaleraObservation,
  GroupObservation,
  ProbeResult,
  ReplicationObservation,
  TabletObservation,
} from "../../../src/routing/tablet-observation.ts";
import type { TabletType } from "../../../src/routing/target.ts";

const seen = (changes: Partial<TabletObservation>): ProbeResult => ({
  kind: "seen",
  observation: {
    serverId: "",
    readOnly: false,
    replication: { kind: "none" },
    galera: null,
    group: null,
    ...changes,
  },
});

const replica = (changes: Partial<ReplicationObservation & { kind: "replica" }> = {}): ProbeResult =>
  seen({
    readOnly: true,
    replication: { kind: "replica", receiving: true, applying: true, lagMs: 0, ...changes },
  });
const writable = seen({});
const readOnly = seen({ readOnly: true });
const gone: ProbeResult = { kind: "failed", reason: "cannot be reached" };

const node = (changes: Partial<GaleraObservation> & { readOnly?: boolean } = {}): ProbeResult => {
  const { readOnly: isReadOnly = false, ...galera } = changes;
  return seen({
    readOnly: isReadOnly,
    galera: {
      ready: true,
      clusterStatus: "Primary",
      localState: 4,
      desynced: false,
      rejectsQueries: false,
      clusterUuid: "c1",
      ...galera,
    },
  });
};

const member = (changes: Partial<GroupObservation> & { readOnly?: boolean } = {}): ProbeResult => {
  const { readOnly: isReadOnly, ...group } = changes;
  const role = group.role ?? "SECONDARY";
  return seen({
    readOnly: isReadOnly ?? role !== "PRIMARY",
    group: {
      state: "ONLINE",
      role,
      members: 3,
      unreachable: 0,
      groupName: "g1",
      singlePrimary: true,
      lagMs: 0,
      ...group,
    },
  });
};

/** A keyspace whose tablets are asked one after the other; time passes only when it is told to. */
class World {
  readonly rules: KeyspaceRules;
  readonly #types = new Map<string, TabletType>();
  readonly #conditions = new Map<string, typeof unaskedTablet>();
  verdict: KeyspaceVerdict = noVerdict;
  cuts: ReadonlyMap<string, CutManner> = new Map();
  nowMs = 0;

  constructor(rules: Partial<KeyspaceRules>, tablets: Readonly<Record<string, TabletType>>) {
    this.rules = {
      name: "shop",
      monitor: "read_only",
      healthFailures: 3,
      maxReplicaLagMs: 10_000,
      failbackChecks: 0,
      ...rules,
    };
    for (const [alias, type] of Object.entries(tablets)) {
      this.#types.set(alias, type);
      this.#conditions.set(alias, unaskedTablet);
    }
  }

  see(alias: string, result: ProbeResult, times = 1): this {
    for (let index = 0; index < times; index++) {
      const was = this.#tablets();
      this.#conditions.set(
        alias,
        nextCondition(this.#conditions.get(alias) ?? unaskedTablet, result, this.rules, this.nowMs),
      );
      const tablets = this.#tablets().map((tablet, at) => ({
        ...tablet,
        wasUp: was[at]?.condition.up ?? false,
      }));
      const before = this.verdict;
      this.verdict = judgeKeyspace(this.rules, tablets, before);
      this.cuts = tabletsToCut(this.rules, tablets, before, this.verdict);
    }
    return this;
  }

  #tablets(): JudgedTablet[] {
    return [...this.#types].map(([alias, type]) => ({
      alias,
      type,
      condition: this.#conditions.get(alias) ?? unaskedTablet,
    }));
  }
}

const two = { db1: "primary", db2: "replica" } as const;
const three = { db1: "primary", db2: "replica", db3: "replica" } as const;

const healthy = (rules: Partial<KeyspaceRules> = {}): World =>
  new World(rules, two).see("db1", writable).see("db2", replica());

describe("monitor read_only", () => {
  it("takes the writable tablet for the primary, whatever the file's type", () => {
    expect(healthy().verdict).toMatchObject({ primary: "db1", noPrimaryBecause: null, replicas: ["db2"] });
    const swapped = new World({}, two).see("db1", replica()).see("db2", writable);
    expect(swapped.verdict).toMatchObject({ primary: "db2", replicas: ["db1"] });
  });

  it("decides nothing before every tablet has been asked", () => {
    const world = new World({}, two).see("db1", writable);
    expect(world.verdict.primary).toBeNull();
    expect(world.verdict.noPrimaryBecause).toBe("Tablet 'db2' has not been asked yet");
    expect(world.see("db2", gone).verdict.primary).toBe("db1");
  });

  it("follows a planned switch-over: statements of the former primary may end, nothing else", () => {
    const world = healthy().see("db1", readOnly);
    expect(world.verdict).toMatchObject({
      primary: null,
      noPrimaryBecause: "No tablet of keyspace 'shop' takes writes",
      rivals: [],
    });
    expect([...world.cuts]).toEqual([["db1", "after_statement"]]);
    world.see("db2", writable);
    expect(world.verdict.primary).toBe("db2");
    expect([...world.cuts]).toEqual([["db1", "after_statement"]]);
    world.see("db1", replica());
    expect([...world.cuts]).toEqual([]);
  });

  it("holds on to a primary whose check failed once, and follows a promotion only when it is down", () => {
    const world = healthy().see("db1", gone, 2);
    expect(world.verdict.primary).toBe("db1");
    expect(world.cuts.size).toBe(0);
    world.see("db2", writable);
    // db1 could still be alive behind a broken network.
    expect(world.verdict).toMatchObject({ primary: null, rivals: [] });
    expect(world.verdict.noPrimaryBecause).toContain("'db1' cannot be reached");
    expect(world.cuts.size).toBe(0);
    world.see("db1", gone);
    expect(world.verdict.primary).toBe("db2");
    expect([...world.cuts]).toEqual([["db1", "now"]]);
  });

  it("writes to none of two primaries, at the first sign; calls it a conflict when both have said it twice", () => {
    const world = healthy().see("db2", writable);
    expect(world.verdict).toMatchObject({ primary: null, rivals: [] });
    expect(world.cuts.size).toBe(0);
    world.see("db1", writable).see("db2", writable);
    expect(world.verdict.rivals).toEqual(["db1", "db2"]);
    expect(world.verdict.noPrimaryBecause).toBe(
      "Tablets 'db1' and 'db2' of keyspace 'shop' take writes at once: none is written to until one is read-only or gone",
    );
    expect([...world.cuts]).toEqual([["db1", "now"]]);
    expect(world.verdict.replicas).toEqual([]);
    world.see("db1", readOnly);
    expect(world.verdict).toMatchObject({ primary: "db2", rivals: [] });
  });

  it("a former primary that comes back writable stops writes before it is trusted", () => {
    const world = healthy().see("db1", gone, 3).see("db2", writable);
    expect(world.verdict.primary).toBe("db2");
    world.see("db1", writable);
    expect(world.verdict.primary).toBeNull();
    world.see("db1", writable);
    expect(world.verdict.rivals).toEqual([]);
    expect(world.see("db2", writable).verdict.rivals).toEqual(["db1", "db2"]);
  });

  it("a false alarm, because checks are not simultaneous, cuts nobody", () => {
    const world = healthy().see("db2", writable).see("db1", readOnly);
    expect(world.verdict.primary).toBe("db2");
    expect([...world.cuts]).toEqual([["db1", "after_statement"]]);
  });

  it("needs two good checks of a tablet that was down", () => {
    const world = healthy().see("db1", gone, 3).see("db1", writable);
    expect(world.verdict.primary).toBeNull();
    expect(world.see("db1", writable).verdict.primary).toBe("db1");
    world.see("db2", gone, 3);
    expect(world.verdict.unusable.get("db2")).toBe("cannot be reached");
    expect(world.see("db2", replica()).verdict.replicas).toEqual([]);
    expect(world.see("db2", replica()).verdict.replicas).toEqual(["db2"]);
  });

  it("a monitor that is locked out changes nothing that is known, and knows nothing at first", () => {
    const blind: ProbeResult = { kind: "blind", reason: "refuses the monitor account" };
    expect(healthy().see("db1", blind, 9).see("db2", blind, 9).verdict).toMatchObject({
      primary: "db1",
      replicas: ["db2"],
    });
    const world = new World({}, two).see("db1", blind, 9).see("db2", writable);
    expect(world.verdict).toMatchObject({ primary: "db2", replicas: [] });
    expect(world.verdict.unusable.get("db1")).toBe("refuses the monitor account");
  });

  it("leaves a tablet that goes down, replicas included", () => {
    const world = healthy().see("db2", gone, 2);
    expect([world.verdict.replicas, world.cuts.size]).toEqual([["db2"], 0]);
    world.see("db2", gone);
    expect([world.verdict.replicas, [...world.cuts]]).toEqual([[], [["db2", "now"]]]);
  });

  it("an rdonly tablet serves no ordinary reads", () => {
    const world = new World({}, { db1: "primary", db2: "rdonly" }).see("db1", writable).see("db2", replica());
    expect(world.verdict).toMatchObject({ replicas: [], rdonly: ["db2"] });
  });
});

describe("the lag limit", () => {
  it("is applied after several results, and lifted after two", () => {
    const world = healthy().see("db2", replica({ lagMs: 12_000 }), 2);
    expect(world.verdict.replicas).toEqual(["db2"]);
    world.see("db2", replica({ lagMs: 12_000 }));
    expect(world.verdict.replicas).toEqual([]);
    expect(world.verdict.unusable.get("db2")).toBe("lags 12s (max_replica_lag=10s)");
    expect(world.cuts.size).toBe(0);
    world.see("db2", replica({ lagMs: 0 }));
    expect(world.verdict.replicas).toEqual([]);
    expect(world.see("db2", replica({ lagMs: 0 })).verdict.replicas).toEqual(["db2"]);
  });

  it("does not flap around the limit", () => {
    const world = healthy();
    for (let round = 0; round < 10; round++) {
      world.see("db2", replica({ lagMs: 10_500 })).see("db2", replica({ lagMs: 9500 }));
      expect(world.verdict.replicas).toEqual(["db2"]);
    }
  });

  it.each([
    ["its source is not connected", { receiving: false, lagMs: null }],
    ["replication has stopped", { applying: false, lagMs: null }],
    ["replication has stopped", { applying: false, lagMs: 0 }],
  ])("counts time by the clock while the server does not know: %s", (why, state) => {
    const world = healthy();
    world.nowMs = 8000;
    world.see("db2", replica(state), 5);
    expect(world.verdict.replicas).toEqual(["db2"]);
    world.nowMs = 11_000;
    world.see("db2", replica(state), 3);
    expect(world.verdict.unusable.get("db2")).toBe(`lags 11s (max_replica_lag=10s), ${why}`);
  });

  it("turns away who never knew its lag, who replicates from nobody, and who does not show it", () => {
    const world = new World({}, { ...three, db4: "replica" })
      .see("db1", writable)
      .see("db2", replica({ lagMs: null }))
      .see("db3", readOnly)
      .see("db4", seen({ readOnly: true, replication: { kind: "hidden", reason: "1227" } }));
    expect(world.verdict.replicas).toEqual([]);
    expect([...world.verdict.unusable.values()]).toEqual([
      "does not know its lag (max_replica_lag=10s)",
      "replicates from nobody",
      "does not show its replication: 1227",
    ]);
  });

  it("without a limit nothing of this matters", () => {
    const world = new World({ maxReplicaLagMs: null }, two)
      .see("db1", writable)
      .see("db2", replica({ applying: false, lagMs: null }), 5);
    expect(world.verdict.replicas).toEqual(["db2"]);
  });
});

describe("monitor galera", () => {
  const cluster = (rules: Partial<KeyspaceRules> = {}): World =>
    new World({ monitor: "galera", ...rules }, three)
      .see("db1", node())
      .see("db2", node())
      .see("db3", node());

  it("writes to the first node of the file, reads from the others", () => {
    expect(cluster().verdict).toMatchObject({ primary: "db1", replicas: ["db2", "db3"], rivals: [] });
  });

  it.each<[string, ProbeResult, CutManner]>([
    ["a donor", node({ localState: 2 }), "after_transaction"],
    ["desynced", node({ desynced: true }), "after_transaction"],
    ["not ready", node({ ready: false }), "after_statement"],
    ["cut off", node({ clusterStatus: "non-Primary" }), "after_statement"],
    ["rejecting queries", node({ rejectsQueries: true }), "after_statement"],
    ["read-only", node({ readOnly: true }), "after_statement"],
  ])("moves on when the writer is %s", (state, result, manner) => {
    const world = cluster().see("db1", result);
    expect(world.verdict.primary).toBe("db2");
    expect([...world.cuts]).toEqual([["db1", manner]]);
    expect(world.verdict.replicas).toEqual(state === "read-only" ? ["db1", "db3"] : ["db3"]);
  });

  it("begins with the node that other processes of the gateway write to, where that one can", () => {
    const told = (result: ProbeResult): World => {
      const world = new World({ monitor: "galera" }, three);
      world.verdict = { ...noVerdict, expected: "db2" };
      return world.see("db3", node()).see("db1", node()).see("db2", result);
    };
    expect(told(node()).verdict.primary).toBe("db2");
    expect(told(node({ desynced: true })).verdict.primary).toBe("db1");
    // Only at the beginning.
    expect(told(node()).see("db2", gone, 3).see("db2", node(), 2).verdict.primary).toBe("db1");
  });

  it("stays with the writer by default, and goes back after as many checks as it is told", () => {
    const away = (rules: Partial<KeyspaceRules>): World =>
      cluster(rules)
        .see("db1", node({ localState: 2 }))
        .see("db1", node(), 4);
    expect(away({}).see("db1", node(), 100).verdict.primary).toBe("db2");
    const world = away({ failbackChecks: 5 });
    expect(world.verdict.primary).toBe("db2");
    world.see("db1", node());
    expect(world.verdict.primary).toBe("db1");
    expect([...world.cuts]).toEqual([["db2", "after_transaction"]]);
  });

  it("a node that was killed and rejoins counts anew", () => {
    const world = cluster({ failbackChecks: 3 }).see("db1", gone, 3);
    expect(world.verdict.primary).toBe("db2");
    expect([...world.cuts]).toEqual([["db1", "now"]]);
    expect(world.see("db1", node(), 2).verdict.primary).toBe("db2");
    expect(world.see("db1", node()).verdict.primary).toBe("db1");
  });

  it("writes to none of two clusters", () => {
    const world = cluster()
      .see("db3", node({ clusterUuid: "c2" }), 2)
      .see("db1", node())
      .see("db2", node());
    expect(world.verdict).toMatchObject({ primary: null, rivals: ["db1", "db2", "db3"] });
  });

  it("a server without Galera is no node", () => {
    const world = cluster().see("db1", writable);
    expect(world.verdict.primary).toBe("db2");
    expect(world.verdict.unusable.get("db1")).toBe("is no node of a Galera cluster");
  });
});

describe("monitor group_replication", () => {
  const group = (): World =>
    new World({ monitor: "group_replication" }, three)
      .see("db1", member())
      .see("db2", member({ role: "PRIMARY" }))
      .see("db3", member());

  it("follows the member that is the group's primary", () => {
    const world = group();
    expect(world.verdict).toMatchObject({ primary: "db2", replicas: ["db1", "db3"] });
    world.see("db2", member());
    expect([world.verdict.primary, [...world.cuts]]).toEqual([null, [["db2", "after_statement"]]]);
    // On its way it is secondary, and not read-only yet.
    expect([...group().see("db2", member({ readOnly: false })).cuts]).toEqual([["db2", "after_statement"]]);
    const alone = group().see("db2", member({ role: "PRIMARY", unreachable: 2 }));
    expect([alone.verdict.primary, [...alone.cuts]]).toEqual([null, [["db2", "now"]]]);
    expect(world.see("db3", member({ role: "PRIMARY" })).verdict.primary).toBe("db3");
  });

  it.each([
    ["is no member of a replication group", { state: "", role: "" }],
    ["is offline in its group", { state: "OFFLINE" }],
    ["is recovering in its group", { state: "RECOVERING" }],
    ["is error in its group", { state: "ERROR" }],
    ["has lost the majority of its group", { unreachable: 2 }],
  ])("does not use a member that %s", (why, state) => {
    const world = group()
      .see("db1", member(state))
      .see("db2", member({ role: "PRIMARY", ...state }));
    expect(world.verdict.primary).toBeNull();
    expect(world.verdict.unusable.get("db1")).toBe(why);
  });

  it("does not take an even split for a majority, nor a primary that has not left its read-only mode", () => {
    expect(group().see("db2", member({ role: "PRIMARY", members: 4, unreachable: 2 })).verdict.primary).toBe(
      null,
    );
    expect(group().see("db2", member({ role: "PRIMARY", readOnly: true })).verdict.primary).toBeNull();
  });

  it("writes to none of two primaries of a group, or of two groups", () => {
    for (const other of [{}, { groupName: "g2", singlePrimary: false }]) {
      const world = group()
        .see("db3", member({ role: "PRIMARY", ...other }), 2)
        .see("db2", member({ role: "PRIMARY" }));
      expect(world.verdict).toMatchObject({ primary: null, rivals: ["db2", "db3"] });
    }
  });

  it("writes to one of many primaries, and stays there", () => {
    const many = member({ role: "PRIMARY", singlePrimary: false });
    const world = new World({ monitor: "group_replication" }, two).see("db1", many).see("db2", many);
    expect(world.verdict.primary).toBe("db1");
    world.see("db1", member({ state: "RECOVERING" })).see("db1", many, 10);
    expect(world.verdict.primary).toBe("db2");
  });
});

describe("monitor none", () => {
  it("goes by the file, and asks only whether tablets answer", () => {
    const world = new World({ monitor: "none" }, three).see("db1", readOnly).see("db2", writable);
    expect(world.verdict).toMatchObject({ primary: "db1", replicas: ["db2"], rivals: [] });
    expect(world.verdict.unusable.get("db3")).toBe("has not been asked yet");
    world.see("db1", gone, 3);
    expect(world.verdict).toMatchObject({
      primary: null,
      noPrimaryBecause: "Primary tablet 'db1' cannot be reached",
    });
  });

  it("still minds the lag of servers that tell it", () => {
    const world = new World({ monitor: "none" }, two)
      .see("db1", writable)
      .see("db2", replica({ lagMs: 60_000 }));
    expect(world.verdict.replicas).toEqual([]);
  });
});

// What a health check asks servers of each kind, and what their answers mean. Names of columns and rows as MariaDB 10.11,
// MySQL 9.7 and Galera 4 send them.
import { describe, expect, it } from "vitest";
import type { ServerFacts } from "../../../src/backend/backend-connection.ts";
import type { HousekeepingReply } from "../../../src/backend/housekeeping.ts";
import { BackendLoginError } from "../../../src/backend/login-error.ts";
import { type ProbeScope, probeCommands, readProbe } from "../../../src/backend/tablet-probe.ts";
import { encodeColumnDefinition, parameterDefinition } from "../../../src/wire/packets/column-definition.ts";

const server = (flavour: "mysql" | "mariadb", versionNumber: number): ServerFacts => ({
  versionText: "",
  flavour,
  versionNumber,
  capabilities: 0,
  collation: 45,
});

const texts = (scope: ProbeScope, facts = server("mariadb", 101_119)): string[] =>
  probeCommands(scope, facts).map(({ payload }) => Buffer.from(payload.subarray(1)).toString());

const rows = (...all: (string | null)[][]): HousekeepingReply => ({
  kind: "rows",
  warnings: 0,
  rows: all,
  definitions: [],
});
const table = (...all: Record<string, string | null>[]): HousekeepingReply => ({
  kind: "rows",
  warnings: 0,
  rows: all.map((row) => Object.values(row)),
  definitions: Object.keys(all[0] ?? {}).map((name) =>
    encodeColumnDefinition({ ...parameterDefinition, name }),
  ),
});
const err = (code: number, message: string): HousekeepingReply => ({
  kind: "err",
  error: { code, sqlState: "HY000", message },
  payload: Buffer.alloc(0),
});
const named = (values: Record<string, string>): HousekeepingReply => rows(...Object.entries(values));

const writable = {
  lower_case_table_names: "0",
  read_only: "OFF",
  server_id: "1",
  hostname: "h",
  port: "3306",
};

describe("probeCommands()", () => {
  it("asks no more than a monitor needs", () => {
    expect(texts([])).toEqual(["SELECT @@lower_case_table_names, @@global.read_only"]);
    expect(texts(["none"])).toEqual([
      "SELECT @@lower_case_table_names, @@global.read_only",
      "SHOW ALL SLAVES STATUS",
    ]);
    expect(texts(["read_only"])[1]).toBe("SHOW ALL SLAVES STATUS");
  });

  it("asks a Galera node nothing but SHOW: one that is cut off answers nothing else", () => {
    const all = texts(["galera"]);
    expect(all.length).toBe(2);
    for (const text of all) expect(text).toMatch(/^SHOW GLOBAL (VARIABLES|STATUS) WHERE/);
  });

  it("asks each question once where several keyspaces have a server", () => {
    const all = texts(["read_only", "none", "galera"]);
    expect(all.length).toBe(3);
    expect(all[0]).toMatch(/^SHOW GLOBAL VARIABLES/);
  });

  it.each<[string, ServerFacts]>([
    ["SHOW ALL SLAVES STATUS", server("mariadb", 100_500)],
    ["SHOW REPLICA STATUS", server("mysql", 90_704)],
    ["SHOW REPLICA STATUS", server("mysql", 80_022)],
    ["SHOW SLAVE STATUS", server("mysql", 80_021)],
    ["SHOW SLAVE STATUS", server("mysql", 50_744)],
    ["SHOW SLAVE STATUS", server("mariadb", 50_568)],
  ])("reads the replication by %s", (text, facts) => {
    expect(texts(["read_only"], facts)[1]).toBe(text);
  });
});

describe("readProbe()", () => {
  const readOnlyOf = (values: Record<string, string>) =>
    readProbe(["read_only"], [named({ ...writable, ...values }), rows()]).observation.readOnly;

  it("knows who takes writes", () => {
    expect(readOnlyOf({})).toBe(false);
    expect(readOnlyOf({ read_only: "ON" })).toBe(true);
    expect(readOnlyOf({ read_only: "OFF", super_read_only: "ON" })).toBe(true);
    expect(readOnlyOf({ read_only: "OFF", super_read_only: "OFF" })).toBe(false);
    expect(readOnlyOf({ read_only: "NO_LOCK_NO_ADMIN" })).toBe(true);
    expect(readProbe([], [rows(["1", "1"])])).toMatchObject({
      lowerCaseTableNames: 1,
      observation: { readOnly: true, serverId: "", galera: null, group: null },
    });
  });

  it("tells servers apart", () => {
    const idOf = (values: Record<string, string>) =>
      readProbe(["read_only"], [named({ ...writable, ...values }), rows()]).observation.serverId;
    expect(idOf({ server_uuid: "u-1" })).toBe("u-1");
    expect(idOf({})).toBe("h:3306:1");
  });

  const replicationOf = (reply: HousekeepingReply) =>
    readProbe(["read_only"], [named(writable), reply]).observation.replication;

  it("reads the replication of both families", () => {
    expect(replicationOf(rows())).toEqual({ kind: "none" });
    expect(
      replicationOf(table({ Slave_IO_Running: "Yes", Slave_SQL_Running: "Yes", Seconds_Behind_Master: "7" })),
    ).toEqual({ kind: "replica", receiving: true, applying: true, lagMs: 7000 });
    expect(
      replicationOf(
        table({ Replica_IO_Running: "Connecting", Replica_SQL_Running: "Yes", Seconds_Behind_Source: null }),
      ),
    ).toEqual({ kind: "replica", receiving: false, applying: true, lagMs: null });
  });

  it("takes the worst of several channels", () => {
    const channel = (io: string, sql: string, lag: string | null) => ({
      Slave_IO_Running: io,
      Slave_SQL_Running: sql,
      Seconds_Behind_Master: lag,
    });
    expect(replicationOf(table(channel("Yes", "Yes", "7"), channel("Yes", "Yes", "3")))).toMatchObject({
      lagMs: 7000,
    });
    expect(replicationOf(table(channel("Yes", "No", null), channel("Yes", "Yes", "3")))).toEqual({
      kind: "replica",
      receiving: true,
      applying: false,
      lagMs: null,
    });
  });

  it("says what the monitor's account lacks, and goes on without", () => {
    const hidden = replicationOf(err(1227, "Access denied; you need SLAVE MONITOR"));
    expect(hidden).toMatchObject({ kind: "hidden" });
    expect(hidden.kind === "hidden" && hidden.reason).toContain("SLAVE MONITOR or REPLICATION CLIENT");
    expect(replicationOf(err(1064, "You have an error")).kind).toBe("hidden");
    expect(replicationOf({ kind: "ok", warnings: 0 }).kind).toBe("hidden");
  });

  it("reads a Galera node", () => {
    const status = {
      wsrep_ready: "ON",
      wsrep_cluster_status: "Primary",
      wsrep_local_state: "4",
      wsrep_cluster_state_uuid: "c1",
    };
    const nodeOf = (variables: Record<string, string>, reply = named(status)) =>
      readProbe(["galera"], [named({ ...writable, ...variables }), reply]).observation.galera;
    expect(nodeOf({ wsrep_desync: "OFF", wsrep_reject_queries: "NONE" })).toEqual({
      ready: true,
      clusterStatus: "Primary",
      localState: 4,
      desynced: false,
      rejectsQueries: false,
      clusterUuid: "c1",
    });
    expect(nodeOf({ wsrep_desync: "ON", wsrep_reject_queries: "ALL" })).toMatchObject({
      desynced: true,
      rejectsQueries: true,
    });
    expect(
      nodeOf({}, named({ ...status, wsrep_ready: "OFF", wsrep_cluster_status: "non-Primary" })),
    ).toMatchObject({ ready: false, clusterStatus: "non-Primary" });
    expect(nodeOf({}, rows())).toBeNull();
  });

  it("reads a member of a group", () => {
    const members = rows(
      ["u-1", "ONLINE", "PRIMARY"],
      ["u-2", "ONLINE", "SECONDARY"],
      ["u-3", "UNREACHABLE", ""],
    );
    const variables = { ...writable, server_uuid: "u-1", group_replication_group_name: "g1" };
    const groupOf = (values: Record<string, string>, applier: HousekeepingReply = rows(["2500000"])) =>
      readProbe(["group_replication"], [named({ ...variables, ...values }), members, applier]).observation
        .group;
    expect(groupOf({ group_replication_single_primary_mode: "ON" })).toEqual({
      state: "ONLINE",
      role: "PRIMARY",
      members: 3,
      unreachable: 1,
      groupName: "g1",
      singlePrimary: true,
      lagMs: 2500,
    });
    expect(groupOf({ server_uuid: "u-9" })).toMatchObject({ state: "", role: "" });
    expect(groupOf({}, rows([null]))?.lagMs).toBe(0);
    expect(groupOf({}, err(1142, "SELECT command denied"))?.lagMs).toBeNull();
    const alone = readProbe(
      ["group_replication"],
      [named(variables), rows(["", "OFFLINE", ""]), rows([null])],
    );
    expect(alone.observation.group?.state).toBe("");
  });

  it.each<[ProbeScope, HousekeepingReply[]]>([
    [[], [err(1193, "Unknown system variable")]],
    [[], [rows()]],
    [[], [rows([null, "0"])]],
    [["read_only"], [rows(), rows()]],
    [["read_only"], [{ kind: "ok", warnings: 0 }, rows()]],
    [["read_only"], []],
    [["galera"], [named(writable), err(1047, "WSREP has not yet prepared node")]],
    [["group_replication"], [named(writable), err(1142, "SELECT command denied"), rows()]],
  ])("takes what tells nothing for a failure: %j", (scope, replies) => {
    expect(() => readProbe(scope, replies)).toThrow(BackendLoginError);
  });
});

// Real MariaDB servers with asynchronous and semi-synchronous replication, failed over under writers who remember what
// was acknowledged.
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import { type GatewayProcess, testUser } from "../support/gateway-process.ts";
import { startKeyspaceGateway } from "../support/keyspace-gateway.ts";
import { loggedIn } from "../support/raw/login.ts";
import type { RawClient } from "../support/raw/raw-client.ts";
import {
  monitorAccount,
  type ReplicatedServers,
  startReplicatedServers,
} from "../support/replicated-servers.ts";
import { waitUntil } from "../support/scratch.ts";
import { expectNothingLost, startWriters, writtenTable } from "../support/writers.ts";

let group: ReplicatedServers;
let gateway: GatewayProcess | null = null;

afterEach(async () => {
  await gateway?.stop();
  gateway = null;
});

const serverAt = (index: number): DatabaseServer => {
  const server = group.servers[index];
  if (server === undefined) throw new Error(`there is no server ${index}`);
  return server;
};

const enter = async (database = "shop"): Promise<RawClient> =>
  loggedIn({ port: gateway?.port ?? 0 }, { ...testUser, database });

const primaryIs = (alias: string): Promise<void> =>
  waitUntil(
    async () => (await gateway?.metric("gatehouse_tablet_serving", { tablet: alias, role: "primary" })) === 1,
    `${alias} to be the primary`,
    15_000,
  ).then(() => {});

describe("a group of replicated servers", () => {
  beforeAll(async () => {
    group = await startReplicatedServers(3);
    await serverAt(0).admin(writtenTable);
  });
  afterAll(() => group?.stop());

  it("is switched over under load: no acknowledged write is lost, no client sees an error", async () => {
    gateway = await startKeyspaceGateway({ monitor: "read_only", servers: group.servers });
    const writers = startWriters(gateway.port, 8);
    const [old, next, third] = [serverAt(0), serverAt(1), serverAt(2)];
    await writers.advance(200);
    await old.admin("SET GLOBAL read_only = 1");
    await group.caughtUp(next, old);
    await group.promote(next);
    await writers.advance(200);
    await group.follow(old, next);
    await group.follow(third, next);
    await writers.advance(50);
    // And back.
    await next.admin("SET GLOBAL read_only = 1");
    await group.caughtUp(old, next);
    await group.promote(old);
    await writers.advance(200);
    await writers.stop();
    await group.follow(next, old);
    await group.follow(third, old);
    expect(writers.failed).toEqual([]);
    await expectNothingLost(old, writers);
    await group.caughtUp(next, old);
    await expectNothingLost(next, writers);
    expect(await gateway.metric("gatehouse_primary_changes_total")).toBe(2);
    expect(
      await gateway.metric("gatehouse_buffered_statements_total", { outcome: "released" }),
    ).toBeGreaterThan(0);
    expect(await gateway.metric("gatehouse_buffered_statements")).toBe(0);
  });

  it("with two primaries is not written to, and says so everywhere, until one gives in", async () => {
    gateway = await startKeyspaceGateway({
      monitor: "read_only",
      servers: group.servers,
      flags: { buffer_window: "400ms" },
    });
    const client = await enter();
    expect((await client.query("INSERT INTO written (id) VALUES (-1)")).error).toBeNull();
    await serverAt(1).admin("SET GLOBAL read_only = 0");
    await gateway.waitForRecord(
      ({ level, message }) => level === "error" && String(message).includes("take writes at once"),
      "the error in the log",
    );
    expect(await gateway.metric("gatehouse_keyspace_conflict", { keyspace: "shop" })).toBe(1);
    const readyz = await gateway.admin("/readyz");
    expect(readyz.status).toBe(503);
    expect(readyz.body).toContain("'db1' and 'db2'");
    expect((await client.query("INSERT INTO written (id) VALUES (-2)")).error?.code).toBe(3168);
    await serverAt(1).admin("SET GLOBAL read_only = 1");
    await primaryIs("db1");
    expect((await client.query("INSERT INTO written (id) VALUES (-3)")).error).toBeNull();
    expect((await gateway.admin("/readyz")).status).toBe(200);
    const rows = await serverAt(0).admin("SELECT id FROM shop.written WHERE id < 0 ORDER BY id");
    expect(rows.map(({ id }) => id)).toEqual([-3, -1]);
    await client.quit();
  });

  it("is told of in one voice by several workers", async () => {
    gateway = await startKeyspaceGateway({
      monitor: "read_only",
      servers: group.servers,
      flags: { workers: 2 },
    });
    await primaryIs("db1");
    const conflictIs = (value: number): Promise<unknown> =>
      waitUntil(
        async () => (await gateway?.metric("gatehouse_keyspace_conflict", { keyspace: "shop" })) === value,
        `the conflict to be ${value}`,
        30_000,
      );
    await conflictIs(0);
    await serverAt(1).admin("SET GLOBAL read_only = 0");
    await conflictIs(1);
    await serverAt(1).admin("SET GLOBAL read_only = 1");
    await conflictIs(0);
    await primaryIs("db1");
    for (const [former, next, alias, changes] of [
      [0, 1, "db2", 1],
      [1, 0, "db1", 2],
    ] as const) {
      await serverAt(former).admin("SET GLOBAL read_only = 1");
      await serverAt(next).admin("SET GLOBAL read_only = 0");
      await primaryIs(alias);
      expect(await gateway.metric("gatehouse_primary_changes_total")).toBe(changes);
    }
  });

  it("is warned of accounts that may write to a read-only server", async () => {
    const account = { user: "mighty", password: "mighty-secret" };
    await serverAt(0).admin(
      `CREATE USER '${account.user}'@'%' IDENTIFIED BY '${account.password}'`,
      `GRANT SELECT, READ_ONLY ADMIN ON *.* TO '${account.user}'@'%'`,
    );
    gateway = await startKeyspaceGateway({
      monitor: "read_only",
      servers: group.servers,
      topology: {
        accounts: {
          default: { user: account.user, password_env: "MIGHTY_PASSWORD" },
          monitor: { user: monitorAccount.user, password_env: "MONITOR_PASSWORD" },
        },
      },
      env: { MIGHTY_PASSWORD: account.password },
    });
    const client = await enter();
    const { account: name, tablet } = await gateway.waitForRecord(
      ({ level, privilege }) => level === "warn" && privilege === "READ_ONLY ADMIN",
      "the warning",
    );
    expect([name, tablet]).toEqual(["default", "db1"]);
    expect((await gateway.admin("/readyz")).body).toContain(
      "note: Account 'default' may write to tablet 'db1'",
    );
    await client.quit();
  });

  it("ends transactions on a server that is the primary no more, and no idle session", async () => {
    gateway = await startKeyspaceGateway({ monitor: "read_only", servers: group.servers });
    const [idle, busy] = [await enter(), await enter()];
    expect((await idle.query("SELECT 1")).error).toBeNull();
    await busy.query("BEGIN");
    await busy.query("INSERT INTO written (id) VALUES (-4)");
    await serverAt(0).admin("SET GLOBAL read_only = 1");
    // In the middle of a transaction there is no server to go to.
    await busy.readToEnd();
    await serverAt(0).admin("SET GLOBAL read_only = 0");
    expect((await idle.query("INSERT INTO written (id) VALUES (-5)")).error).toBeNull();
    expect(await idle.rows("SELECT COUNT(*) FROM written WHERE id = -4")).toEqual([["0"]]);
    await idle.quit();
  });

  it("serves reads from replicas, and not from one that lags", async () => {
    gateway = await startKeyspaceGateway({
      monitor: "read_only",
      servers: group.servers,
      keyspace: { max_replica_lag: "1s", health_failures: 2 },
    });
    const serving = (alias: string, value: number): Promise<unknown> =>
      waitUntil(
        async () =>
          (await gateway?.metric("gatehouse_tablet_serving", { tablet: alias, role: "replica" })) === value,
        `${alias}: ${value}`,
      );
    await serving("db2", 1);
    await serving("db3", 1);
    const client = await enter("shop@replica");
    const where = async (): Promise<string> => String((await client.rows("SELECT @@server_id"))[0]?.[0]);
    expect(["2", "3"]).toContain(await where());
    expect((await client.query("INSERT INTO written (id) VALUES (-6)")).error?.code).toBe(1290);
    await serverAt(1).admin("STOP SLAVE SQL_THREAD");
    await serving("db2", 0);
    expect(await where()).toBe("3");
    expect((await gateway.admin("/api/status")).body).toMatch(/unused: lags .* replication has stopped/);
    await serverAt(1).admin("START SLAVE SQL_THREAD");
    await serving("db2", 1);
    await client.quit();
  });
});

describe("a primary that is killed", () => {
  beforeAll(async () => {
    group = await startReplicatedServers(2, { semiSync: true });
    await serverAt(0).admin(writtenTable);
  });
  afterAll(() => group?.stop());

  it("takes no acknowledged write with it where replication is semi-synchronous; nothing runs twice", async () => {
    gateway = await startKeyspaceGateway({ monitor: "read_only", servers: group.servers });
    const [old, next] = [serverAt(0), serverAt(1)];
    const writers = startWriters(gateway.port, 8);
    await writers.advance(200);
    await old.kill();
    await group.promote(next);
    await writers.advance(200);
    // Only what was in flight: one for each client. A PREPARE changes nothing, so that its failure can be told (1317).
    expect(writers.failed.length).toBeLessThanOrEqual(8);
    const lost = ["PROTOCOL_CONNECTION_LOST", "ECONNRESET", "EPIPE", "ER_QUERY_INTERRUPTED"];
    for (const { code, message } of writers.failed) expect(lost, message).toContain(code);
    await primaryIs("db2");
    await old.restart();
    await group.follow(old, next);
    await writers.advance(100);
    await writers.stop();
    await expectNothingLost(next, writers);
  });
});

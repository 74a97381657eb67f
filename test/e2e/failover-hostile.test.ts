// What operators and machines do to a keyspace under load: a primary that hangs instead of dying, one that cannot make up
// its mind, a topology that is edited while nobody is primary.
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { setTablets, startKeyspaceGateway } from "../support/keyspace-gateway.ts";
import { type ReplicatedServers, startReplicatedServers } from "../support/replicated-servers.ts";
import { waitUntil } from "../support/scratch.ts";
import { expectNothingLost, startWriters, writtenTable } from "../support/writers.ts";

let group: ReplicatedServers;
let gateway: GatewayProcess;
afterEach(() => gateway?.stop());

const serverAt = (index: number): DatabaseServer => {
  const server = group.servers[index];
  if (server === undefined) throw new Error(`there is no server ${index}`);
  return server;
};

const servesAsPrimary = (alias: string, value: number): Promise<unknown> =>
  waitUntil(
    async () =>
      (await gateway.metric("gatehouse_tablet_serving", { tablet: alias, role: "primary" })) === value,
    `${alias} as primary: ${value}`,
    30_000,
  );

/** Resolves when every server was asked `count` times more. */
const checks = async (count: number): Promise<void> => {
  const asked = async (): Promise<number> =>
    (await gateway.metric("gatehouse_health_checks_total", { outcome: "seen" })) ?? 0;
  const before = await asked();
  await waitUntil(async () => (await asked()) >= before + 2 * count, `${count} checks`, 30_000);
};

describe("a primary that hangs", () => {
  beforeAll(async () => {
    group = await startReplicatedServers(2, { semiSync: true });
    await serverAt(0).admin(writtenTable);
  });
  afterAll(() => group?.stop());

  it("is left, with all who wait for it; when it comes back beside the next one, nobody is written to", async () => {
    const [old, next] = [serverAt(0), serverAt(1)];
    gateway = await startKeyspaceGateway({
      monitor: "read_only",
      servers: group.servers,
      flags: { backend_pool_size: 6, buffer_window: "60s" },
    });
    await servesAsPrimary("db1", 1);
    const writers = startWriters(gateway.port, 16);
    await writers.advance(200);
    process.kill(old.pid(), "SIGSTOP");
    try {
      await servesAsPrimary("db1", 0);
      await group.promote(next);
      await servesAsPrimary("db2", 1);
      await writers.advance(200, 60_000);
    } finally {
      process.kill(old.pid(), "SIGCONT");
    }
    await gateway.waitForRecord(
      ({ level, message }) => level === "error" && String(message).includes("take writes at once"),
      "the error in the log",
    );
    // What was acknowledged before may still be on its way.
    await checks(2);
    const { length } = writers.acknowledged;
    await checks(2);
    expect(writers.acknowledged.length).toBe(length);
    // What it has not committed yet waits for a replica that it has no more.
    await old.admin("SET GLOBAL rpl_semi_sync_master_enabled = 0", "SET GLOBAL read_only = 1");
    await servesAsPrimary("db2", 1);
    await writers.advance(200, 60_000);
    await writers.stop();
    // One for each client whose statement was under way, then and at the conflict; who logs in meanwhile waits as well.
    expect(writers.failed.length).toBeLessThanOrEqual(2 * 16);
    const lost = ["PROTOCOL_CONNECTION_LOST", "ECONNRESET", "EPIPE", "ER_QUERY_INTERRUPTED", "ETIMEDOUT"];
    for (const { code, message } of writers.failed) expect(lost, message).toContain(code);
    await expectNothingLost(next, writers);
  });
});

describe("replicated servers", () => {
  beforeAll(async () => {
    group = await startReplicatedServers(3);
  });
  afterAll(() => group?.stop());

  it("may change their minds again and again: no client sees an error", async () => {
    const primary = serverAt(0);
    await primary.admin(writtenTable);
    gateway = await startKeyspaceGateway({ monitor: "read_only", servers: group.servers });
    await servesAsPrimary("db1", 1);
    const writers = startWriters(gateway.port, 8);
    for (let turn = 0; turn < 20; turn++) {
      await primary.admin("SET GLOBAL read_only = 1");
      // At any moment of the gateway's own checks.
      if (turn % 3 === 0) await servesAsPrimary("db1", 0);
      await primary.admin("SET GLOBAL read_only = 0");
      await writers.advance(turn % 4 === 0 ? 20 : 1);
    }
    await writers.stop();
    expect(writers.failed).toEqual([]);
    await expectNothingLost(primary, writers);
  });

  it("may be others while nobody is primary, and get other names: no client sees an error", async () => {
    const [old, gone, next] = [serverAt(0), serverAt(1), serverAt(2)];
    await old.admin(writtenTable);
    gateway = await startKeyspaceGateway({
      monitor: "read_only",
      servers: [old, gone],
      flags: { buffer_window: "60s" },
    });
    await servesAsPrimary("db1", 1);
    const writers = startWriters(gateway.port, 8);
    await writers.advance(50);
    await old.admin("SET GLOBAL read_only = 1");
    await servesAsPrimary("db1", 0);
    setTablets(gateway, [
      ["db1", old],
      ["db3", next],
    ]);
    await group.caughtUp(next, old);
    await group.promote(next);
    await servesAsPrimary("db3", 1);
    await writers.advance(50);
    setTablets(gateway, [["renamed", next]]);
    await servesAsPrimary("renamed", 1);
    await writers.advance(50);
    await writers.stop();
    expect(writers.failed).toEqual([]);
    await expectNothingLost(next, writers);
  });
});

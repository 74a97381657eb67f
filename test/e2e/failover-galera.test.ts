// A Galera cluster of three real nodes: stopped, killed and rejoined under writers who remember what was acknowledged.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import { type GaleraCluster, galeraMissing, startGaleraCluster } from "../support/galera-cluster.ts";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { startKeyspaceGateway } from "../support/keyspace-gateway.ts";
import { waitUntil } from "../support/scratch.ts";
import { countedTable, countUp, expectNothingLost, startWriters, writtenTable } from "../support/writers.ts";

const missing = galeraMissing();
if (missing !== null) console.warn(`Skipping tests with a Galera cluster: ${missing}`);

let cluster: GaleraCluster;
let gateway: GatewayProcess | null = null;

const nodeAt = (index: number): DatabaseServer => {
  const node = cluster.nodes[index];
  if (node === undefined) throw new Error(`there is no node ${index}`);
  return node;
};

const primaryIs = (alias: string): Promise<unknown> =>
  waitUntil(
    async () => (await gateway?.metric("gatehouse_tablet_serving", { tablet: alias, role: "primary" })) === 1,
    `${alias} to be the writer`,
    20_000,
  );

describe.skipIf(missing !== null)("a Galera cluster", () => {
  beforeAll(async () => {
    cluster = await startGaleraCluster(3);
  });
  afterAll(() => cluster?.stop());
  beforeEach(({ onTestFailed }) => {
    onTestFailed(async () => console.error("The nodes:", await cluster.states()));
  });
  afterEach(async () => {
    await gateway?.stop();
    gateway = null;
  });

  it("changes its writer when a node is taken out by hand: no client sees an error", async () => {
    gateway = await startKeyspaceGateway({ monitor: "galera", servers: cluster.nodes });
    await primaryIs("db1");
    await nodeAt(0).admin(writtenTable);
    const writers = startWriters(gateway.port, 8);
    await writers.advance(100);
    await nodeAt(0).admin("SET GLOBAL read_only = 1");
    await primaryIs("db2");
    await writers.advance(100);
    await nodeAt(0).admin("SET GLOBAL read_only = 0");
    // The writer stays: going back is done by hand here.
    await writers.advance(50);
    await primaryIs("db2");
    await nodeAt(2).admin("SET GLOBAL read_only = 1");
    await nodeAt(1).admin("SET GLOBAL read_only = 1");
    await primaryIs("db1");
    for (const node of cluster.nodes) await node.admin("SET GLOBAL read_only = 0");
    await writers.advance(50);
    await writers.stop();
    expect(writers.failed).toEqual([]);
    await expectNothingLost(nodeAt(2), writers, "SET SESSION wsrep_sync_wait = 1");
  });

  it("changes its writer while both nodes can be written to: no client sees an error, all at one row", async () => {
    gateway = await startKeyspaceGateway({
      monitor: "galera",
      servers: cluster.nodes,
      keyspace: { failback_checks: 3 },
    });
    await primaryIs("db1");
    await nodeAt(0).admin(countedTable, "INSERT INTO shop.counted VALUES (1, 0, 0)");
    const writers = startWriters(gateway.port, 8, countUp);
    for (let round = 0; round < 3; round++) {
      await writers.advance(50);
      await nodeAt(0).admin("SET GLOBAL wsrep_desync = 1");
      await primaryIs("db2");
      await writers.advance(50);
      await nodeAt(0).admin("SET GLOBAL wsrep_desync = 0");
      await primaryIs("db1");
    }
    await writers.advance(50);
    await writers.stop();
    expect(writers.failed).toEqual([]);
    const [row] = await nodeAt(2).admin("SET SESSION wsrep_sync_wait = 1", "SELECT times FROM shop.counted");
    expect(row?.times).toBe(writers.acknowledged.length);
  });

  it("has one writer for all workers, also for one that is started again", async () => {
    gateway = await startKeyspaceGateway({
      monitor: "galera",
      servers: cluster.nodes,
      flags: { workers: 2 },
    });
    await primaryIs("db1");
    await nodeAt(0).admin("SET GLOBAL wsrep_desync = 1");
    await primaryIs("db2");
    await nodeAt(0).admin("SET GLOBAL wsrep_desync = 0");
    const ready = (): number[] =>
      (gateway?.records() ?? [])
        .filter(({ message }) => message === "A worker is ready")
        .map((record) => Number(record.worker_pid));
    await waitUntil(() => ready().length === 2, "both workers", 20_000);
    process.kill(ready()[0] ?? 0, "SIGKILL");
    await waitUntil(() => ready().length === 3, "another worker", 20_000);
    // The first node could be written to again, and is not.
    await primaryIs("db2");
  });

  it("loses nothing that was acknowledged when nodes are stopped and killed, and goes back to them", async () => {
    gateway = await startKeyspaceGateway({
      monitor: "galera",
      servers: cluster.nodes,
      keyspace: { failback_checks: 5 },
    });
    await primaryIs("db1");
    await nodeAt(0).admin(writtenTable);
    const writers = startWriters(gateway.port, 6);
    await writers.advance(100);
    await nodeAt(0).kill();
    await primaryIs("db2");
    await writers.advance(100, 30_000);
    const afterKill = writers.failed.length;
    expect(afterKill).toBeLessThanOrEqual(6);
    await nodeAt(0).restart();
    await cluster.synced(nodeAt(0));
    await primaryIs("db1");
    await writers.advance(100);
    // Going back to a node that can be written to costs nobody anything.
    expect(writers.failed.length).toBe(afterKill);
    const down = nodeAt(0).shutdown();
    await primaryIs("db2");
    await down;
    await writers.advance(100, 30_000);
    await nodeAt(0).restart();
    await cluster.synced(nodeAt(0));
    await writers.advance(50);
    await writers.stop();
    expect(writers.failed.length).toBeLessThanOrEqual(afterKill + 6);
    for (const node of cluster.nodes) {
      await cluster.synced(node);
      await expectNothingLost(node, writers, "SET SESSION wsrep_sync_wait = 1");
    }
  });
});

// A MySQL replication group of three real members: its primary is changed in order, and killed, under writers who remember
// what was acknowledged.
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { startKeyspaceGateway } from "../support/keyspace-gateway.ts";
import { groupMissing, type ReplicationGroup, startReplicationGroup } from "../support/replication-group.ts";
import { waitUntil } from "../support/scratch.ts";
import { expectNothingLost, startWriters } from "../support/writers.ts";

const missing = groupMissing();
if (missing !== null) console.warn(`Skipping tests with a replication group: ${missing}`);

let group: ReplicationGroup;
let gateway: GatewayProcess | null = null;

const memberAt = (index: number): DatabaseServer => {
  const member = group.members[index];
  if (member === undefined) throw new Error(`there is no member ${index}`);
  return member;
};

const primaryIs = (alias: string): Promise<unknown> =>
  waitUntil(
    async () => (await gateway?.metric("gatehouse_tablet_serving", { tablet: alias, role: "primary" })) === 1,
    `${alias} to be the primary`,
    30_000,
  );

const emptyTable = async (primary: DatabaseServer): Promise<void> => {
  await primary.admin(
    "DROP TABLE IF EXISTS shop.written",
    "CREATE TABLE shop.written (position BIGINT AUTO_INCREMENT PRIMARY KEY, id BIGINT NOT NULL, KEY (id))",
  );
};

describe.skipIf(missing !== null)("a replication group", () => {
  beforeAll(async () => {
    group = await startReplicationGroup(3);
  });
  afterAll(() => group?.stop());
  afterEach(async () => {
    await gateway?.stop();
    gateway = null;
  });

  it("elects another primary when told to: no client sees an error", async () => {
    gateway = await startKeyspaceGateway({ monitor: "group_replication", servers: group.members });
    await primaryIs("db1");
    await emptyTable(memberAt(0));
    const writers = startWriters(gateway.port, 8);
    await writers.advance(100);
    await memberAt(0)
      .admin("SELECT group_replication_set_as_primary((SELECT @@server_uuid))")
      .catch(() => {});
    const [other] = await memberAt(1).admin("SELECT @@server_uuid AS uuid");
    await memberAt(0).admin(`SELECT group_replication_set_as_primary('${String(other?.uuid)}')`);
    await primaryIs("db2");
    await writers.advance(100);
    await writers.stop();
    expect(writers.failed).toEqual([]);
    await expectNothingLost(memberAt(1), writers);
  });

  it("loses nothing that was acknowledged when its primary is killed, and takes it back", async () => {
    gateway = await startKeyspaceGateway({
      monitor: "group_replication",
      servers: group.members,
      flags: { buffer_window: "30s" },
    });
    const first = await group.primary(memberAt(0));
    const [old, survivor] = [memberAt(first), memberAt(first === 0 ? 1 : 0)];
    await primaryIs(`db${first + 1}`);
    await emptyTable(old);
    const writers = startWriters(gateway.port, 6);
    await writers.advance(100);
    await old.kill();
    await writers.advance(100, 60_000);
    // Members take their time over an election: new connections of clients may not wait for that long.
    const sent = writers.failed.filter(({ code }) => code !== "ETIMEDOUT");
    expect(sent.length).toBeLessThanOrEqual(6);
    const next = await group.primary(survivor);
    expect(next).not.toBe(first);
    await primaryIs(`db${next + 1}`);
    await writers.advance(50);
    await writers.stop();
    await expectNothingLost(memberAt(next), writers);
    await old.restart();
    await group.join(old);
    const serving = (): Promise<number | null> | undefined =>
      gateway?.metric("gatehouse_tablet_serving", { tablet: `db${first + 1}`, role: "replica" });
    await waitUntil(async () => (await serving()) === 1, "the former primary to serve reads", 20_000);
  });
});

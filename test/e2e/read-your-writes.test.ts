// A session's reads on a replica that lags: they wait for the session's own writes, or go to the primary.
import type { Connection } from "mysql2/promise";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import { galeraMissing, startGaleraCluster } from "../support/galera-cluster.ts";
import { type GatewayProcess, testUser } from "../support/gateway-process.ts";
import { startKeyspaceGateway } from "../support/keyspace-gateway.ts";
import { mysqldCommand, startMysql } from "../support/mysql-server.ts";
import { accountSql, type ReplicatedServers, startReplicatedServers } from "../support/replicated-servers.ts";
import { waitUntil } from "../support/scratch.ts";

let group: ReplicatedServers;
let primary: DatabaseServer;
let replica: DatabaseServer;
const gateways: GatewayProcess[] = [];
const open: Connection[] = [];

beforeAll(async () => {
  group = await startReplicatedServers(2);
  const [first, second] = group.servers;
  if (first === undefined || second === undefined) throw new Error("two servers were asked for");
  primary = first;
  replica = second;
  await primary.admin("CREATE DATABASE IF NOT EXISTS shop", "CREATE TABLE shop.t (a INT PRIMARY KEY)");
  await group.caughtUp(replica, primary);
});
afterAll(async () => {
  for (const connection of open.splice(0)) connection.destroy();
  for (const gateway of gateways.splice(0)) await gateway.stop();
  await group?.stop();
});

async function start(
  readYourWrites: string | null,
  servers: readonly DatabaseServer[] = [primary, replica],
  monitor: "read_only" | "none" = "read_only",
): Promise<GatewayProcess> {
  const rule = {
    user_data: ["%"],
    target: "shop",
    reads: "shop@replica",
    ...(readYourWrites === null ? {} : { read_your_writes: readYourWrites }),
  };
  const gateway = await startKeyspaceGateway({
    monitor,
    servers,
    topology: { routing_rules: [rule] },
  });
  gateways.push(gateway);
  await waitUntil(async () => (await gateway.admin("/readyz")).status === 200, "the gateway to be ready");
  return gateway;
}

async function connect(gateway: GatewayProcess): Promise<Connection> {
  const connection = await createConnection({
    host: "127.0.0.1",
    port: gateway.port,
    user: testUser.user,
    password: testUser.password,
    database: "shop",
  });
  open.push(connection);
  return connection;
}

/** How many rows of t a client sees, and which server says so. */
async function look(client: Connection, where: string, name = "@@server_id"): Promise<[number, unknown]> {
  const [rows] = await client.query({
    sql: `SELECT COUNT(*), ${name} FROM t WHERE ${where}`,
    rowsAsArray: true,
  });
  const [count, server] = (rows as unknown[][])[0] ?? [];
  return [Number(count), server];
}

/** Nothing is applied until it is undone. */
async function stopReplica(): Promise<void> {
  await replica.admin("STOP SLAVE SQL_THREAD");
}

async function startReplica(): Promise<void> {
  await replica.admin("START SLAVE SQL_THREAD");
}

const onPrimary = 1;
const onReplica = 2;

describe("reads on replicas", () => {
  it("may miss the session's own writes where nobody asks for them", async () => {
    const client = await connect(await start(null));
    expect(await look(client, "1 = 1")).toEqual([0, onReplica]);
    await stopReplica();
    await client.query("INSERT INTO t VALUES (1)");
    expect(await look(client, "a = 1")).toEqual([0, onReplica]);
    await startReplica();
  });

  it("wait for the session's own writes", async () => {
    const client = await connect(await start("15s"));
    await stopReplica();
    await client.query("INSERT INTO t VALUES (10)");
    const seen = look(client, "a = 10");
    await startReplica();
    expect(await seen).toEqual([1, onReplica]);
    // In a transaction, by a prepared statement, and through a failed statement that has written before.
    await client.query("BEGIN");
    await client.query("INSERT INTO t VALUES (11)");
    expect(await look(client, "a = 11")).toEqual([1, onPrimary]);
    await stopReplica();
    await client.query("COMMIT");
    const afterCommit = look(client, "a = 11");
    await startReplica();
    expect(await afterCommit).toEqual([1, onReplica]);
    await stopReplica();
    await client.execute("INSERT INTO t VALUES (?)", [12]);
    const afterExecute = look(client, "a = 12");
    await startReplica();
    expect(await afterExecute).toEqual([1, onReplica]);
  });

  it("that wait are ended by KILL QUERY, on the replica too", async () => {
    const gateway = await start("60s");
    const [client, killer] = [await connect(gateway), await connect(gateway)];
    const [[row]] = (await client.query("SELECT CONNECTION_ID() AS id")) as unknown as [{ id: number }[]];
    await stopReplica();
    await client.query("INSERT INTO t VALUES (15)");
    const waits = async (): Promise<number> => {
      const [found] = await replica.admin(
        "SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT MASTER_GTID_WAIT%'",
      );
      return Number(found?.n);
    };
    const seen = look(client, "a = 15").catch((error: { errno?: number }) => error.errno);
    await waitUntil(async () => (await waits()) === 1, "the wait on the replica");
    await killer.query(`KILL QUERY ${row?.id}`);
    expect(await seen).toBe(1317);
    expect(await waits()).toBe(0);
    await startReplica();
    expect(await look(client, "a = 15")).toEqual([1, onReplica]);
  });

  it("go to the primary when the replica does not come so far in time, and to the replica again when it has", async () => {
    const client = await connect(await start("100ms"));
    await stopReplica();
    await client.query("INSERT INTO t VALUES (20)");
    expect(await look(client, "a = 20")).toEqual([1, onPrimary]);
    expect(await look(client, "a = 20")).toEqual([1, onPrimary]);
    await startReplica();
    await group.caughtUp(replica, primary);
    expect(await look(client, "a = 20")).toEqual([1, onReplica]);
    // What others write is nobody's wait.
    await stopReplica();
    await primary.admin("INSERT INTO shop.t VALUES (21)");
    expect(await look(client, "a = 21")).toEqual([0, onReplica]);
    await startReplica();
  });
});

describe.skipIf(galeraMissing() !== null)("reads on another node of a Galera cluster", () => {
  it("wait for what the cluster has agreed on, or go to the writer", async () => {
    const cluster = await startGaleraCluster(2);
    const [writer, other] = cluster.nodes;
    if (writer === undefined || other === undefined) throw new Error("two nodes were asked for");
    const lock = await other.connect();
    try {
      await writer.admin("CREATE DATABASE IF NOT EXISTS shop", "CREATE TABLE shop.t (a INT PRIMARY KEY)");
      const patient = await connect(await start("15s", [writer, other], "none"));
      const hasty = await connect(await start("300ms", [writer, other], "none"));
      const node = "@@wsrep_node_name";
      await waitUntil(async () => (await look(hasty, "a = 0", node))[1] === "db2", "the other node to serve");
      await lock.query("FLUSH TABLES WITH READ LOCK");
      await patient.query("INSERT INTO t VALUES (1)");
      await hasty.query("INSERT INTO t VALUES (2)");
      const seen = look(patient, "a = 1", node);
      expect(await look(hasty, "a = 2", node)).toEqual([1, "db1"]);
      await lock.query("UNLOCK TABLES");
      expect(await seen).toEqual([1, "db2"]);
      expect(await look(hasty, "a = 2", node)).toEqual([1, "db2"]);
    } finally {
      lock.destroy();
      await cluster.stop();
    }
  });
});

describe.skipIf(mysqldCommand === null)("reads on MySQL's replicas", () => {
  it("wait for the sets of GTIDs that MySQL counts", async () => {
    const flags = (id: number) => ({
      flags: [`--server-id=${id}`, "--gtid-mode=ON", "--enforce-gtid-consistency=ON", "--log-bin=bin"],
      initSql: accountSql,
    });
    const [first, second] = await Promise.all([startMysql(flags(1)), startMysql(flags(2))]);
    try {
      for (const server of [first, second])
        await server.admin("CREATE DATABASE IF NOT EXISTS shop", "CREATE TABLE shop.t (a INT PRIMARY KEY)");
      const client = await connect(await start("300ms", [first, second], "none"));
      await waitUntil(async () => (await look(client, "a = 0"))[1] === onReplica, "the replica to serve");
      await client.query("INSERT INTO t VALUES (1)");
      expect(await look(client, "a = 1")).toEqual([1, onPrimary]);
      // As if the second had executed what the first has.
      const [executed] = await first.admin("SELECT @@gtid_executed AS gtids");
      const gtids = String(executed?.gtids).replaceAll(/\s/g, "");
      await second.admin(
        "INSERT INTO shop.t VALUES (1)",
        "RESET BINARY LOGS AND GTIDS",
        `SET GLOBAL gtid_purged = '${gtids}'`,
      );
      expect(await look(client, "a = 1")).toEqual([1, onReplica]);
    } finally {
      await Promise.all([first.stop(), second.stop()]);
    }
  });
});

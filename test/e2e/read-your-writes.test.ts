// A session's reads on a replica that lags: they wait for the session's own writes, or go to the primary.
import type { Connection } from "mysql2/promise";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import { type GatewayProcess, testUser } from "../support/gateway-process.ts";
import { startKeyspaceGateway } from "../support/keyspace-gateway.ts";
import { type ReplicatedServers, startReplicatedServers } from "../support/replicated-servers.ts";
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
}, 60_000);
afterAll(async () => {
  for (const connection of open.splice(0)) connection.destroy();
  for (const gateway of gateways.splice(0)) await gateway.stop();
  await group?.stop();
});

async function start(readYourWrites: string | null): Promise<GatewayProcess> {
  const rule = {
    user_data: ["%"],
    target: "shop",
    reads: "shop@replica",
    ...(readYourWrites === null ? {} : { read_your_writes: readYourWrites }),
  };
  const gateway = await startKeyspaceGateway({
    monitor: "read_only",
    servers: [primary, replica],
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
async function look(client: Connection, where: string): Promise<[number, number]> {
  const [rows] = await client.query({
    sql: `SELECT COUNT(*), @@server_id FROM t WHERE ${where}`,
    rowsAsArray: true,
  });
  const [count, server] = (rows as unknown[][])[0] ?? [];
  return [Number(count), Number(server)];
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

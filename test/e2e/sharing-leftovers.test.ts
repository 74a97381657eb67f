// What is left of a session's statements where its backend connection changes hands in between: cursors and long data of
// statements that ask for leftovers, warnings of the gateway's own words, rows found.
import type { RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { startGateway, testUser } from "../support/gateway-process.ts";
import { loggedIn } from "../support/raw/login.ts";
import {
  encodeExecute,
  encodeFetch,
  encodeLongData,
  encodePrepare,
  encodeReset,
  parameter,
} from "../support/raw/prepared.ts";
import type { RawClient } from "../support/raw/raw-client.ts";
import { type SqlServer, sqlServers } from "../support/sql-servers.ts";

const COM_INIT_DB = 0x02;

/** A gateway with one connection to such a server for all, made for the tests of a `describe`. */
function oneConnection({ start, present }: SqlServer) {
  let server: DatabaseServer | undefined;
  let gateway: GatewayProcess | undefined;
  const clients: RawClient[] = [];
  beforeAll(async () => {
    if (!present) return;
    server = await start({});
    await server.admin(
      "CREATE DATABASE market",
      "CREATE TABLE market.t (id INT AUTO_INCREMENT PRIMARY KEY, v INT)",
      "INSERT INTO market.t (v) VALUES (1), (2), (3)",
    );
    const flags = { backend_pool_size: 1, backend_pool_wait_timeout: "60s" };
    gateway = await startGateway({ backend: server, flags });
  });
  afterAll(async () => {
    for (const client of clients) client.destroy();
    await gateway?.stop();
    await server?.stop();
  });
  return {
    server: () => server as DatabaseServer,
    gateway: () => gateway as GatewayProcess,
    enter: async (): Promise<RawClient> => {
      const at = { port: gateway?.port ?? 0 };
      const client = await loggedIn(at, { ...testUser, database: "market" });
      clients.push(client);
      return client;
    },
  };
}

describe.each(sqlServers)("on $name, one connection", (kind) => {
  const skip = !kind.present;
  const { enter } = oneConnection(kind);

  /** Another session has the connection in between, once what is kept on it for a moment is left. */
  async function takeTurns(other: RawClient): Promise<void> {
    expect((await other.query("SELECT 1 FROM t", { timeoutMs: 60_000 })).error).toBeNull();
  }
  const prepare = async (client: RawClient, sql: string): Promise<number> =>
    (await client.command(encodePrepare(sql))).packets[0]?.readUInt32LE(1) ?? 0;

  it.skipIf(skip)("rows behind a cursor are those of the statement that was told of leftovers", async () => {
    const [client, other] = [await enter(), await enter()];
    const id = await prepare(client, "SELECT ROW_COUNT()");
    await client.query("INSERT INTO t (v) VALUES (7), (8), (9)");
    await takeTurns(other);
    const opened = await client.command(encodeExecute(id, [], { cursor: 1 }), { timeoutMs: 60_000 });
    expect(opened.error).toBeNull();
    const fetched = await client.command(encodeFetch(id, 5));
    expect(fetched.error).toBeNull();
    expect(fetched.packets[0]?.readBigInt64LE(2)).toBe(3n);
    expect((await client.command(encodeReset(id))).error).toBeNull();
  });

  it.skipIf(skip)("long data reaches a statement that is told of leftovers", async () => {
    const [client, other] = [await enter(), await enter()];
    const id = await prepare(client, "SELECT CAST(? AS CHAR), ROW_COUNT()");
    await client.query("INSERT INTO t (v) VALUES (7), (8)");
    await takeTurns(other);
    await client.command(encodeLongData(id, 0, Buffer.from("from ")));
    await client.command(encodeLongData(id, 0, Buffer.from("afar")));
    const reply = await client.command(encodeExecute(id, [parameter.longData()]), { timeoutMs: 60_000 });
    expect(reply.error).toBeNull();
    const row = reply.packets.find((packet) => packet.includes("from afar"));
    expect(row?.readBigInt64LE(row.length - 8)).toBe(2n);
  });

  it.skipIf(skip)("a statement that is yet to be prepared again has nothing to be reset", async () => {
    const [client, other] = [await enter(), await enter()];
    const id = await prepare(client, "SELECT v FROM t WHERE id = ?");
    await client.query("SELECT id FROM t LIMIT 2");
    await takeTurns(other);
    expect((await client.command(encodeReset(id), { timeoutMs: 60_000 })).error).toBeNull();
    expect(await client.rows("SELECT ROW_COUNT(), FOUND_ROWS()")).toEqual([["0", "2"]]);
  });

  it.skipIf(skip)("nobody is told of warnings that the gateway's words have left", async () => {
    const [client, other] = [await enter(), await enter()];
    await client.query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
    await client.query("SET sql_notes = 1");
    await takeTurns(other);
    await client.query("START TRANSACTION");
    expect(await client.rows("SHOW WARNINGS")).toEqual([]);
    await client.query("COMMIT");
    // Found rows are asked for on the connection that is left, of which MySQL warns.
    await client.query("SELECT SQL_CALC_FOUND_ROWS id FROM t LIMIT 1");
    await client.query("SELECT id FROM t WHERE v = 1/0");
    const reply = await other.command(Buffer.concat([Buffer.of(COM_INIT_DB), Buffer.from("market")]), {
      timeoutMs: 60_000,
    });
    expect(reply.packets[0]?.toString("hex")).toBe("00000002000000");
  });

  it.skipIf(skip)("locks and unknown names leave the rows found as they were", async () => {
    const [client, other] = [await enter(), await enter()];
    await client.query("SELECT id FROM t LIMIT 3");
    await takeTurns(other);
    await client.query("LOCK TABLES t READ");
    expect(await client.rows("SELECT FOUND_ROWS()")).toEqual([["3"]]);
    await client.query("UNLOCK TABLES");
    await client.query("SELECT id FROM t LIMIT 2");
    await takeTurns(other);
    await client.query("EXECUTE nobody");
    expect(await client.rows("SELECT FOUND_ROWS()")).toEqual([["2"]]);
  });
});

describe.each(sqlServers)("on $name, settings", (kind) => {
  const skip = !kind.present;
  const { server, gateway, enter } = oneConnection(kind);
  const one = async (client: RawClient, sql: string): Promise<string | null | undefined> =>
    (await client.rows(sql, { timeoutMs: 60_000 }))[0]?.[0];

  it.skipIf(skip)("what an expression has given a variable follows its session", async () => {
    const [rails, plain] = [await enter(), await enter()];
    const usual = await one(plain, "SELECT @@sql_mode");
    const text =
      "SET NAMES utf8mb4, @@SESSION.sql_mode = CONCAT(@@sql_mode, ',PIPES_AS_CONCAT'), group_concat_max_len = 1000 + 24, @@SESSION.wait_timeout = 2147483";
    expect((await rails.query(text)).error).toBeNull();
    // Row counts and the like are those of the SET still.
    expect(await one(rails, "SELECT ROW_COUNT()")).toBe("0");
    expect(await one(rails, "SELECT 'a' || 'b'")).toBe("ab");
    for (let turn = 0; turn < 3; turn += 1) {
      expect(await one(plain, "SELECT @@sql_mode")).toBe(usual);
      expect(await one(plain, "SELECT @@wait_timeout")).not.toBe("2147483");
      expect(await one(rails, "SELECT 'a' || 'b'")).toBe("ab");
      expect(await one(rails, "SELECT CONCAT(@@group_concat_max_len, ' ', @@wait_timeout)")).toBe(
        "1024 2147483",
      );
    }
    expect((await gateway().metric("gatehouse_session_pins_total")) ?? 0).toBe(0);
  });

  it.skipIf(skip)("the value of a prepared SET follows its session", async () => {
    const [client, other] = [await enter(), await enter()];
    const prepared = await client.command(encodePrepare("SET time_zone = ?"));
    const id = prepared.packets[0]?.readUInt32LE(1) ?? 0;
    expect((await client.command(encodeExecute(id, [parameter.text("+03:00")]))).error).toBeNull();
    // A statement that was prepared needs to know it as well.
    const zone = await client.command(encodePrepare("SELECT @@time_zone"), { timeoutMs: 60_000 });
    const zoneId = zone.packets[0]?.readUInt32LE(1) ?? 0;
    expect(await one(other, "SELECT @@time_zone")).toBe("SYSTEM");
    expect(
      (await client.command(encodeExecute(id, [parameter.text("+04:00")]), { timeoutMs: 60_000 })).error,
    ).toBeNull();
    expect((await client.command(encodeExecute(zoneId, []))).packets.at(-2)?.includes("+04:00")).toBe(true);
    expect(await one(other, "SELECT @@time_zone")).toBe("SYSTEM");
    expect(await one(client, "SELECT @@time_zone")).toBe("+04:00");
  });

  it.skipIf(skip)(
    "statements keep their reading where the session has changed its own and left",
    async () => {
      const [client, other] = [await enter(), await enter()];
      const before = await client.command(encodePrepare("SELECT 'a' || 'b', ROW_COUNT()"));
      const id = before.packets[0]?.readUInt32LE(1) ?? 0;
      await client.query("SET sql_mode = CONCAT('ANSI', '_QUOTES,PIPES_AS_CONCAT')");
      await client.query("SET NAMES latin1");
      expect(await one(other, "SELECT 1 FROM t")).toBe("1");
      await client.query("UPDATE t SET v = v + 1 WHERE id < 3");
      expect(await one(other, "SELECT 1 FROM t")).toBe("1");
      // The connection has its copy; on another one it is made anew.
      await server().admin(...(await killAll()));
      const rows = await client.command(encodeExecute(id, []), { timeoutMs: 60_000 });
      expect(rows.error).toBeNull();
      const row = rows.packets.find((packet) => packet[0] === 0 && packet.length >= 2 + 1 + 8);
      // 'a' OR 'b' is 0, as an INT or BIGINT; ROW_COUNT() is the last value.
      expect(row?.includes("ab")).toBe(false);
      expect(row?.readBigInt64LE((row?.length ?? 0) - 8)).toBe(2n);
      expect(await one(client, "SELECT 'a' || \"v\" FROM t WHERE id = 3")).toBe("a3");
      expect(await one(client, "SELECT @@character_set_results")).toBe("latin1");
    },
  );

  /** Ends the gateway's idle connections. */
  async function killAll(): Promise<string[]> {
    const connection = await server().connect();
    const [rows] = await connection.query<RowDataPacket[]>(
      "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = 'market' AND COMMAND = 'Sleep' AND ID <> CONNECTION_ID()",
    );
    await connection.end();
    return rows.map(({ ID }) => `KILL ${ID}`);
  }
});

// Many sessions on few backend connections: how they wait, what they see of each other, what ends a wait.
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { startGateway, testUser } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { mysqldCommand, startMysql } from "../support/mysql-server.ts";
import { toFrames } from "../support/raw/frame-reader.ts";
import { loggedIn } from "../support/raw/login.ts";
import type { RawClient } from "../support/raw/raw-client.ts";
import { waitUntil } from "../support/scratch.ts";

const COM_QUERY = 0x03;
const COM_INIT_DB = 0x02;
const COM_SET_OPTION = 0x1b;
const COM_RESET_CONNECTION = 0x1f;

const kinds = [
  { flavour: "mariadb", start: startMariadb, skip: false },
  { flavour: "mysql", start: startMysql, skip: mysqldCommand === null },
] as const;

describe.each(kinds)("on $flavour", ({ flavour, start, skip }) => {
  let server: DatabaseServer;
  beforeAll(async () => {
    if (skip) return;
    server = await start({ flags: ["--max-connections=60"] });
    await server.admin(
      "CREATE DATABASE market",
      "CREATE TABLE market.t (id INT AUTO_INCREMENT PRIMARY KEY, v INT UNIQUE)",
    );
  });
  afterAll(async () => {
    await server?.stop();
  });

  async function withGateway(
    flags: Record<string, string | number>,
    use: (enter: (database?: string) => Promise<RawClient>, gateway: GatewayProcess) => Promise<void>,
  ): Promise<void> {
    const users = { [testUser.user]: [{ Password: testUser.password }] };
    const gateway = await startGateway({ backend: server, users, flags });
    const clients: RawClient[] = [];
    const enter = async (database = ""): Promise<RawClient> => {
      const options = { ...testUser, plugin: "mysql_native_password", database };
      const client = await loggedIn({ port: gateway.port }, options);
      clients.push(client);
      return client;
    };
    try {
      await use(enter, gateway);
    } finally {
      for (const client of clients) client.destroy();
      await gateway.stop();
    }
  }

  const one = async (client: RawClient, sql: string): Promise<string | null | undefined> =>
    (await client.rows(sql))[0]?.[0];
  const codeOf = async (reply: ReturnType<RawClient["query"]>): Promise<number | undefined> =>
    (await reply).error?.code;

  it.skipIf(skip)(
    "2,000 sessions, each with settings of its own, work on 20 connections",
    () =>
      withGateway({ backend_pool_size: 20, backend_pool_wait_timeout: "60s" }, async (enter, gateway) => {
        const sessions: RawClient[] = [];
        const logIn = async (): Promise<void> => {
          while (sessions.length < 2000) {
            const place = sessions.push(undefined as never) - 1;
            sessions[place] = await enter(place % 2 === 0 ? "market" : "mysql");
          }
        };
        await Promise.all(Array.from({ length: 25 }, logIn));
        const talk = async (client: RawClient, index: number): Promise<void> => {
          const lock = 1000 + index;
          expect(
            (await client.query(`SET lock_wait_timeout = ${lock}`, { timeoutMs: 120_000 })).error,
          ).toBeNull();
          for (let round = 0; round < 3; round += 1) {
            const reply = await client.rows("SELECT @@lock_wait_timeout, DATABASE()", { timeoutMs: 120_000 });
            expect(reply).toEqual([[String(lock), index % 2 === 0 ? "market" : "mysql"]]);
          }
        };
        await Promise.all(sessions.map(talk));
        expect(await gateway.metric("gatehouse_backend_connections")).toBeLessThanOrEqual(20);
        expect(await gateway.metric("gatehouse_backend_takeovers_total", { why: "session" })).toBeGreaterThan(
          2000,
        );
      }),
    240_000,
  );

  it.skipIf(skip)("a statement means what it meant when it was prepared, wherever it is prepared again", () =>
    withGateway({ backend_pool_size: 1 }, async (enter, gateway) => {
      const client = await createConnection({
        ...{ host: "127.0.0.1", port: gateway.port, database: "market" },
        ...testUser,
      });
      try {
        const or = await client.prepare("SELECT 'a' || ? AS it, COLLATION('x') AS how");
        // Its connection is reset meanwhile: no copy is left.
        const other = await enter("market");
        await other.query("SET @pinned = 1");
        await other.quit();
        await client.query("SET NAMES utf8mb4 COLLATE utf8mb4_bin");
        await client.query("SET sql_mode = 'ANSI'");
        const [rows] = await or.execute([1]);
        expect(rows).toEqual([{ it: 1, how: expect.not.stringMatching(/_bin$/) }]);
        const [present] = await client.query("SELECT 'a' || 1 AS it, COLLATION('x') AS how");
        expect(present).toEqual([{ it: "a1", how: "utf8mb4_bin" }]);
      } finally {
        client.destroy();
      }
    }),
  );

  it.skipIf(skip)("a mode that nobody knows outlives a statement that is prepared again", () =>
    withGateway({ backend_pool_size: 1 }, async (enter, gateway) => {
      const place = { host: "127.0.0.1", port: gateway.port, database: "market" };
      const client = await createConnection({ ...place, ...testUser });
      try {
        const one = await client.prepare("SELECT 1 AS one");
        const other = await enter("market");
        await other.query("SET @pinned = 1");
        await other.quit();
        await client.query("SET sql_mode = 'ANSI_QUOTES'");
        await client.query("SET sql_mode = CONCAT(@@sql_mode, ',PIPES_AS_CONCAT')");
        expect((await one.execute([]))[0]).toEqual([{ one: 1 }]);
        const [modes] = await client.query("SELECT @@sql_mode AS modes");
        expect(modes).toEqual([{ modes: "PIPES_AS_CONCAT,ANSI_QUOTES" }]);
      } finally {
        client.destroy();
      }
    }),
  );

  it.skipIf(skip)(
    "what was said of the next transaction stays with its session when autocommit ends one",
    () =>
      withGateway({ backend_pool_size: 1, backend_pool_wait_timeout: "500ms" }, async (enter) => {
        const first = await enter("market");
        const second = await enter("market");
        await first.query("SET TRANSACTION READ ONLY");
        await first.query("SET autocommit = 0");
        await first.query("START TRANSACTION");
        await first.query("SET autocommit = 1");
        // The server still has it for the next transaction: nobody else gets it.
        expect(await codeOf(second.query("INSERT INTO t (v) VALUES (70001)"))).not.toBe(1792);
        await first.query("BEGIN");
        await first.query("COMMIT");
        expect(await codeOf(second.query("INSERT INTO t (v) VALUES (70002)"))).toBeUndefined();
      }),
  );

  it.skipIf(skip)("a connection that was reset knows its schema's character set", () =>
    withGateway({ backend_pool_size: 1 }, async (enter) => {
      await server.admin("CREATE DATABASE IF NOT EXISTS latin CHARACTER SET latin1");
      const first = await enter("latin");
      expect(await one(first, "SELECT @@character_set_database")).toBe("latin1");
      // A transaction that is open: a reset is due, and the schema is known.
      await first.query("BEGIN");
      await first.quit();
      const second = await enter("latin");
      expect(await one(second, "SELECT @@character_set_database")).toBe("latin1");
    }),
  );

  it.skipIf(skip)("the locks of a backup stay with their session", () =>
    withGateway({ backend_pool_size: 1, backend_pool_wait_timeout: "500ms" }, async (enter) => {
      const first = await enter("market");
      const lock = flavour === "mariadb" ? "BACKUP LOCK t" : "LOCK INSTANCE FOR BACKUP";
      expect((await first.query(lock)).error).toBeNull();
      expect((await first.query("SELECT 1")).error).toBeNull();
      const second = await enter();
      expect(await codeOf(second.query("SELECT 2"))).toBe(1203);
      await first.quit();
      expect((await second.query("SELECT 3")).error).toBeNull();
    }),
  );

  it.skipIf(skip)("a new session sees nothing of the one before it on the same connection", () =>
    withGateway({ backend_pool_size: 1 }, async (enter) => {
      const first = await enter("market");
      await first.query("INSERT INTO t (v) VALUES (100), (101), (102)");
      await first.query("SELECT id FROM t LIMIT 3");
      const second = await enter("market");
      expect(await one(second, "SELECT ROW_COUNT()")).toBe("0");
      const third = await enter("market");
      expect(await one(third, "SELECT FOUND_ROWS()")).toBe("0");
      expect(await one(third, "SELECT LAST_INSERT_ID()")).toBe("0");
      expect(await one(first, "SELECT LAST_INSERT_ID()")).not.toBe("0");
      await first.query("INSERT IGNORE INTO t (v) VALUES (100)");
      const fourth = await enter("market");
      expect(await fourth.rows("SHOW WARNINGS")).toEqual([]);
      expect(await one(fourth, "SELECT @mine")).toBeNull();
    }),
  );

  it.skipIf(skip)("warnings and errors of one session never come to another, whatever it says first", () =>
    withGateway({ backend_pool_size: 1 }, async (enter) => {
      const leaks: string[] = [];
      const left = [
        "SET sql_mode = 'her own value'",
        "SELECT CAST('her own value' AS SIGNED)",
        "SELECT her_own_column",
        "SELECT CAST('her own value' AS SIGNED); SELECT 1",
        // These pin: the connection is reset before it serves another.
        "SET @x = 1; SELECT CAST('her own value' AS SIGNED)",
        "SET @x = 1; SELECT her_own_column",
      ];
      const first = [
        "SELECT 1",
        "DO 1",
        "SET NAMES utf8mb4",
        "SET @x = 1",
        "BEGIN",
        "SELECT @@version",
        "COMMIT",
      ];
      for (const text of left) {
        for (const said of first) {
          const her = await enter("market");
          await her.query(text);
          her.destroy();
          const his = await enter("market");
          expect((await his.query(said)).error).toBeNull();
          const rows = [...(await his.rows("SHOW WARNINGS")), ...(await his.rows("SHOW ERRORS"))];
          if (rows.length > 0) leaks.push(`${text} | ${said} | ${JSON.stringify(rows)}`);
          his.destroy();
        }
      }
      expect(leaks).toEqual([]);
    }),
  );

  it.skipIf(skip)("nor do the texts that a server records for her", () =>
    withGateway({ backend_pool_size: 1 }, async (enter) => {
      for (const text of [
        "SET optimizer_trace = 'enabled=on'",
        "SET profiling = 1",
        "SET @@session.profiling = ON, @x = 1",
      ]) {
        const her = await enter("market");
        expect((await her.query(text)).error).toBeNull();
        await her.query("SELECT 'her own value', t.id FROM t, t u");
        her.destroy();
        const his = await enter("market");
        await his.query("SELECT 1");
        expect(await his.rows("SELECT QUERY FROM information_schema.OPTIMIZER_TRACE")).toEqual([]);
        expect(JSON.stringify(await his.rows("SHOW PROFILES"))).not.toContain("her own");
        his.destroy();
      }
    }),
  );

  it.skipIf(skip)("warnings are kept for a client that asks for them at once, and not for ever", () =>
    withGateway({ backend_pool_size: 1, backend_pool_wait_timeout: "10s" }, async (enter) => {
      const first = await enter("market");
      await first.query("SELECT CAST('1x' AS SIGNED)");
      const second = await enter();
      const waiting = second.query("SELECT 1");
      expect(await first.rows("SHOW WARNINGS")).toHaveLength(1);
      expect(await first.rows("SHOW WARNINGS")).toHaveLength(1);
      expect((await waiting).error).toBeNull();
      // They are lost now, and that is said: an empty answer would be a lie.
      expect(await codeOf(first.query("SHOW WARNINGS"))).toBe(1235);
      expect((await first.query("SELECT 1")).error).toBeNull();
      expect(await first.rows("SHOW WARNINGS")).toEqual([]);
    }),
  );

  it.skipIf(skip)("counts of rows follow a session that has left its connection more than once", () =>
    withGateway({ backend_pool_size: 1 }, async (enter) => {
      const [first, second] = [await enter("market"), await enter("market")];
      const leave = async (): Promise<void> => expect(await one(second, "SELECT 'another'")).toBe("another");
      const three = "SELECT 1 UNION SELECT 2 UNION SELECT 3";
      const steps: readonly (readonly [string, string, string])[] = [
        [three, "SELECT FOUND_ROWS()", "3"],
        [three, "SELECT ROW_COUNT()", "-1"],
        [`SELECT SQL_CALC_FOUND_ROWS * FROM (${three}) AS q LIMIT 1`, "SELECT FOUND_ROWS()", "3"],
        ["INSERT INTO t (v) SELECT v + 1000 FROM t WHERE v < 0", "SELECT FOUND_ROWS()", "0"],
      ];
      for (const [counts, asks, answer] of steps) {
        for (const between of [null, "SET lock_wait_timeout = 7", "DELETE FROM t WHERE id = -1"]) {
          if (between !== null && asks.includes("ROW_COUNT")) continue;
          expect((await first.query(counts)).error).toBeNull();
          await leave();
          if (between !== null) expect((await first.query(between)).error).toBeNull();
          if (between !== null) await leave();
          const reply = await first.query(asks);
          // BIGINT, as the function itself: the byte behind the length of the column.
          expect(reply.packets[1]?.at(-6), asks).toBe(8);
          expect(reply.packets.at(-2)?.toString("latin1", 1), `${counts}; ${between}; ${asks}`).toBe(answer);
          // MySQL warns that FOUND_ROWS() is deprecated, and warnings keep their connection for a while.
          await first.query("DO 0");
          await leave();
        }
      }
    }),
  );

  it.skipIf(skip)("locked tables bind a session until UNLOCK TABLES, unless something else does", () =>
    withGateway({ backend_pool_size: 1, backend_pool_wait_timeout: "1s" }, async (enter) => {
      const [first, second] = [await enter("market"), await enter("market")];
      const run = async (sql: string): Promise<void> => expect((await first.query(sql)).error).toBeNull();
      for (const nothing of ["UNLOCK TABLES", "DO RELEASE_LOCK('nobody')", "SELECT RELEASE_ALL_LOCKS()"]) {
        await run(nothing);
        expect(await one(second, "SELECT 1")).toBe("1");
      }
      await run("LOCK TABLES t WRITE");
      expect(await codeOf(second.query("SELECT 1"))).toBe(1203);
      await run("LOCK TABLES t READ");
      await run("UNLOCK TABLES");
      expect(await one(second, "SELECT 1")).toBe("1");
      await run("LOCK TABLES t READ");
      await run("SET @mark = 1");
      await run("UNLOCK TABLES");
      expect(await codeOf(second.query("SELECT 1"))).toBe(1203);
      expect(await one(first, "SELECT @mark")).toBe("1");
      expect((await first.command(Buffer.of(COM_RESET_CONNECTION))).error).toBeNull();
      expect(await one(second, "SELECT 1")).toBe("1");
    }),
  );

  it.skipIf(skip)("a session that waits can be killed, can time out, and can go away", () =>
    withGateway(
      { backend_pool_size: 1, backend_pool_wait_timeout: "60s", mysql_server_query_timeout: "2s" },
      async (enter, gateway) => {
        const holder = await enter();
        await holder.query("BEGIN");
        const killer = await enter();
        const victim = await enter();
        const killed = victim.query("SELECT 1");
        const id = victim.greeting.connectionId;
        expect((await killer.query(`KILL QUERY ${id}`)).error).toBeNull();
        expect(await codeOf(killed)).toBe(1317);
        const gone = await enter();
        gone.stream.write(toFrames(Buffer.concat([Buffer.of(COM_QUERY), Buffer.from("SELECT 1")])));
        gone.destroy();
        expect(await codeOf(victim.query("SELECT 2"))).toBe(3024);
        await holder.query("COMMIT");
        expect(await one(victim, "SELECT 3")).toBe("3");
        await waitUntil(
          async () => (await gateway.metric("gatehouse_backend_connections")) === 1,
          "one connection",
        );
      },
    ),
  );

  it.skipIf(skip)("KILL QUERY ends what its session runs, wherever that is, and nothing else", () =>
    withGateway({ backend_pool_size: 2 }, async (enter) => {
      const [victim, other, killer] = [await enter(), await enter(), await enter()];
      for (let round = 0; round < 5; round += 1) {
        await Promise.all([victim, other, killer].map((client) => client.query("SELECT 1")));
        const slow = victim.query("SELECT SLEEP(30)", { timeoutMs: 20_000 });
        const innocent = other.rows("SELECT SLEEP(0.3)");
        await waitUntil(
          async () =>
            (
              await server.admin(
                "SELECT 1 FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP(30)%'",
              )
            ).length > 0,
          "the slow one",
        );
        const id = victim.greeting.connectionId;
        expect((await killer.query(`KILL QUERY ${id}`)).error).toBeNull();
        const ended = await slow;
        // MariaDB reports 1317, MySQL's SLEEP() returns 1.
        expect(ended.error?.code ?? 1317).toBe(1317);
        expect(await innocent).toEqual([["0"]]);
      }
    }),
  );

  it.skipIf(skip)("COM_RESET_CONNECTION sets a pinned session free", () =>
    withGateway({ backend_pool_size: 1, backend_pool_wait_timeout: "300ms" }, async (enter) => {
      const first = await enter("market");
      await first.query("SET @mine = 5, time_zone = '+01:00'");
      const second = await enter();
      expect(await codeOf(second.query("SELECT 1"))).toBe(1203);
      expect((await first.command(Buffer.of(COM_RESET_CONNECTION))).error).toBeNull();
      expect(await one(second, "SELECT @mine")).toBeNull();
      expect(await first.rows("SELECT @mine, @@time_zone, DATABASE()")).toEqual([[null, "SYSTEM", "market"]]);
      expect(await first.rows("SELECT @@character_set_client, @@collation_connection")).toEqual(
        await second
          .command(Buffer.of(COM_RESET_CONNECTION))
          .then(() => second.rows("SELECT @@character_set_client, @@collation_connection")),
      );
    }),
  );

  it.skipIf(skip)("COM_SET_OPTION follows its session", () =>
    withGateway({ backend_pool_size: 1 }, async (enter) => {
      const [on, off] = [await enter("market"), await enter("market")];
      await on.command(Buffer.of(COM_SET_OPTION, 0, 0));
      await off.command(Buffer.of(COM_SET_OPTION, 1, 0));
      for (let round = 0; round < 3; round += 1) {
        expect((await on.query("SELECT 1; SELECT 2")).error).toBeNull();
        expect(await codeOf(off.query("SELECT 1; SELECT 2"))).toBe(1064);
      }
    }),
  );

  it.skipIf(skip)("a session whose schema another one has dropped goes on without it", () =>
    withGateway({ backend_pool_size: 1 }, async (enter) => {
      await server.admin("CREATE DATABASE passing");
      const [first, second] = [await enter("passing"), await enter("market")];
      await second.query("DROP DATABASE passing");
      await second.query("USE market");
      expect(await codeOf(first.query("SELECT * FROM t"))).toBe(1046);
      expect(await one(first, "SELECT DATABASE()")).toBeNull();
      expect(
        (await first.command(Buffer.concat([Buffer.of(COM_INIT_DB), Buffer.from("market")]))).error,
      ).toBeNull();
      expect(await one(first, "SELECT DATABASE()")).toBe("market");
      expect(await one(second, "SELECT DATABASE()")).toBe("market");
    }),
  );

  it.skipIf(skip)(
    "no session starves while others never pause",
    () =>
      withGateway({ backend_pool_size: 4, backend_pool_wait_timeout: "30s" }, async (enter) => {
        let busy = true;
        let count = 0;
        const loops = Array.from({ length: 60 }, async () => {
          const client = await enter();
          while (busy) {
            expect((await client.query("SELECT 1")).error).toBeNull();
            count += 1;
          }
        });
        await waitUntil(() => count > 500, "the others to be busy");
        const client = await enter("market");
        const before = count;
        for (let round = 0; round < 10; round += 1) expect(await one(client, "SELECT 7")).toBe("7");
        // In turn: about 60 statements of the others for each of its own.
        expect(count - before).toBeLessThan(60 * 10 * 4);
        busy = false;
        await Promise.all(loops);
      }),
    60_000,
  );
});

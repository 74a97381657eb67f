// Who a session is, as it is told through the gateway: on live servers whose account is another, in text and prepared
// statements, among other statements, under every way in which a server may read the text.
import type { Connection, ConnectionOptions, FieldPacket } from "mysql2/promise";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import { type GatewayProcess, startGateway } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { mysqldCommand, startMysql } from "../support/mysql-server.ts";

const users = {
  base: [{ Password: "base-pw", AccountLocked: true, UserData: "base_data" }],
  mapped: [{ Password: "p", ProxyFor: "base" }],
  "o'b`é\"\\": [{ Password: "p", SourceHost: "127.0.0.0/8" }],
  alice: [{ Password: "p", UserData: "alice_data" }],
};
const flags = {
  check_proxy_users: true,
  caching_sha2_password_proxy_users: true,
  mysql_native_password_proxy_users: true,
};
const odd = "o'b`é\"\\";

const servers = [
  { flavour: "mariadb" as const, start: startMariadb, present: true },
  { flavour: "mysql" as const, start: startMysql, present: mysqldCommand !== null },
];

for (const { flavour, start, present } of servers) {
  describe.skipIf(!present)(`who one is, before ${flavour}`, () => {
    let server: DatabaseServer;
    let gateway: GatewayProcess;
    const open: Connection[] = [];

    beforeAll(async () => {
      server = await start({ skipNetworking: true });
      await server.admin(
        "CREATE DATABASE d",
        "CREATE TABLE d.t (a INT, user VARCHAR(40))",
        "INSERT INTO d.t VALUES (1, 'column')",
        "CREATE VIEW d.v AS SELECT 1 AS `USER()`, 2 AS `@@proxy_user`",
      );
      gateway = await startGateway({ backend: server, users, flags });
    });
    afterAll(async () => {
      for (const one of open) one.destroy();
      await gateway?.stop();
      await server?.stop();
    });

    async function connect(
      user: string,
      options: ConnectionOptions = {},
      database: string | null = "d",
    ): Promise<Connection> {
      const connection = await createConnection({
        host: "127.0.0.1",
        port: gateway.port,
        user,
        password: "p",
        ...(database === null ? {} : { database }),
        multipleStatements: true,
        ...options,
      });
      open.push(connection);
      return connection;
    }
    const ask = async (db: Connection, sql: string): Promise<{ rows: unknown[][]; heads: string[] }> => {
      const [rows, fields] = await db.query({ sql, rowsAsArray: true });
      const list = (Array.isArray(fields[0]) ? fields.at(-1) : fields) as unknown as FieldPacket[];
      return { rows: rows as unknown as unknown[][], heads: list.map((field) => field.name) };
    };

    it("is the login's name at the client's host, and the base's", async () => {
      const db = await connect("mapped");
      const { rows, heads } = await ask(
        db,
        "SELECT USER(), session_user(), CURRENT_USER, current_user ( ), @@proxy_user, @@session.external_user x, CONNECTION_ID()",
      );
      const id = rows[0]?.at(-1);
      expect(rows[0]?.slice(0, 6)).toEqual([
        "mapped@127.0.0.1",
        "mapped@127.0.0.1",
        "base@%",
        "base@%",
        "'mapped'@'%'",
        null,
      ]);
      expect(heads).toEqual([
        "USER()",
        "session_user()",
        "CURRENT_USER",
        "current_user ( )",
        "@@proxy_user",
        "x",
        "CONNECTION_ID()",
      ]);
      const other = await connect("mapped");
      await other.query(`KILL ${id}`);
      await expect(db.query("SELECT 1")).rejects.toThrow();
    });

    it("stands in any expression, and nowhere else", async () => {
      const db = await connect("alice");
      const me = "alice@127.0.0.1";
      for (const [sql, expected] of [
        ["SELECT CONCAT('<', USER(), '>')", "<alice@127.0.0.1>"],
        ["SELECT 'USER()'", "USER()"],
        ["SELECT user FROM t", "column"],
        ["SELECT t.user FROM t", "column"],
        ["SELECT `USER()` FROM v", 1],
        ["SELECT `@@proxy_user` FROM v", 2],
        ["SELECT 1 AS `CURRENT_USER` /* USER() */ -- CURRENT_USER", 1],
        ["SELECT /*!50000 USER() */", me],
        ["SELECT USER /*!50000 ( */ ) UNION SELECT USER()", me],
        ["SELECT (SELECT u FROM (SELECT USER() u) q WHERE USER() = u)", me],
        ["SELECT COUNT(*) FROM t WHERE user <> USER() ORDER BY CURRENT_USER", 1],
        ["WITH c AS (SELECT SESSION_USER() AS s) SELECT s FROM c", me],
        ["SELECT IF(CURRENT_USER() LIKE 'gatehouse%', 'lie', 'truth')", "truth"],
        ["SELECT SESSION_USER () AS spaced", me],
        ["SELECT SYSTEM_USER/**/() LIKE 'alice%'", 1],
        ["SELECT @u := USER()", me],
        ["SELECT @u", me],
      ] as const) {
        expect((await ask(db, sql)).rows[0]?.[0], sql).toBe(expected);
        const [prepared] = await db.execute({ sql, rowsAsArray: true });
        expect((prepared as unknown as unknown[][])[0]?.[0], `prepared: ${sql}`).toBe(expected);
      }
      expect(
        (
          await ask(
            db,
            "SELECT @@check_proxy_users, @@caching_sha2_password_proxy_users c, @@global.sha256_password_proxy_users",
          )
        ).rows,
      ).toEqual([[1, 1, 0]]);
    });

    it("has type, length and heading of the server's own answer to an account of that name", async () => {
      await server.admin(
        "CREATE USER IF NOT EXISTS 'alice'@'localhost' IDENTIFIED BY 'p'",
        "GRANT ALL ON *.* TO 'alice'@'localhost'",
      );
      const direct = await createConnection({
        socketPath: server.socketPath,
        user: "alice",
        password: "p",
        database: "d",
        multipleStatements: true,
      });
      open.push(direct);
      const db = await connect("alice");
      const shape = async (one: Connection, sql: string, prepared: boolean): Promise<unknown> => {
        const options = { sql, rowsAsArray: true };
        const [rows, fields] = prepared ? await one.execute(options) : await one.query(options);
        const columns = fields.map((field) => [
          ...[field.name, field.columnType, field.columnLength, field.flags, field.decimals],
          (field as unknown as { characterSet: number }).characterSet,
        ]);
        const told = JSON.stringify(rows).replace(/alice@(localhost|127\.0\.0\.1|%)/gi, "alice@h");
        return /CONNECTION_ID|thread_id/.test(sql) ? columns : [columns, told];
      };
      for (const sql of [
        "SELECT USER(), CURRENT_USER, SESSION_USER() x, CONNECTION_ID(), @@pseudo_thread_id, @@proxy_user, @@external_user",
        "SELECT CONCAT(CONNECTION_ID(), '!'), HEX(@@pseudo_thread_id), CONNECTION_ID() + 1, -CONNECTION_ID()",
        "SELECT COALESCE(USER(), 'x'), UPPER(CURRENT_USER()) = UPPER(CURRENT_USER), CHARSET(USER()), COERCIBILITY(USER()), COLLATION(USER())",
        "SELECT CONCAT(USER/*!50000()*/, 1), COALESCE(/*!50000USER()*/, 2), USER ( ) , (SELECT USER())",
        "SELECT * FROM (SELECT USER() a, CONNECTION_ID() b) q WHERE a = USER()",
        "WITH c AS (SELECT CURRENT_USER AS v) SELECT v, IF(1 = 1, v, USER()) FROM c GROUP BY CURRENT_USER, v ORDER BY USER()",
        "SELECT CAST(USER() AS CHAR), CONVERT(USER() USING latin1), LENGTH(@@external_user), QUOTE(CURRENT_USER())",
      ]) {
        for (const prepared of [false, true])
          expect(await shape(db, sql, prepared), `${prepared} ${sql}`).toEqual(
            await shape(direct, sql, prepared),
          );
      }
    });

    it("is written, compared and explained", async () => {
      const db = await connect("alice");
      await db.query(
        "CREATE TEMPORARY TABLE w (id INT AUTO_INCREMENT PRIMARY KEY, who VARCHAR(80), n BIGINT)",
      );
      await db.query("INSERT INTO w (who, n) VALUES (USER(), CONNECTION_ID()), (CURRENT_USER, 0)");
      await db.execute("INSERT INTO w (who, n) SELECT USER(), ? FROM t", [5]);
      await db.query("UPDATE w SET who = CONCAT(who, '!', SYSTEM_USER()) WHERE who = USER() AND n = 5");
      expect((await ask(db, "SELECT who FROM w ORDER BY id")).rows.flat()).toEqual([
        "alice@127.0.0.1",
        "alice@%",
        "alice@127.0.0.1!alice@127.0.0.1",
      ]);
      await db.query("CREATE TEMPORARY TABLE c SELECT USER(), 1 AS one");
      expect((await ask(db, "SELECT * FROM c")).heads).toEqual(["USER()", "one"]);
      expect((await ask(db, "EXPLAIN SELECT USER() FROM t")).rows).toHaveLength(1);
    });

    it("is told among other statements, and prepared by SQL", async () => {
      const db = await connect("alice");
      const { rows } = await ask(db, "SELECT 1; SELECT USER(), 'USER()'; DO 0; SELECT CURRENT_USER");
      expect(JSON.stringify(rows)).toContain("alice@127.0.0.1");
      expect(JSON.stringify(rows)).toContain("USER()");
      expect(JSON.stringify(rows)).not.toContain("gatehouse");
      await db.query("PREPARE s FROM 'SELECT USER(), ?, ''it''''s'''");
      await db.query("SET @x = 7");
      const executed = await ask(db, "EXECUTE s USING @x");
      expect(executed.rows).toEqual([["alice@127.0.0.1", 7, "it's"]]);
      expect(executed.heads[0]).toBe("USER()");
      const [first] = await db
        .query("SELECT USER() u; KILL QUERY 1")
        .catch((error: Error) => [error.message]);
      expect(String(first)).toMatch(/Unknown thread id/);
    });

    it("takes any name", async () => {
      const db = await connect(odd);
      for (const mode of ["", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES"]) {
        await db.query(`SET sql_mode = '${mode}'`);
        expect((await ask(db, "SELECT USER(), CURRENT_USER()")).rows).toEqual([
          [`${odd}@127.0.0.1`, `${odd}@127.0.0.0/8`],
        ]);
      }
    });

    it("is told whatever the modes and character sets are", async () => {
      const db = await connect("alice");
      const me = "alice@127.0.0.1";
      const first = async (sql: string) => (await ask(db, sql)).rows[0];
      expect(await first(`SELECT "USER()", USER()`)).toEqual(["USER()", me]);
      expect(await first(String.raw`SELECT 'a\'', USER(), 'b\''`)).toEqual(["a'", me, "b'"]);
      expect(await first(`SELECT 'é', USER()`)).toEqual(["é", me]);
      await db.query("SET sql_mode = 'ANSI_QUOTES'");
      expect(await first(`SELECT "user", USER() FROM t`)).toEqual(["column", me]);
      await db.query("SET sql_mode = 'NO_BACKSLASH_ESCAPES'");
      expect(await first(String.raw`SELECT 'a\', USER(), '\'`)).toEqual(["a\\", me, "\\"]);
      await db.query("SET @mode = ''");
      await db.query("SET sql_mode = @mode");
      expect(await first(String.raw`SELECT 'a\', USER(), \'', USER()`)).toEqual(["a', USER(), '", me]);
      await db.query("SET sql_mode = ''");
      await db.query("SET NAMES latin1");
      await db.query("PREPARE latin FROM 'SELECT ''\u00e9'', USER()'");
      expect((await first("EXECUTE latin"))?.[1]).toBe(me);
      const gbk = await connect("alice", { charset: "GBK_CHINESE_CI" });
      expect((await ask(gbk, "SELECT 'plain', USER()")).rows[0]).toEqual(["plain", me]);
      for (const charset of ["gbk", "big5", "sjis"]) {
        const wide = await connect("alice", {
          charset: { gbk: "GBK_CHINESE_CI", big5: "BIG5_CHINESE_CI" }[charset] ?? "SJIS_JAPANESE_CI",
        });
        // In each of these sets the second byte of a character is a backslash.
        for (const text of ["\u8a95", "\u529f", "\u8868", "\u4e00"]) {
          const sql = `SELECT '${text} USER()', USER(), CONCAT('${text}', CURRENT_USER)`;
          const { rows } = await ask(wide, sql);
          expect(rows[0]?.slice(1), `${charset} ${text}`).toEqual([me, expect.stringMatching(/alice@%$/)]);
          // MySQL takes such a prepared text for one of another character set.
          if (flavour === "mysql") continue;
          await wide.query(`PREPARE w FROM '${sql.replaceAll("'", "''")}'`);
          expect((await ask(wide, "EXECUTE w")).rows[0]?.[1], `${charset} ${text}, prepared`).toBe(me);
        }
      }
    });

    it("follows COM_CHANGE_USER, and outlives COM_RESET_CONNECTION", async () => {
      const db = await connect("mapped");
      const id = (await ask(db, "SELECT CONNECTION_ID()")).rows[0]?.[0];
      await db.reset();
      expect((await ask(db, "SELECT CURRENT_USER, CONNECTION_ID()")).rows).toEqual([["base@%", id]]);
      await db.changeUser({ user: "alice", password: "p", database: "d" });
      expect((await ask(db, "SELECT CURRENT_USER, USER(), @@proxy_user, CONNECTION_ID()")).rows).toEqual([
        ["alice@%", "alice@127.0.0.1", null, id],
      ]);
    });

    it("is refused where it would be stored", async () => {
      const db = await connect("alice");
      for (const sql of [
        "CREATE VIEW w AS SELECT USER()",
        "CREATE TABLE w (a VARCHAR(80) DEFAULT (CURRENT_USER()))",
        "CREATE TABLE w (a VARCHAR(80) AS (USER()))",
        "ALTER TABLE t ADD b VARCHAR(80) DEFAULT (SESSION_USER())",
        "CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW SET NEW.user = USER()",
        "CREATE PROCEDURE p() SELECT CONNECTION_ID()",
        "PREPARE s FROM 'CREATE VIEW w AS SELECT USER()'",
      ]) {
        await expect(db.query(sql), sql).rejects.toMatchObject({ errno: 1235 });
        await expect(db.execute(sql), sql).rejects.toMatchObject({ errno: 1235 });
      }
      await db.query("CREATE VIEW w AS SELECT DATABASE() AS d");
      await db.query("DROP VIEW w");
    });

    const lines = async (db: Connection, sql: string): Promise<string[]> =>
      (await ask(db, sql)).rows.flat() as string[];

    it("is what SHOW GRANTS and SHOW CREATE USER tell of, and how the service account logs in is not told", async () => {
      const db = await connect("mapped");
      for (const sql of ["SHOW GRANTS", "show grants for current_user", "SHOW GRANTS FOR CURRENT_USER()"]) {
        const { rows, heads } = await ask(db, sql);
        expect(heads).toEqual(["Grants for base@%"]);
        expect(rows.flat().join()).toMatch(/^GRANT .* ON \*\.\* TO `base`@`%` WITH GRANT OPTION/);
        expect(rows.flat().join()).not.toMatch(/gatehouse|IDENTIFIED|\*[0-9A-F]{40}/);
        const [prepared, fields] = await db.execute({ sql, rowsAsArray: true });
        expect(prepared).toEqual(rows);
        expect(fields.map(({ name }) => name)).toEqual(heads);
      }
      const { heads, rows } = await ask(db, "SHOW CREATE USER CURRENT_USER()");
      expect(heads).toEqual(["CREATE USER for base@%"]);
      expect(rows).toEqual([["CREATE USER `base`@`%`"]]);
      const alice = await connect("alice");
      expect((await lines(alice, "SHOW CREATE USER CURRENT_USER"))[0]).toMatch(
        /^CREATE USER `alice`@`%` IDENTIFIED (WITH 'caching_sha2_password' AS|VIA caching_sha2_password USING) '<secret>'$/,
      );
      const several = await alice.query(
        "SELECT 1 AS one; SHOW GRANTS; SELECT USER() AS me; SHOW CREATE USER CURRENT_USER()",
      );
      const text = JSON.stringify(several);
      expect(text).toContain("Grants for alice@%");
      expect(text).toContain("CREATE USER for alice@%");
      expect(text).not.toContain("gatehouse");
      for (const sql of ["PREPARE s FROM 'SHOW GRANTS'", "PREPARE s FROM 'SHOW PROCESSLIST'"])
        await expect(alice.query(sql)).rejects.toMatchObject({ errno: 1235 });
    });

    it("has the gateway's sessions in every process list, with the ids that KILL takes", async () => {
      const db = await connect("alice");
      const victim = await connect("alice", {}, null);
      const [id, victimId] = await Promise.all(
        [db, victim].map(async (one) => (await ask(one, "SELECT CONNECTION_ID()")).rows[0]?.[0]),
      );
      const server = await connect("mapped");
      const schema = "information_schema";
      for (const sql of [
        "SHOW PROCESSLIST",
        "SHOW FULL PROCESSLIST",
        `SELECT * FROM ${schema}.processlist`,
        `SELECT * FROM ${schema.toUpperCase()}.PROCESSLIST AS p WHERE p.USER = 'alice'`,
        `SELECT PROCESSLIST.* FROM d.t JOIN ${schema}.PROCESSLIST ON a = 1`,
        ...(flavour === "mysql" ? [`TABLE ${schema}.processlist`] : []),
        `SELECT p.* FROM d.t, \`${schema}\`.\`processlist\` p`,
        ...(flavour === "mysql" ? ["SELECT * FROM performance_schema.processlist"] : []),
      ]) {
        const [rows] = await db.query(sql);
        const list = (rows as Record<string, unknown>[]).map((row) =>
          Object.fromEntries(Object.entries(row).map(([key, value]) => [key.toLowerCase(), value])),
        );
        expect(
          list.map((row) => row.user),
          sql,
        ).toEqual(list.map(() => "alice"));
        expect(
          list.find((row) => row.id === id),
          sql,
        ).toMatchObject({ command: "Query", db: "d", time: 0 });
        expect(
          list.find((row) => row.id === victimId),
          sql,
        ).toMatchObject({ command: "Sleep", db: null, info: null });
        expect(String(list[0]?.host)).toMatch(/^127\.0\.0\.1:\d+$/);
        if (!sql.startsWith("SHOW")) continue;
        const [prepared] = await db.execute(sql);
        expect((prepared as { Id: number }[]).map((row) => row.Id)).toEqual(list.map((row) => row.id));
      }
      expect(
        (await ask(server, "SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'alice'")).rows,
      ).toEqual([[0]]);
      const several = await db.query(
        "SHOW /*!50000 FULL PROCESSLIST */; SELECT USER(); /*!50000 SHOW */ GRANTS",
      );
      expect(JSON.stringify(several)).toContain("Grants for alice@%");
      expect(JSON.stringify(several)).not.toContain("gatehouse");
      await db.query("USE information_schema");
      expect((await ask(db, "SELECT id FROM processlist ORDER BY id")).rows.flat()).toContain(id);
      await db.query("USE d");
      await expect(
        db.query("CREATE VIEW w AS SELECT id FROM information_schema.processlist"),
      ).rejects.toMatchObject({
        errno: 1235,
      });
      const sleep = `SELECT SLEEP(30), '${"é".repeat(120)}'`;
      const sleeping = victim.query(sleep);
      const rowOfVictim = async (sql: string) => {
        const [rows] = await db.query(sql);
        return (rows as Record<string, unknown>[]).find((row) => Number(row.Id ?? row.ID) === victimId);
      };
      await expect
        .poll(() => rowOfVictim("SHOW FULL PROCESSLIST"), { timeout: 10_000 })
        .toMatchObject({ Command: "Query", State: "User sleep", Info: sleep });
      expect(await rowOfVictim("SHOW PROCESSLIST")).toMatchObject({ Info: sleep.slice(0, 100) });
      const table = flavour === "mysql" ? "performance_schema.processlist" : `${schema}.processlist`;
      expect(await rowOfVictim(`SELECT * FROM ${table} WHERE STATE = 'User sleep'`)).toMatchObject({
        INFO: sleep,
      });
      expect((await ask(db, "SHOW WARNINGS")).rows).toEqual([]);
      const [, among] = (await db.query("SELECT 1; SHOW FULL PROCESSLIST"))[0] as unknown[];
      expect(JSON.stringify(among)).toContain(sleep);
      expect(JSON.stringify((await server.query(`SELECT * FROM ${table}`))[0])).not.toContain("SLEEP");
      await db.query(`KILL QUERY ${victimId}`);
      await sleeping.catch(() => {});
      expect(await lines(victim, "SELECT USER()")).toEqual(["alice@127.0.0.1"]);
    });

    it("has the sessions of the moment in prepared statements", async () => {
      const db = await connect("alice");
      const other = await connect("alice");
      const idOf = async (one: Connection): Promise<unknown> =>
        (await ask(one, "SELECT CONNECTION_ID()")).rows[0]?.[0];
      const [id, otherId] = [await idOf(db), await idOf(other)];
      await db.query("USE information_schema");
      const listed = await db.prepare(
        "SELECT id, db FROM processlist WHERE user = ? AND id IN (?, ?) ORDER BY id = ?",
      );
      await db.query("USE d");
      const list = async (): Promise<unknown> =>
        (await listed.execute(["alice", Number(id), Number(otherId), Number(otherId)]))[0];
      expect(await list()).toEqual([
        { id, db: "d" },
        { id: otherId, db: "d" },
      ]);
      await other.query("USE mysql");
      expect(await list()).toEqual([
        { id, db: "d" },
        { id: otherId, db: "mysql" },
      ]);
      await other.end();
      await expect.poll(list).toEqual([{ id, db: "d" }]);
      const [whole] = await db.execute("SELECT * FROM information_schema.processlist WHERE id = ?", [
        Number(id),
      ]);
      expect(whole).toMatchObject([{ ID: id, USER: "alice", COMMAND: "Query", DB: "d" }]);
      for (let count = 0; count < 300; count += 1) await list();
      const root = await server.connect();
      const [status] = await root.query("SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'");
      expect(Number((status as { Value: string }[])[0]?.Value)).toBeLessThan(100);
      root.destroy();
      await listed.close();
    });

    it("has the sessions under every name of a table, and in parentheses", async () => {
      const db = await connect("alice");
      const id = (await ask(db, "SELECT CONNECTION_ID()")).rows[0]?.[0];
      for (const [sql, head] of [
        ["SELECT information_schema.processlist.id FROM information_schema.processlist", "id"],
        ["SELECT information_schema.processlist.ID AS i FROM information_schema.processlist", "i"],
        [
          "SELECT id FROM (information_schema.processlist) WHERE information_schema.processlist.user LIKE 'ali%'",
          "id",
        ],
        ["SELECT id FROM ((information_schema.processlist AS p)) JOIN (d.t) ON t.a = 1", "id"],
        ["SELECT processlist_id FROM performance_schema.threads", "processlist_id"],
        [
          "SELECT t.processlist_id FROM (performance_schema.threads t) WHERE t.type = 'FOREGROUND'",
          "processlist_id",
        ],
        ["SELECT conn_id FROM sys.processlist", "conn_id"],
        ["SELECT sys.session.conn_id FROM sys.session WHERE user = 'alice@127.0.0.1'", "conn_id"],
        ["SELECT conn_id FROM sys.x$session", "conn_id"],
      ] as const) {
        const { rows, heads } = await ask(db, sql);
        expect(heads, sql).toEqual([head]);
        expect(rows.flat(), sql).toContain(id);
        const [prepared] = await db.execute({ sql, rowsAsArray: true });
        expect((prepared as unknown as unknown[][]).flat(), sql).toContain(id);
      }
      await db.query("USE performance_schema");
      expect((await ask(db, "SELECT processlist_user FROM threads")).rows.flat()).not.toContain("gatehouse");
      for (const table of [
        "sys.processlist",
        "sys.session",
        "sys.x$processlist",
        "performance_schema.threads",
      ]) {
        const mine = await ask(db, `SELECT * FROM ${table}`);
        expect(JSON.stringify(mine.rows)).not.toContain("gatehouse");
        const root = await server.connect();
        const [, theirs] = await root.query(`SELECT * FROM ${table} LIMIT 1`);
        expect(mine.heads).toEqual(theirs.map((field) => field.name));
        root.destroy();
      }
    });

    it("has the columns of the server's own process lists", async () => {
      const db = await connect("alice");
      const root = await server.connect();
      for (const sql of [
        "SHOW PROCESSLIST",
        "SELECT * FROM information_schema.processlist",
        ...(flavour === "mysql" ? ["SELECT * FROM performance_schema.processlist"] : []),
      ]) {
        const [, own] = await db.query(sql);
        const [, theirs] = await root.query(sql);
        expect(own.map(({ name }) => name)).toEqual(theirs.map(({ name }) => name));
      }
      root.destroy();
    });

    it("is whom errors name", async () => {
      await server.admin(
        "CREATE DATABASE IF NOT EXISTS narrow",
        "CREATE TABLE IF NOT EXISTS narrow.t (a INT)",
        "CREATE USER IF NOT EXISTS small IDENTIFIED BY 'small-secret'",
        "GRANT SELECT, EXECUTE, CREATE TEMPORARY TABLES ON d.* TO small",
        `CREATE PROCEDURE d.failing() SQL SECURITY INVOKER BEGIN
          DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN SHOW WARNINGS; SHOW ERRORS; END; SELECT * FROM narrow.t; END`,
        "CREATE PROCEDURE IF NOT EXISTS narrow.p() SELECT 1",
      );
      const small = await startGateway({
        backend: server
          .backendUrl({ socket: true })
          .replace("gatehouse:gatehouse-secret", "small:small-secret"),
        users,
        flags,
      });
      try {
        const db = await createConnection({
          host: "127.0.0.1",
          port: small.port,
          user: "mapped",
          password: "p",
          database: "d",
          multipleStatements: true,
        });
        open.push(db);
        for (const sql of [
          "SELECT * FROM narrow.t",
          "INSERT INTO t VALUES (1, 'x')",
          "CREATE TABLE x (a INT)",
          "CALL narrow.p()",
          "USE narrow",
          "SELECT 1; SELECT * FROM narrow.t",
          "SHOW GRANTS FOR root@localhost",
          "SELECT * FROM mysql.user",
          "SET ROLE nobody",
        ]) {
          const told: string[] = [];
          await db.query(sql).catch((error: Error) => told.push(error.message));
          await db.execute(sql).catch((error: Error) => told.push(error.message));
          expect(told.join(), sql).not.toMatch(/small/);
          expect(told.length, sql).toBeGreaterThan(0);
        }
        await expect(db.query("SELECT * FROM narrow.t")).rejects.toThrow(/denied to user 'base'@'127.0.0.1'/);
        await expect(db.query("USE narrow")).rejects.toThrow(
          "Access denied for user 'base'@'%' to database 'narrow'",
        );
        const told = "SELECT command denied to user 'base'@'127.0.0.1' for table ";
        const read = async (): Promise<unknown[]> =>
          Object.values(
            ((await db.query("SELECT @n, @m, @c, @s")) as unknown as Record<string, unknown>[][])[0]?.[0] ??
              {},
          );
        const get = "GET DIAGNOSTICS CONDITION 1 @m = MESSAGE_TEXT, @c = MYSQL_ERRNO, @s = RETURNED_SQLSTATE";
        for (const failing of ["SELECT * FROM narrow.t", "EXPLAIN SELECT a FROM narrow.t"]) {
          for (const ask of [get, `GET CURRENT DIAGNOSTICS @n = NUMBER; ${get}`, `${get}; SHOW WARNINGS`]) {
            await db.query("SET @n = 1, @m = NULL");
            await expect(db.query(failing)).rejects.toMatchObject({ errno: 1142 });
            await db.query(ask);
            const [count, message, code, state] = await read();
            expect([Number(count), Number(code), state]).toEqual([1, 1142, "42000"]);
            expect(String(message)).toMatch(told);
          }
        }
        await db.query("CREATE TEMPORARY TABLE IF NOT EXISTS own (a INT PRIMARY KEY)");
        await db.query("INSERT INTO own VALUES (1)");
        await expect(db.query("INSERT INTO own VALUES (1)")).rejects.toMatchObject({ errno: 1062 });
        await db.query(get);
        expect((await read())[1]).toMatch(/^Duplicate entry/);
        await expect(db.query("SELECT * FROM narrow.t")).rejects.toThrow();
        await db.query("DO 1/0");
        await db.query("GET DIAGNOSTICS @n = NUMBER");
        expect(Number((await read())[0])).toBeLessThan(2);
        const [results] = await db.query("CALL d.failing()");
        expect(JSON.stringify(results)).toContain(told);
        expect(JSON.stringify(results)).not.toContain("small");
        const [binary] = await db.execute("CALL d.failing()");
        expect(binary).toEqual(results);
        if (flavour === "mariadb") {
          await db.query("PREPARE g FROM 'GET DIAGNOSTICS CONDITION 1 @m = MESSAGE_TEXT'");
          await expect(db.query("SELECT * FROM narrow.t")).rejects.toThrow();
          await db.query("EXECUTE g");
          expect((await read())[1]).toMatch(told);
        }
        await db.query("SET character_set_results = utf32");
        await expect(db.query("SELECT * FROM narrow.t")).rejects.not.toThrow(/s\0*m\0*a\0*l\0*l/);
        await db.query(get);
        await db.query("SET character_set_results = utf8mb4");
        expect((await read())[1]).toBe("Access denied");
      } finally {
        await small.stop();
      }
    });

    it("is what variables and warnings show, alone and among other statements, in any protocol", async () => {
      const db = await connect("mapped");
      const id = (await ask(db, "SELECT CONNECTION_ID()")).rows[0]?.[0];
      const shown = {
        proxy_user: "'mapped'@'%'",
        external_user: "",
        pseudo_thread_id: String(id),
      };
      const switches = {
        caching_sha2_password_proxy_users: "ON",
        check_proxy_users: "ON",
        mysql_native_password_proxy_users: "ON",
        sha256_password_proxy_users: "OFF",
      };
      for (const sql of [
        "SHOW VARIABLES",
        "SHOW SESSION VARIABLES WHERE Variable_name RLIKE 'proxy|external|pseudo'",
      ]) {
        const [text] = await db.query({ sql, rowsAsArray: true });
        const [prepared] = await db.execute({ sql, rowsAsArray: true });
        for (const rows of [text, prepared])
          expect(Object.fromEntries(rows as unknown as [string, string][])).toMatchObject(shown);
      }
      await db.query("PREPARE sv FROM 'SHOW VARIABLES LIKE ''sha256%proxy%'''");
      const lists: [string, Record<string, string>][] = [
        ["SHOW VARIABLES LIKE '%PROXY\\\\_user%'", { ...switches, proxy_user: shown.proxy_user }],
        ["SHOW GLOBAL VARIABLES LIKE '%proxy\\\\_user%'", switches],
        [
          "SHOW VARIABLES WHERE Variable_name = 'check_proxy_users' AND Value = 'ON'",
          { check_proxy_users: "ON" },
        ],
        [`SHOW SESSION VARIABLES WHERE Value = "'mapped'@'%'"`, { proxy_user: shown.proxy_user }],
        ["SHOW VARIABLES LIKE 'proxy_user'", { proxy_user: shown.proxy_user }],
        ["EXECUTE sv", { sha256_password_proxy_users: "OFF" }],
      ];
      for (const [sql, expected] of lists) {
        const { rows, heads } = await ask(db, sql);
        expect(rows, sql).toEqual(Object.entries(expected).sort(([one], [other]) => (one < other ? -1 : 1)));
        if (sql.startsWith("EXECUTE")) continue;
        expect(heads, sql).toEqual(["Variable_name", "Value"]);
        const [prepared] = await db.execute({ sql, rowsAsArray: true });
        expect(prepared, sql).toEqual(rows);
      }
      const tables: [string, Record<string, string>][] =
        flavour === "mysql"
          ? [
              ["performance_schema.session_variables", { ...switches, proxy_user: shown.proxy_user }],
              ["performance_schema.global_variables", switches],
            ]
          : [
              ["information_schema.SESSION_VARIABLES", { ...switches, proxy_user: shown.proxy_user }],
              ["information_schema.global_variables", switches],
            ];
      for (const [table, expected] of tables) {
        const sql = `SELECT LOWER(variable_name), variable_value FROM ${table} WHERE variable_name LIKE '%proxy\\\\_user%'`;
        expect(Object.fromEntries((await ask(db, sql)).rows as [string, string][])).toEqual(expected);
      }
      if (flavour === "mariadb") {
        const sql =
          "SELECT session_value FROM information_schema.system_variables WHERE variable_name IN ('proxy_user', 'check_proxy_users') ORDER BY 1";
        expect((await ask(db, sql)).rows.flat()).toEqual([null, shown.proxy_user]);
      }
      const all = (await ask(db, "SHOW VARIABLES")).rows.map(([name]) => String(name));
      const root = await server.connect();
      const [theirs] = await root.query({ sql: "SHOW VARIABLES", rowsAsArray: true });
      const names = (theirs as unknown as [string, string][]).map(([name]) => name);
      root.destroy();
      expect(all.filter((name) => !(name in switches))).toHaveLength(
        names.filter((name) => !(name in switches)).length,
      );
      // MariaDB orders three by letters that it then writes small.
      const plain = (list: readonly string[]) =>
        list.filter((name) => !(name in switches || /^wsrep_/.test(name)));
      expect(plain(all)).toEqual(plain(names));
      const [results] = await db.query(
        "SELECT 1 AS one; SHOW VARIABLES LIKE 'proxy_user'; DO 0; SELECT 'proxy_user' AS Variable_name, 'x' AS Value, 3",
      );
      expect(JSON.stringify(results)).toContain(`"Value":"'mapped'@'%'"`);
      expect(JSON.stringify(results)).toContain(`"Value":"x"`);
      await db.query("SHOW GRANTS FOR nobody@nowhere").catch(() => {});
      await db.query(
        "DO 1/0; SIGNAL SQLSTATE '01000' SET MESSAGE_TEXT = \"denied to user 'gatehouse'@'localhost' \"",
      );
      for (const sql of ["SHOW WARNINGS", "SHOW WARNINGS LIMIT 5"]) {
        const [rows] = await db.query(sql);
        expect(rows).toMatchObject([{ Message: "denied to user 'base'@'127.0.0.1' " }]);
        await db.query(
          "SIGNAL SQLSTATE '01000' SET MESSAGE_TEXT = \"denied to user 'gatehouse'@'localhost' \"",
        );
        const [prepared] = await db.execute(sql).catch(() => [null]);
        if (prepared !== null && (prepared as unknown[]).length > 0)
          expect(prepared).toMatchObject([{ Message: "denied to user 'base'@'127.0.0.1' " }]);
        await db.query(
          "SIGNAL SQLSTATE '01000' SET MESSAGE_TEXT = \"denied to user 'gatehouse'@'localhost' \"",
        );
      }
    });

    it("is no account of the server's: that one cannot be changed as one's own, others can, which is recorded", async () => {
      const db = await connect("alice");
      for (const sql of [
        "SET PASSWORD = 'hunter2'",
        "SET PASSWORD FOR CURRENT_USER() = 'hunter2'",
        "ALTER USER USER() IDENTIFIED BY 'hunter2'",
        "ALTER USER IF EXISTS current_user IDENTIFIED BY 'hunter2'",
        "DROP USER CURRENT_USER()",
        "RENAME USER CURRENT_USER TO x",
        "GRANT SELECT ON d.* TO CURRENT_USER",
        "PREPARE s FROM 'SET PASSWORD = ''hunter2'''",
        "SELECT 1; SET PASSWORD = 'hunter2'",
        ...(flavour === "mysql"
          ? ["SET PASSWORD TO RANDOM", "SET DEFAULT ROLE NONE TO CURRENT_USER"]
          : ["SET DEFAULT ROLE NONE"]),
      ]) {
        await expect(db.query(sql), sql).rejects.toMatchObject({
          errno: 1227,
          message: expect.stringContaining("kept in the gateway's users file"),
        });
        await expect(db.execute(sql), sql).rejects.toThrow();
      }
      await db.query("CREATE USER other IDENTIFIED BY 'hunter2'");
      await db.query("GRANT SELECT ON d.* TO other");
      await db.query("DROP USER other");
      const kinds = () =>
        gateway
          .records()
          .filter((record) => record.audit === "accounts" && record.user === "alice")
          .map((record) => record.statement_kind);
      await expect.poll(kinds).toEqual(["CREATE USER", "GRANT", "DROP USER"]);
      expect(gateway.lines.join("")).not.toContain("hunter2");
      const again = await connect("alice");
      expect(await lines(again, "SELECT USER()")).toEqual(["alice@127.0.0.1"]);
    });

    it("is called as the client wished at its login, also on connections that others have used", async () => {
      for (let count = 0; count < 3; count += 1) {
        const spaced = await connect("alice", { flags: ["IGNORE_SPACE"] });
        expect(await lines(spaced, "SELECT SESSION_USER ()")).toEqual(["alice@127.0.0.1"]);
        await spaced.query("SET @pinned = 1");
        await spaced.end();
        const strict = await connect("alice", { flags: ["-IGNORE_SPACE"] });
        await expect(strict.query("SELECT SESSION_USER ()")).rejects.toThrow(
          /FUNCTION d.SESSION_USER does not exist/,
        );
        await strict.end();
      }
    });

    it("is told in texts of any length, as far as max_allowed_packet goes", async () => {
      const db = await connect("alice");
      const long = "x".repeat(17 << 20);
      expect((await ask(db, `SELECT LENGTH('${long}') AS n, USER() AS me`)).rows).toEqual([
        [long.length, "alice@127.0.0.1"],
      ]);
      const many = await ask(db, `SELECT ${"USER() LIKE 'alice%' AND ".repeat(9_000)} 1 AS yes`);
      expect(many.rows).toEqual([[1]]);
      await expect(db.query(`SELECT ${"USER() IS NULL OR ".repeat(20_000)} 1`)).rejects.toMatchObject({
        errno: 1235,
      });
      // What fits by itself becomes too long: an error, and the session lives.
      const fits = `SELECT '${"x".repeat((64 << 20) - 60)}', ${"USER(),".repeat(3)} 1`;
      await expect(db.query(fits)).rejects.toMatchObject({ errno: 1153 });
      expect(await lines(db, "SELECT CURRENT_USER")).toEqual(["alice@%"]);
    });

    it("is told behind a change of mode where that changes nothing about the text, and refused elsewhere", async () => {
      const db = await connect("alice");
      const told = await db.query(
        "SET sql_mode = 'ANSI_QUOTES'; SET NAMES utf8mb4; SELECT USER() AS me, 'USER()' AS it",
      );
      expect(JSON.stringify(told[0])).toContain(`[{"me":"alice@127.0.0.1","it":"USER()"}]`);
      await db.query("SET sql_mode = ''");
      // Behind the change the strings end elsewhere: a value would be put into one of them.
      const text = String.raw`SET sql_mode = 'NO_BACKSLASH_ESCAPES'; SELECT 'a\' , ', USER() , '\' ' AS c`;
      await expect(db.query(text)).rejects.toMatchObject({ errno: 1235 });
      expect(await lines(db, String.raw`SELECT 'x\'y'`)).toEqual(["x'y"]);
    });
  });
}

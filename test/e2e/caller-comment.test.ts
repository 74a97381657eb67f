// --caller_id_comment on a live server: its general log says whose each statement is, and nothing else of the statement
// changes.
import type { Connection } from "mysql2/promise";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import { type GatewayProcess, startGateway } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { mysqldCommand, startMysql } from "../support/mysql-server.ts";

const hostile = "*/ DROP TABLE d.t; -- '\"`";
const users = {
  anna: [{ Password: "p", UserData: "web" }],
  hostile: [{ Password: "p", UserData: hostile }],
};

for (const { flavour, start, present } of [
  { flavour: "mariadb" as const, start: startMariadb, present: true },
  { flavour: "mysql" as const, start: startMysql, present: mysqldCommand !== null },
]) {
  describe.skipIf(!present)(`the caller's comment, before ${flavour}`, () => {
    let server: DatabaseServer;
    let gateway: GatewayProcess;
    const open: Connection[] = [];

    beforeAll(async () => {
      server = await start({ skipNetworking: true });
      await server.admin("CREATE DATABASE d", "CREATE TABLE d.t (a INT)", "SET GLOBAL log_output = 'TABLE'");
      gateway = await startGateway({ backend: server, users, flags: { caller_id_comment: true } });
    });
    afterAll(async () => {
      for (const one of open) one.destroy();
      await gateway?.stop();
      await server?.stop();
    });

    async function connect(user: string): Promise<Connection> {
      const target = { host: "127.0.0.1", port: gateway.port, user, password: "p", database: "d" };
      const connection = await createConnection({ ...target, multipleStatements: true });
      open.push(connection);
      return connection;
    }
    /** What the server logged while `use` ran, by the commands of sessions. */
    async function logged(use: () => Promise<unknown>): Promise<string[]> {
      await server.admin("TRUNCATE mysql.general_log", "SET GLOBAL general_log = ON");
      await use();
      await server.admin("SET GLOBAL general_log = OFF");
      const rows = await server.admin(
        "SELECT CONVERT(argument USING utf8mb4) AS text FROM mysql.general_log WHERE user_host LIKE '%gatehouse%' AND command_type IN ('Query', 'Prepare', 'Execute')",
      );
      return rows.map(({ text }) => String(text)).filter((text) => text.includes("marked"));
    }

    it("stands before every statement, prepared ones and those of one text", async () => {
      const db = await connect("anna");
      const [[row]] = (await db.query("SELECT CONNECTION_ID() AS id")) as unknown as [[{ id: number }]];
      const own = `/* gatehouse:user_data='web',user='anna',id='${row.id}' */ `;
      const shared = "/* gatehouse:user_data='web',user='anna' */ ";
      const texts = await logged(async () => {
        await db.query("SELECT 'marked 1'");
        await db.query("SELECT 'marked; 2' ; SELECT 3 AS marked;SELECT USER() AS marked4");
        await db.execute("SELECT ? AS marked5", [5]);
        await db.query("INSERT INTO t VALUES (1) -- marked6");
        await db.query("/*!50000 SELECT 'marked 7' */; SELECT 'marked 8'");
      });
      // MariaDB logs a text of several statements as a whole.
      const log = texts.join("\n");
      for (const statement of [
        `${own}SELECT 'marked 1'`,
        `${own}SELECT 'marked; 2' ;`,
        `${own} SELECT 3 AS marked;`,
        `${own}SELECT  IF(1, `,
        `${shared}SELECT ? AS marked5`,
        `${own}INSERT INTO t VALUES (1) -- marked6`,
        `${own}/*!50000 SELECT 'marked 7' */;`,
      ])
        expect(log).toContain(statement);
    });

    it("holds no name that could mean anything", async () => {
      const db = await connect("hostile");
      const texts = await logged(async () => {
        for (const mode of ["", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES"]) {
          await db.query(`SET sql_mode = '${mode}'`);
          expect((await db.query("SELECT 'marked' AS a; SELECT COUNT(*) > 0 AS b FROM t"))[0]).toEqual([
            [{ a: "marked" }],
            [{ b: 1 }],
          ]);
        }
        await db.query("SET NAMES gbk");
        expect((await db.query("SELECT 'marked' AS a"))[0]).toEqual([{ a: "marked" }]);
      });
      for (const text of texts)
        expect(text).toMatch(
          /^\/\* gatehouse:user_data='%2A%2F%20DROP%20TABLE%20d.t%3B%20--%20%27%22%60',user='hostile',id='\d+' \*\/ +SELECT/,
        );
      expect(texts.length).toBeGreaterThanOrEqual(4);
    });

    it("is no part of what is stored", async () => {
      const db = await connect("anna");
      await db.query("CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END; CREATE VIEW v AS SELECT 1 AS one");
      const stored = await server.admin("SHOW CREATE PROCEDURE d.p");
      expect(JSON.stringify(stored)).not.toContain("gatehouse:");
      expect(JSON.stringify(await server.admin("SHOW CREATE VIEW d.v"))).not.toContain("gatehouse:");
      expect(JSON.stringify((await db.query("CALL p()"))[0])).toContain("2");
    });
  });
}

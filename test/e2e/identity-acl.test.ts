// Who a session is where a table ACL holds: process lists, grants and accounts, for those whom it binds and for those who
// are exempt.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import { type GatewayProcess, startGateway } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { mysqldCommand, startMysql } from "../support/mysql-server.ts";
import { removeFolder, scratchFolder } from "../support/scratch.ts";

const users = {
  owner: [{ Password: "p" }],
  narrow: [{ Password: "p" }],
  dba: [{ Password: "p", Groups: ["admins"] }],
};
const acl = {
  table_groups: [
    { name: "own", table_names_or_prefixes: ["d.t"], readers: ["*"], writers: ["owner"], admins: ["owner"] },
  ],
};

for (const { flavour, start, present } of [
  { flavour: "mariadb" as const, start: startMariadb, present: true },
  { flavour: "mysql" as const, start: startMysql, present: mysqldCommand !== null },
]) {
  describe.skipIf(!present)(`who one is under a table ACL, before ${flavour}`, () => {
    let server: DatabaseServer;
    let gateway: GatewayProcess;
    let folder = "";
    const open: Connection[] = [];

    beforeAll(async () => {
      folder = scratchFolder("identity-acl");
      const file = join(folder, "acl.json");
      writeFileSync(file, JSON.stringify(acl));
      server = await start({ skipNetworking: true });
      await server.admin(
        "CREATE DATABASE d",
        "CREATE TABLE d.t (a INT)",
        "INSERT INTO d.t VALUES (1)",
        "CREATE TABLE d.secret (a INT)",
      );
      const flags = { table_acl_config: file, queryserver_config_acl_exempt_acl: "admins" };
      gateway = await startGateway({ backend: server, users, flags });
    });
    afterAll(async () => {
      for (const one of open) one.destroy();
      await gateway?.stop();
      await server?.stop();
      removeFolder(folder);
    });

    async function connect(user: string): Promise<Connection> {
      const target = { host: "127.0.0.1", port: gateway.port, user, password: "p", database: "d" };
      const connection = await createConnection({ ...target, multipleStatements: true });
      open.push(connection);
      return connection;
    }
    const usersIn = async (db: Connection, sql: string): Promise<unknown[]> => {
      const [rows] = await db.query<RowDataPacket[]>(sql);
      return [...new Set(rows.map((row) => row.User ?? row.USER ?? row.user))].sort();
    };

    it("process lists have one's own sessions, and all of them for exempt principals", async () => {
      const [owner, , dba] = [await connect("owner"), await connect("narrow"), await connect("dba")];
      for (const sql of [
        "SHOW PROCESSLIST",
        "SHOW FULL PROCESSLIST",
        "SELECT * FROM information_schema.processlist",
        "SELECT p.* FROM t JOIN information_schema.processlist AS p ON p.id > 0",
        "SELECT * FROM (SELECT * FROM information_schema.PROCESSLIST UNION SELECT * FROM information_schema.processlist) q",
        ...(flavour === "mysql" ? ["SELECT * FROM performance_schema.processlist"] : []),
      ]) {
        expect(await usersIn(owner, sql), sql).toEqual(["owner"]);
        expect(await usersIn(dba, sql), sql).toEqual(["dba", "narrow", "owner"]);
      }
      for (const sql of [
        "SELECT * FROM secret, information_schema.processlist",
        "SELECT * FROM information_schema.processlist JOIN secret",
        "SELECT (SELECT MAX(a) FROM secret) FROM information_schema.processlist",
        "INSERT INTO secret SELECT id FROM information_schema.processlist",
      ])
        await expect(owner.query(sql), sql).rejects.toMatchObject({ errno: 1142 });
      const [[[id]]] = (await owner.query({
        sql: "SELECT CONNECTION_ID()",
        rowsAsArray: true,
      })) as unknown as [[[number]]];
      await expect(dba.query(`KILL ${id}`)).rejects.toMatchObject({ errno: 1095 });
    });

    it("grants are those of the ACL, or the server's for exempt principals", async () => {
      const [narrow, dba] = [await connect("narrow"), await connect("dba")];
      const grants = async (db: Connection, sql: string) => JSON.stringify((await db.query(sql))[0]);
      expect(await grants(narrow, "SHOW GRANTS")).toBe(
        JSON.stringify([
          { "Grants for narrow@%": "GRANT USAGE ON *.* TO `narrow`@`%`" },
          { "Grants for narrow@%": "GRANT SELECT, SHOW VIEW ON `d`.`t` TO `narrow`@`%`" },
        ]),
      );
      expect(await grants(narrow, "SELECT a FROM t; SHOW GRANTS; SHOW PROCESSLIST")).toContain(
        "ON `d`.`t` TO `narrow`",
      );
      const all = await grants(dba, "SHOW GRANTS FOR CURRENT_USER()");
      expect(all).toMatch(/"Grants for dba@%":"GRANT .* ON \*\.\* TO `dba`@`%` WITH GRANT OPTION"/);
      expect(all).not.toMatch(/gatehouse|IDENTIFIED/);
      expect((await narrow.query("SHOW CREATE USER CURRENT_USER()"))[0]).toEqual([
        { "CREATE USER for narrow@%": expect.stringContaining("'<secret>'") },
      ]);
    });

    it("accounts are kept in the users file", async () => {
      const db = await connect("owner");
      for (const sql of [
        "SET PASSWORD = 'hunter2'",
        "SET PASSWORD FOR gatehouse = 'hunter2'",
        "CREATE USER x IDENTIFIED BY 'hunter2'",
        "ALTER USER gatehouse IDENTIFIED BY 'hunter2'",
        "ALTER USER USER() IDENTIFIED BY 'hunter2'",
        "DROP USER gatehouse",
        "RENAME USER gatehouse TO x",
        "GRANT SELECT ON d.* TO gatehouse",
        "REVOKE SELECT ON d.* FROM gatehouse",
        "SHOW GRANTS FOR gatehouse",
        "SHOW CREATE USER gatehouse",
      ]) {
        const refusal = { errno: 1227, message: expect.stringContaining("kept in the gateway's users file") };
        await expect(db.query(sql), sql).rejects.toMatchObject(refusal);
        await expect(db.execute(sql), sql).rejects.toMatchObject(refusal);
      }
      await expect((await connect("dba")).query("SET PASSWORD = 'hunter2'")).rejects.toMatchObject({
        errno: 1227,
      });
      expect(gateway.lines.join("")).not.toContain("hunter2");
    });

    it("functions tell the truth, and rights hold all the same", async () => {
      const db = await connect("narrow");
      const [rows] = await db.execute(
        "SELECT USER() AS me, CURRENT_USER, a FROM t WHERE a = ? AND USER() LIKE 'narrow%'",
        [1],
      );
      expect(rows).toEqual([{ me: "narrow@127.0.0.1", CURRENT_USER: "narrow@%", a: 1 }]);
      await db.query("PREPARE s FROM 'SELECT USER() AS me FROM t'");
      expect((await db.query("EXECUTE s"))[0]).toEqual([{ me: "narrow@127.0.0.1" }]);
      await expect(db.query("SELECT USER(), a FROM secret")).rejects.toMatchObject({ errno: 1142 });
      await expect(db.query("SELECT USER(); SELECT a FROM secret")).rejects.toMatchObject({ errno: 1142 });
      await expect(db.query("PREPARE s FROM 'SELECT USER(), a FROM secret'")).rejects.toMatchObject({
        errno: 1142,
      });
      await expect(db.query("SELECT f(USER())")).rejects.toMatchObject({ errno: 1370 });
    });

    it.skipIf(flavour === "mysql")("bodies hold no listings beside others", async () => {
      const db = await connect("narrow");
      for (const sql of [
        "BEGIN NOT ATOMIC SHOW ENGINE INNODB STATUS; SHOW STATUS; END",
        "BEGIN NOT ATOMIC SHOW TABLES; SHOW WARNINGS; END",
        "BEGIN NOT ATOMIC SHOW GRANTS; SHOW STATUS; END",
        "BEGIN NOT ATOMIC SHOW PROCESSLIST; END",
      ])
        await expect(db.query(sql), sql).rejects.toMatchObject({ errno: 1235 });
      const [results] = await db.query(
        "BEGIN NOT ATOMIC SELECT USER() AS me; SELECT CONNECTION_ID() > 0 AS one; END",
      );
      expect(JSON.stringify(results)).toContain("narrow@127.0.0.1");
    });
  });
}

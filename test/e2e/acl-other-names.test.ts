// Other names for a table that servers know: behind #mysql50# some take a name as that of a file. A policy that gives
// everything and takes one table away must hold whatever the table is called.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Connection } from "mysql2/promise";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { startGateway } from "../support/gateway-process.ts";
import { scratchFolder } from "../support/scratch.ts";
import { sqlServers } from "../support/sql-servers.ts";

const names = [
  "`#mysql50#secret`",
  "d.`#mysql50#secret`",
  "`#MYSQL50#secret`",
  "`#mysql50#d`.secret",
  "`#mysql50#d`.`#mysql50#secret`",
  "`#mysql50#mysql`.user",
  "`#mysql50#mysql`.global_priv",
] as const;

for (const { name: serverName, start, present } of sqlServers) {
  describe.skipIf(!present)(`a table by another name before ${serverName}`, () => {
    let server: DatabaseServer;
    let gateway: GatewayProcess;
    let connection: Connection;

    beforeAll(async () => {
      server = await start({ skipNetworking: true });
      await server.admin(
        "CREATE DATABASE d",
        "CREATE TABLE d.t (a VARCHAR(40))",
        "INSERT INTO d.t VALUES ('mine')",
        "CREATE TABLE d.secret (a VARCHAR(40))",
        "INSERT INTO d.secret VALUES ('hidden')",
      );
      const acl = join(scratchFolder("other-names"), "acl.json");
      const everything = { readers: ["eve"], writers: ["eve"], admins: ["eve"] };
      const table_groups = [
        { name: "all", table_names_or_prefixes: ["%"], ...everything },
        { name: "closed", table_names_or_prefixes: ["secret"] },
      ];
      writeFileSync(acl, JSON.stringify({ table_groups }));
      gateway = await startGateway({
        backend: server,
        users: { eve: [{ Password: "eve-password" }] },
        flags: { table_acl_config: acl },
      });
      const { socketPath } = gateway;
      connection = await createConnection({
        socketPath,
        user: "eve",
        password: "eve-password",
        database: "d",
      });
    });

    afterAll(async () => {
      connection?.destroy();
      await gateway?.stop();
      await server?.stop();
    });

    const answerOf = (sql: string): Promise<unknown> =>
      connection.query(sql).then(
        ([rows]) => JSON.stringify(rows),
        (error: { errno?: number }) => error.errno,
      );

    it("is not read, written, described, swapped or taken away", async () => {
      expect(await answerOf("SELECT * FROM t")).toContain("mine");
      for (const name of names) {
        for (const sql of [
          `SELECT * FROM ${name}`,
          `INSERT INTO ${name} VALUES ('x')`,
          `DELETE FROM ${name}`,
          `SHOW CREATE TABLE ${name}`,
          `DESCRIBE ${name}`,
          `HANDLER ${name} OPEN AS x`,
          `CREATE TABLE my_copy LIKE ${name}`,
          `CREATE VIEW my_view AS SELECT * FROM ${name}`,
          `RENAME TABLE ${name} TO my_own`,
          `ALTER TABLE ${name} RENAME my_own`,
          `DROP TABLE ${name}`,
        ])
          expect([sql, await answerOf(sql)]).toEqual([sql, 1235]);
      }
      expect(await server.admin("SELECT a FROM d.secret")).toEqual([{ a: "hidden" }]);
    });

    it("is not reached through its schema by another name", async () => {
      expect(await answerOf("USE `#mysql50#d`")).toBe(1044);
      expect(await answerOf("SHOW TABLES FROM `#mysql50#mysql`")).toBe(1044);
      expect(await answerOf("DROP DATABASE `#mysql50#d`")).toBe(1044);
      const { socketPath } = gateway;
      const login = createConnection({
        socketPath,
        user: "eve",
        password: "eve-password",
        database: "#mysql50#d",
      });
      expect(
        await login.then(
          (made) => made.destroy(),
          (error: { errno?: number }) => error.errno,
        ),
      ).toBe(1044);
    });
  });
}

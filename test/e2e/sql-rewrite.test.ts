// Identity functions replaced, on live servers: the gateway's values come back, under the headings and as the types that the
// server gives the functions themselves, in every sql_mode.
import type { Connection, FieldPacket, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { analyzeText } from "../../src/sql/analyze.ts";
import { type IdentityValues, rewriteIdentity } from "../../src/sql/rewrite.ts";
import type { DatabaseServer } from "../support/database-server.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { mysqldCommand, startMysql } from "../support/mysql-server.ts";
import { contextOf } from "../unit/sql/support.ts";

const name = "o'b`é\"\\@192.0.2.7";
const values: IdentityValues = {
  user: name,
  currentUser: "base@%",
  currentRole: "NONE",
  connectionId: 4_000_000_000,
  proxyUser: null,
  externalUser: null,
  processList: () => "SELECT 1",
  proxyUsers: { check: false, mysqlNativePassword: true, cachingSha2Password: false, sha256Password: false },
};

/** [text, first row as expected]. */
const statements: readonly (readonly [string, readonly unknown[]])[] = [
  ["SELECT USER()", [name]],
  ["SELECT user ( ), SESSION_USER() AS s, system_user() x", [name, name, name]],
  ["SELECT CURRENT_USER, current_user ( )", ["base@%", "base@%"]],
  ["SELECT CONNECTION_ID(), CONNECTION_ID()+1", [4_000_000_000, 4_000_000_001]],
  ["SELECT CONCAT('a`b', USER(/* c */)) , 1", [`a\`b${name}`, 1]],
  ["SELECT (SELECT USER()), (SELECT u FROM (SELECT USER() AS u) q)", [name, name]],
  ["SELECT `USER()` FROM (SELECT USER()) q", [name]],
  ["SELECT/*!50000 USER() */", [name]],
  ["SELECT USER() = CURRENT_USER, 'USER()', \"CURRENT_USER\"", [0, "USER()", "CURRENT_USER"]],
  ["SELECT USER() UNION SELECT 'z' ORDER BY 1", [name]],
  ["SELECT COUNT(*), USER() FROM (SELECT 1 AS a) q WHERE USER() LIKE '%@192%' GROUP BY USER()", [1, name]],
  ["SELECT CASE WHEN USER() LIKE 'o%' THEN 1 END, LENGTH(USER())", [1, Buffer.byteLength(name)]],
  [`SELECT CONCAT('${"é".repeat(140)}', USER())`, [`${"é".repeat(140)}${name}`]],
  [`SELECT CONCAT('${"x".repeat(300)}', USER())`, [`${"x".repeat(300)}${name}`]],
];
const onMysql: readonly (readonly [string, readonly unknown[]])[] = [
  ["SELECT @@proxy_user, @@session . external_user, @@`proxy_user`AS p", [null, null, null]],
  ["SELECT @@check_proxy_users, @@global.mysql_native_password_proxy_users AS m", [0, 1]],
  ["SELECT CURRENT_ROLE()", ["NONE"]],
];

const servers = [
  { flavour: "mariadb" as const, start: startMariadb, present: true, own: statements },
  {
    flavour: "mysql" as const,
    start: startMysql,
    present: mysqldCommand !== null,
    own: [...statements, ...onMysql],
  },
];

for (const { flavour, start, present, own } of servers) {
  describe.skipIf(!present)(`identity functions replaced on ${flavour}`, () => {
    let server: DatabaseServer;
    let db: Connection;

    beforeAll(async () => {
      server = await start({ skipNetworking: true });
      db = await server.connect();
      await db.query("SET NAMES utf8mb4");
    });
    afterAll(async () => {
      await db?.end();
      await server?.stop();
    });

    const ask = (sql: string): Promise<[unknown[][], FieldPacket[]]> =>
      db.query<RowDataPacket[]>({ sql, rowsAsArray: true }) as unknown as Promise<
        [unknown[][], FieldPacket[]]
      >;

    it.each(own)("%s", async (sql, expected) => {
      // MySQL 9 has no such variable any more where the plugin is gone: the gateway's answer is compared only.
      const direct = await ask(sql).catch(() => null);
      for (const mode of ["", "NO_BACKSLASH_ESCAPES,IGNORE_SPACE", "PIPES_AS_CONCAT"]) {
        await db.query(`SET sql_mode = '${mode}'`);
        const text = Buffer.from(sql);
        const context = contextOf(flavour, { mode, defaultSchema: null });
        const analyzed = analyzeText(text, context);
        expect(analyzed.uncertain).toBeNull();
        const [rows, fields] = await ask(
          Buffer.from(rewriteIdentity(text, analyzed, values, context)).toString(),
        );
        expect(rows[0]).toEqual(expected);
        if (direct === null) continue;
        expect(fields.map((field) => field.name)).toEqual(direct[1].map((field) => field.name));
        // MySQL makes CURRENT_ROLE() a text of any length.
        if (sql.includes("CURRENT_ROLE")) continue;
        const types = (list: FieldPacket[]) => list.map((field) => field.type);
        // A NULL has a type of its own.
        const known = types(direct[1]).map((type, index) => (expected[index] === null ? null : type));
        expect(types(fields).map((type, index) => (expected[index] === null ? null : type))).toEqual(known);
      }
    });
  });
}

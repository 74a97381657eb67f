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
  rowsOf: () => "SELECT 1",
  shownVariables: () => "SELECT 1",
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

/** What a column's definition says beside its name. */
interface Shape {
  readonly columnType: number;
  readonly columnLength: number;
  readonly characterSet: number;
  readonly flags: number;
}

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
      for (const mode of ["", "NO_BACKSLASH_ESCAPES,IGNORE_SPACE", "PIPES_AS_CONCAT"]) {
        await db.query(`SET sql_mode = '${mode}'`);
        // MySQL 9 has no such variable any more where the plugin is gone: the gateway's answer is compared only.
        const direct = await ask(sql).catch(() => null);
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
        // Numbers of the gateway's are longer than the server's own; all else is as the function would be.
        const shapes = (list: FieldPacket[]) =>
          (list as unknown as Shape[]).map(({ columnType, columnLength, characterSet, flags }, index) =>
            typeof expected[index] === "number" || /CONCAT|CASE|LENGTH/.test(sql)
              ? columnType
              : [columnType, columnLength, characterSet, flags],
          );
        expect(shapes(fields)).toEqual(shapes(direct[1]));
        expect((await ask("SHOW WARNINGS"))[0]).toEqual([]);
      }
    });

    it("compare with columns of any collation, as the functions do", async () => {
      await db.query("SET sql_mode = ''");
      await db.query("CREATE DATABASE IF NOT EXISTS d");
      await db.query(
        `CREATE TABLE d.t (a VARCHAR(80) CHARACTER SET utf8mb3 COLLATE utf8mb3_unicode_ci, b VARCHAR(80) CHARACTER SET latin1
         COLLATE latin1_german1_ci, c VARCHAR(80) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin)`,
      );
      await db.query("INSERT INTO d.t VALUES (?, ?, ?)", [name, name, name]);
      const text = Buffer.from(
        "SELECT COERCIBILITY(USER()), COLLATION(USER()), CONCAT(b, USER()) FROM d.t WHERE a = USER() AND b = USER() AND c = USER() AND USER() IN (a, a)",
      );
      const context = contextOf(flavour, { mode: "" });
      const [rows] = await ask(
        Buffer.from(rewriteIdentity(text, analyzeText(text, context), values, context)).toString(),
      );
      expect(rows).toEqual([[3, "utf8mb3_general_ci", name + name]]);
      const short = Buffer.from("SELECT USER()");
      const wide = { ...values, user: "x\u{1f600}y@h" };
      const [told] = await ask(
        Buffer.from(rewriteIdentity(short, analyzeText(short, context), wide, context)).toString(),
      );
      expect(told).toEqual([["x?y@h"]]);
    });
  });
}

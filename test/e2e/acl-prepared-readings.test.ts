// Servers read the text of a prepared statement anew when a table of it has changed, in the sql_mode and the character set
// that the session has by then. A text that means one table when it is prepared and another one when it is executed must
// not get past the table ACL; one that means the same runs.
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

/** Reads `t` at first, and `secret` under `mode` or `names`. */
const twofold = [
  {
    what: "ANSI_QUOTES",
    text: 'SELECT a AS "\\" FROM secret -- " FROM t',
    change: "SET sql_mode = 'ANSI_QUOTES'",
  },
  {
    what: "NO_BACKSLASH_ESCAPES",
    text: "SELECT a AS '\\' FROM secret -- ' FROM t",
    change: "SET sql_mode = 'NO_BACKSLASH_ESCAPES'",
  },
  { what: "gbk", text: "SELECT a AS '中\\' FROM secret -- ' FROM t", change: "SET NAMES gbk" },
  {
    what: "sjis",
    text: "SELECT a AS '表\\' FROM secret -- ' FROM t",
    change: "SET character_set_client = sjis",
  },
] as const;

/** What changes how texts are read, for texts that another step or statement reads. */
const changes = [
  "SET sql_mode = 'ANSI_QUOTES'",
  "SET sql_mode = 'NO_BACKSLASH_ESCAPES'",
  "SET @@sql_mode = 4",
  "SET NAMES sjis",
  "SET character_set_client = sjis",
  "SET collation_connection = swe7_bin",
  "SET character_set_connection = swe7",
] as const;

interface Beside {
  readonly steps: readonly string[];
  readonly on?: "mariadb";
}

const literal = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;

const besides: readonly Beside[] = changes.flatMap((change): Beside[] =>
  twofold.slice(0, 2).flatMap(({ text }): Beside[] => {
    const inner = literal(text);
    const body = `BEGIN NOT ATOMIC ${change}; EXECUTE IMMEDIATE ${inner}; END`;
    return [
      { steps: [`${change}; PREPARE s FROM ${inner}; EXECUTE s`] },
      { steps: [`PREPARE s FROM ${inner}`, `${change}; EXECUTE s`] },
      ...(change.includes("swe7")
        ? [{ on: "mariadb", steps: [change, `EXECUTE IMMEDIATE ${inner}`] } as const]
        : []),
      { on: "mariadb", steps: [`${change}; EXECUTE IMMEDIATE ${inner}`] },
      { on: "mariadb", steps: [body] },
      { on: "mariadb", steps: [`IF 1 THEN ${change}; EXECUTE IMMEDIATE ${inner}; END IF`] },
      { on: "mariadb", steps: [`EXECUTE IMMEDIATE ${literal(body)}`] },
      { on: "mariadb", steps: [`BEGIN NOT ATOMIC ${change}; PREPARE s FROM ${inner}; EXECUTE s; END`] },
      {
        on: "mariadb",
        steps: [
          `PREPARE s FROM ${inner}`,
          `BEGIN NOT ATOMIC ${change}; ALTER TABLE t COMMENT = 'x'; EXECUTE s; END`,
        ],
      },
    ];
  }),
);

for (const { name, flavour, start, present } of sqlServers) {
  describe.skipIf(!present)(`a prepared statement before ${name}`, () => {
    let server: DatabaseServer;
    let gateway: GatewayProcess;

    beforeAll(async () => {
      server = await start({ skipNetworking: true });
      await server.admin(
        "CREATE DATABASE d",
        "CREATE TABLE d.t (a VARCHAR(40))",
        "INSERT INTO d.t VALUES ('mine')",
        "CREATE TABLE d.secret (a VARCHAR(40))",
        "INSERT INTO d.secret VALUES ('hidden')",
      );
      const acl = join(scratchFolder("readings"), "acl.json");
      const eve = { readers: ["eve"], writers: ["eve"], admins: ["eve"] };
      writeFileSync(
        acl,
        JSON.stringify({ table_groups: [{ name: "own", table_names_or_prefixes: ["d.t"], ...eve }] }),
      );
      gateway = await startGateway({
        backend: server,
        users: { eve: [{ Password: "eve-password" }], dba: [{ Password: "eve-password" }] },
        flags: { table_acl_config: acl, queryserver_config_acl_exempt_acl: "dba" },
      });
    });

    afterAll(async () => {
      await gateway?.stop();
      await server?.stop();
    });

    async function withConnection<T>(use: (connection: Connection) => Promise<T>, user = "eve"): Promise<T> {
      const { socketPath } = gateway;
      const multipleStatements = true;
      const connection = await createConnection({
        socketPath,
        user,
        password: "eve-password",
        database: "d",
        charset: "utf8mb4",
        multipleStatements,
      });
      try {
        return await use(connection);
      } finally {
        connection.destroy();
      }
    }

    const answerOf = (attempt: Promise<unknown>): Promise<unknown> =>
      attempt.then(
        (result) => JSON.stringify((result as unknown[])[0]),
        (error: { errno?: number; message: string }) => error.errno ?? error.message,
      );

    /** Makes every server read every text that names it anew. */
    const alter = (connection: Connection) => connection.query("ALTER TABLE t COMMENT = 'anew'");

    it.each(twofold)("of a text that $what reads otherwise is not executed", async ({ text, change }) => {
      await withConnection(async (connection) => {
        const statement = await connection.prepare(text);
        await connection.query(`PREPARE s FROM ${literal(text)}`);
        expect(await answerOf(statement.execute([]))).toContain("mine");
        expect(await answerOf(connection.query("EXECUTE s"))).toContain("mine");
        await connection.query(change);
        await alter(connection);
        for (let count = 0; count < 2; count += 1) {
          expect(await answerOf(connection.query("EXECUTE s"))).toBe(1235);
          expect([1142, 1235]).toContain(await answerOf(statement.execute([])));
        }
        await connection.query("SET NAMES utf8mb4");
        await connection.query("SET sql_mode = DEFAULT");
        await alter(connection);
        expect(await answerOf(statement.execute([]))).toContain("mine");
        expect(await answerOf(connection.query("EXECUTE s"))).toContain("mine");
      });
    });

    it("that means the same is executed in all modes", async () => {
      await withConnection(async (connection) => {
        const plain = await connection.prepare("SELECT a FROM t WHERE a IN (?)");
        const quoted = await connection.prepare("SELECT a, 'é\\'x' AS b FROM t WHERE a <> \"other\"");
        const wanted = await connection.prepare("SELECT a, 'é' AS b FROM t");
        await connection.query("PREPARE s FROM 'SELECT a FROM t WHERE a IN (?)'");
        expect(await answerOf(quoted.execute([]))).toContain("mine");
        await connection.query("SET @v = 'mine'");
        for (const change of [
          "SET sql_mode = 'NO_BACKSLASH_ESCAPES'",
          "SET sql_mode = 'STRICT_ALL_TABLES'",
          "SET sql_mode = 'ANSI_QUOTES,IGNORE_SPACE'",
          "SET NAMES latin1",
          "SET NAMES utf8mb3",
        ]) {
          await connection.query(change);
          await alter(connection);
          expect(await answerOf(plain.execute(["mine"]))).toContain("mine");
          expect(await answerOf(wanted.execute([]))).toContain("mine");
        }
        await connection.query("SET sql_mode = 'NO_BACKSLASH_ESCAPES'");
        expect(await answerOf(connection.query("EXECUTE s USING @v"))).toContain("mine");
        await connection.query("SET sql_mode = 'STRICT_ALL_TABLES'");
        expect(await answerOf(quoted.execute([]))).toContain("mine");
      });
    });

    it("is not made to mean something else by what stands beside it in one text", async () => {
      const told: unknown[] = [];
      for (const { steps, on } of besides) {
        if (on !== undefined && on !== flavour) continue;
        await withConnection(async (connection) => {
          const answers: unknown[] = [];
          for (const step of steps) answers.push(await answerOf(connection.query(step)));
          told.push({ steps, refused: answers.some((one) => one === 1142 || one === 1235 || one === 1064) });
          expect(JSON.stringify(answers)).not.toContain("hidden");
        });
      }
      expect(told.filter((one) => (one as { refused: boolean }).refused === false)).toEqual([]);
      expect(told.length).toBeGreaterThan(20);
    });

    it("beside a change of modes in a body or a text runs where nothing is read later", async () => {
      await withConnection(async (connection) => {
        const own =
          flavour === "mariadb"
            ? ["BEGIN NOT ATOMIC SET sql_mode = 'ANSI_QUOTES'; SELECT a FROM t; END"]
            : [];
        for (const text of [
          ...own,
          "SET collation_connection = utf8mb4_bin",
          "SET @saved = @@collation_connection",
          "SET collation_connection = @saved",
          "PREPARE s FROM 'SELECT a FROM t'",
          "EXECUTE s",
        ])
          expect([text, typeof (await answerOf(connection.query(text)))]).toEqual([text, "string"]);
      });
    });

    it("of an exempt principal is his own affair", async () => {
      await withConnection(async (connection) => {
        const [{ text, change }] = twofold;
        const statement = await connection.prepare(text);
        await connection.query(change);
        expect(await answerOf(statement.execute([]))).toMatch(/mine|hidden/);
      }, "dba");
    });
  });
}

// A gateway with a table ACL in front of a real MariaDB, used by real clients: what nobody needs a grant for, what is
// denied in every way to ask for it, listings, reloads, dry run, exempt principals.
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Connection } from "mysql2/promise";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commandLines, hasPython, runCommandLine, runPymysql } from "../support/command-line.ts";
import type { DatabaseServer } from "../support/database-server.ts";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { startGateway } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { removeFolder, scratchFolder, waitUntil } from "../support/scratch.ts";
import { bypasses } from "../unit/acl/bypass-corpus.ts";

let server: DatabaseServer;
let gateway: GatewayProcess;
let dry: GatewayProcess;
let folder = "";

const owner = { readers: ["owner"], writers: ["owner"], admins: ["owner"] };
const usual = [
  { name: "own", table_names_or_prefixes: ["d.t", "d.t2", "d.mine"], ...owner },
  { name: "one", table_names_or_prefixes: ["d.one"], readers: ["narrow"] },
];
const users = Object.fromEntries(
  ["owner", "narrow", "dba"].map((name) => [name, [{ Password: "p-secret", UserData: name }]]),
);

function writeAcl(groups: readonly object[]): string {
  const path = join(folder, "acl.json");
  writeFileSync(`${path}.new`, JSON.stringify({ table_groups: groups }));
  renameSync(`${path}.new`, path);
  return path;
}

beforeAll(async () => {
  folder = scratchFolder("table-acl");
  server = await startMariadb({ skipNetworking: true });
  const root = await server.connect();
  for (const sql of [
    "CREATE DATABASE d",
    "CREATE DATABASE other",
    ...["t", "t2", "secret", "one"].map((name) => `CREATE TABLE d.${name} (a INT)`),
    "CREATE TABLE other.t (a INT)",
    "INSERT INTO d.secret VALUES (777)",
    "INSERT INTO d.one VALUES (1)",
    "CREATE FUNCTION d.f_reads_secret() RETURNS INT RETURN (SELECT a FROM d.secret)",
    "CREATE PROCEDURE d.p(x INT) SELECT x",
    "SET sql_mode = ORACLE",
    "CREATE PACKAGE d.pack AS FUNCTION f RETURN INT; END",
  ])
    await root.query(sql);
  root.destroy();
  const acl = writeAcl(usual);
  const flags = { table_acl_config: acl, queryserver_config_acl_exempt_acl: "dba" };
  gateway = await startGateway({ backend: server, users, flags });
  const dryFlags = { ...flags, queryserver_config_enable_table_acl_dry_run: true };
  dry = await startGateway({ backend: server, users, flags: dryFlags });
});

afterAll(async () => {
  await gateway?.stop();
  await dry?.stop();
  await server?.stop();
  removeFolder(folder);
});

function connect(user: string, through = gateway, database: string | null = "d"): Promise<Connection> {
  const target = { host: "127.0.0.1", port: through.port, user, password: "p-secret" };
  return createConnection({
    ...target,
    ...(database === null ? {} : { database }),
    multipleStatements: true,
  });
}

async function codeOf(attempt: Promise<unknown>): Promise<number> {
  try {
    await attempt;
    return 0;
  } catch (error) {
    return (error as { errno?: number }).errno ?? -1;
  }
}

async function withConnection<T>(
  user: string,
  use: (connection: Connection) => Promise<T>,
  through = gateway,
  database: string | null = "d",
): Promise<T> {
  const connection = await connect(user, through, database);
  try {
    return await use(connection);
  } finally {
    connection.destroy();
  }
}

const rowsOf = async (connection: Connection, sql: string): Promise<unknown[][]> => {
  const [rows] = await connection.query({ sql, rowsAsArray: true });
  return rows as unknown as unknown[][];
};

describe("clients that may read one table", () => {
  const target = () => ({
    user: "narrow",
    password: "p-secret",
    socketPath: gateway.socketPath,
    database: "d",
  });

  it.each(commandLines)("$name connects, completes names and reads it", async ({ command }) => {
    const result = await runCommandLine(
      command,
      target(),
      "SELECT a FROM one; SELECT @@version_comment LIMIT 1",
      {
        extra: ["--auto-rehash"],
      },
    );
    expect(result).toMatchObject({ code: 0, stderr: "" });
    const denied = await runCommandLine(command, target(), "SELECT * FROM secret");
    expect(denied.stderr).toMatch(
      /ERROR 1142 \(42000\).*SELECT command denied to user 'narrow'@'localhost' for table 'secret'/,
    );
  });

  it("mysql2 connects, pings, resets, changes its user", async () => {
    await withConnection("narrow", async (connection) => {
      expect(await rowsOf(connection, "SELECT a FROM one")).toEqual([[1]]);
      expect((await connection.execute("SELECT a FROM one"))[0]).toEqual([{ a: 1 }]);
      await connection.ping();
      await connection.beginTransaction();
      await connection.commit();
      await connection.changeUser({ user: "owner", password: "p-secret", database: "d" });
      expect(await codeOf(connection.query("SELECT * FROM t"))).toBe(0);
      expect(await codeOf(connection.query("SELECT * FROM one"))).toBe(1142);
    });
  });

  it.skipIf(!hasPython)("PyMySQL connects and reads it", async () => {
    const script = `connection = connect()
connection.ping()
cursor = connection.cursor()
cursor.execute("SELECT a FROM one")
out(cursor.fetchall())
connection.commit()`;
    expect(await runPymysql(target(), script)).toEqual([[[1]]]);
  });
});

describe("what the owner has no right on", () => {
  it("is refused in every way to ask for it, as text and prepared, and nothing happens to it", async () => {
    let asked = 0;
    const allowed: string[] = [];
    for (const { sql, schema, sqlMode, only } of bypasses) {
      if (only === "mysql") continue;
      asked += 1;
      await withConnection("owner", async (connection) => {
        if (sqlMode !== undefined) await connection.query(`SET sql_mode = '${sqlMode}'`);
        if (schema !== undefined) await connection.query(`/* no right */ USE d`);
        const database = schema ?? "d";
        if (database !== "d") {
          expect(await codeOf(connection.query(`USE ${database}`))).toBe(1044);
          return;
        }
        if ((await codeOf(connection.query(sql))) === 0) allowed.push(sql);
        const prepared = await connection.prepare(sql).then(
          async (statement) => {
            const code = await codeOf(statement.execute([]));
            return code;
          },
          (error: { errno?: number }) => error.errno ?? -1,
        );
        if (prepared === 0) allowed.push(`prepared: ${sql}`);
      });
    }
    expect(asked).toBeGreaterThan(80);
    expect(allowed).toEqual([]);
    const root = await server.connect();
    expect(await rowsOf(root, "SELECT a FROM d.secret")).toEqual([[777]]);
    expect(await rowsOf(root, "SHOW TABLES FROM d LIKE 'mine'")).toEqual([]);
    root.destroy();
  });

  it("is denied under the modes and the schema that the session really has", async () => {
    await withConnection("owner", async (connection) => {
      await connection.query("SET @m = 'ANSI_QUOTES'");
      await connection.query("SET sql_mode = @m");
      expect(await codeOf(connection.query('SELECT * FROM "secret"'))).toBe(1142);
      expect(await codeOf(connection.query('SELECT * FROM "t"'))).toBe(0);
      await connection.query("SET sql_mode = DEFAULT");
      expect(await codeOf(connection.query('SELECT "secret"'))).toBe(0);
      await connection.query("SET NAMES gbk");
      expect(await codeOf(connection.query("SELECT '誠' FROM t"))).toBe(1064);
      await connection.query("SET character_set_client = utf8mb4");
      expect(await codeOf(connection.query("SELECT 'é' FROM t"))).toBe(0);
    });
    await withConnection("dba", async (connection) => {
      expect(await codeOf(connection.query("USE other; SELECT nothing"))).toBe(1054);
      expect(await rowsOf(connection, "SELECT DATABASE()")).toEqual([["other"]]);
    });
  });
});

describe("listings", () => {
  it("show what the user may read, as text and prepared", async () => {
    await withConnection("owner", async (connection) => {
      const listed = await rowsOf(connection, "SHOW TABLES");
      expect(listed).toEqual([["t"], ["t2"]]);
      expect(await rowsOf(connection, "SHOW FULL TABLES FROM d")).toEqual([
        ["t", "BASE TABLE"],
        ["t2", "BASE TABLE"],
      ]);
      const [prepared] = await connection.execute("SHOW TABLES");
      expect(prepared).toEqual([{ Tables_in_d: "t" }, { Tables_in_d: "t2" }]);
      const databases = (await rowsOf(connection, "SHOW DATABASES")).flat();
      expect(databases).toEqual(["d", "information_schema"]);
      const [status] = await connection.execute("SHOW TABLE STATUS");
      expect((status as { Name: string }[]).map(({ Name }) => Name)).toEqual(["t", "t2"]);
      // As mariadb-dump asks.
      for (const what of ["PACKAGE STATUS", "PACKAGE BODY STATUS", "PROCEDURE STATUS"])
        expect(await rowsOf(connection, `SHOW ${what} WHERE Db = 'd'`)).toEqual([]);
      expect(await codeOf(connection.query("SHOW TABLES FROM other"))).toBe(1044);
      expect((await rowsOf(connection, "SHOW GRANTS")).flat().join("\n")).toContain("`d`.`t2`");
    });
    await withConnection("dba", async (connection) => {
      expect(await rowsOf(connection, "SHOW TABLES")).toHaveLength(4);
      expect(await rowsOf(connection, "SHOW PACKAGE STATUS WHERE Db = 'd'")).toHaveLength(1);
    });
  });

  it("leave nothing behind that tells of other rows, and what is counted is right", async () => {
    await withConnection("owner", async (connection) => {
      for (const [sql, rows] of [
        ["SHOW TABLES", 2],
        ["SHOW TABLES LIKE 'secret'", 0],
        ["SHOW FULL TABLES LIKE 't2'", 1],
      ] as const) {
        await connection.query(sql);
        expect(await rowsOf(connection, "SELECT FOUND_ROWS()")).toEqual([[rows]]);
        const statement = await connection.prepare("SELECT FOUND_ROWS() AS n");
        await connection.execute(sql);
        expect((await statement.execute([]))[0]).toEqual([{ n: rows }]);
      }
      await connection.query("SELECT CAST('x' AS SIGNED)");
      expect(await rowsOf(connection, "SHOW WARNINGS")).toHaveLength(1);
      const [prepared] = await connection.execute("SHOW WARNINGS");
      expect(prepared).toMatchObject([{ Level: "Warning", Code: 1292 }]);
    });
  });

  it("tell nothing through their conditions", async () => {
    await withConnection("owner", async (connection) => {
      expect(await rowsOf(connection, "SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'")).toHaveLength(2);
      for (const condition of [
        "(@seen := CONCAT(COALESCE(@seen, ''), Tables_in_d)) IS NOT NULL",
        "EXTRACTVALUE(1, CONCAT('~', Tables_in_d)) IS NULL",
        "SLEEP(Tables_in_d = 'secret') = 0",
      ])
        expect(await codeOf(connection.query(`SHOW TABLES WHERE ${condition}`))).toBe(1235);
    });
  });
});

describe("profiles", () => {
  it.each([
    "SET profiling = 1",
    "SET @@session.profiling = 1, @x = 2",
    "PREPARE s FROM 'SET profiling = 1'; EXECUTE s",
  ])("of a session stay with it: %s", async (on) => {
    await withConnection("owner", async (connection) => {
      await connection.query(on);
      await connection.query("SELECT 'a word of mine' FROM t");
      expect(JSON.stringify(await rowsOf(connection, "SHOW PROFILES"))).toContain("a word of mine");
    });
    for (let count = 0; count < 5; count += 1) {
      await withConnection("narrow", async (connection) => {
        expect(await rowsOf(connection, "SHOW PROFILES")).toEqual([]);
      });
    }
  });
});

describe("HANDLER", () => {
  it("reads by an alias what it opened, and by no other", async () => {
    await withConnection("owner", async (connection) => {
      await connection.query("DELETE FROM t2");
      await connection.query("INSERT INTO t2 VALUES (5)");
      expect(await codeOf(connection.query("HANDLER secret OPEN AS h"))).toBe(1142);
      expect(await codeOf(connection.query("HANDLER h READ FIRST"))).toBe(1142);
      await connection.query("HANDLER t2 OPEN AS h");
      expect(await rowsOf(connection, "HANDLER h READ FIRST")).toEqual([[5]]);
      expect(await codeOf(connection.query("HANDLER h READ FIRST WHERE a IN (SELECT a FROM secret)"))).toBe(
        1142,
      );
      await connection.query("HANDLER H CLOSE");
      expect(await codeOf(connection.query("HANDLER h READ FIRST"))).toBe(1142);
      expect(
        await rowsOf(connection, "HANDLER t2 OPEN AS x; HANDLER x READ FIRST; HANDLER x CLOSE"),
      ).toHaveLength(3);
      expect(await codeOf(connection.query("PREPARE s FROM 'HANDLER t2 OPEN AS t'"))).toBe(1235);
      await connection.query("HANDLER t2 OPEN AS secret");
      expect(await rowsOf(connection, "HANDLER secret READ FIRST")).toEqual([[5]]);
      writeAcl([{ name: "own", table_names_or_prefixes: ["d.t", "d.h"], ...owner }]);
      gateway.signal("SIGHUP");
      await waitUntil(
        async () => (await codeOf(connection.query("SELECT * FROM t2"))) === 1142,
        "the reload",
      );
      expect(await codeOf(connection.query("HANDLER secret READ NEXT"))).toBe(1142);
      writeAcl(usual);
      gateway.signal("SIGHUP");
      await waitUntil(async () => (await codeOf(connection.query("SELECT * FROM t2"))) === 0, "the reload");
      await connection.query("DELETE FROM t2");
    });
  });
});

describe("a KILL among other statements", () => {
  it("is done between them, and what is sent in its place is judged too", async () => {
    await withConnection("owner", async (connection) => {
      await withConnection("owner", async (victim) => {
        const id = victim.threadId;
        const [results] = await connection.query(`SELECT a FROM t; KILL CONNECTION ${id}; SELECT 7 AS seven`);
        expect(results).toMatchObject([[], {}, [{ seven: 7 }]]);
        await waitUntil(async () => (await codeOf(victim.query("SELECT 1"))) !== 0, "the victim to be gone");
      });
      expect(await codeOf(connection.query("SELECT a FROM t; KILL QUERY 4294967295; SELECT a FROM t"))).toBe(
        1094,
      );
      expect(
        await codeOf(connection.query("SELECT a FROM t; KILL QUERY 4294967295; SELECT a FROM secret")),
      ).toBe(1142);
      expect(await codeOf(connection.query("CREATE PROCEDURE mine() KILL 1; SELECT 1"))).not.toBe(0);
    });
  });
});

describe("reloads", () => {
  it("take rights away from what runs, also from prepared statements, without an error under load", async () => {
    await withConnection("owner", async (connection) => {
      const statement = await connection.prepare("SELECT * FROM t");
      await connection.query("PREPARE s FROM 'SELECT * FROM t'");
      expect(await codeOf(statement.execute([]))).toBe(0);
      let stop = false;
      const seen = new Set<number>();
      const load = ["owner", "owner"].map((user) =>
        withConnection(user, async (busy) => {
          while (!stop) seen.add(await codeOf(busy.query("SELECT * FROM t2")));
        }),
      );
      const generation = await gateway.metric("gatehouse_file_generation", { file: "table ACL file" });
      writeAcl([{ name: "own", table_names_or_prefixes: ["d.t2"], ...owner }]);
      gateway.signal("SIGHUP");
      await waitUntil(
        async () =>
          (await gateway.metric("gatehouse_file_generation", { file: "table ACL file" })) !== generation,
        "the reload",
      );
      expect(await codeOf(statement.execute([]))).toBe(1142);
      expect(await codeOf(connection.query("EXECUTE s"))).toBe(1142);
      expect(await codeOf(connection.query("SELECT * FROM t"))).toBe(1142);
      stop = true;
      await Promise.all(load);
      expect([...seen]).toEqual([0]);
      writeAcl(usual);
      gateway.signal("SIGHUP");
      await waitUntil(async () => (await codeOf(statement.execute([]))) === 0, "the right to come back");
    });
  });

  it("that fail keep the last good file, and /readyz says so", async () => {
    writeFileSync(join(folder, "acl.json"), '{ "table_groups": [ { "nam": "x" } ] }');
    gateway.signal("SIGHUP");
    await waitUntil(
      async () => ((await gateway.metric("gatehouse_file_stale", { file: "table ACL file" })) ?? 0) === 1,
      "the failure",
    );
    expect((await gateway.admin("/readyz")).body).toContain("table ACL file");
    await withConnection("owner", async (connection) => {
      expect(await codeOf(connection.query("SELECT * FROM t"))).toBe(0);
      expect(await codeOf(connection.query("SELECT * FROM secret"))).toBe(1142);
    });
    writeAcl(usual);
    gateway.signal("SIGHUP");
    await waitUntil(
      async () => ((await gateway.metric("gatehouse_file_stale", { file: "table ACL file" })) ?? 1) === 0,
      "the good file",
    );
  });
});

describe("dry run and exempt principals", () => {
  it("let everything run; a dry run records what it would deny", async () => {
    await withConnection(
      "owner",
      async (connection) => expect(await rowsOf(connection, "SELECT a FROM secret")).toEqual([[777]]),
      dry,
    );
    const record = await dry.waitForRecord(
      (one) => one.audit === "denial" && one.outcome === "dry_run" && one.name === "d.secret",
      "the record of the dry run",
    );
    expect(record).toMatchObject({ role: "reader", statement_kind: "SELECT", error_code: 1142 });
    expect(await dry.metric("gatehouse_table_acl_decisions_total", { outcome: "dry_run" })).toBe(1);
    await withConnection("dba", async (connection) =>
      expect(await rowsOf(connection, "SELECT a FROM secret")).toEqual([[777]]),
    );
    expect(await gateway.metric("gatehouse_table_acl_exempt_total")).toBeGreaterThan(0);
  });

  it("denials are recorded with rule and without literals", async () => {
    await withConnection("narrow", async (connection) => {
      expect(await codeOf(connection.query("INSERT INTO one VALUES ('hunter2')"))).toBe(1142);
    });
    const record = await gateway.waitForRecord(
      (one) => one.audit === "denial" && one.name === "d.one" && one.role === "writer",
      "the record of the denial",
    );
    expect(record).toMatchObject({
      statement_kind: "INSERT",
      rule_group: "one",
      rule_entry: "d.one",
      rule_list: null,
    });
    expect(gateway.lines.join("\n")).not.toContain("hunter2");
  });
});

describe("what names the service account", () => {
  it("may not be stored", async () => {
    await withConnection("owner", async (connection) => {
      for (const sql of [
        "CREATE TABLE mine (a VARCHAR(99) DEFAULT (USER()))",
        "CREATE VIEW mine AS SELECT CURRENT_USER() AS u",
        "PREPARE s FROM 'CREATE VIEW mine AS SELECT USER()'",
      ])
        expect(await codeOf(connection.query(sql))).toBe(1235);
    });
  });
});

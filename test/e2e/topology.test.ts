// A topology of three real servers: keyspaces by USE, by name and at login, targets, rules, accounts, reloads. Replicas
// here are servers of their own with other rows, so that rows tell who has answered.
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Connection } from "mysql2/promise";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import { serviceAccount } from "../support/database-server.ts";
import { type GatewayProcess, startGateway } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { removeFolder, scratchFolder, waitUntil } from "../support/scratch.ts";

const folder = scratchFolder("topology");
const file = join(folder, "topology.json");
const passwordFile = join(folder, "password");
const password = "client-secret";
const users = {
  app: [{ Password: password }],
  report: [{ Password: password, UserData: "reporting" }],
  web1: [{ Password: password, Groups: ["web"] }],
  bi_anna: [{ Password: password }],
};

let a: DatabaseServer;
let b: DatabaseServer;
let c: DatabaseServer;
let gateway: GatewayProcess;
const open: Connection[] = [];

function tablet(alias: string, type: string, server: DatabaseServer) {
  return { alias, type, address: `127.0.0.1:${server.port}` };
}

function topology(parts: object = {}): object {
  const monitor = "none";
  return {
    keyspaces: {
      shop: { monitor, tablets: [tablet("a", "primary", a), tablet("b", "replica", b)] },
      crm: { monitor, tablets: [tablet("a", "primary", a)] },
      far: { monitor, tablets: [tablet("c", "primary", c)] },
      other: { monitor, database: "elsewhere", tablets: [tablet("c", "primary", c)] },
    },
    accounts: {
      default: { user: serviceAccount.user, password_file: "password" },
      by_user_data: { "bi_%": { user: "bi", password_env: "BI_PASSWORD" } },
    },
    routing_rules: [
      { user_data: ["reporting"], target: "shop@replica" },
      { groups: ["web"], target: "shop", reads: "shop@replica" },
    ],
    default_target: "shop",
    ...parts,
  };
}

function write(content: object): void {
  writeFileSync(`${file}.new`, JSON.stringify(content, null, 2));
  renameSync(`${file}.new`, file);
}

beforeAll(async () => {
  [a, b, c] = await Promise.all([startMariadb(), startMariadb(), startMariadb()]);
  const fill = async (server: DatabaseServer, name: string, ...schemas: string[]) => {
    for (const schema of schemas) {
      await server.admin(
        `CREATE DATABASE IF NOT EXISTS ${schema}`,
        `CREATE TABLE ${schema}.here (name VARCHAR(40))`,
        `INSERT INTO ${schema}.here VALUES ('${name}.${schema}')`,
        `CREATE FUNCTION ${schema}.f() RETURNS VARCHAR(40) DETERMINISTIC RETURN '${name}.${schema}'`,
      );
    }
    await server.admin("CREATE USER bi@'%' IDENTIFIED BY 'bi-secret'", "GRANT ALL ON *.* TO bi@'%'");
  };
  await fill(a, "a", "shop", "crm", "secret");
  await fill(b, "b", "shop");
  await fill(c, "c", "far", "elsewhere");
  writeFileSync(passwordFile, `${serviceAccount.password}\n`, { mode: 0o600 });
  write(topology());
  gateway = await startGateway({
    backend: null,
    users,
    flags: { topology_file: file },
    env: { BI_PASSWORD: "bi-secret" },
  });
});

afterAll(async () => {
  for (const connection of open.splice(0)) connection.destroy();
  await gateway?.stop();
  await Promise.all([a?.stop(), b?.stop(), c?.stop()]);
  removeFolder(folder);
});

async function connect(user: string, database?: string): Promise<Connection> {
  const connection = await createConnection({
    host: "127.0.0.1",
    port: gateway.port,
    user,
    password,
    ...(database === undefined ? {} : { database }),
    multipleStatements: true,
  });
  open.push(connection);
  return connection;
}

/** The first value of the first row. */
async function value(connection: Connection, sql: string): Promise<unknown> {
  const [rows] = await connection.query({ sql, rowsAsArray: true });
  return (rows as unknown[][])[0]?.[0];
}

async function prepared(connection: Connection, sql: string): Promise<unknown> {
  const [rows] = await connection.execute({ sql, rowsAsArray: true });
  return (rows as unknown[][])[0]?.[0];
}

const here = "SELECT name FROM here";

describe("a topology", () => {
  it("takes clients to the keyspace that they name at login, by COM_INIT_DB, by USE, by COM_CHANGE_USER", async () => {
    expect(await value(await connect("app"), here)).toBe("a.shop");
    expect(await value(await connect("app", "crm"), here)).toBe("a.crm");
    expect(await value(await connect("app", "far"), here)).toBe("c.far");
    const client = await connect("app", "other");
    expect(await value(client, here)).toBe("c.elsewhere");
    expect(await value(client, "SELECT DATABASE()")).toBe("elsewhere");
    await client.query("USE shop");
    expect(await value(client, here)).toBe("a.shop");
    await client.query("USE `shop@replica`");
    expect(await value(client, here)).toBe("b.shop");
    await client.query("use far");
    expect(await value(client, here)).toBe("c.far");
    await client.query("USE shop@replica");
    expect(await value(client, here)).toBe("b.shop");
    await client.query("USE information_schema");
    expect(await value(client, "SELECT DATABASE()")).toBe("information_schema");
    expect(await value(client, "SELECT table_schema FROM tables WHERE table_name = 'here'")).toBe("shop");
    await client.changeUser({ user: "app", password1: password, database: "crm" } as never).catch(() => {});
    const changed = await connect("app", "far");
    await changed.changeUser({ user: "app", password, database: "crm" });
    expect(await value(changed, here)).toBe("a.crm");
    await changed.changeUser({ user: "app", password, database: "shop@replica" });
    expect(await value(changed, here)).toBe("b.shop");
  });

  it("knows keyspaces only", async () => {
    const unknown = { code: "ER_BAD_DB_ERROR", errno: 1049 };
    for (const name of ["secret", "elsewhere", "nosuch", "shop@master"]) {
      await expect(connect("app", name)).rejects.toMatchObject(unknown);
      const client = await connect("app");
      await expect(client.query(`USE \`${name}\``)).rejects.toMatchObject(unknown);
      expect(await value(client, here)).toBe("a.shop");
    }
    const client = await connect("app");
    await expect(client.query("SELECT * FROM secret.here")).rejects.toMatchObject(unknown);
    await expect(client.query("SELECT 1; SELECT * FROM secret . here")).rejects.toMatchObject(unknown);
    await expect(client.execute("SELECT * FROM `secret`.`here`")).rejects.toMatchObject(unknown);
    await expect(client.query("SELECT secret.f()")).rejects.toMatchObject(unknown);
    await expect(client.query("SELECT * FROM other.here")).rejects.toMatchObject({ errno: 1235 });
  });

  it("follows names in texts and prepared statements, and refuses what needs two servers", async () => {
    const client = await connect("app");
    expect(await value(client, "SELECT name FROM far.here")).toBe("c.far");
    expect(await value(client, here)).toBe("a.shop");
    expect(await value(client, "SELECT DATABASE()")).toBe("shop");
    expect(await prepared(client, "SELECT name FROM far.here")).toBe("c.far");
    expect(await prepared(client, here)).toBe("a.shop");
    expect(await prepared(client, "SELECT name FROM far.here")).toBe("c.far");
    const caller = await connect("app");
    expect(await value(caller, "SELECT far.f()")).toBe("c.far");
    // It may have taken a lock, or set a variable.
    await expect(caller.query(here)).rejects.toThrow(/cannot leave another server because of/);
    expect(await value(client, "SELECT CONCAT(s.name, c.name) FROM here s JOIN crm.here c")).toBe(
      "a.shopa.crm",
    );
    const sentence = /these keyspaces are on different servers/;
    await expect(client.query("SELECT * FROM here JOIN far.here f")).rejects.toThrow(sentence);
    await expect(client.query("INSERT INTO here SELECT * FROM far.here")).rejects.toThrow(sentence);
    await client.query("BEGIN");
    await client.query("INSERT INTO here VALUES ('never')");
    await expect(client.query("SELECT * FROM far.here")).rejects.toThrow(
      /cannot leave another server because of a transaction/,
    );
    await expect(client.query("USE far")).rejects.toThrow(/another server/);
    await client.query("USE crm");
    expect(await value(client, here)).toBe("a.crm");
    await client.query("ROLLBACK");
    expect(await value(client, "SELECT COUNT(*) FROM shop.here WHERE name = 'never'")).toBe(0);
    await client.query("USE far");
    expect(await value(client, here)).toBe("c.far");
  });

  it("ends on another server what was begun there", async () => {
    const client = await connect("app", "far");
    await client.query("BEGIN");
    await client.query("INSERT INTO here VALUES ('begun')");
    await expect(client.query("SELECT name FROM shop.here")).rejects.toThrow(/because of a transaction/);
    await expect(client.query("KILL QUERY 4294967295")).rejects.toMatchObject({ errno: 1094 });
    await client.query("ROLLBACK");
    expect(await value(client, "SELECT name FROM shop.here")).toBe("a.shop");
    expect(await value(client, "SELECT COUNT(*) FROM here WHERE name = 'begun'")).toBe(0);
    await client.query("XA START 'far-away'");
    await client.query("INSERT INTO here VALUES ('begun')");
    await client.query("XA END 'far-away'");
    await client.query("XA ROLLBACK 'far-away'");
    expect(await value(client, "SELECT COUNT(*) FROM here WHERE name = 'begun'")).toBe(0);
  });

  it("keeps a prepared statement in the schema in which it was prepared", async () => {
    const client = await connect("app");
    expect(await prepared(client, here)).toBe("a.shop");
    await client.query("USE other");
    expect(await prepared(client, here)).toBe("a.shop");
    expect(await value(client, here)).toBe("c.elsewhere");
    expect(await value(client, "SELECT DATABASE()")).toBe("elsewhere");
    await client.query("USE crm");
    expect(await prepared(client, here)).toBe("a.shop");
    expect(await value(client, here)).toBe("a.crm");
  });

  it("lets a session go on elsewhere whose schema was dropped", async () => {
    const dropper = await connect("app", "far");
    await dropper.query("CREATE TABLE far.extra (a INT)");
    await dropper.query("DROP DATABASE far");
    await expect(dropper.query("SELECT * FROM extra")).rejects.toMatchObject({ errno: 1046 });
    await dropper.query("USE crm");
    expect(await value(dropper, here)).toBe("a.crm");
    await expect(dropper.query("USE far")).rejects.toMatchObject({ errno: 1049 });
    expect(await value(dropper, here)).toBe("a.crm");
    await dropper.query("CREATE DATABASE far");
    await dropper.query("CREATE TABLE far.here (name VARCHAR(40))");
    await dropper.query("INSERT INTO far.here VALUES ('c.far')");
    await c.admin("CREATE FUNCTION far.f() RETURNS VARCHAR(40) DETERMINISTIC RETURN 'c.far'");
    await dropper.query("USE far");
    expect(await value(dropper, here)).toBe("c.far");
  });

  it("refuses writes on a replica target as a read-only server does", async () => {
    const client = await connect("app", "shop@replica");
    for (const sql of [
      "INSERT INTO here VALUES ('x')",
      "DELETE FROM here",
      "CREATE TABLE x (a INT)",
      "DROP TABLE here",
    ]) {
      await expect(client.query(sql)).rejects.toMatchObject({ errno: 1290 });
      await expect(client.execute(sql)).rejects.toMatchObject({ errno: 1290 });
    }
    expect(await value(client, here)).toBe("b.shop");
    expect(await b.admin("SELECT COUNT(*) AS n FROM shop.here")).toEqual([{ n: 1 }]);
  });

  it("asks the server how it reads a text that could mean several things, instead of refusing or pinning it", async () => {
    const client = await connect("app", "shop@replica");
    expect(await value(client, "SELECT name FROM here WHERE name <> 'it\\'s a.b'")).toBe("b.shop");
    await client.query("USE shop");
    expect(await value(client, 'SELECT name FROM far.here WHERE name <> "x\\"y.z"')).toBe("c.far");
    await client.query("USE crm");
    expect(await value(client, here)).toBe("a.crm");
  });

  it("lists keyspaces", async () => {
    const client = await connect("app");
    const list = async (sql: string) => {
      const [rows, fields] = await client.query({ sql, rowsAsArray: true });
      return [fields[0]?.name, ...(rows as string[][]).flat()];
    };
    const all = ["crm", "far", "information_schema", "other", "shop"];
    expect(await list("SHOW DATABASES")).toEqual(["Database", ...all]);
    expect(await list("show schemas;")).toEqual(["Database", ...all]);
    expect(await list("SHOW DATABASES LIKE '%o%'")).toEqual([
      "Database (%o%)",
      "information_schema",
      "other",
      "shop",
    ]);
    expect(await list("SHOW DATABASES WHERE `Database` IN ('shop', 'secret')")).toEqual(["Database", "shop"]);
    const mine =
      "SHOW DATABASES WHERE `Database` = 'crm' AND USER() LIKE 'app@%' AND 'USER()' <> CURRENT_USER";
    expect(await list(mine)).toEqual(["Database", "crm"]);
    const [told] = await client.execute({ sql: mine, rowsAsArray: true });
    expect((told as string[][]).flat()).toEqual(["crm"]);
    const [rows] = await client.execute({ sql: "SHOW DATABASES", rowsAsArray: true });
    expect((rows as string[][]).flat()).toEqual(all);
    await expect(client.query("SELECT 1; SHOW DATABASES")).rejects.toMatchObject({ errno: 1235 });
  });

  it("follows the rules: replicas for reporters, reads of the web on replicas", async () => {
    const reporter = await connect("report");
    expect(await value(reporter, here)).toBe("b.shop");
    expect(await value(await connect("report", "shop"), here)).toBe("b.shop");
    await expect(reporter.query("INSERT INTO here VALUES ('x')")).rejects.toMatchObject({ errno: 1290 });
    await expect(reporter.query("USE shop@primary")).rejects.toMatchObject({ errno: 1044 });
    const web = await connect("web1");
    expect(await value(web, here)).toBe("b.shop");
    expect(await value(web, "SELECT name FROM here LIMIT 1 FOR UPDATE")).toBe("a.shop");
    expect(await prepared(web, here)).toBe("b.shop");
    await web.query("INSERT INTO here VALUES ('web')");
    expect(await value(web, "SELECT COUNT(*) FROM here")).toBe(1);
    await web.query("BEGIN");
    expect(await value(web, "SELECT COUNT(*) FROM here")).toBe(2);
    await web.query("DELETE FROM here WHERE name = 'web'");
    await web.query("COMMIT");
    expect(await value(web, "SELECT COUNT(*) FROM here")).toBe(1);
    await web.query("SET autocommit = 0");
    expect(await value(web, here)).toBe("a.shop");
    await web.query("SET autocommit = 1");
  });

  it("answers LAST_INSERT_ID(), FOUND_ROWS() and warnings from where the statement before ran", async () => {
    const web = await connect("web1");
    await a.admin(
      "CREATE TABLE shop.ids (id INT AUTO_INCREMENT PRIMARY KEY)",
      "ALTER TABLE shop.ids AUTO_INCREMENT = 70",
    );
    await b.admin("CREATE TABLE shop.ids (id INT AUTO_INCREMENT PRIMARY KEY)");
    await web.query("INSERT INTO ids VALUES (NULL)");
    expect(Number(await value(web, "SELECT LAST_INSERT_ID()"))).toBe(70);
    expect(await value(web, here)).toBe("b.shop");
    const [rows] = await web.query("SELECT 1 / 0 FROM here");
    expect(rows).toHaveLength(1);
    const [warnings] = await web.query("SHOW WARNINGS");
    expect(warnings).toHaveLength(1);
  });

  it("uses the account of a UserData", async () => {
    const seen = async (server: DatabaseServer, user: string) => {
      const rows = await server.admin(
        `SELECT COUNT(*) AS n FROM information_schema.processlist WHERE user = '${user}'`,
      );
      return Number(rows[0]?.n);
    };
    expect(await seen(a, "bi")).toBe(0);
    const anna = await connect("bi_anna");
    expect(await value(anna, here)).toBe("a.shop");
    expect(await seen(a, "bi")).toBe(1);
    expect(await value(anna, "SELECT CURRENT_USER()")).toBe("bi_anna@%");
  });

  it("tells which server is what", async () => {
    const { body } = await gateway.admin("/api/status");
    const { tablets } = JSON.parse(body) as { tablets: { alias: string; roles: string[]; ready: boolean }[] };
    expect(tablets.map(({ alias, roles, ready }) => [alias, roles, ready])).toEqual([
      ["a", ["shop: primary", "crm: primary"], true],
      ["b", ["shop: replica"], true],
      ["c", ["far: primary", "other: primary"], true],
    ]);
    expect(await gateway.metric("backend_up", { tablet: "c" })).toBe(1);
    expect((await gateway.admin("/readyz")).status).toBe(200);
  });
});

describe("a topology that changes", () => {
  it("times commands by keyspace and kind", async () => {
    const count = async (keyspace: string, kind: string) =>
      (await gateway.metric("gatehouse_command_seconds_count", { keyspace, kind })) ?? 0;
    const before = [await count("shop", "read"), await count("far", "read"), await count("far", "write")];
    const connection = await connect("app");
    await value(connection, "SELECT name FROM here");
    await connection.query("USE far");
    await value(connection, "SELECT name FROM here");
    await connection.query("INSERT INTO far.here SELECT name FROM far.here WHERE FALSE");
    const after = [await count("shop", "read"), await count("far", "read"), await count("far", "write")];
    expect(after.map((total, index) => total - (before[index] ?? 0))).toEqual([1, 1, 1]);
  });

  it("keeps the last good one when the file is bad, and says so", async () => {
    write({ ...topology(), default_target: "nosuch" });
    await waitUntil(
      async () => (await gateway.admin("/readyz")).body.includes("topology file on disk cannot be loaded"),
      "the note",
    );
    const record = await gateway.waitForRecord(
      ({ message }) => message === "Cannot load a changed file: the last good content stays in use",
      "the failure",
    );
    expect(String(record.problems)).toMatch(/topology\.json:\d+:\d+: There is no keyspace "nosuch"/);
    expect(await value(await connect("app", "far"), here)).toBe("c.far");
    write(topology());
    await waitUntil(
      async () => !(await gateway.admin("/readyz")).body.includes("topology file on disk"),
      "the note to go",
    );
  });

  it("moves a keyspace to another server without ending sessions", async () => {
    const client = await connect("app", "shop");
    expect(await value(client, here)).toBe("a.shop");
    const busy = await connect("app", "shop");
    await busy.query("BEGIN");
    expect(await value(busy, here)).toBe("a.shop");
    const moved = topology() as { keyspaces: Record<string, object> };
    moved.keyspaces.shop = {
      monitor: "none",
      tablets: [tablet("b", "primary", b), tablet("a", "replica", a)],
    };
    write(moved);
    await waitUntil(async () => (await value(client, here)) === "b.shop", "the new primary");
    expect(await value(busy, here)).toBe("a.shop");
    await busy.query("COMMIT");
    expect(await value(busy, here)).toBe("b.shop");
    write(topology());
    await waitUntil(async () => (await value(client, here)) === "a.shop", "the old primary");
  });

  it("takes a new password into use, and shows none", async () => {
    const client = await connect("app", "shop");
    expect(await value(client, here)).toBe("a.shop");
    for (const server of [a, b, c])
      await server.admin(`ALTER USER ${serviceAccount.user} IDENTIFIED BY 'new-secret-of-service'`);
    writeFileSync(passwordFile, "new-secret-of-service\n", { mode: 0o600 });
    await gateway.waitForRecord(
      ({ message, file: name }) =>
        message === "A file was reloaded" && name === "password of account default",
      "the reload",
    );
    expect(await value(await connect("app", "far"), here)).toBe("c.far");
    expect(await value(client, here)).toBe("a.shop");
    expect(gateway.lines.join("\n")).not.toMatch(/new-secret|gatehouse-secret|bi-secret/);
  });

  it("is not ready while the default target's primary is gone, and serves the others", async () => {
    await a.kill();
    await waitUntil(async () => (await gateway.admin("/readyz")).status === 503, "not ready");
    expect(await value(await connect("app", "far"), here)).toBe("c.far");
    expect(await value(await connect("app", "shop@replica"), here)).toBe("b.shop");
    await a.restart();
    await waitUntil(async () => (await gateway.admin("/readyz")).status === 200, "ready", 20_000);
    expect(await value(await connect("app"), here)).toBe("a.shop");
  });
});

// The table ACL over keyspaces: what is qualified in the ACL is a keyspace, whatever the database is called on its server.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Connection } from "mysql2/promise";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import { serviceAccount } from "../support/database-server.ts";
import { type GatewayProcess, startGateway } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { removeFolder, scratchFolder } from "../support/scratch.ts";

const folder = scratchFolder("topology-acl");
const password = "client-secret";
let a: DatabaseServer;
let b: DatabaseServer;
let gateway: GatewayProcess;
const open: Connection[] = [];

beforeAll(async () => {
  [a, b] = await Promise.all([startMariadb(), startMariadb({ flags: ["--sql-mode=ANSI_QUOTES"] })]);
  const fill = async (server: DatabaseServer, name: string, ...schemas: string[]) => {
    for (const schema of schemas) {
      const tables = ["open_t", "closed_t"].flatMap((table) => [
        `CREATE TABLE ${schema}.${table} (name VARCHAR(40))`,
        `INSERT INTO ${schema}.${table} VALUES ('${name}.${schema}.${table}')`,
      ]);
      await server.admin(`CREATE DATABASE IF NOT EXISTS ${schema}`, ...tables);
    }
  };
  await fill(a, "a", "shop", "hidden");
  await fill(b, "b", "far", "elsewhere");
  writeFileSync(join(folder, "password"), serviceAccount.password, { mode: 0o600 });
  const tablet = (alias: string, server: DatabaseServer) => ({
    alias,
    type: "primary",
    address: `127.0.0.1:${server.port}`,
  });
  const topology = {
    keyspaces: {
      shop: { monitor: "none", tablets: [tablet("a", a)] },
      hidden: { monitor: "none", tablets: [tablet("a", a)] },
      far: { monitor: "none", tablets: [tablet("b", b)] },
      other: { monitor: "none", database: "elsewhere", tablets: [tablet("b", b)] },
    },
    accounts: { default: { user: serviceAccount.user, password_file: "password" } },
    default_target: "shop",
  };
  const acl = {
    table_groups: [
      {
        name: "open",
        table_names_or_prefixes: ["shop.open_t", "far.open_t", "other.open_t"],
        readers: ["app"],
        writers: ["app"],
      },
    ],
  };
  writeFileSync(join(folder, "topology.json"), JSON.stringify(topology));
  writeFileSync(join(folder, "acl.json"), JSON.stringify(acl));
  gateway = await startGateway({
    backend: null,
    users: { app: [{ Password: password }] },
    flags: { topology_file: join(folder, "topology.json"), table_acl_config: join(folder, "acl.json") },
  });
});

afterAll(async () => {
  for (const connection of open.splice(0)) connection.destroy();
  await gateway?.stop();
  await Promise.all([a?.stop(), b?.stop()]);
  removeFolder(folder);
});

async function connect(database?: string): Promise<Connection> {
  const connection = await createConnection({
    host: "127.0.0.1",
    port: gateway.port,
    user: "app",
    password,
    ...(database === undefined ? {} : { database }),
  });
  open.push(connection);
  return connection;
}

async function column(connection: Connection, sql: string): Promise<unknown[]> {
  const [rows] = await connection.query({ sql, rowsAsArray: true });
  return (rows as unknown[][]).map((row) => row[0]);
}

describe("a table ACL over keyspaces", () => {
  it("judges names by keyspace, on whichever server they are", async () => {
    const client = await connect();
    expect(await column(client, "SELECT name FROM open_t")).toEqual(["a.shop.open_t"]);
    expect(await column(client, "SELECT name FROM far.open_t")).toEqual(["b.far.open_t"]);
    expect(await column(client, "SELECT name FROM open_t")).toEqual(["a.shop.open_t"]);
    for (const name of ["closed_t", "far.closed_t", "shop.closed_t", "hidden.open_t", "nosuch.open_t"])
      await expect(client.query(`SELECT * FROM ${name}`)).rejects.toMatchObject({ errno: 1142 });
    await client.query("USE other");
    expect(await column(client, "SELECT name FROM open_t")).toEqual(["b.elsewhere.open_t"]);
    await expect(client.query("SELECT * FROM closed_t")).rejects.toMatchObject({ errno: 1142 });
    // The server's own name of a database is no name for clients, nor for the ACL.
    await expect(client.query("SELECT * FROM elsewhere.open_t")).rejects.toMatchObject({ errno: 1142 });
  });

  it("hides keyspaces in which nothing may be seen", async () => {
    const client = await connect("far");
    expect(await column(client, "SHOW DATABASES")).toEqual(["far", "information_schema", "other", "shop"]);
    await expect(client.query("USE hidden")).rejects.toMatchObject({ errno: 1044 });
    await expect(connect("hidden")).rejects.toMatchObject({ errno: 1044 });
    expect(await column(client, "SHOW TABLES")).toEqual(["open_t"]);
    const other = await connect("other");
    expect(await column(other, "SHOW TABLES")).toEqual(["open_t"]);
    expect(await column(client, "SHOW TABLES FROM shop")).toEqual(["open_t"]);
  });

  it("reads the texts of a session in one way, whichever server they go to", async () => {
    // To the server of `far`, double quotes stand around names; to that of `shop`, around strings. The session keeps
    // the sql_mode that it has begun with.
    const strings = await connect("shop");
    expect(await column(strings, 'SELECT "name" FROM open_t')).toEqual(["name"]);
    expect(await column(strings, 'SELECT "name" FROM far.open_t')).toEqual(["name"]);
    await strings.query("USE far");
    expect(await column(strings, 'SELECT "name" FROM open_t')).toEqual(["name"]);
    await expect(strings.query('SELECT (SELECT name FROM "closed_t")')).rejects.toMatchObject({
      errno: 1064,
    });
    const names = await connect("far");
    expect(await column(names, 'SELECT "name" FROM "open_t"')).toEqual(["b.far.open_t"]);
    await expect(names.query('SELECT (SELECT name FROM "closed_t")')).rejects.toMatchObject({ errno: 1142 });
    await expect(names.query('SELECT "x" FROM far.open_t, "shop"."open_t"')).rejects.toMatchObject({
      errno: 1235,
    });
    await names.query("USE shop");
    expect(await column(names, 'SELECT "name" FROM "open_t"')).toEqual(["a.shop.open_t"]);
    await expect(names.query('SELECT (SELECT name FROM "closed_t")')).rejects.toMatchObject({ errno: 1142 });
  });
});

// Every metric of the table moves when what it counts happens: seen on real gateways. What can only be moved by a mistake
// of the gateway itself, or is moved in a test of its own, is named with the reason.
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { metricTable } from "../../src/telemetry/metric-table.ts";
import { createAuthority, issueServerCertificate } from "../support/certificates.ts";
import type { DatabaseServer } from "../support/database-server.ts";
import { type GatewayProcess, startGateway } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { loggedIn, login } from "../support/raw/login.ts";
import { removeFolder, scratchFolder, waitUntil } from "../support/scratch.ts";

const elsewhere: Readonly<Record<string, string>> = {
  session_failures_total: "a mistake, of a hook: test/e2e/library.test.ts",
  uncaught_errors_total: "a mistake of ours: test/unit/cli/serve.test.ts",
  worker_restarts_total: "test/e2e/workers.test.ts",
  dropped_lines_total: "megabytes must wait: test/unit/telemetry/telemetry.test.ts",
  primary_changes_total: "test/e2e/failover.test.ts",
  backend_takeovers_total: "sharing of connections: test/e2e/session-isolation.test.ts",
};

const password = "p-secret";
const users = {
  app: [{ Password: password, UserData: "app" }],
  boss: [{ Password: password, UserData: "boss" }],
};
let server: DatabaseServer;
let gateway: GatewayProcess;
let open: GatewayProcess;
let keyspaces: GatewayProcess;
const folder = scratchFolder("metrics");
/** The largest value that was seen of each metric, on any gateway. */
const largest = new Map<string, number>();

async function look(): Promise<void> {
  for (const one of [gateway, open, keyspaces]) {
    const { body } = await one.admin("/metrics");
    for (const [, name = "", value] of body.matchAll(
      /^gatehouse_([a-z0-9_]+?)(?:_count)?(?:\{[^}]*\})? ([\d.e+-]+)$/gm,
    ))
      largest.set(name, Math.max(largest.get(name) ?? 0, Math.abs(Number(value))));
  }
}

const connect = (to: GatewayProcess, user = "app", more: object = {}) =>
  createConnection({ host: "127.0.0.1", port: to.port, user, password, database: "shop", ...more });

beforeAll(async () => {
  server = await startMariadb();
  await server.admin(
    "CREATE DATABASE IF NOT EXISTS shop",
    "CREATE TABLE shop.t (a INT)",
    "CREATE TABLE shop.hidden (a INT)",
  );
  // A replica of nobody who answers: it does not know how far behind it is.
  await server.admin(
    "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=1, MASTER_USER='nobody'",
    "START SLAVE",
  );
  const { cert, key } = issueServerCertificate(createAuthority());
  const acl = join(folder, "acl.json");
  const groups = [{ name: "t", table_names_or_prefixes: ["shop.t"], readers: ["app"], writers: ["app"] }];
  writeFileSync(acl, JSON.stringify({ table_groups: groups }));
  const pool = { backend_pool_size: 2, backend_pool_wait_timeout: "2s", buffer_window: "1s" };
  const tls = { mysql_server_ssl_cert: cert, mysql_server_ssl_key: key };
  const rights = { table_acl_config: acl, queryserver_config_acl_exempt_acl: "boss" };
  gateway = await startGateway({
    backend: server,
    users,
    flags: { ...pool, ...tls, ...rights, audit_log_file: "/dev/full", mysql_server_max_connections: 8 },
  });
  open = await startGateway({ backend: server, users, flags: pool });
  // Two tablets that are one server: both take writes, which is a conflict.
  const tablet = (alias: string, type: string) => ({
    ...{ alias, type },
    address: `${type === "primary" ? "127.0.0.1" : "localhost"}:${server.port}`,
  });
  const topology = {
    keyspaces: {
      shop: { monitor: "none", tablets: [tablet("a", "primary"), tablet("b", "replica")] },
      torn: {
        monitor: "read_only",
        max_replica_lag: "10s",
        tablets: [tablet("c", "primary"), tablet("d", "replica")],
      },
    },
    accounts: { default: { user: "gatehouse", password_file: "password" } },
    default_target: "shop",
  };
  writeFileSync(join(folder, "password"), "gatehouse-secret", { mode: 0o600 });
  writeFileSync(join(folder, "topology.json"), JSON.stringify(topology));
  keyspaces = await startGateway({
    backend: null,
    users,
    flags: { topology_file: join(folder, "topology.json"), backend_pool_min_idle: 1 },
  });
});
afterAll(async () => {
  await gateway?.kill();
  await open?.kill();
  await keyspaces?.kill();
  await server?.stop();
  removeFolder(folder);
});

describe("the metrics", () => {
  it("all move", async () => {
    // Logins, statements, denials, kills.
    const app = await connect(gateway);
    const boss = await connect(gateway, "boss");
    await login({ port: gateway.port }, { user: "app", password: "wrong" });
    await app.query("SELECT * FROM t");
    await app.query("INSERT INTO t VALUES (1)");
    await expect(app.query("SELECT * FROM hidden")).rejects.toThrow();
    await expect(app.query("SELECT nothing FROM t")).rejects.toThrow();
    await boss.query("SELECT * FROM hidden");
    await expect(app.query("KILL 1")).rejects.toThrow();
    await app.execute("SELECT * FROM t WHERE a = ?", [1]);
    await (await connect(open)).query("FROBNICATE everything").catch(() => {});
    // A statement that has begun to arrive.
    const slow = await loggedIn(
      { port: gateway.port },
      { user: "app", password, plugin: "mysql_native_password" },
    );
    slow.stream.write(Buffer.concat([Buffer.from([0, 0, 8, 0, 3]), Buffer.alloc(200_000, 0x20)]));
    await waitUntil(async () => {
      await look();
      return (largest.get("statement_buffer_bytes") ?? 0) > 0;
    }, "bytes of a statement");
    slow.destroy();
    // No connection in time.
    const holders = await Promise.all([connect(open), connect(open), connect(open)]);
    const begun = await Promise.allSettled(holders.map((holder) => holder.query("START TRANSACTION")));
    expect(begun.filter(({ status }) => status === "rejected").length).toBeGreaterThan(0);
    for (const holder of holders) holder.destroy();
    // Too many clients.
    const many = await Promise.allSettled(Array.from({ length: 10 }, () => connect(gateway, "boss")));
    expect(many.some(({ status }) => status === "rejected")).toBe(true);
    await look();
    for (const one of many) if (one.status === "fulfilled") one.value.destroy();
    // A good file, then a bad one.
    const replace = (text: string) => {
      writeFileSync(`${open.usersFile}.new`, text, { mode: 0o600 });
      renameSync(`${open.usersFile}.new`, open.usersFile);
    };
    replace(JSON.stringify({ ...users, another: [{ Password: password }] }));
    await open.waitForRecord((record) => record.outcome === "reloaded", "the reload");
    replace("{");
    await open.waitForRecord((record) => record.outcome === "failed", "the failed reload");
    await look();
    // An outage: statements wait for its end.
    const waiter = await connect(open);
    await server.kill();
    const answers = Promise.allSettled([
      waiter.query("SELECT 1"),
      (await connect(open, "app", { database: undefined }).catch(() => waiter)).query("SELECT 2"),
    ]);
    await waitUntil(async () => {
      await look();
      return (largest.get("buffered_statements") ?? 0) > 0;
    }, "a waiting statement");
    await answers;
    await look();
    const still = Object.keys(metricTable).filter(
      (name) => !((largest.get(name) ?? 0) > 0) && elsewhere[name] === undefined,
    );
    expect(still).toEqual([]);
    expect(Object.keys(elsewhere).filter((name) => !Object.hasOwn(metricTable, name))).toEqual([]);
  });
});

// Connections that are ready before anybody asks: at the start, for real clients, after a restart of the server, on every
// server and account of a topology, within the pool's size.
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commandLines, hasPython, runCommandLine, runPymysql } from "../support/command-line.ts";
import { type DatabaseServer, serviceAccount } from "../support/database-server.ts";
import { type GatewayProcess, startGateway, sumMetric, testUser } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { mysqldCommand, startMysql } from "../support/mysql-server.ts";
import { removeFolder, scratchFolder, waitUntil } from "../support/scratch.ts";

const kinds = [
  { flavour: "mariadb", start: startMariadb, skip: false },
  { flavour: "mysql", start: startMysql, skip: mysqldCommand === null },
] as const;
const users = { [testUser.user]: [{ Password: testUser.password }] };

const idle = (gateway: GatewayProcess, tablet: string): Promise<number | null> =>
  gateway.metric("gatehouse_backend_connections", { tablet, state: "idle" });

/** Resolves when so many are ready. */
const ready = (gateway: GatewayProcess, count: number, tablet = "backend"): Promise<unknown> =>
  waitUntil(
    async () => (await idle(gateway, tablet)) === count,
    `${count} idle connections on ${tablet}`,
    30_000,
  );

/** Logins that a session had to wait for. */
async function loginsOnDemand(gateway: GatewayProcess): Promise<number> {
  // From one page: connections are made meanwhile.
  const { body } = await gateway.admin("/metrics");
  const all = sumMetric(body, "gatehouse_backend_connects_total", { outcome: "connected" }) ?? 0;
  return all - (sumMetric(body, "gatehouse_backend_advance_connects_total", {}) ?? 0);
}

describe.each(kinds)("on $flavour", ({ start, skip }) => {
  let server: DatabaseServer;
  beforeAll(async () => {
    if (skip) return;
    server = await start({});
  });
  afterAll(async () => {
    await server?.stop();
  });

  const begin = (flags: Record<string, string | number>): Promise<GatewayProcess> =>
    startGateway({ backend: server, users, flags });

  it.skipIf(skip)("well-known clients find a connection ready, the very first one too", async () => {
    const gateway = await begin({ backend_pool_min_idle: 4, backend_pool_size: 20 });
    try {
      await ready(gateway, 4);
      expect(await loginsOnDemand(gateway)).toBe(0);
      const mysql2 = await createConnection({ host: "127.0.0.1", port: gateway.port, ...testUser });
      expect((await mysql2.query("SELECT 42 AS n"))[0]).toEqual([{ n: 42 }]);
      expect(await loginsOnDemand(gateway)).toBe(0);
      await mysql2.end();
    } finally {
      await gateway.stop();
    }
  });

  it.skipIf(skip || !hasPython)("PyMySQL too", async () => {
    const gateway = await begin({ backend_pool_min_idle: 4 });
    try {
      await ready(gateway, 4);
      const run = await runPymysql(
        { ...testUser, port: gateway.port },
        "cursor = connect().cursor()\ncursor.execute('SELECT 6 * 7')\nout(cursor.fetchone()[0])",
      );
      expect(run).toEqual([42]);
      expect(await loginsOnDemand(gateway)).toBe(0);
    } finally {
      await gateway.stop();
    }
  });

  it.skipIf(skip).each(commandLines)("$name, the command line, too", async ({ command }) => {
    const gateway = await begin({ backend_pool_min_idle: 4 });
    try {
      await ready(gateway, 4);
      const target = { ...testUser, socketPath: gateway.socketPath };
      expect(await runCommandLine(command, target, "SELECT 6 * 7")).toMatchObject({ stdout: "42\n" });
      expect(await loginsOnDemand(gateway)).toBe(0);
    } finally {
      await gateway.stop();
    }
  });

  it.skipIf(skip)("they are there again after the server has restarted, without any client", async () => {
    const gateway = await begin({ backend_pool_min_idle: 3 });
    try {
      await ready(gateway, 3);
      await server.kill();
      await ready(gateway, 0);
      await server.restart();
      await ready(gateway, 3);
    } finally {
      await gateway.stop();
    }
  });

  it.skipIf(skip)("their age ends them, and new ones take their place", async () => {
    const gateway = await begin({
      backend_pool_min_idle: 2,
      backend_max_lifetime: "1s",
      backend_idle_timeout: "500ms",
    });
    try {
      const made = async (): Promise<number> =>
        (await gateway.metric("gatehouse_backend_advance_connects_total")) ?? 0;
      await waitUntil(async () => (await made()) >= 6, "connections of the third generation", 60_000);
      await ready(gateway, 2);
    } finally {
      await gateway.stop();
    }
  });

  it.skipIf(skip)("workers share the number among them", async () => {
    const gateway = await begin({ backend_pool_min_idle: 4, workers: 2 });
    try {
      await ready(gateway, 4);
    } finally {
      await gateway.stop();
    }
  });
});

describe("in a topology", () => {
  const folder = scratchFolder("warm-topology");
  const file = join(folder, "topology.json");
  let a: DatabaseServer;
  let b: DatabaseServer;

  beforeAll(async () => {
    [a, b] = await Promise.all([startMariadb({}), startMariadb({})]);
    for (const server of [a, b])
      await server.admin(
        "CREATE DATABASE IF NOT EXISTS shop",
        "CREATE USER 'reports'@'%' IDENTIFIED BY 'reports-secret'",
        "GRANT SELECT ON shop.* TO 'reports'@'%'",
      );
  });
  afterAll(async () => {
    await a?.stop();
    await b?.stop();
    removeFolder(folder);
  });

  function write(tablets: readonly DatabaseServer[], accounts: object = {}): void {
    const topology = {
      keyspaces: {
        shop: {
          monitor: "none",
          health_interval: "200ms",
          tablets: tablets.map((server, index) => ({
            alias: server === a ? "a" : "b",
            type: index === 0 ? "primary" : "replica",
            address: `127.0.0.1:${server.port}`,
          })),
        },
      },
      accounts: { default: { user: serviceAccount.user, password_env: "DEFAULT_PASSWORD" }, ...accounts },
      default_target: "shop",
    };
    writeFileSync(`${file}.new`, JSON.stringify(topology));
    renameSync(`${file}.new`, file);
  }

  it("every server and account has its own, also those that a reload brings", async () => {
    write([a]);
    const gateway = await startGateway({
      backend: null,
      users,
      flags: { topology_file: file, backend_pool_min_idle: 2 },
      env: { DEFAULT_PASSWORD: serviceAccount.password, REPORTS_PASSWORD: "reports-secret" },
    });
    try {
      await ready(gateway, 2, "a");
      write([a, b], { by_user_data: { reporting: { user: "reports", password_env: "REPORTS_PASSWORD" } } });
      await ready(gateway, 4, "a");
      await ready(gateway, 4, "b");
      const [row] = await b.admin(
        "SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE USER = 'reports'",
      );
      expect(Number(row?.n)).toBe(2);
      write([a]);
      await ready(gateway, 0, "b");
    } finally {
      await gateway.stop();
    }
  });

  it("an account that the server refuses is not tried again and again", async () => {
    write([a], { by_user_data: { gone: { user: "nobody", password_env: "REPORTS_PASSWORD" } } });
    const gateway = await startGateway({
      backend: null,
      users,
      flags: { topology_file: file, backend_pool_min_idle: 3 },
      env: { DEFAULT_PASSWORD: serviceAccount.password, REPORTS_PASSWORD: "reports-secret" },
    });
    try {
      const failed = (): Promise<number | null> =>
        gateway.metric("gatehouse_backend_connects_total", { outcome: "failed" });
      await waitUntil(async () => ((await failed()) ?? 0) > 0, "a refused login");
      await ready(gateway, 3, "a");
      const connection = await createConnection({ host: "127.0.0.1", port: gateway.port, ...testUser });
      // The other account serves, for longer than several rounds of the pool's upkeep take.
      for (let seconds = 0; seconds < 2; seconds += 1) await connection.query("SELECT SLEEP(1)");
      await connection.end();
      expect(await failed()).toBeLessThanOrEqual(4);
    } finally {
      await gateway.stop();
    }
  });
});

// An upgrade as docs/operations.md tells it: two gateways behind HAProxy that asks /readyz, one after the other is ended
// by SIGTERM and started again, while clients come, work and go. Nobody sees an error.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Connection, createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import { type GatewayProcess, startGateway, testUser } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { type Program, startProgram } from "../support/processes.ts";
import { freePort, scratchFolder, waitUntil, within } from "../support/scratch.ts";

const hasHaproxy = ((): boolean => {
  try {
    execFileSync("haproxy", ["-v"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

const commandsOfConnection = 40;

/** Clients as applications have them: connections live for some commands, then a new one is made. Nothing is tried again. */
class Clients {
  readonly failures: string[] = [];
  done = 0;
  #stopped = false;
  readonly #all: Promise<void>[];

  constructor(port: number, count: number) {
    this.#all = Array.from({ length: count }, async () => {
      while (!this.#stopped) await this.#oneConnection(port);
    });
  }

  async advance(count: number): Promise<void> {
    const wanted = this.done + count;
    await waitUntil(() => this.done >= wanted || this.failures.length > 0, `${count} commands`, 120_000);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#all);
  }

  async #oneConnection(port: number): Promise<void> {
    let connection: Connection | null = null;
    try {
      connection = await createConnection({ host: "127.0.0.1", port, ...testUser, database: "shop" });
      for (let command = 0; command < commandsOfConnection; command += 4) {
        await connection.beginTransaction();
        await connection.execute("INSERT INTO upgraded (a) VALUES (?)", [command]);
        await connection.query("SELECT COUNT(*) FROM upgraded WHERE a = 1");
        await connection.commit();
        this.done += 4;
      }
      await connection.end();
    } catch (error) {
      connection?.destroy();
      this.failures.push(String(error));
    }
  }
}

describe.skipIf(!hasHaproxy)("an upgrade behind HAProxy", () => {
  let server: DatabaseServer;
  let haproxy: Program;
  let port: number;
  const folder = scratchFolder("upgrade");
  const gateways: GatewayProcess[] = [];

  const start = (ports: { mysql: number; admin: number }): Promise<GatewayProcess> =>
    startGateway({
      backend: server,
      ports,
      flags: { mysql_server_drain_onterm: true, onterm_timeout: "120s", lameduck_period: "3s" },
    });

  const places: { mysql: number; admin: number }[] = [];

  beforeAll(async () => {
    server = await startMariadb();
    await server.admin("CREATE TABLE shop.upgraded (a INT, KEY (a))");
    for (let place = 0; place < 2; place++) places.push({ mysql: await freePort(), admin: await freePort() });
    for (const place of places) gateways.push(await start(place));
    port = await freePort();
    const config = `
global
  maxconn 200
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  # By default as long as the interval: a moment's pause of the machine would take both out.
  timeout check 10s
  # A connection that is refused is tried again, elsewhere.
  retries 3
  option redispatch 1
listen mysql
  bind 127.0.0.1:${port}
  balance leastconn
  option httpchk GET /readyz
  http-check expect status 200
${places
  .map(
    ({ mysql, admin }, index) =>
      `  server gw${index} 127.0.0.1:${mysql} check port ${admin} inter 200ms fall 1 rise 1`,
  )
  .join("\n")}
`;
    writeFileSync(join(folder, "haproxy.cfg"), config);
    haproxy = startProgram(["haproxy", "-db", "-f", join(folder, "haproxy.cfg")]);
    await waitUntil(
      () =>
        createConnection({ host: "127.0.0.1", port, ...testUser }).then(
          async (connection) => {
            await connection.end();
            return true;
          },
          () => false,
        ),
      "HAProxy to let clients through",
      20_000,
    );
  });
  afterAll(async () => {
    haproxy?.kill();
    for (const gateway of gateways) await gateway.stop().catch(() => {});
    await server?.stop();
  });

  it("is not noticed by clients: one gateway after the other ends by itself, and comes back", async () => {
    const clients = new Clients(port, 8);
    await clients.advance(400);
    for (const [index, place] of places.entries()) {
      const old = gateways[index];
      if (old === undefined) throw new Error("no gateway");
      await waitUntil(
        async () => ((await old.metric("sessions")) ?? 0) > 0,
        "sessions in the gateway",
        30_000,
      );
      old.signal("SIGTERM");
      expect(await within(old.ended, "the end of the old gateway", 120_000)).toMatchObject({ code: 0 });
      await clients.advance(200);
      const fresh = await start(place);
      gateways[index] = fresh;
      await waitUntil(
        async () => ((await fresh.metric("sessions")) ?? 0) > 0,
        "sessions in the new one",
        30_000,
      );
      await clients.advance(200);
    }
    await clients.stop();
    expect(clients.failures).toEqual([]);
    const [row] = await server.admin("SELECT COUNT(*) AS inserted FROM shop.upgraded");
    expect(Number(row?.inserted)).toBe(clients.done / 4);
  }, 300_000);
});

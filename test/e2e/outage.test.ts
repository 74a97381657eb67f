// One server behind the gateway that goes away and comes back: who waits for it, for how long, and who does not.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import { type GatewayProcess, startGateway, testUser } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { toFrames } from "../support/raw/frame-reader.ts";
import { changeUser, loggedIn, logIn } from "../support/raw/login.ts";
import { RawClient } from "../support/raw/raw-client.ts";
import { removeFolder, scratchFolder, waitUntil, within } from "../support/scratch.ts";
import { startWriters, writtenTable } from "../support/writers.ts";

let server: DatabaseServer;
let gateway: GatewayProcess;
beforeAll(async () => {
  server = await startMariadb();
});
afterAll(() => server?.stop());
afterEach(() => gateway?.stop());

const enter = (): Promise<RawClient> => loggedIn({ port: gateway.port }, { ...testUser, database: "shop" });

const send = (client: RawClient, sql: string): void => {
  client.stream.write(toFrames(Buffer.concat([Buffer.from([3]), Buffer.from(sql)])));
};

const waiting = (count: number): Promise<unknown> =>
  waitUntil(
    async () => (await gateway.metric("gatehouse_buffered_statements")) === count,
    `${count} statements to wait`,
  );

describe("a server that restarts", () => {
  it("is waited for: only what was under way fails, and nothing is refused", async () => {
    gateway = await startGateway({ backend: server });
    await server.admin(writtenTable);
    const writers = startWriters(gateway.port, 6);
    await writers.advance(50);
    await server.restart();
    await writers.advance(50);
    await writers.stop();
    const lost = ["PROTOCOL_CONNECTION_LOST", "ECONNRESET", "EPIPE", "ER_QUERY_INTERRUPTED"];
    for (const { code } of writers.failed) expect(lost).toContain(code);
    expect(writers.failed.length).toBeLessThanOrEqual(6);
  });

  it("lets a login that waits be given up, by its client and by the end of the gateway", async () => {
    gateway = await startGateway({ backend: server, flags: { buffer_window: "10m" } });
    const changing = await enter();
    await server.kill();
    try {
      const come = (): Promise<RawClient> => RawClient.connect({ port: gateway.port });
      const [leaving, cut] = [await come(), await come()];
      const options = { ...testUser, database: "shop" };
      const answers = [leaving, cut].map((client) => logIn(client, options).catch(() => {}));
      answers.push(changeUser(changing, options).catch(() => {}));
      await waiting(3);
      leaving.destroy();
      await waiting(2);
      changing.destroy();
      await waiting(1);
      gateway.signal("SIGTERM");
      expect(await within(gateway.ended, "the end", 5000)).toMatchObject({ code: 0 });
      await Promise.all(answers);
    } finally {
      await server.restart();
    }
  });

  it("is waited for under a table ACL too, where the gateway has never seen it", async () => {
    const folder = scratchFolder("acl");
    const acl = join(folder, "acl.json");
    const readers = [{ name: "all", table_names_or_prefixes: ["%"], readers: [testUser.user] }];
    writeFileSync(acl, JSON.stringify({ table_groups: readers }));
    const flags = { table_acl_config: acl };
    await server.admin("CREATE OR REPLACE TABLE shop.kept (a INT)", "INSERT INTO shop.kept VALUES (7)");
    await server.kill();
    try {
      gateway = await startGateway({ backend: server, flags });
      const reader = await loggedIn({ port: gateway.port }, testUser);
      const denied = await loggedIn({ port: gateway.port }, testUser);
      send(reader, "SELECT a FROM shop.kept");
      send(denied, "DELETE FROM shop.kept");
      await waiting(2);
      await server.restart();
      expect((await reader.readReply(3)).error).toBeNull();
      expect((await denied.readReply(3)).error?.code).toBe(1142);
      await reader.quit();
      await denied.quit();
    } finally {
      removeFolder(folder);
      await server.restart();
    }
  });

  it("lets a waiting statement be killed, and its client leave", async () => {
    gateway = await startGateway({ backend: server });
    const [killed, leaving] = [await enter(), await enter()];
    const id = Number((await killed.rows("SELECT CONNECTION_ID()"))[0]?.[0]);
    const killer = await enter();
    await server.kill();
    send(killed, "SELECT 1");
    send(leaving, "SELECT 2");
    await waiting(2);
    leaving.destroy();
    await waiting(1);
    expect((await killer.query(`KILL QUERY ${id}`)).error).toBeNull();
    expect((await killed.readReply(3)).error?.code).toBe(1317);
    await waiting(0);
    await server.restart();
    expect((await killed.query("SELECT 3")).error).toBeNull();
    await killed.quit();
    await killer.quit();
  });

  it("is waited for no longer than the window, and then not at all; no more wait than buffer_size", async () => {
    gateway = await startGateway({ backend: server, flags: { buffer_window: "2s", buffer_size: 2 } });
    const clients = await Promise.all([enter(), enter(), enter(), enter()]);
    await server.kill();
    for (const client of clients) send(client, "SELECT 1");
    const codes = await Promise.all(clients.map(async (client) => (await client.readReply(3)).error?.code));
    expect(codes.sort()).toEqual([1203, 1203, 3168, 3168]);
    const [first] = clients;
    const started = performance.now();
    expect((await first?.query("SELECT 2"))?.error?.code).toBe(3168);
    expect(performance.now() - started).toBeLessThan(1500);
    await server.restart();
    await waitUntil(async () => (await first?.query("SELECT 3"))?.error === null, "the server to be back");
    for (const client of clients) await client.quit();
  });

  it("is waited for by no more than buffer_size of all workers together", async () => {
    const flags = { workers: 2, buffer_window: "2s", buffer_size: 4 };
    gateway = await startGateway({ backend: server, flags });
    const clients = await Promise.all(Array.from({ length: 12 }, enter));
    const perWorker = new Map<number, number>();
    for (const { greeting } of clients) {
      const worker = greeting.connectionId >>> 20;
      perWorker.set(worker, (perWorker.get(worker) ?? 0) + 1);
    }
    await server.kill();
    for (const client of clients) send(client, "SELECT 1");
    const replies = await Promise.all(clients.map((client) => client.readReply(3)));
    await server.restart();
    const full = replies.filter(({ error }) => error?.code === 1203);
    const excess = [...perWorker.values()].reduce((sum, count) => sum + Math.max(0, count - 2), 0);
    expect(full.length).toBe(excess);
    for (const { error } of full) expect(error?.message).toContain("buffer_size=2");
    for (const client of clients) await client.quit();
  });

  it("is waited for by nobody where the buffer is off", async () => {
    gateway = await startGateway({ backend: server, flags: { enable_buffer: "false" } });
    const client = await enter();
    await server.kill();
    expect((await client.query("SELECT 1")).error?.code).toBe(3168);
    await server.restart();
    await client.quit();
  });

  it("ends a wait with 3024 where a statement's own time is over before", async () => {
    gateway = await startGateway({ backend: server, flags: { mysql_server_query_timeout: "1s" } });
    const client = await enter();
    await server.kill();
    expect((await client.query("SELECT 1")).error?.code).toBe(3024);
    await server.restart();
    await client.quit();
  });
});

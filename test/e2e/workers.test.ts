// --workers: several processes behind one port. Limits and KILL hold over all of them, a crashed one is replaced and
// takes only its own sessions along.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import { type GatewayProcess, startGateway } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { loggedIn } from "../support/raw/login.ts";
import { type RawClient, ServerRefused } from "../support/raw/raw-client.ts";
import { waitUntil, within } from "../support/scratch.ts";

let server: DatabaseServer;
let gateway: GatewayProcess;
const clients: RawClient[] = [];

const users = {
  tester: [{ Password: "tester-secret", UserData: "tester_data" }],
  other: [{ Password: "other-secret" }],
  few: [{ Password: "few-secret", MaxConnections: 3 }],
};
const workers = 3;

beforeAll(async () => {
  server = await startMariadb();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  gateway = await startGateway({
    backend: server,
    users,
    flags: {
      workers,
      mysql_server_max_connections: 16,
      mysql_server_max_connections_per_user: 8,
    },
  });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await gateway?.stop();
});

async function enter(user: keyof typeof users): Promise<RawClient> {
  const client = await loggedIn({ port: gateway.port }, { user, password: `${user}-secret` });
  clients.push(client);
  return client;
}

/** The process that serves a client, by the upper bits of its connection id. */
const prefixOf = (client: RawClient): number => client.greeting.connectionId >>> 20;

/** Enters until clients of two processes are there. */
async function twoOfDifferentWorkers(user: keyof typeof users): Promise<[RawClient, RawClient]> {
  const first = await enter(user);
  for (;;) {
    const next = await enter(user);
    if (prefixOf(next) !== prefixOf(first)) return [first, next];
  }
}

async function codeOf(entering: Promise<RawClient>): Promise<number> {
  try {
    await entering;
    return 0;
  } catch (error) {
    if (error instanceof ServerRefused) return error.fields.code;
    const refused = /refused: (\d+) /.exec(String(error));
    if (refused === null) throw error;
    return Number(refused[1]);
  }
}

describe("workers", () => {
  it("share the port, the users file and the limit per user, exactly", async () => {
    const codes = await Promise.all(Array.from({ length: 14 }, () => codeOf(enter("tester"))));
    expect(codes.filter((code) => code === 0)).toHaveLength(8);
    expect(codes.filter((code) => code === 1203)).toHaveLength(6);
    expect(new Set(clients.map(prefixOf)).size).toBeGreaterThan(1);
    // Every place that is given back can be taken, wherever.
    for (const client of clients.splice(0)) await client.quit();
    await waitUntil(async () => {
      const again = await codeOf(enter("tester"));
      return again === 0 && clients.length >= 8;
    }, "all places to be free again");
    expect(await codeOf(enter("tester"))).toBe(1203);
  });

  it("keep MaxConnections of an entry", async () => {
    const codes = await Promise.all(Array.from({ length: 7 }, () => codeOf(enter("few"))));
    expect(codes.filter((code) => code === 0)).toHaveLength(3);
    expect(codes.filter((code) => code === 1226)).toHaveLength(4);
  });

  it("keep the limit on all connections: 1040", async () => {
    const codes = await Promise.all([
      ...Array.from({ length: 8 }, () => codeOf(enter("tester"))),
      ...Array.from({ length: 8 }, () => codeOf(enter("other"))),
    ]);
    expect(codes).toEqual(new Array(16).fill(0));
    const more = await Promise.all(Array.from({ length: 5 }, () => codeOf(enter("few"))));
    expect(more).toEqual(new Array(5).fill(1040));
  });

  it("kill each other's sessions, of the same user only", async () => {
    const [killer, victim] = await twoOfDifferentWorkers("tester");
    const stranger = await enter("other");
    const id = victim.greeting.connectionId;
    expect((await stranger.query(`KILL ${id}`)).error?.code).toBe(1095);
    expect((await killer.query(`KILL ${id ^ 0x7ff}`)).error?.code).toBe(1094);
    const sleeping = victim.query("SELECT SLEEP(60)");
    await waitUntil(
      async () =>
        (await server.admin("SELECT id FROM information_schema.processlist WHERE info LIKE '%SLEEP(60)%'"))
          .length > 1,
      "the statement to run",
    );
    expect((await killer.query(`KILL QUERY ${id}`)).error).toBeNull();
    const interrupted = await sleeping;
    expect(interrupted.error === null || interrupted.error.code === 1317).toBe(true);
    expect((await killer.query(`KILL ${id}`)).error).toBeNull();
    await victim.readToEnd();
  });

  it("are replaced when they crash, with no session lost but their own", async () => {
    const [one, two] = await twoOfDifferentWorkers("tester");
    const ready = () =>
      gateway
        .records()
        .filter((record) => record.message === "A worker is ready")
        .map((record) => Number(record.worker_pid));
    await waitUntil(() => ready().length === workers, "all workers");
    // Which process serves whom: the one whose end closes the connection.
    const [pid] = ready();
    process.kill(pid ?? 0, "SIGKILL");
    await waitUntil(() => ready().length === workers + 1, "another worker");
    const alive = await Promise.all(
      [one, two].map((client) =>
        client.query("SELECT 1").then(
          () => true,
          () => false,
        ),
      ),
    );
    expect(alive).toContain(true);
    // Its places are free again, and the new one serves.
    for (const client of clients.splice(0)) client.destroy();
    const seen = new Set<number>();
    await waitUntil(async () => {
      const client = await enter("other").catch(() => null);
      if (client !== null) seen.add(prefixOf(client));
      for (const done of clients.splice(0)) await done.quit();
      return seen.size >= workers;
    }, "every worker to serve");
    expect(await gateway.metric("gatehouse_worker_restarts_total")).toBe(1);
  });

  it("share a port that the system has chosen", async () => {
    const chosen = await startGateway({ backend: server, flags: { workers: 2, mysql_server_port: 0 } });
    const { listening } = await chosen.waitForRecord(
      ({ message }) => message === "Ready for clients",
      "the address",
    );
    const port = Number(/^127\.0\.0\.1:(\d+)$/.exec(String((listening as unknown[])[0]))?.[1]);
    const seen = new Set<number>();
    await waitUntil(async () => {
      const client = await loggedIn({ port }, { user: "tester", password: "tester-secret" });
      seen.add(prefixOf(client));
      await client.quit();
      return seen.size === 2;
    }, "both workers to serve");
    await chosen.stop();
  });

  it("are killed when they do not stop", async () => {
    const first = await startGateway({ backend: server, flags: { workers: 2, onterm_timeout: "100ms" } });
    const { worker_pid: pid } = await first.waitForRecord(
      ({ message }) => message === "A worker is ready",
      "a worker",
    );
    process.kill(Number(pid), "SIGSTOP");
    first.signal("SIGTERM");
    expect(await within(first.ended, "the end", 20_000)).toMatchObject({ code: 0 });
    expect(first.records().map(({ message }) => message)).toContain("A worker does not stop: it is killed");
  });

  it("show one page: sessions and metrics of all", async () => {
    await Promise.all(Array.from({ length: 6 }, () => enter("tester")));
    const { sessions } = JSON.parse((await gateway.admin("/api/sessions")).body) as {
      sessions: { id: number }[];
    };
    expect(sessions.map(({ id }) => id).sort()).toEqual(
      clients.map((client) => client.greeting.connectionId).sort(),
    );
    expect(await gateway.metric("gatehouse_logins_total")).toBe(6);
    expect(await gateway.metric("gatehouse_backend_up")).toBe(1);
    expect((await gateway.admin("/readyz")).status).toBe(200);
  });

  it("list each other's sessions to whom they belong", async () => {
    const own = await twoOfDifferentWorkers("tester");
    await enter("other");
    const ids = clients.map((client) => String(client.greeting.connectionId)).slice(0, -1);
    for (const sql of ["SHOW PROCESSLIST", "SELECT * FROM information_schema.processlist"]) {
      const rows = await own[0].rows(sql);
      expect(rows.map((row) => row[0]).sort(), sql).toEqual(ids.sort());
    }
  });

  it("reload together", async () => {
    const { writeFileSync } = await import("node:fs");
    writeFileSync(gateway.usersFile, JSON.stringify({ ...users, other: [{ Password: "changed" }] }));
    gateway.signal("SIGHUP");
    await waitUntil(async () => {
      const codes = await Promise.all(Array.from({ length: 6 }, () => codeOf(enter("other"))));
      return codes.every((code) => code === 1045);
    }, "the old password to be refused everywhere");
  });
});

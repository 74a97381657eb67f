// SIGTERM in both ways, signals, pid file, ports that are taken, a backend that is not there at the start.
import { existsSync, readFileSync, renameSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { startGateway, testUser } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { loggedIn, login } from "../support/raw/login.ts";
import { openSocket, RawClient } from "../support/raw/raw-client.ts";
import { scratchFolder, waitUntil, within } from "../support/scratch.ts";

let server: DatabaseServer;
beforeAll(async () => {
  server = await startMariadb({ skipNetworking: true });
});
afterAll(() => server?.stop());

const enter = (gateway: GatewayProcess): Promise<RawClient> => loggedIn({ port: gateway.port }, testUser);
const refusesConnections = (gateway: GatewayProcess) =>
  waitUntil(
    () =>
      openSocket({ port: gateway.port }).then(
        (socket) => {
          socket.destroy();
          return false;
        },
        () => true,
      ),
    "new connections to be refused",
  );
const isRunning = async (mark: string): Promise<boolean> =>
  (
    await server.admin(
      `SELECT 1 FROM information_schema.processlist WHERE info LIKE '%${mark}%' AND info NOT LIKE '%processlist%'`,
    )
  ).length > 0;

describe("SIGTERM", () => {
  it("closes idle clients at once and lets running statements end", async () => {
    const gateway = await startGateway({ backend: server });
    const idle = await enter(gateway);
    const busy = await enter(gateway);
    const slow = busy.query("SELECT SLEEP(1.5), 'term-busy'");
    await waitUntil(() => isRunning("term-busy"), "the statement to run");
    gateway.signal("SIGTERM");
    await idle.readToEnd(1000);
    expect((await slow).error).toBeNull();
    await busy.readToEnd(2000);
    expect(await within(gateway.ended, "the end", 5000)).toMatchObject({ code: 0 });
  });

  it("with --mysql_server_drain_onterm leaves clients alone until they leave, in and outside of transactions", async () => {
    const flags = { mysql_server_drain_onterm: true, onterm_timeout: "60s" };
    const gateway = await startGateway({ backend: server, flags });
    const idle = await enter(gateway);
    const next = await enter(gateway);
    const working = await enter(gateway);
    await working.query("BEGIN");
    await working.query("SET @kept = 5");
    gateway.signal("SIGTERM");
    await refusesConnections(gateway);
    expect((await gateway.admin("/readyz")).status).toBe(503);
    expect(await working.rows("SELECT @kept")).toEqual([["5"]]);
    for (let command = 0; command < 3; command++)
      expect(await next.rows("SELECT 'still'")).toEqual([["still"]]);
    expect((await working.query("COMMIT")).error).toBeNull();
    expect(await working.rows("SELECT @kept")).toEqual([["5"]]);
    expect((await working.query("BEGIN")).error).toBeNull();
    expect((await working.query("ROLLBACK")).error).toBeNull();
    expect(idle.reader.hasEnded).toBe(false);
    for (const client of [idle, next, working]) await client.quit();
    expect(await within(gateway.ended, "the end", 10_000)).toMatchObject({ code: 0 });
  });

  it("with --lameduck_period goes on taking clients while it says that it is not ready; a second signal ends that", async () => {
    const flags = { lameduck_period: "10m", mysql_server_drain_onterm: true };
    const gateway = await startGateway({ backend: server, flags });
    const before = await enter(gateway);
    gateway.signal("SIGTERM");
    await waitUntil(async () => (await gateway.admin("/readyz")).status === 503, "not ready");
    const later = await enter(gateway);
    expect(await later.rows("SELECT 5")).toEqual([["5"]]);
    expect(await before.rows("SELECT 6")).toEqual([["6"]]);
    gateway.signal("SIGTERM");
    expect(await within(gateway.ended, "the end", 10_000)).toMatchObject({ code: 0 });
  });

  it("with --mysql_server_drain_onterm sends away at the end of the time who has not left", async () => {
    const flags = { mysql_server_drain_onterm: true, onterm_timeout: "6s" };
    const gateway = await startGateway({ backend: server, flags });
    const staying = await enter(gateway);
    gateway.signal("SIGTERM");
    const errors: unknown[] = [];
    await waitUntil(async () => {
      const { error } = await staying.query("SELECT 1");
      if (error !== null) errors.push(error);
      return error !== null;
    }, "an error");
    expect(errors).toMatchObject([{ code: 1053, state: "08S01" }]);
    await staying.readToEnd();
    expect(await within(gateway.ended, "the end", 10_000)).toMatchObject({ code: 0 });
  });

  it("in both ways ends at --onterm_timeout what will not end", async () => {
    for (const drain of [true, false]) {
      const gateway = await startGateway({
        backend: server,
        flags: { mysql_server_drain_onterm: drain, onterm_timeout: "700ms" },
      });
      const busy = await enter(gateway);
      const slow = busy.query(`SELECT SLEEP(60), 'term-late-${drain}'`).catch((error: unknown) => error);
      await waitUntil(() => isRunning(`term-late-${drain}`), "the statement to run");
      const started = performance.now();
      gateway.signal("SIGTERM");
      expect(await within(gateway.ended, "the end", 5000)).toMatchObject({ code: 0 });
      expect(performance.now() - started).toBeGreaterThan(600);
      await slow;
      await waitUntil(
        async () => !(await isRunning(`term-late-${drain}`)),
        "the statement to end on the server",
      );
    }
  });
});

describe("SIGTERM while a server hangs", () => {
  it("cuts off transactions in time, however many statements would have to be killed", async () => {
    const hanging = await startMariadb({ skipNetworking: true });
    try {
      const gateway = await startGateway({ backend: hanging, flags: { onterm_timeout: "200ms" } });
      const busy = await Promise.all(Array.from({ length: 40 }, () => enter(gateway)));
      for (const client of busy) await client.query("BEGIN");
      process.kill(hanging.pid(), "SIGSTOP");
      // Kills are done sixteen at a time, each with a login that takes ten seconds now.
      const answers = busy.map((client) => client.query("SELECT 1").catch((error: unknown) => error));
      gateway.signal("SIGTERM");
      expect(await within(gateway.ended, "the end", 5000)).toMatchObject({ code: 0 });
      await Promise.all(answers);
    } finally {
      process.kill(hanging.pid(), "SIGCONT");
      await hanging.stop();
    }
  });
});

describe("a process among others", () => {
  it("writes its pid file and removes it, and survives the signals of log rotation and the inspector", async () => {
    const file = join(scratchFolder("pid"), "gatehouse.pid");
    const gateway = await startGateway({ backend: server, flags: { pid_file: file } });
    expect(Number(readFileSync(file, "utf8"))).toBe(gateway.pid);
    for (const signal of ["SIGHUP", "SIGUSR1", "SIGUSR2"] as const) gateway.signal(signal);
    const client = await enter(gateway);
    expect(await client.rows("SELECT 1")).toEqual([["1"]]);
    await client.quit();
    expect(gateway.lines.filter((line) => /debugger listening/i.test(line))).toEqual([]);
    await gateway.stop();
    expect(existsSync(file)).toBe(false);
  });

  it("keeps an audit file of logins and refusals, and opens it again after rotation", async () => {
    const file = join(scratchFolder("audit"), "audit.log");
    const gateway = await startGateway({ backend: server, flags: { audit_log_file: file } });
    const linesOf = (path: string): Record<string, unknown>[] =>
      existsSync(path)
        ? readFileSync(path, "utf8")
            .split("\n")
            .filter((line) => line !== "")
            .map((line) => JSON.parse(line) as Record<string, unknown>)
        : [];
    const { client, result } = await login(
      { port: gateway.port },
      { ...testUser, password: "not-the-secret" },
    );
    expect(result.ok).toBe(false);
    client.destroy();
    await (await enter(gateway)).quit();
    await waitUntil(() => linesOf(file).length >= 2, "a refusal and a login on record");
    const text = readFileSync(file, "utf8");
    expect(text).toContain(testUser.user);
    expect(text).toContain("127.0.0.1");
    expect(text).not.toContain("secret");
    for (const [index, signal] of (["SIGHUP", "SIGUSR2"] as const).entries()) {
      renameSync(file, `${file}.${index}`);
      gateway.signal(signal);
      await waitUntil(() => existsSync(file), `a new file after ${signal}`);
      await (await enter(gateway)).quit();
      await waitUntil(() => linesOf(file).length > 0, "a record in the new file");
    }
    await gateway.stop();
  });

  it("says in one sentence that its port is taken", async () => {
    const gateway = await startGateway({ backend: server });
    const second = startGateway({ backend: server, flags: { mysql_server_port: gateway.port } });
    await expect(second).rejects.toThrow(new RegExp(`${gateway.port}.*(in use|taken)`, "s"));
    await gateway.stop();
  });

  it("says so before it starts a database of its own", async () => {
    const gateway = await startGateway({ backend: server });
    const embedded_datadir = join(gateway.folder, "embedded");
    const flags = { mysql_server_port: gateway.port, embedded_datadir };
    await expect(startGateway({ backend: null, flags })).rejects.toThrow("it is in use");
    expect(existsSync(embedded_datadir)).toBe(false);
    await gateway.stop();
  });

  it("listens while its backend takes connections and says nothing, and is not ready", async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as AddressInfo;
    const gateway = await startGateway({ backend: `mysql://u:p@127.0.0.1:${port}` });
    // Before the first verdict, which would take five seconds.
    const ready = await gateway.admin("/readyz");
    expect(ready).toMatchObject({ status: 503 });
    expect(ready.body).toContain("has not been asked yet");
    const client = await RawClient.connect({ port: gateway.port });
    expect(client.greeting.version).toBe("8.0.40-gatehouse");
    client.destroy();
    await gateway.stop();
    silent.close();
  });

  it("stays up while its backend cannot be reached, and serves when it comes", async () => {
    const late = await startMariadb();
    await late.kill();
    const gateway = await startGateway({ backend: late.backendUrl() });
    expect((await gateway.admin("/readyz")).status).toBe(503);
    const client = await enter(gateway);
    const reply = await client.query("SELECT 1");
    expect(reply.error).not.toBeNull();
    expect(reply.error?.code).not.toBe(1105);
    await late.restart();
    await waitUntil(
      async () => (await client.query("SELECT 1")).error === null,
      "the same session to work",
      20_000,
    );
    await waitUntil(async () => (await gateway.admin("/readyz")).status === 200, "readiness", 20_000);
    await client.quit();
    await gateway.stop();
    await late.stop();
  });
});

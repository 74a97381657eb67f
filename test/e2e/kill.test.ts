// KILL by text, prepared statement, batch and Ctrl-C: answered by the gateway, with its own ids, for one's own sessions.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commandLines, connectOptions, passwordEnvironment } from "../support/command-line.ts";
import { type DatabaseServer, serviceAccount } from "../support/database-server.ts";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { startGateway } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { capability, usualCapabilities } from "../support/raw/capabilities.ts";
import { loggedIn } from "../support/raw/login.ts";
import { encodeExecute, encodePrepare, parameter } from "../support/raw/prepared.ts";
import type { RawClient } from "../support/raw/raw-client.ts";
import { waitUntil } from "../support/scratch.ts";
import { openTerminal } from "../support/terminal.ts";

const alice = { user: "alice", password: "a-secret" };
const bob = { user: "bob", password: "b-secret" };

let server: DatabaseServer;
let gateway: GatewayProcess;
beforeAll(async () => {
  server = await startMariadb({ skipNetworking: true });
  gateway = await startGateway({
    backend: server,
    users: { alice: [{ Password: alice.password }], bob: [{ Password: bob.password }] },
  });
});
afterAll(async () => {
  await gateway?.stop();
  await server?.stop();
});

const connect = (who: typeof alice): Promise<RawClient> =>
  loggedIn({ port: gateway.port }, { ...who, capabilities: usualCapabilities | capability.DEPRECATE_EOF });

/** Statements that run on the server now, without those of this check. */
async function running(): Promise<string[]> {
  const rows = await server.admin(
    "SELECT info FROM information_schema.processlist WHERE command = 'Query' AND id <> CONNECTION_ID()",
  );
  return rows.map((row) => String(row.info));
}

/** Starts a statement that runs for a minute and waits until the server runs it. */
async function startSleeping(client: RawClient, mark: string) {
  const reply = client.query(`SELECT SLEEP(60), '${mark}'`, { timeoutMs: 10_000 });
  reply.catch(() => {}); // a killed connection's reply is awaited where it matters
  await waitUntil(async () => (await running()).some((text) => text.includes(mark)), `${mark} to run`);
  return { ended: reply }; // wrapped: a promise returned as it is would be waited for
}

const gone = (mark: string) =>
  waitUntil(
    async () => !(await running()).some((text) => text.includes(mark)),
    `${mark} to end on the server`,
  );

describe("KILL QUERY", () => {
  const spellings: readonly ((id: number) => string)[] = [
    (id) => `KILL QUERY ${id}`,
    (id) => `kill query ${id};`,
    (id) => `/* note */ KiLl /*!50000 QUERY */ ${id} -- end`,
    (id) => `# first line\nKILL\n\tQUERY\n${id}`,
    (id) => `SELECT 1; KILL QUERY ${id}`,
  ];

  it.each(spellings.map((spell, index) => ({ index, text: spell(7), spell })))(
    "$text ends the statement and leaves the session",
    async ({ spell, index }) => {
      const victim = await connect(alice);
      const killer = await connect(alice);
      const sleeping = await startSleeping(victim, `sleep${index}`);
      const answer = await killer.query(spell(victim.greeting.connectionId));
      expect(answer.error).toBeNull();
      const ended = await sleeping.ended;
      // MariaDB ends SLEEP with an error, MySQL with a row that holds 1.
      if (ended.error !== null) expect(ended.error).toMatchObject({ code: 1317, state: "70100" });
      await gone(`sleep${index}`);
      expect(await victim.rows("SELECT 'alive'")).toEqual([["alive"]]);
      expect(await killer.rows("SELECT 'alive'")).toEqual([["alive"]]);
      victim.destroy();
      killer.destroy();
    },
  );

  it("as a prepared statement does the same", async () => {
    const victim = await connect(alice);
    const killer = await connect(alice);
    const id = victim.greeting.connectionId;
    for (const [text, parameters] of [
      [`KILL QUERY ${id}`, []],
      ["KILL QUERY ?", [parameter.longlong(id)]],
    ] as const) {
      const sleeping = await startSleeping(victim, "sleep-prepared");
      const prepared = await killer.command(encodePrepare(text));
      expect(prepared.error, text).toBeNull();
      const statement = prepared.packets[0]?.readUInt32LE(1) ?? 0;
      const executed = await killer.command(encodeExecute(statement, parameters));
      expect(executed.error, text).toBeNull();
      await sleeping.ended;
      await gone("sleep-prepared");
    }
    victim.destroy();
    killer.destroy();
  });
});

describe("KILL of whom a value names", () => {
  it("a user variable: its session, if it is one's own", async () => {
    const victim = await connect(alice);
    const other = await connect(bob);
    const killer = await connect(alice);
    const answer = async (value: number | string) => {
      await killer.query(`SET @Id_1 = ${value}`);
      return (await killer.query("KILL QUERY @Id_1")).error?.code ?? "done";
    };
    const sleeping = await startSleeping(victim, "sleep-variable");
    expect(await answer("'x'")).toBe(1094);
    expect(await answer("NULL")).toBe(1094);
    expect(await answer(other.greeting.connectionId)).toBe(1095);
    expect(await answer(victim.greeting.connectionId)).toBe("done");
    await sleeping.ended;
    await gone("sleep-variable");
    const unset = await connect(alice);
    expect((await unset.query("KILL @never_set")).error).toMatchObject({ code: 1094 });
    for (const client of [victim, other, killer, unset]) client.destroy();
  });

  it("CONNECTION_ID(): oneself, in the server's words", async () => {
    const direct = await loggedIn({ socketPath: server.socketPath }, serviceAccount);
    const through = await connect(alice);
    for (const text of ["KILL QUERY CONNECTION_ID()", "KILL Connection_Id ( )"]) {
      const wanted = (await direct.query(text)).error;
      expect([1317, 1927]).toContain(wanted?.code);
      expect((await through.query(text)).error).toEqual(wanted);
    }
    await through.readToEnd();
    for (const client of [direct, through]) client.destroy();
  });
});

describe("a KILL that only the server behind it reads", () => {
  it("is found whatever version is announced", async () => {
    const posing = await startGateway({
      backend: server,
      users: { alice: [{ Password: alice.password }] },
      flags: { mysql_server_version: "8.0.40-posing" },
    });
    const victim = await loggedIn({ port: posing.port }, alice);
    const killer = await loggedIn({ port: posing.port }, alice);
    expect(victim.greeting.version).toBe("8.0.40-posing");
    const sleeping = await startSleeping(victim, "sleep-posing");
    const answer = await killer.query(`/*M! KILL QUERY ${victim.greeting.connectionId} */`);
    expect(answer.error).toBeNull();
    await sleeping.ended;
    victim.destroy();
    killer.destroy();
    await posing.stop();
  });
});

describe("KILL CONNECTION", () => {
  it.each(["KILL", "KILL CONNECTION", "kill/**/connection"])(
    "%s ends the session and its statement",
    async (words) => {
      const victim = await connect(alice);
      const killer = await connect(alice);
      await startSleeping(victim, "sleep-connection");
      const answer = await killer.query(`${words} ${victim.greeting.connectionId}`);
      expect(answer.error).toBeNull();
      await waitUntil(() => victim.reader.hasEnded, "the victim's socket to be closed");
      await gone("sleep-connection");
      expect(await killer.rows("SELECT 1")).toEqual([["1"]]);
      killer.destroy();
      victim.destroy();
    },
  );

  it("of an idle session closes it; of oneself says so and closes", async () => {
    const idle = await connect(alice);
    const killer = await connect(alice);
    expect((await killer.query(`KILL ${idle.greeting.connectionId}`)).error).toBeNull();
    await idle.readToEnd();
    const own = await killer.query(`KILL ${killer.greeting.connectionId}`);
    expect(own.error).toMatchObject({ code: 1927, state: "70100", message: "Connection was killed" });
    await killer.readToEnd();
    idle.destroy();
    killer.destroy();
  });
});

describe("KILL of what is not one's own", () => {
  it("is 1095 for another user's session and 1094 for an unknown id; nobody is hurt", async () => {
    const victim = await connect(alice);
    const sleeping = await startSleeping(victim, "sleep-safe");
    const killer = await connect(bob);
    const id = victim.greeting.connectionId;
    for (const text of [`KILL ${id}`, `KILL QUERY ${id}`, `KILL CONNECTION ${id}`]) {
      expect((await killer.query(text)).error).toEqual({
        code: 1095,
        state: "HY000",
        message: `You are not owner of thread ${id}`,
      });
    }
    // Ids of the server's own threads are not ids of the gateway: 1094, and never relayed.
    const threads = await server.admin("SELECT id FROM information_schema.processlist");
    expect(threads.length).toBeGreaterThan(0);
    for (const unknown of [...threads.map((row) => Number(row.id)), 0, 4294967295, 99999999999]) {
      const reply = await killer.query(`KILL ${unknown}`);
      expect(reply.error, String(unknown)).toMatchObject({ code: 1094, state: "HY000" });
    }
    expect((await running()).some((text) => text.includes("sleep-safe"))).toBe(true);
    for (const odd of [
      "KILL",
      "KILL abc",
      "KILL USER 'alice'",
      "KILL HARD alice",
      "KILL SOFT QUERY ID 5",
      "KILL 1+1",
    ]) {
      expect((await killer.query(odd)).error, odd).not.toBeNull();
    }
    expect((await running()).some((text) => text.includes("sleep-safe"))).toBe(true);
    const owner = await connect(alice);
    expect((await owner.query(`KILL QUERY ${id}`)).error).toBeNull();
    await sleeping.ended;
    for (const client of [victim, killer, owner]) client.destroy();
  });

  it("and words that only look like KILL are relayed", async () => {
    const client = await connect(alice);
    expect(await client.rows("SELECT 'KILL 1' -- KILL 2")).toEqual([["KILL 1"]]);
    await client.query("CREATE TABLE IF NOT EXISTS shop.killer (`kill` INT)");
    expect(await client.rows("SELECT COUNT(`kill`) FROM shop.killer")).toEqual([["0"]]);
    client.destroy();
  });
});

describe.each(commandLines)("Ctrl-C in $name", ({ command }) => {
  it("ends the statement, and the session goes on", async () => {
    // Without a key request MySQL's client could not log in over plain TCP where only the full path can tell.
    const keys = command.some((part) => part.includes("mariadb")) ? [] : ["--get-server-public-key"];
    const target = { ...alice, port: gateway.port };
    const words = [...command, ...connectOptions(target), "--prompt=ready>", ...keys];
    const terminal = openTerminal(words, passwordEnvironment(target));
    try {
      let mark = await terminal.waitFor(/ready>/);
      terminal.type("SELECT SLEEP(60), 'ctrl-c';\n");
      await waitUntil(
        async () => (await running()).some((text) => text.includes("ctrl-c")),
        "the statement to run",
      );
      const started = performance.now();
      terminal.interrupt();
      await gone("ctrl-c");
      mark = await terminal.waitFor(/ready>/, mark);
      expect(performance.now() - started).toBeLessThan(10_000);
      terminal.type("SELECT CONCAT('still', '-', 'here');\n");
      await terminal.waitFor(/still-here/, mark);
    } finally {
      await terminal.close();
    }
  });
});

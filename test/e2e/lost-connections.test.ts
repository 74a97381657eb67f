// A client that goes away cancels what it ran; a backend that goes away takes only those sessions with it whose state
// it held.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { startGateway, testUser } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { toFrames } from "../support/raw/frame-reader.ts";
import { loggedIn } from "../support/raw/login.ts";
import { encodeExecute, encodePrepare, parameter } from "../support/raw/prepared.ts";
import type { RawClient } from "../support/raw/raw-client.ts";
import { waitUntil } from "../support/scratch.ts";

let server: DatabaseServer;
let gateway: GatewayProcess;
beforeAll(async () => {
  server = await startMariadb();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  // A test that failed may have left the server dead: the next one must not fail for that.
  await server.connect().then(
    (connection) => connection.destroy(),
    () => server.restart(),
  );
  gateway = await startGateway({ backend: server });
});
afterEach(() => gateway?.stop());

const enter = (database?: string): Promise<RawClient> =>
  loggedIn({ port: gateway.port }, { ...testUser, ...(database === undefined ? {} : { database }) });

const send = (client: RawClient, sql: string): void => {
  client.stream.write(toFrames(Buffer.concat([Buffer.from([3]), Buffer.from(sql)])));
};

/** Threads of the service account on the server. */
const threads = (): Promise<Record<string, unknown>[]> =>
  server.admin("SELECT id, info, command FROM information_schema.processlist WHERE user = 'gatehouse'");

const running = async (mark: string): Promise<boolean> =>
  (await threads()).some((thread) => String(thread.info).includes(mark));

describe("a client that goes away", () => {
  it.each([
    ["resets its connection", (client: RawClient) => client.destroy()],
    ["closes it in order", (client: RawClient) => client.stream.end()],
  ])("and %s cancels its statement on the server", async (name, leave) => {
    const mark = `gone: ${name}`;
    const client = await enter();
    send(client, `SELECT SLEEP(60), '${mark}'`);
    await waitUntil(() => running(mark), "the statement to run");
    leave(client);
    await waitUntil(async () => !(await running(mark)), "the statement to end");
    client.destroy();
  });

  it("with an open transaction, locks and temporary tables leaves nothing of them to the next one", async () => {
    await server.admin("CREATE OR REPLACE TABLE shop.left (a INT)", "INSERT INTO shop.left VALUES (1)");
    for (const leave of ["quit", "destroy"] as const) {
      const client = await enter("shop");
      for (const text of [
        "SET @left = 'behind', sql_mode = 'ANSI_QUOTES', autocommit = 0",
        "CREATE TEMPORARY TABLE temporary_left (a INT)",
        "SELECT GET_LOCK('left', 1)",
        "BEGIN",
        "UPDATE `left` SET a = 2",
      ]) {
        expect((await client.query(text)).error, text).toBeNull();
      }
      if (leave === "quit") await client.quit();
      else client.destroy();
      // Any backend connection may come next: several sessions look.
      await waitUntil(
        async () => (await server.admin("SELECT IS_FREE_LOCK('left') AS free"))[0]?.free === 1,
        "the lock to be free",
      );
      for (let round = 0; round < 4; round++) {
        const next = await enter("shop");
        expect(await next.rows("SELECT @left, @@autocommit, @@sql_mode LIKE '%ANSI_QUOTES%'")).toEqual([
          [null, "1", "0"],
        ]);
        expect((await next.query("SELECT * FROM temporary_left")).error?.code).toBe(1146);
        expect(await next.rows("SELECT a FROM `left` FOR UPDATE")).toEqual([["1"]]);
        await next.quit();
      }
    }
  });

  it("lends its backend connection, reset, to the next one", async () => {
    for (let round = 0; round < 20; round++) {
      const client = await enter("shop");
      expect(await client.rows("SELECT DATABASE()")).toEqual([["shop"]]);
      await client.quit();
    }
    expect((await threads()).length).toBeLessThanOrEqual(3);
    const other = await enter(); // without a default schema: never inherits one
    expect(await other.rows("SELECT DATABASE()")).toEqual([[null]]);
    await other.quit();
  });
});

describe("a backend that goes away", () => {
  it("under an idle session without state is replaced unseen", async () => {
    const client = await enter("shop");
    expect(await client.rows("SELECT 1")).toEqual([["1"]]);
    await server.restart();
    await waitUntil(
      async () => (await client.query("SELECT DATABASE()")).error === null,
      "an answer",
      15_000,
    );
    expect(await client.rows("SELECT DATABASE()")).toEqual([["shop"]]);
    await client.quit();
  });

  it("under sessions with state ends them, never a silent fresh connection under half a transaction", async () => {
    await server.admin("CREATE OR REPLACE TABLE shop.half (a INT)");
    const states = [
      "BEGIN",
      "SET @x = 1",
      "CREATE TEMPORARY TABLE shop.tmp (a INT)",
      "SELECT GET_LOCK('x', 1)",
    ];
    const clients = await Promise.all(
      states.map(async (text) => {
        const client = await enter("shop");
        expect((await client.query(text)).error, text).toBeNull();
        if (text === "BEGIN") expect((await client.query("INSERT INTO half VALUES (1)")).error).toBeNull();
        return { text, client };
      }),
    );
    await server.restart();
    for (const { text, client } of clients) {
      const reply = await client.query("SELECT 'after'", { timeoutMs: 10_000 }).catch(() => null);
      // Closed at once, or one ERR and closed; in a transaction 1213 may keep the session.
      if (reply !== null) {
        expect(reply.error, text).not.toBeNull();
        if (reply.error?.code !== 1213) await client.readToEnd();
      }
      client.destroy();
    }
    expect(await server.admin("SELECT COUNT(*) AS n FROM shop.half")).toEqual([{ n: 0 }]);
    const fresh = await enter("shop");
    await waitUntil(async () => (await fresh.query("SELECT 1")).error === null, "service again", 15_000);
    await fresh.quit();
  });

  it("in the middle of a statement is one ERR or a close, never a hang", async () => {
    for (const text of ["SELECT SLEEP(60), 'cut'", "SELECT REPEAT('x', 1000000), 'cut' FROM shop.numbers"]) {
      await server.admin("USE shop", "CREATE OR REPLACE TABLE numbers SELECT seq FROM seq_1_to_2000");
      const client = await enter();
      client.reader.pause();
      send(client, text);
      await waitUntil(() => running("cut"), "the statement to run");
      await server.kill();
      const reply = await client.readReply(3, { timeoutMs: 10_000 }).catch((error: unknown) => error);
      if (reply instanceof Error) expect(reply.name).toBe("StreamEnded");
      else expect((reply as { error: unknown }).error).not.toBeNull();
      client.destroy();
      await server.restart();
    }
  });

  it("COMMIT in flight is a close without an error: nobody knows how it ended", async () => {
    await server.admin("CREATE OR REPLACE TABLE shop.committed (a INT) ENGINE=InnoDB");
    const client = await enter("shop");
    await client.query("BEGIN");
    await client.query("INSERT INTO committed VALUES (1)");
    // FLUSH TABLES WITH READ LOCK holds commits back: this one is surely in flight when the server dies.
    const blocker = await server.connect();
    await blocker.query("FLUSH TABLES WITH READ LOCK");
    send(client, "COMMIT");
    await waitUntil(() => running("COMMIT"), "the COMMIT to wait");
    await server.kill();
    expect(await client.readToEnd()).toEqual(Buffer.alloc(0));
    client.destroy();
    blocker.destroy();
    await server.restart();
  });

  it("while statements are prepared: they are prepared again unseen, in the schema that they were made in", async () => {
    await server.admin(
      "CREATE OR REPLACE TABLE shop.here (a INT)",
      "INSERT INTO shop.here VALUES (41)",
      "CREATE DATABASE IF NOT EXISTS elsewhere",
    );
    const client = await enter("shop");
    const others = await client.command(encodePrepare("SELECT 'another'"));
    expect(others.error).toBeNull();
    const prepared = await client.command(encodePrepare("SELECT a + ?, DATABASE() FROM here"));
    const id = prepared.packets[0]?.readUInt32LE(1) ?? 0;
    const value = [parameter.longlong(1)];
    const run = (sendTypes: boolean) => client.command(encodeExecute(id, value, { sendTypes }));
    const before = await run(true);
    expect(before.error).toBeNull();
    await server.restart();
    // The types came with the first execution, and never again.
    const after = await run(false);
    expect(after.packets.at(-2)).toEqual(before.packets.at(-2));
    expect((await client.query("USE elsewhere")).error).toBeNull();
    await server.restart();
    const moved = await run(false);
    expect(moved.error).toBeNull();
    // Servers execute a statement in the schema that it was prepared in.
    expect(moved.packets.at(-2)).toEqual(before.packets.at(-2));
    expect(await client.rows("SELECT DATABASE()")).toEqual([["elsewhere"]]);
    await client.quit();
  });

  it("killed by the database's administrator ends that session only", async () => {
    const victim = await enter("shop");
    const other = await enter("shop");
    await victim.query("SET @state = 1");
    await other.query("SET @state = 2");
    const [row] = await victim.rows("SELECT CONNECTION_ID()");
    const ids = (await threads()).map((thread) => Number(thread.id));
    expect(ids.length).toBeGreaterThanOrEqual(2);
    expect(row).toHaveLength(1);
    send(victim, "SELECT SLEEP(60), 'doomed'");
    await waitUntil(() => running("doomed"), "the statement to run");
    const doomed = (await threads()).find((thread) => String(thread.info).includes("doomed"));
    await server.admin(`KILL ${doomed?.id}`);
    await victim.readToEnd();
    expect(await other.rows("SELECT @state")).toEqual([["2"]]);
    victim.destroy();
    await other.quit();
  });
});

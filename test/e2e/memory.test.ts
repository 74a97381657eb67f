// Large results and many of them pass with flat memory: what a slow client does not take is not read from the server.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { startGateway, testUser } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { toFrames } from "../support/raw/frame-reader.ts";
import { loggedIn } from "../support/raw/login.ts";
import type { RawClient } from "../support/raw/raw-client.ts";
import { waitUntil } from "../support/scratch.ts";

const mib = 1024 * 1024;
let server: DatabaseServer;
let gateway: GatewayProcess;
beforeAll(async () => {
  server = await startMariadb({ skipNetworking: true });
  gateway = await startGateway({ backend: server, flags: { log_level: "info" } });
});
afterAll(async () => {
  await gateway?.stop();
  await server?.stop();
});

const enter = (tls?: true): Promise<RawClient> =>
  loggedIn({ port: gateway.port }, { ...testUser, database: "shop" }, tls);

/** Samples the gateway's memory while `work` goes on; the highest, in MiB above the start. */
async function growthMib(work: () => Promise<void>): Promise<number> {
  const before = gateway.residentKib();
  let highest = before;
  const timer = setInterval(() => {
    highest = Math.max(highest, gateway.residentKib());
  }, 20);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return (Math.max(highest, gateway.residentKib()) - before) / 1024;
}

describe("memory", () => {
  it("stays flat under a result of 512 MiB, with a slow reader too", async () => {
    const client = await enter();
    await client.query("SELECT 1");
    const growth = await growthMib(async () => {
      const rows = 512;
      const reply = await client.query(`SELECT REPEAT('x', ${mib}) FROM seq_1_to_${rows}`, {
        digestOnly: true,
        // A pause of the reader every 64 rows, until the gateway has stopped reading from the server.
        afterPacket: (count) =>
          count % 64 === 0 ? new Promise((resolve) => setTimeout(resolve, 50)) : undefined,
      });
      expect(reply.error).toBeNull();
      expect(reply.byteCount).toBeGreaterThan(rows * mib);
      expect(reply.packetCount).toBe(rows + 4);
    });
    expect(growth).toBeLessThan(40);
    await client.quit();
  });

  it("stays flat under one row of 60 MiB and statements of 17 MiB", async () => {
    const client = await enter();
    await client.query("SELECT 1");
    const growth = await growthMib(async () => {
      const reply = await client.query(`SELECT REPEAT('y', ${60 * mib})`, { digestOnly: true });
      expect(reply.error).toBeNull();
      expect(reply.byteCount).toBeGreaterThan(60 * mib);
    });
    expect(growth).toBeLessThan(40);
    const text = Buffer.from(`SELECT LENGTH('${"z".repeat(17 * mib)}')`);
    const statement = Buffer.concat([Buffer.from([3]), text]);
    for (let round = 0; round < 5; round++) {
      const reply = await client.command(statement);
      expect(reply.packets.at(-2)?.toString()).toContain(String(17 * mib));
    }
    await client.quit();
  });

  it("of many readers that take nothing is bounded, and others are served meanwhile", async () => {
    const readers = await Promise.all(Array.from({ length: 30 }, () => enter()));
    await Promise.all(readers.map((reader) => reader.query("SELECT 1")));
    const growth = await growthMib(async () => {
      for (const reader of readers) {
        reader.reader.pause();
        reader.stream.write(toFrames(Buffer.from("\x03SELECT REPEAT('x', 100000) FROM seq_1_to_500")));
      }
      await waitUntil(
        async () =>
          (
            await server.admin(
              "SELECT 1 FROM information_schema.processlist WHERE info LIKE '%seq_1_to_500' AND user = 'gatehouse'",
            )
          ).length === 30,
        "all statements to wait for their readers",
      );
      const quick = await enter();
      for (let round = 0; round < 50; round++) expect(await quick.rows("SELECT 1")).toEqual([["1"]]);
      await quick.quit();
    });
    expect(growth).toBeLessThan(40);
    const replies = await Promise.all(readers.map((reader) => reader.readReply(3, { digestOnly: true })));
    expect(new Set(replies.map((reply) => reply.digest)).size).toBe(1);
    expect(replies[0]?.packetCount).toBe(504);
    for (const reader of readers) reader.destroy();
  });

  it("of one session is never seen by another: slow readers that leave, on shared backend connections", async () => {
    const narrow = await startGateway({
      backend: server,
      flags: { backend_pool_size: 2, log_level: "info" },
    });
    const at = { socketPath: narrow.socketPath }; // its kernel buffers are small and always the same
    let compared = 0;
    // Of a reader that takes nothing, some length leaves exactly the reply's last chunk in the gateway, in the read
    // buffer of a backend connection that is free for others: steps are smaller than a chunk, so it is met.
    for (let length = 64 * 1024; length < 640 * 1024; length += 6 * 1024) {
      const slow = await loggedIn(at, testUser);
      slow.reader.pause();
      const letter = 97 + (compared % 26);
      const statement = Buffer.from(`\x03SELECT REPEAT('${String.fromCharCode(letter)}', ${length})`);
      slow.stream.write(Buffer.concat([toFrames(statement), toFrames(Buffer.of(1))]));
      const others = await Promise.all([loggedIn(at, testUser), loggedIn(at, testUser)]);
      for (const other of others) {
        // Large enough to fill a read buffer that is still in use for the slow one.
        expect(await other.rows("SELECT REPEAT('#', 60000)")).toEqual([["#".repeat(60_000)]]);
        await other.quit();
      }
      const reply = await slow.readReply(3);
      const foreign = reply.packets
        .at(-2)
        ?.subarray(4)
        .findIndex((byte) => byte !== letter);
      expect(foreign, `${length} bytes`).toBe(-1);
      expect(reply.byteCount).toBeGreaterThan(length);
      slow.destroy();
      compared++;
    }
    expect(compared).toBe(96);
    await narrow.stop();
  });

  it("does not grow with sessions that come and go, in every way to go", async () => {
    const round = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index++) {
        const client = await enter();
        await client.query("SET @a = 1");
        await client.query("SELECT REPEAT('x', 20000)");
        if (index % 3 === 0) client.destroy();
        else await client.quit();
      }
    };
    await round(300); // warms up
    await waitUntil(async () => (await gateway.metric("sessions")) === 0, "sessions to end");
    const growth = await growthMib(() => round(600));
    await waitUntil(async () => (await gateway.metric("sessions")) === 0, "sessions to end");
    expect(growth).toBeLessThan(30);
  });
});

// Many clients at once with all manners, few backend connections between them: every byte that a client gets is its own.
// GATEHOUSE_TEST_SEED repeats a run, GATEHOUSE_TEST_SOAK_SECONDS makes it longer.
import { afterAll, beforeAll, expect, it } from "vitest";
import { createAuthority, issueServerCertificate } from "../support/certificates.ts";
import type { DatabaseServer } from "../support/database-server.ts";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { startGateway, testUser } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { capability, usualCapabilities } from "../support/raw/capabilities.ts";
import { toFrames } from "../support/raw/frame-reader.ts";
import { loggedIn } from "../support/raw/login.ts";
import { encodeExecute, encodeLongData, encodePrepare, parameter } from "../support/raw/prepared.ts";
import type { RawClient, Reply } from "../support/raw/raw-client.ts";
import { waitUntil } from "../support/scratch.ts";

const seconds = Number(process.env.GATEHOUSE_TEST_SOAK_SECONDS ?? 12);
const seed = Number(process.env.GATEHOUSE_TEST_SEED ?? Date.now() % 1_000_000);
const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

let server: DatabaseServer;
let gateway: GatewayProcess;
beforeAll(async () => {
  server = await startMariadb({ skipNetworking: true });
  const { cert, key } = issueServerCertificate(createAuthority());
  gateway = await startGateway({
    backend: server,
    flags: {
      backend_pool_size: 8,
      backend_pool_wait_timeout: "60s",
      mysql_server_ssl_cert: cert,
      mysql_server_ssl_key: key,
      log_level: "info",
    },
  });
});
afterAll(async () => {
  await gateway?.stop();
  await server?.stop();
});

/** A small generator of its own, so that a seed repeats a run (as far as the machine's timing allows). */
function randomFrom(start: number): (below: number) => number {
  let state = start >>> 0;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) % below;
  };
}

const query = (text: string): Buffer => Buffer.concat([Buffer.of(3), Buffer.from(text)]);

/** The row before the last packet, without its length prefix. */
function onlyCell(reply: Reply): Buffer {
  if (reply.error !== null) throw new Error(`${reply.error.code} ${reply.error.message}`);
  const row = reply.packets.at(-2) ?? Buffer.alloc(0);
  const prefix = row[0] === 0xfd ? 4 : row[0] === 0xfc ? 3 : 1;
  return row.subarray(prefix);
}

function expectOwn(reply: Reply, letter: string, length: number): void {
  const cell = onlyCell(reply);
  const foreign = cell.findIndex((byte) => byte !== letter.charCodeAt(0));
  if (cell.length === length && foreign < 0) return;
  const seen = cell.subarray(Math.max(0, foreign), Math.max(0, foreign) + 40).toString("latin1");
  throw new Error(`'${letter}' x ${length}: got ${cell.length} bytes, foreign at ${foreign}: ${seen}`);
}

type Random = (below: number) => number;
type Step = (client: RawClient, letter: string, random: Random) => Promise<"stay" | "gone">;

const steps: Record<string, Step> = {
  async download(client, letter, random) {
    const length = 1 + random(random(4) === 0 ? 3_000_000 : 30_000);
    expectOwn(await client.query(`SELECT REPEAT('${letter}', ${length})`), letter, length);
    return "stay";
  },
  async upload(client, letter, random) {
    const length = 1 + random(random(4) === 0 ? 1_000_000 : 10_000);
    expectOwn(await client.query(`SELECT '${letter.repeat(length)}'`), letter, length);
    return "stay";
  },
  async slowly(client, letter, random) {
    const length = random(2) === 0 ? 50_000 + random(650_000) : 2_000_000 + random(10_000_000);
    const quits = random(2) === 0; // the reply's tail may still wait when the session is over
    client.reader.pause();
    const frames = toFrames(query(`SELECT REPEAT('${letter}', ${length})`));
    client.stream.write(quits ? Buffer.concat([frames, toFrames(Buffer.of(1))]) : frames);
    await new Promise((resolve) => setTimeout(resolve, random(120)));
    expectOwn(await client.readReply(3), letter, length);
    return quits ? "gone" : "stay";
  },
  async ahead(client, letter, random) {
    const lengths = Array.from({ length: 2 + random(6) }, () => 1 + random(50_000));
    const commands = lengths.map((length) => toFrames(query(`SELECT REPEAT('${letter}', ${length})`)));
    const quits = random(2) === 0;
    client.stream.write(Buffer.concat([...commands, ...(quits ? [toFrames(Buffer.of(1))] : [])]));
    for (const length of lengths) expectOwn(await client.readReply(3), letter, length);
    return quits ? "gone" : "stay";
  },
  async prepared(client, letter, random) {
    const length = 1 + random(60_000);
    const prepared = await client.command(encodePrepare("SELECT ?"));
    const id = prepared.packets[0]?.readUInt32LE(1) ?? 0;
    await client.command(encodeLongData(id, 0, Buffer.from(letter.repeat(length))));
    const reply = await client.command(encodeExecute(id, [parameter.longData()]));
    const row = reply.packets.at(-2) ?? Buffer.alloc(0);
    expect(row.subarray(-length).every((byte) => byte === letter.charCodeAt(0))).toBe(true);
    return "stay";
  },
  async vanishInReply(client, letter, random) {
    client.stream.write(toFrames(query(`SELECT REPEAT('${letter}', ${2_000_000 + random(4_000_000)})`)));
    if (random(2) === 0) await client.reader.readFrame();
    client.destroy();
    return "gone";
  },
  async vanishInCommand(client, letter, random) {
    const frames = toFrames(query(`SELECT '${letter.repeat(200_000)}'`));
    client.stream.write(frames.subarray(0, 5 + random(frames.length - 5)));
    await new Promise((resolve) => setImmediate(resolve));
    client.destroy();
    return "gone";
  },
  async changeState(client, letter) {
    await client.query(`SET @mine = '${letter}', sql_mode = 'ANSI'`);
    expect(await client.rows("SELECT @mine")).toEqual([[letter]]);
    return "stay";
  },
  async seeNoState(client) {
    // Whatever others set is gone: a session's variables are its own.
    const [row] = await client.rows("SELECT @@autocommit, @@in_transaction");
    expect(row).toEqual(["1", "0"]);
    return "stay";
  },
};

async function worker(index: number, until: number, counts: Map<string, number>): Promise<void> {
  const random = randomFrom(seed + index * 7919);
  const letter = letters[index] ?? "?";
  const names = Object.keys(steps);
  while (performance.now() < until) {
    const capabilities = usualCapabilities | (random(2) === 0 ? capability.DEPRECATE_EOF : 0);
    const way = random(3);
    const address = way === 0 ? { socketPath: gateway.socketPath } : { port: gateway.port };
    const client = await loggedIn(address, { ...testUser, capabilities }, way === 2 ? true : undefined);
    const [fresh] = await client.rows("SELECT @mine, @@sql_mode LIKE '%ANSI%'");
    expect(fresh).toEqual([null, "0"]);
    for (let count = 1 + random(6); count > 0 && performance.now() < until; count--) {
      const name = names[random(names.length)] ?? "download";
      counts.set(name, (counts.get(name) ?? 0) + 1);
      if ((await steps[name]?.(client, letter, random)) === "gone") break;
    }
    if (random(2) === 0) client.destroy();
    else await client.quit().catch(() => {});
    client.destroy();
  }
}

it(`gives every client its own bytes and nothing of others (seed ${seed})`, {
  timeout: (seconds + 60) * 1000,
}, async () => {
  const counts = new Map<string, number>();
  const until = performance.now() + seconds * 1000;
  const before = gateway.residentKib();
  await Promise.all(Array.from({ length: 24 }, (_, index) => worker(index, until, counts)));
  for (const name of Object.keys(steps)) expect(counts.get(name) ?? 0, name).toBeGreaterThan(2);
  await waitUntil(async () => (await gateway.metric("sessions")) === 0, "all sessions to end");
  await waitUntil(
    async () => {
      const busy = await server.admin(
        "SELECT id FROM information_schema.processlist WHERE user = 'gatehouse' AND command = 'Query'",
      );
      return busy.length === 0;
    },
    "nothing to run on the server",
    20_000,
  );
  const threads = await server.admin(
    "SELECT id FROM information_schema.processlist WHERE user = 'gatehouse'",
  );
  expect(threads.length).toBeLessThanOrEqual(8 + 2); // the pool, health and kills
  expect((await gateway.metric("session_failures_total")) ?? 0).toBe(0);
  expect((gateway.residentKib() - before) / 1024).toBeLessThan(150);
});

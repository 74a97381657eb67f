// Connections that are lost before a command of the client was sent over them, while the gateway asks something of its
// own: another one takes their place, unless there was something of the session on them.
import { describe, expect, it, vi } from "vitest";
import type { Outages } from "../../src/backend/outage.ts";
import { toFrames } from "../support/raw/frame-reader.ts";
import { decodeError } from "../support/raw/packets.ts";
import type { RawClient } from "../support/raw/raw-client.ts";
import { waitUntil } from "../support/scratch.ts";
import { Harness, noOutages, okReply, type ScriptedBackend } from "./harness.ts";

const PREPARE = 0x16;
const EXECUTE = 0x17;
const IN_TRANSACTION = 3;
const execute = Buffer.from([EXECUTE, 1, 0, 0, 0, 0, 1, 0, 0, 0]);
const prepare = Buffer.concat([Buffer.of(PREPARE), Buffer.from("INSERT INTO t VALUES (1)")]);
const serverShutdown = 1053;

/** On connection number n (from 1 on) of these a PREPARE is answered by the test. */
function house(held: readonly number[], outages: Outages = noOutages): Harness {
  const script = (command: Buffer, backend: ScriptedBackend): Uint8Array | null => {
    if (command[0] === PREPARE) {
      const id = harness.backends.indexOf(backend) + 1;
      return held.includes(id) ? null : toFrames(Buffer.from([0, 40 + id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 1);
    }
    return command.subarray(1).toString().startsWith("BEGIN") ? okReply(IN_TRANSACTION) : okReply();
  };
  const harness: Harness = new Harness({
    script,
    outages,
    variables: () => ({ sqlMode: "", characterSet: "utf8mb4", database: null }),
  });
  return harness;
}

const commandsOf = (harness: Harness, number: number): (number | undefined)[] =>
  (harness.backends[number - 1]?.commands ?? []).map((command) => command[0]);

/** A client that has prepared a statement on a connection which it has lost since. */
async function prepared(harness: Harness): Promise<RawClient> {
  const client = await harness.login();
  await client.command(prepare);
  harness.backends[0]?.stream.end();
  await vi.waitFor(() => expect(harness.backends[0]?.closedBecause).not.toBeNull());
  return client;
}

/** Resolves when connection number `number` was asked to prepare. */
const asked = (harness: Harness, number: number): Promise<unknown> =>
  waitUntil(() => commandsOf(harness, number).includes(PREPARE), `PREPARE on connection ${number}`);

const codeOf = (reply: { frames: readonly { payload: Buffer }[] }): number | undefined =>
  decodeError(reply.frames[0]?.payload ?? Buffer.alloc(0))?.code;

describe("a connection that is lost before the command is sent", () => {
  it.each<[string, (harness: Harness) => void]>([
    ["its server is to be left", ({ leases }) => leases[1]?.onCut?.("after_statement", "it is no primary")],
    ["it breaks", ({ backends }) => void backends[1]?.stream.end()],
  ])("is replaced unseen: %s", async (_why, lose) => {
    const harness = house([2]);
    const client = await prepared(harness);
    const reply = client.command(execute);
    await asked(harness, 2);
    lose(harness);
    expect((await reply).frames[0]?.payload[0]).toBe(0);
    expect([commandsOf(harness, 2), commandsOf(harness, 3)]).toEqual([[PREPARE], [PREPARE, EXECUTE]]);
    expect(harness.backends[2]?.commands[1]?.readUInt32LE(1)).toBe(43);
  });

  it("is replaced at once the first time, then as outages are waited out", async () => {
    const waited: string[] = [];
    const wait: Outages["wait"] = async (place, _ticket, _signal, failure) => {
      waited.push(place);
      return waited.length < 2 ? "again" : failure;
    };
    const harness = house([2, 3, 4], { ...noOutages, wait });
    const client = await prepared(harness);
    const reply = client.command(execute);
    for (const number of [2, 3, 4]) {
      await asked(harness, number);
      expect(waited.length).toBe(Math.max(0, number - 3));
      harness.backends[number - 1]?.stream.end();
    }
    expect(codeOf(await reply)).toBe(3168);
    expect([waited, harness.backends.length]).toEqual([["tablet:backend", "tablet:backend"], 4]);
    expect(codeOf(await client.command(prepare))).toBeUndefined();
  });

  it.each<[string, (harness: Harness) => void]>([
    ["its server is to be left", ({ leases }) => leases[1]?.onCut?.("now", "it is down")],
    ["it breaks", ({ backends }) => void backends[1]?.stream.end()],
  ])("takes an open transaction along, which the client is told: %s", async (_why, lose) => {
    const harness = house([2]);
    const client = await prepared(harness);
    await client.query("BEGIN");
    const reply = client.command(execute);
    await asked(harness, 2);
    lose(harness);
    expect(codeOf(await reply)).toBe(1213);
    const next = await client.command(execute);
    expect([next.frames[0]?.payload[0], harness.backends.length]).toEqual([0, 3]);
  });

  it("ends the session whose state was on it", async () => {
    const harness = house([2]);
    const client = await prepared(harness);
    await client.query("SET @a = RAND()");
    const reply = client.command(execute);
    await asked(harness, 2);
    harness.backends[1]?.stream.end();
    expect(codeOf(await reply)).toBe(serverShutdown);
    expect(await client.readToEnd()).toEqual(Buffer.alloc(0));
    expect(harness.backends.length).toBe(2);
  });

  it("does not swallow a KILL QUERY", async () => {
    const harness = house([2]);
    const client = await prepared(harness);
    const reply = client.command(execute);
    await asked(harness, 2);
    for (const session of harness.registry.all()) session.kill("query");
    harness.backends[1]?.stream.write(toFrames(Buffer.from([0, 42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 1));
    expect(codeOf(await reply)).toBe(1317);
    expect(commandsOf(harness, 2)).toEqual([PREPARE]);
    expect((await client.command(execute)).frames[0]?.payload[0]).toBe(0);
  });
});

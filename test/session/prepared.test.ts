// Prepared statements between a scripted client and a scripted backend.
import { describe, expect, it, vi } from "vitest";
import { type Authorizer, permitAll } from "../../src/acl/authorizer.ts";
import { clientPermit } from "../../src/acl/permit.ts";
import { sqlError } from "../../src/errors/sql-error.ts";
import { bareStatement } from "../../src/sql/statement-summary.ts";
import { toFrames } from "../support/raw/frame-reader.ts";
import { decodeError } from "../support/raw/packets.ts";
import { errReply, Harness, okReply, type Script } from "./harness.ts";

const prepare = (sql: string): Buffer => Buffer.concat([Buffer.of(0x16), Buffer.from(sql)]);
const onStatement = (command: number, id: number, rest: Buffer = Buffer.alloc(0)): Buffer => {
  const head = Buffer.alloc(5);
  head[0] = command;
  head.writeUInt32LE(id, 1);
  return Buffer.concat([head, rest]);
};
const executeTail = Buffer.from([0, 1, 0, 0, 0]);
const errorOf = (reply: { frames: readonly { payload: Buffer }[] }): number | undefined =>
  decodeError(reply.frames[0]?.payload ?? Buffer.alloc(0))?.code;

const definition: Buffer = Buffer.from("definition");
const eof: Buffer = Buffer.from([0xfe, 0, 0, 2, 0]);

/** Prepares `parameters` without columns, under ids from 41 on; everything else gets OK. */
function preparing(parameters: () => number = () => 0): Script {
  let id = 40;
  return (command) => {
    if (command[0] !== 0x16) return [0x18, 0x19].includes(command[0] ?? 0) ? null : okReply();
    id += 1;
    const count = parameters();
    const packets: Buffer[] = [Buffer.from([0, id, 0, 0, 0, 0, 0, count, 0, 0, 0, 0])];
    for (let index = 0; index < count; index += 1) packets.push(definition);
    if (count > 0) packets.push(eof);
    return Buffer.concat(packets.map((packet, index) => toFrames(packet, index + 1)));
  };
}

/** One INT parameter with the value 7; `typed`: with its type, as clients send it the first time. */
const executeWithInteger = (typed: boolean): Buffer =>
  Buffer.concat([executeTail, Buffer.from(typed ? [0, 1, 3, 0] : [0, 0]), Buffer.from([7, 0, 0, 0])]);
const texts = (harness: Harness, backend: number): string[] =>
  (harness.backends[backend]?.commands ?? []).map((command) => command.toString("latin1"));
/** The backend closes its connection; resolved when the session has noticed. */
async function loseBackend(harness: Harness, backend: number): Promise<void> {
  harness.backends[backend]?.stream.end();
  await vi.waitFor(() => expect(harness.backends[backend]?.closedBecause).not.toBeNull());
}

describe("prepared statements", () => {
  it("have ids of the gateway, and are executed under the backend's own", async () => {
    const harness = new Harness({ script: preparing() });
    const client = await harness.login();
    expect((await client.command(prepare("select 1"))).frames[0]?.payload.readUInt32LE(1)).toBe(1);
    expect((await client.command(onStatement(0x17, 1, executeTail))).frames[0]?.payload[0]).toBe(0);
    expect((await client.command(onStatement(0x1a, 1))).frames[0]?.payload[0]).toBe(0);
    client.stream.write(toFrames(onStatement(0x19, 1)));
    await client.command(Buffer.of(0x0e));
    const commands = harness.backends[0]?.commands ?? [];
    expect(commands.map((one) => one[0])).toEqual([0x16, 0x17, 0x1a, 0x19, 0x0e]);
    for (const command of commands.slice(1, 4)) expect(command.readUInt32LE(1)).toBe(41);
  });

  it("are prepared again on another connection, with the types that the client bound before", async () => {
    const harness = new Harness({ script: preparing(() => 1) });
    const client = await harness.login();
    await client.command(prepare("select ?"));
    await client.command(onStatement(0x17, 1, executeWithInteger(true)));
    await client.command(onStatement(0x17, 1, executeWithInteger(false)));
    await loseBackend(harness, 0);
    for (let round = 0; round < 2; round += 1) {
      const reply = await client.command(onStatement(0x17, 1, executeWithInteger(false)));
      expect(reply.frames[0]?.payload[0]).toBe(0);
    }
    expect(texts(harness, 1)).toEqual([
      prepare("select ?").toString("latin1"),
      onStatement(0x17, 42, executeWithInteger(true)).toString("latin1"),
      onStatement(0x17, 42, executeWithInteger(false)).toString("latin1"),
    ]);
  });

  it("that are another one when they are prepared again are unknown: 1243", async () => {
    let parameters = 1;
    const harness = new Harness({ script: preparing(() => parameters) });
    const client = await harness.login();
    await client.command(prepare("select ?"));
    await loseBackend(harness, 0);
    parameters = 2;
    expect(errorOf(await client.command(onStatement(0x17, 1, executeWithInteger(true))))).toBe(1243);
    parameters = 1;
    expect(errorOf(await client.command(onStatement(0x17, 1, executeWithInteger(true))))).toBe(1243);
    expect(harness.services.preparedStatements.count).toBe(0);
  });

  it("of which the server thinks otherwise now give the server's error", async () => {
    let isGone = false;
    const usual = preparing();
    const script: Script = (command, backend) =>
      isGone && command[0] === 0x16 ? errReply(1146, "Table 't' doesn't exist") : usual(command, backend);
    const harness = new Harness({ script });
    const client = await harness.login();
    await client.command(prepare("select * from t"));
    await loseBackend(harness, 0);
    isGone = true;
    expect(errorOf(await client.command(onStatement(0x17, 1, executeTail)))).toBe(1146);
    isGone = false;
    expect((await client.command(onStatement(0x17, 1, executeTail))).frames[0]?.payload[0]).toBe(0);
  });

  it("of one text have a copy each", async () => {
    const harness = new Harness({ script: preparing() });
    const client = await harness.login();
    for (let count = 0; count < 2; count += 1) await client.command(prepare("select 1"));
    for (const id of [1, 2]) await client.command(onStatement(0x17, id, executeTail));
    const executed = (harness.backends[0]?.commands ?? []).slice(2);
    expect(executed.map((command) => command.readUInt32LE(1))).toEqual([41, 42]);
  });

  it.each([
    ["an open cursor", () => okReply(0x0042)],
    ["long data", null],
  ])("with %s cannot leave their connection", async (_name, cursorReply) => {
    const usual = preparing();
    const script: Script = (command, backend) =>
      command[0] === 0x17 && cursorReply !== null ? cursorReply() : usual(command, backend);
    const harness = new Harness({ script });
    const client = await harness.login();
    await client.command(prepare("select 1"));
    if (cursorReply === null) {
      client.stream.write(toFrames(onStatement(0x18, 1, Buffer.from([0, 0, 1]))));
      await client.command(Buffer.of(0x0e));
    } else {
      await client.command(onStatement(0x17, 1, Buffer.from([1, 1, 0, 0, 0])));
    }
    harness.backends[0]?.stream.end();
    await expect(client.reader.readFrame()).rejects.toThrow(/ended/);
  });

  it("of an unknown id never reach a backend: 1243", async () => {
    const harness = new Harness({ script: preparing() });
    const client = await harness.login();
    for (const command of [0x17, 0x1a, 0x1c]) {
      expect(errorOf(await client.command(onStatement(command, 9, executeTail)))).toBe(1243);
    }
    client.stream.write(toFrames(onStatement(0x19, 9)));
    client.stream.write(toFrames(onStatement(0x18, 9, Buffer.from([0, 0, 1]))));
    await client.command(Buffer.of(0x0e));
    expect(harness.backends.length).toBe(0);
  });

  it("are counted over all sessions: 1461 beyond the limit, free again after CLOSE", async () => {
    const harness = new Harness({ script: preparing(), limits: { preparedStatementsMax: 2 } });
    const one = await harness.login();
    const two = await harness.login();
    await one.command(prepare("select 1"));
    await two.command(prepare("select 1"));
    expect(errorOf(await two.command(prepare("select 1")))).toBe(1461);
    one.stream.write(toFrames(onStatement(0x19, 1)));
    await one.command(Buffer.of(0x0e));
    expect((await two.command(prepare("select 1"))).frames[0]?.payload[0]).toBe(0);
    two.stream.write(toFrames(Buffer.of(1)));
    await harness.sessions[1];
    expect(harness.services.preparedStatements.count).toBe(0);
  });

  it("are judged again after the ACL has changed", async () => {
    let denied = false;
    let generation = 1;
    const authorizer: Authorizer = {
      ...permitAll,
      get generation() {
        return generation;
      },
      enforcing: true,
      authorize: () => (denied ? sqlError("ER_TABLEACCESS_DENIED_ERROR") : clientPermit("test")),
    };
    const harness = new Harness({ script: preparing(), authorizer });
    const client = await harness.login();
    await client.command(prepare("select * from t"));
    denied = true;
    expect((await client.command(onStatement(0x17, 1, executeTail))).frames[0]?.payload[0]).toBe(0);
    generation = 2;
    expect(errorOf(await client.command(onStatement(0x17, 1, executeTail)))).toBe(1142);
    denied = false;
    generation = 3;
    expect((await client.command(onStatement(0x17, 1, executeTail))).frames[0]?.payload[0]).toBe(0);
  });

  it("of a KILL stay in the gateway", async () => {
    const victimId = { now: 0 };
    const harness = new Harness({
      analyze: () => [{ ...bareStatement("KILL"), kill: { scope: "connection", id: victimId.now } }],
    });
    const victim = await harness.login();
    victimId.now = victim.greeting.connectionId;
    const client = await harness.login();
    const prepared = (await client.command(prepare("kill 5"))).frames[0]?.payload ?? Buffer.alloc(0);
    expect(prepared[0]).toBe(0);
    const id = prepared.readUInt32LE(1);
    expect((await client.command(onStatement(0x17, id, executeTail))).frames[0]?.payload[0]).toBe(0);
    await expect(victim.reader.readFrame()).rejects.toThrow(/ended/);
    expect(harness.backends.length).toBe(0);
  });
});

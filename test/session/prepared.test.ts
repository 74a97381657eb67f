// Prepared statements between a scripted client and a scripted backend.
import { describe, expect, it } from "vitest";
import { type Authorizer, permitAll } from "../../src/acl/authorizer.ts";
import { clientPermit } from "../../src/acl/permit.ts";
import { sqlError } from "../../src/errors/sql-error.ts";
import { bareStatement } from "../../src/sql/statement-summary.ts";
import { toFrames } from "../support/raw/frame-reader.ts";
import { decodeError } from "../support/raw/packets.ts";
import { Harness, okReply, type Script } from "./harness.ts";

const prepare = (sql: string): Buffer => Buffer.concat([Buffer.of(0x16), Buffer.from(sql)]);
const onStatement = (command: number, id: number, rest = Buffer.alloc(0)): Buffer => {
  const head = Buffer.alloc(5);
  head[0] = command;
  head.writeUInt32LE(id, 1);
  return Buffer.concat([head, rest]);
};
const executeTail = Buffer.from([0, 1, 0, 0, 0]);
const errorOf = (reply: { frames: readonly { payload: Buffer }[] }): number | undefined =>
  decodeError(reply.frames[0]?.payload ?? Buffer.alloc(0))?.code;

/** Prepares without parameters or columns; everything else gets OK. */
function preparing(): Script {
  let id = 0;
  return (command) => {
    if (command[0] !== 0x16) return [0x18, 0x19].includes(command[0] ?? 0) ? null : okReply();
    id += 1;
    return toFrames(Buffer.from([0, id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 1);
  };
}

describe("prepared statements", () => {
  it("are executed under the backend's own id", async () => {
    const harness = new Harness({ script: preparing() });
    const client = await harness.login();
    await client.command(prepare("select 1"));
    expect((await client.command(onStatement(0x17, 1, executeTail))).frames[0]?.payload[0]).toBe(0);
    expect(harness.backends[0]?.commands.map((one) => one[0])).toEqual([0x16, 0x17]);
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

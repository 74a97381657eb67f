// The command phase between a scripted client and a scripted backend.
import { describe, expect, it } from "vitest";
import { sqlError } from "../../src/errors/sql-error.ts";
import { bareStatement, noEffects } from "../../src/sql/statement-summary.ts";
import { toFrames } from "../support/raw/frame-reader.ts";
import { decodeError } from "../support/raw/packets.ts";
import { waitUntil } from "../support/scratch.ts";
import { errReply, Harness, okReply } from "./harness.ts";

const query = (sql: string): Buffer => Buffer.concat([Buffer.of(3), Buffer.from(sql)]);

describe("the command loop", () => {
  it("relays a query and its reply byte for byte", async () => {
    const harness = new Harness({ script: () => okReply(0x22) });
    const client = await harness.login();
    const reply = await client.command(query("insert into t values (1)"));
    expect(
      Buffer.concat(reply.frames.map((f) => toFrames(f.payload, f.sequence))).equals(okReply(0x22)),
    ).toBe(true);
    expect(harness.backends[0]?.commands[0]?.toString()).toBe("\u0003insert into t values (1)");
  });

  it("takes no backend before the first command that needs one", async () => {
    const harness = new Harness();
    const client = await harness.login();
    await client.command(Buffer.of(0x0e));
    expect(harness.backends.length).toBe(0);
    await client.command(query("select 1"));
    expect(harness.backends.length).toBe(1);
  });

  it("answers commands that were sent ahead one after the other", async () => {
    const harness = new Harness();
    const client = await harness.login();
    const frames = [query("a"), query("b"), Buffer.of(0x0e), query("c")].map((payload) => toFrames(payload));
    client.stream.write(Buffer.concat(frames));
    for (let index = 0; index < 4; index += 1) {
      const frame = await client.reader.readFrame();
      expect([frame.sequence, frame.payload[0]]).toEqual([1, 0]);
    }
  });

  it("puts a command together from single bytes", async () => {
    const harness = new Harness();
    const client = await harness.login();
    for (const byte of toFrames(query("select 1"))) client.stream.write(Buffer.of(byte));
    expect((await client.reader.readFrame()).payload[0]).toBe(0);
    expect(harness.backends[0]?.commands.length).toBe(1);
  });

  it("answers an unknown command and an empty packet with 1047 and goes on", async () => {
    const harness = new Harness();
    const client = await harness.login();
    for (const payload of [Buffer.of(0x12), Buffer.of(0x1e), Buffer.of(0x55), Buffer.alloc(0)]) {
      const frames = (await client.command(payload)).frames;
      expect(decodeError(frames[0]?.payload ?? Buffer.alloc(0))?.code).toBe(1047);
    }
    expect((await client.command(Buffer.of(0x0e))).frames.length).toBe(1);
  });

  it("ends a session whose packets are out of order with 1156", async () => {
    const harness = new Harness();
    const client = await harness.login();
    client.stream.write(toFrames(query("select 1"), 5));
    const frame = await client.reader.readFrame();
    expect([frame.sequence, decodeError(frame.payload)?.code]).toEqual([0, 1156]);
    await expect(client.reader.readFrame()).rejects.toThrow(/ended/);
  });

  it("refuses a packet beyond max_allowed_packet with 1153 before it has arrived", async () => {
    const harness = new Harness({ limits: { allowedPacketBytesMax: 1000 } });
    const client = await harness.login();
    client.stream.write(Buffer.from([0xe9, 0x03, 0x00, 0x00, 0x03]));
    expect(decodeError((await client.reader.readFrame()).payload)?.code).toBe(1153);
  });

  it("answers COM_PROCESS_INFO with the user's own sessions, without a backend", async () => {
    const harness = new Harness();
    const client = await harness.login("alice");
    await harness.login("bob");
    const reply = await client.command(Buffer.of(0x0a));
    expect(reply.error).toBeNull();
    const text = Buffer.concat(reply.frames.map(({ payload }) => payload)).toString("latin1");
    expect(text).toContain("alice");
    expect(text).not.toContain("bob");
    expect(harness.backends).toEqual([]);
  });

  it("hides the service account in errors of the backend", async () => {
    const harness = new Harness({
      script: () => errReply(1044, "Access denied for user 'service'@'localhost' to database 'x'"),
    });
    const client = await harness.login("alice");
    const reply = await client.command(query("use x"));
    expect(decodeError(reply.frames[0]?.payload ?? Buffer.alloc(0))?.message).toBe(
      "Access denied for user 'alice'@'%' to database 'x'",
    );
  });

  it("keeps the session when no backend can be had", async () => {
    let down = true;
    const harness = new Harness({ acquire: () => (down ? sqlError("ER_SERVER_ISNT_AVAILABLE") : null) });
    const client = await harness.login();
    const refused = await client.command(query("select 1"));
    expect(decodeError(refused.frames[0]?.payload ?? Buffer.alloc(0))?.code).toBe(3168);
    down = false;
    expect((await client.command(query("select 1"))).frames[0]?.payload[0]).toBe(0);
  });

  it("replaces a backend unseen that died while the session was idle and held nothing", async () => {
    const harness = new Harness();
    const client = await harness.login();
    await client.command(query("select 1"));
    harness.backends[0]?.stream.end();
    await expect.poll(() => harness.backends[0]?.closedBecause).not.toBeNull();
    expect((await client.command(query("select 1"))).frames[0]?.payload[0]).toBe(0);
    expect(harness.backends.length).toBe(2);
  });

  it("ends the session when a backend dies with state on it", async () => {
    const pinned = {
      ...bareStatement("SET"),
      effects: { ...noEffects, any: true, pins: "a user variable" },
    };
    const harness = new Harness({ analyze: () => [pinned] });
    const client = await harness.login();
    await client.command(query("set @a = 1"));
    harness.backends[0]?.stream.end();
    await expect(client.reader.readFrame()).rejects.toThrow(/ended/);
    expect(harness.metrics.sessionsEnded.backend_lost).toBe(1);
  });

  it("cancels what runs when the client goes away", async () => {
    const harness = new Harness({ script: () => null });
    const client = await harness.login();
    client.stream.write(toFrames(query("select sleep(100)")));
    await expect.poll(() => harness.backends[0]?.commands.length).toBe(1);
    client.stream.end();
    await harness.sessions[0];
    expect(harness.backends[0]?.cancelled).toBe(1);
    await expect.poll(() => harness.backends[0]?.closedBecause).toBe("client_gone");
    expect(harness.registry.size).toBe(0);
  });

  it("releases the backend when the client quits", async () => {
    const harness = new Harness();
    const client = await harness.login();
    await client.command(query("select 1"));
    client.stream.write(toFrames(Buffer.of(1)));
    await harness.sessions[0];
    expect(harness.backends[0]?.released).toBe(true);
  });

  it("ends an idle session with 4031 in a packet of sequence 0", async () => {
    const harness = new Harness({ limits: { idleTimeoutMs: 5000 } });
    const client = await harness.login();
    await client.command(Buffer.of(0x0e));
    harness.clock.nowMs += 5001;
    harness.registry.sweep(harness.clock.nowMs);
    const frame = await client.reader.readFrame();
    expect([frame.sequence, decodeError(frame.payload)?.code]).toEqual([0, 4031]);
  });

  it("tells a client that is silent before its login 1159", async () => {
    const harness = new Harness({ limits: { connectTimeoutMs: 5000 } });
    const { RawClient } = await import("../support/raw/raw-client.ts");
    const client = await RawClient.over(harness.connect());
    harness.clock.nowMs += 5001;
    harness.registry.sweep(harness.clock.nowMs);
    const frame = await client.reader.readFrame();
    expect(frame.sequence).toBe(1);
    expect(frame.payload.readUInt16LE(1)).toBe(1159);
    await harness.sessions[0];
    expect(harness.registry.size).toBe(0);
  });

  it("cancels a statement beyond the query timeout and says 3024", async () => {
    const harness = new Harness({
      limits: { queryTimeoutMs: 1000 },
      script: (_command, backend) => {
        void (async () => {
          await expect.poll(() => backend.cancelled).toBe(1);
          backend.stream.write(errReply(1317, "Query execution was interrupted"));
        })();
        return null;
      },
    });
    const client = await harness.login();
    const reply = client.command(query("select sleep(100)"));
    await expect.poll(() => harness.backends[0]?.commands.length).toBe(1);
    harness.clock.nowMs += 1001;
    harness.registry.sweep(harness.clock.nowMs);
    expect(decodeError((await reply).frames[0]?.payload ?? Buffer.alloc(0))?.code).toBe(3024);
  });

  it("never believes a backend that says more than its reply", async () => {
    const harness = new Harness({ script: () => Buffer.concat([okReply(), okReply()]) });
    const client = await harness.login();
    client.stream.write(toFrames(query("select 1")));
    await harness.sessions[0];
    expect(harness.backends[0]?.closedBecause).toMatch(/behind the end/);
  });
});

describe("KILL", () => {
  const kill = (scope: "query" | "connection", id: number | null) => () => [
    { ...bareStatement("KILL"), kill: { scope, id } },
  ];

  it("answers 1094 for an unknown id and 1095 for somebody else's session", async () => {
    let id = 1;
    const harness = new Harness({ analyze: () => kill("connection", id)() });
    const other = await harness.login("bob");
    const client = await harness.login("alice");
    expect(decodeError((await client.command(query("kill"))).frames[0]!.payload)?.code).toBe(1094);
    id = other.greeting.connectionId;
    expect(decodeError((await client.command(query("kill"))).frames[0]!.payload)?.code).toBe(1095);
    expect(harness.backends.length).toBe(0);
  });

  it("ends a session of the same user", async () => {
    let id = 0;
    const harness = new Harness({ analyze: () => kill("connection", id)() });
    const victim = await harness.login("alice");
    const client = await harness.login("alice");
    id = victim.greeting.connectionId;
    expect((await client.command(query("kill"))).frames[0]?.payload[0]).toBe(0);
    await expect(victim.reader.readFrame()).rejects.toThrow(/ended/);
  });
});

describe("a mistake of ours", () => {
  it("while a reply is handled ends that session, and no other", async () => {
    const harness = new Harness({ script: () => okReply() });
    const errors: unknown[] = [];
    Object.assign(harness.services.logger, { error: (message: string) => errors.push(message) });
    const other = await harness.login();
    const client = await harness.login();
    Object.defineProperty(harness.metrics, "bytesToClients", {
      configurable: true,
      set: () => {
        throw new Error("planted");
      },
      get: () => 0,
    });
    client.stream.write(toFrames(query("select 1")));
    await harness.sessions[1];
    expect(harness.metrics.sessionsEnded.internal_error).toBe(1);
    expect(errors.length).toBe(1);
    Object.defineProperty(harness.metrics, "bytesToClients", { writable: true, value: 0 });
    expect((await other.command(query("select 1"))).frames[0]?.payload[0]).toBe(0);
  });
});

describe("what is shown of a session", () => {
  it("tells who it is and what it does, without any text of a statement", async () => {
    const harness = new Harness({ script: () => null });
    const client = await harness.login("app", { database: "shop" });
    const view = () => [...harness.registry.all()].map((session) => session.view(harness.clock.nowMs))[0];
    harness.clock.nowMs += 2500;
    expect(view()).toMatchObject({
      user: "app",
      userData: "app_data",
      entry: "app[0]",
      phase: "idle",
      command: null,
      phaseMs: 2500,
      database: "shop",
      tablet: "backend",
    });
    client.stream.write(toFrames(query("SELECT 'secret'")));
    await waitUntil(() => view()?.phase === "busy", "the command is under way");
    harness.clock.nowMs += 40;
    expect(view()).toMatchObject({ command: "QUERY", statement: "SELECT", phaseMs: 40, ageMs: 2540 });
    expect(JSON.stringify(view())).not.toContain("secret");
    for (const session of harness.registry.all()) session.forceEnd("ended_by_operator");
    await harness.sessions[0];
    expect(harness.metrics.sessionsEnded).toEqual({ ended_by_operator: 1 });
    expect(harness.audit.at(-1)).toMatchObject({
      kind: "disconnect",
      record: { reason: "ended_by_operator", user: "app" },
    });
    expect(harness.backends[0]?.cancelled).toBe(1);
  });
});

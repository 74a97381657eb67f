// Bad input: the right MySQL error and a closed socket, never an exception, never another session's trouble.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { deflateSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAuthority, issueServerCertificate } from "../support/certificates.ts";
import type { DatabaseServer } from "../support/database-server.ts";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { startGateway, testUser } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { capability, usualCapabilities } from "../support/raw/capabilities.ts";
import { toFrames } from "../support/raw/frame-reader.ts";
import { loggedIn, logIn } from "../support/raw/login.ts";
import { decodeError, encodeLogin, encodeLoginHead } from "../support/raw/packets.ts";
import { openSocket, RawClient } from "../support/raw/raw-client.ts";
import { waitUntil, within } from "../support/scratch.ts";

let server: DatabaseServer;
let gateway: GatewayProcess;
let witness: RawClient; // logged in all the time; must never notice anything
beforeAll(async () => {
  server = await startMariadb({ skipNetworking: true });
  const { cert, key } = issueServerCertificate(createAuthority());
  gateway = await startGateway({
    backend: server,
    flags: {
      mysql_server_ssl_cert: cert,
      mysql_server_ssl_key: key,
      mysql_server_connect_timeout: "2s",
      max_allowed_packet: "1MiB",
    },
  });
  witness = await loggedIn({ port: gateway.port }, testUser);
});
afterAll(async () => {
  expect(await witness.rows("SELECT 'unharmed'")).toEqual([["unharmed"]]);
  await witness.quit();
  // Everything that was refused is gone: no session is left behind.
  await waitUntil(async () => (await gateway.metric("sessions")) === 0, "all sessions to end");
  await gateway.stop(); // fails when the log shows an uncaught error
  await server.stop();
});

/** Sends bytes instead of a login and returns what the gateway says before it closes. */
async function insteadOfLogin(bytes: Uint8Array, end = false): Promise<Buffer> {
  const client = await RawClient.connect({ port: gateway.port });
  client.stream.write(bytes);
  if (end) client.stream.end();
  const answer = await client.readToEnd(10_000);
  client.destroy();
  expect(await witness.rows("SELECT 1")).toEqual([["1"]]);
  return answer;
}

const errorOf = (answer: Buffer) => (answer.length > 4 ? decodeError(answer.subarray(4)) : null);
const login = (fields: Partial<Parameters<typeof encodeLogin>[0]>): Buffer =>
  encodeLogin({
    user: testUser.user,
    authResponse: Buffer.alloc(32, 1),
    plugin: "caching_sha2_password",
    database: "",
    capabilities: usualCapabilities,
    collation: 45,
    attributes: {},
    ...fields,
  });

describe("instead of a login", () => {
  it("an HTTP request gets 1156, sequence 1", async () => {
    const answer = await insteadOfLogin(Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    expect(errorOf(answer)).toMatchObject({ code: 1156 });
    expect(answer[3]).toBe(1);
  });

  it("a wrong sequence number gets 1156", async () => {
    for (const sequence of [0, 2, 255]) {
      expect(errorOf(await insteadOfLogin(toFrames(login({}), sequence)))).toMatchObject({ code: 1156 });
    }
  });

  it("a response that is cut short gets 1043 or a refusal, at every length", async () => {
    const whole = login({ database: "shop", capabilities: usualCapabilities | capability.CONNECT_WITH_DB });
    let asked = 0;
    for (let length = 0; length < whole.length; length += length < 40 ? 3 : 1) {
      const answer = await insteadOfLogin(toFrames(whole.subarray(0, length), 1), true);
      const error = errorOf(answer);
      // A cut behind the auth response can still be a whole, older packet: then it is judged, and refused.
      if (error !== null) expect([1043, 1045, 1049]).toContain(error.code);
      else
        expect(answer[4] === 0x01 || answer[4] === 0xfe, `${length}: ${answer.toString("hex")}`).toBe(true);
      asked++;
    }
    expect(asked).toBeGreaterThan(50);
  });

  it("lengths that lie inside the packet get 1043 or a refusal", async () => {
    const lies = [
      Buffer.concat([encodeLoginHead(usualCapabilities, 45), Buffer.from("u\0"), Buffer.from([250])]),
      Buffer.concat([
        encodeLoginHead(usualCapabilities, 45),
        Buffer.from("u\0"),
        Buffer.from([0xfe]),
        Buffer.alloc(8, 255),
      ]),
      Buffer.concat([encodeLoginHead(usualCapabilities, 45), Buffer.alloc(300, 0x61)]), // no NUL
      Buffer.concat([login({}).subarray(0, -1), Buffer.from([0xfd, 255, 255, 255])]),
      encodeLoginHead(usualCapabilities, 45),
      Buffer.alloc(4),
      Buffer.alloc(0),
      login({ capabilities: usualCapabilities & ~capability.PROTOCOL_41 }),
    ];
    for (const lie of lies) {
      const error = errorOf(await insteadOfLogin(toFrames(lie, 1), true));
      expect([1043, 1045, undefined], lie.toString("hex").slice(0, 80)).toContain(error?.code);
    }
    const attributes = { k: "v".repeat(70_000) };
    expect(errorOf(await insteadOfLogin(toFrames(login({ attributes }), 1)))).toMatchObject({ code: 1043 });
  });

  it("a login of many megabytes is refused before it is read", async () => {
    const client = await RawClient.connect({ port: gateway.port });
    client.stream.on("error", () => {});
    client.stream.write(Buffer.from([0xff, 0xff, 0xff, 1]));
    const before = gateway.residentKib();
    for (let sent = 0; sent < 64 && !client.reader.hasEnded; sent++) {
      await new Promise((resolve) => client.stream.write(Buffer.alloc(256 * 1024), resolve));
    }
    await client.readToEnd().catch(() => {});
    expect(gateway.residentKib() - before).toBeLessThan(20 * 1024);
    client.destroy();
  });

  it("a collation that no server knows does not stop a login from being judged", async () => {
    for (const collation of [0, 255, 199]) {
      const client = await RawClient.connect({ port: gateway.port });
      const result = await logIn(client, { ...testUser, collation });
      expect(result.ok || (result.error?.code ?? 0) >= 1000).toBe(true);
      if (result.ok) expect((await client.query("SELECT 1")).error).toBeNull();
      client.destroy();
    }
  });

  it("random bytes never hang and never hurt", async () => {
    let closed = 0;
    const attempts = Array.from({ length: 60 }, async (_, index) => {
      const client = await RawClient.connect({ port: gateway.port });
      const noise = randomBytes(1 + ((index * 37) % 3000));
      if (index % 2 === 0)
        client.stream.write(toFrames(noise, 1)); // in a frame that is well formed
      else client.stream.write(noise);
      if (index % 3 === 0) client.stream.end();
      await client.readToEnd(8000);
      client.destroy();
      closed++;
    });
    await Promise.all(attempts);
    expect(closed).toBe(60);
  });
});

describe("TLS", () => {
  const sslRequest = toFrames(encodeLoginHead(usualCapabilities | capability.SSL, 45), 1);

  it("cut off, garbled, or with the login in clear behind the request is closed", async () => {
    for (const rest of [
      Buffer.alloc(0),
      Buffer.from("16030100", "hex"),
      Buffer.from("16030102000100", "hex"),
      randomBytes(500),
      toFrames(login({}), 2),
      Buffer.from("GET / HTTP/1.1\r\n\r\n"),
    ]) {
      const client = await RawClient.connect({ port: gateway.port });
      client.stream.write(Buffer.concat([sslRequest, rest]));
      client.stream.end();
      const answer = await client.readToEnd();
      // At most a TLS alert: never a packet in clear, never a greeting again.
      if (answer.length > 0) expect(answer[0]).toBe(0x15);
      client.destroy();
    }
  });

  it("closed by the client in the middle of the handshake or of a statement harms nobody", async () => {
    for (let round = 0; round < 5; round++) {
      const client = await RawClient.connect({ port: gateway.port });
      client.stream.write(sslRequest);
      client.destroy();
      const secure = await loggedIn({ port: gateway.port }, testUser, true);
      secure.stream.write(
        toFrames(Buffer.concat([Buffer.from([3]), Buffer.from("SELECT SLEEP(5), 'tls-gone'")])),
      );
      secure.destroy();
    }
    await waitUntil(
      async () =>
        (
          await server.admin(
            "SELECT 1 FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP(5), %'",
          )
        ).length === 0,
      "the statements to be cancelled",
    );
  });

  it("refuses what comes twice: an SSLRequest inside TLS", async () => {
    const client = await RawClient.connect({ port: gateway.port });
    await client.startTls();
    client.sendLoginPacket(encodeLoginHead(usualCapabilities | capability.SSL, 45));
    const answer = await client.readToEnd();
    expect([1043, 1045, undefined]).toContain(errorOf(answer)?.code);
    client.destroy();
  });
});

describe("behind a login", () => {
  it("a wrong sequence number gets 1156 with sequence 0 or 1, and close", async () => {
    for (const sequence of [1, 7, 255]) {
      const client = await loggedIn({ port: gateway.port }, testUser);
      client.stream.write(toFrames(Buffer.from([0x0e]), sequence));
      expect(errorOf(await client.readToEnd())).toMatchObject({ code: 1156, state: "08S01" });
      client.destroy();
    }
  });

  it("an empty packet is an unknown command, and the session lives", async () => {
    const client = await loggedIn({ port: gateway.port }, testUser);
    client.stream.write(toFrames(Buffer.alloc(0)));
    expect((await client.readReply(0)).error).toMatchObject({ code: 1047, state: "08S01" });
    expect(await client.rows("SELECT 1")).toEqual([["1"]]);
    client.destroy();
  });

  it("commands with bodies of any bytes are answered or refused, never a hang or another's trouble", async () => {
    let answered = 0;
    for (const command of [0x02, 0x03, 0x04, 0x09, 0x0e, 0x16, 0x17, 0x1a, 0x1b, 0x1c, 0x1f, 0x20, 0xff]) {
      for (const body of [
        Buffer.alloc(0),
        Buffer.alloc(3),
        randomBytes(9),
        randomBytes(2000),
        Buffer.alloc(20, 255),
      ]) {
        const client = await loggedIn({ port: gateway.port }, testUser);
        const reply = await client.command(Buffer.concat([Buffer.from([command]), body])).catch(() => null);
        if (reply !== null) {
          answered++;
          expect(await client.rows("SELECT 'in step'")).toEqual([["in step"]]);
        }
        client.destroy();
      }
    }
    expect(answered).toBeGreaterThan(50);
  });

  it("pipelined commands are answered one after the other", async () => {
    const client = await loggedIn({ port: gateway.port }, testUser);
    const texts = Array.from({ length: 50 }, (_, index) => `SELECT ${index}, REPEAT('p', ${index * 100})`);
    client.stream.write(
      Buffer.concat(texts.map((text) => toFrames(Buffer.concat([Buffer.from([3]), Buffer.from(text)])))),
    );
    for (const [index] of texts.entries()) {
      const reply = await client.readReply(3);
      expect(reply.packets.at(-2)?.toString()).toContain(String(index));
    }
    client.destroy();
  });

  it("a command that comes byte by byte is the same command", async () => {
    const client = await loggedIn({ port: gateway.port }, testUser);
    for (const byte of toFrames(Buffer.concat([Buffer.from([3]), Buffer.from("SELECT 'slowly'")]))) {
      await new Promise((resolve) => client.stream.write(Buffer.from([byte]), resolve));
    }
    expect((await client.readReply(3)).packets.at(-2)?.toString()).toContain("slowly");
    client.destroy();
  });

  it.each([false, true])(
    "a client that compresses unasked gets 1235 as it reads it (zlib: %s)",
    async (isZlib) => {
      const capabilities = usualCapabilities | capability.COMPRESS;
      const client = await loggedIn({ port: gateway.port }, { ...testUser, capabilities });
      const packet = toFrames(Buffer.from(`\x03SELECT '${"x".repeat(300)}'`));
      const content = isZlib ? deflateSync(packet) : packet;
      const header = Buffer.alloc(7);
      header.writeUIntLE(content.length, 0, 3);
      header.writeUIntLE(isZlib ? packet.length : 0, 4, 3);
      client.stream.write(Buffer.concat([header, content]));
      const answer = await client.readToEnd(10_000);
      expect(answer.readUIntLE(0, 3)).toBe(answer.length - 7);
      expect(answer.readUIntLE(3, 4)).toBe(1); // the sequence number, and no length: it is not compressed
      expect(errorOf(answer.subarray(7))).toMatchObject({ code: 1235 });
      client.destroy();
    },
  );

  it("a client that says so and does not compress is served", async () => {
    const capabilities = usualCapabilities | capability.COMPRESS;
    const client = await loggedIn({ port: gateway.port }, { ...testUser, capabilities });
    expect(await client.rows("SELECT 1")).toEqual([["1"]]);
    await client.quit();
  });

  it("a client that resets its connection in the middle of everything harms nobody", async () => {
    for (let round = 0; round < 20; round++) {
      const client = await loggedIn({ port: gateway.port }, { ...testUser, database: "shop" });
      const text = "SELECT REPEAT('x', 1000000) FROM seq_1_to_100";
      client.stream.write(toFrames(Buffer.concat([Buffer.from([3]), Buffer.from(text)])));
      if (round % 2 === 0) await client.reader.readFrame();
      (client.stream as unknown as { resetAndDestroy(): void }).resetAndDestroy();
    }
    expect(await witness.rows("SELECT 1")).toEqual([["1"]]);
  });

  it("connections that are opened and dropped at once leave nothing behind", async () => {
    for (let round = 0; round < 200; round++) {
      const socket = await openSocket({ port: gateway.port });
      if (round % 4 === 0) await within(once(socket, "data"), "a greeting");
      if (round % 2 === 0) socket.destroy();
      else socket.end();
    }
    expect(await witness.rows("SELECT 1")).toEqual([["1"]]);
  });
});

// The PROXY protocol, versions 1 and 2, from trusted networks only.
// https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { startGateway } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { logIn } from "../support/raw/login.ts";
import { openSocket, RawClient } from "../support/raw/raw-client.ts";
import { within } from "../support/scratch.ts";

const signature = Buffer.from("0d0a0d0a000d0a515549540a", "hex");

/** Version 2 for IPv4: source, destination, ports, further TLVs. */
function v2(source: string, tlvs = Buffer.alloc(0), command = 0x21): Buffer {
  const body = Buffer.concat([
    Buffer.from(source.split(".").map(Number)),
    Buffer.from([127, 0, 0, 1, 0x30, 0x39, 0x0c, 0xea]),
    tlvs,
  ]);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(body.length);
  return Buffer.concat([signature, Buffer.from([command, 0x11]), length, body]);
}

const v1 = (source: string): Buffer => Buffer.from(`PROXY TCP4 ${source} 127.0.0.1 12345 3306\r\n`);

let server: DatabaseServer;
let gateway: GatewayProcess; // trusts 127.0.0.1 only
const inside = { user: "inside", password: "x" };
beforeAll(async () => {
  server = await startMariadb({ skipNetworking: true });
  gateway = await startGateway({
    backend: server,
    users: {
      inside: [{ Password: "x", SourceHost: "10.1.2.0/24" }],
      local: [{ Password: "x", SourceHost: "127.0.0.0/8" }],
      socket: [{ Password: "x", SourceHost: "localhost" }],
    },
    flags: { proxy_protocol: true, proxy_protocol_trusted: "127.0.0.1" },
  });
});
afterAll(async () => {
  await gateway?.stop();
  await server?.stop();
});

async function enter(header: Buffer, options: { user: string; password: string }) {
  const client = await RawClient.connect({ port: gateway.port }, header);
  const result = await logIn(client, options);
  client.destroy();
  return result;
}

describe("from a trusted network", () => {
  it.each([
    ["version 1", v1("10.1.2.3")],
    ["version 2", v2("10.1.2.3")],
    ["version 2 with TLVs", v2("10.1.2.3", Buffer.concat([Buffer.from([4, 0x0f, 0]), Buffer.alloc(0x0f00)]))],
  ])("the address of a header in %s is the client's", async (_, header) => {
    expect((await enter(header, inside)).ok).toBe(true);
    const refused = await enter(header, { ...inside, password: "y" });
    expect(refused.error?.message).toContain("'inside'@'10.1.2.3'");
    expect((await enter(header, { user: "local", password: "x" })).ok).toBe(false);
    expect((await enter(header, { user: "socket", password: "x" })).ok).toBe(false);
  });

  it("LOCAL and UNKNOWN keep the socket's own address", async () => {
    for (const header of [v2("10.1.2.3", Buffer.alloc(0), 0x20), Buffer.from("PROXY UNKNOWN\r\n")]) {
      expect((await enter(header, { user: "local", password: "x" })).ok).toBe(true);
      expect((await enter(header, inside)).ok).toBe(false);
    }
  });

  it("a header may come in pieces", async () => {
    for (const header of [v1("10.1.2.3"), v2("10.1.2.3")]) {
      const socket = await openSocket({ port: gateway.port });
      for (const byte of header) {
        await new Promise((resolve) => socket.write(Buffer.from([byte]), resolve));
      }
      const client = await RawClient.over(socket);
      expect((await logIn(client, inside)).ok).toBe(true);
      client.destroy();
    }
  });

  it.each([
    ["no header at all", null],
    ["a MySQL client's first packet", Buffer.from("200000018da20f", "hex")],
    ["an HTTP request", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["a line without its end", Buffer.from("PROXY TCP4 10.1.2.3 127.0.0.1 1 2".padEnd(217, " "))],
    ["an address that is none", Buffer.from("PROXY TCP4 10.1.2.300 127.0.0.1 1 2\r\n")],
    ["version 3", Buffer.concat([signature, Buffer.from([0x31, 0x11, 0, 12]), Buffer.alloc(12)])],
    ["a body of 65535 bytes", Buffer.concat([signature, Buffer.from([0x21, 0x11, 0xff, 0xff])])],
    [
      "a body that is too short",
      Buffer.concat([signature, Buffer.from([0x21, 0x11, 0, 4]), Buffer.alloc(4)]),
    ],
  ])("%s is closed without a greeting, within seconds", async (_, bytes) => {
    const socket = await openSocket({ port: gateway.port });
    const received: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => received.push(chunk));
    socket.on("error", () => {});
    if (bytes !== null) socket.write(bytes);
    await within(once(socket, "close"), "the close", 5000);
    expect(Buffer.concat(received)).toEqual(Buffer.alloc(0));
  });
});

describe("from elsewhere", () => {
  it("the greeting comes at once, and a header is no header", async () => {
    // 127.0.0.2 is another address of this machine, and not trusted.
    // The fastest of some: waiting for a header would cost each of them a second, a busy machine not all of them.
    const durationsMs: number[] = [];
    for (let round = 0; round < 5; round++) {
      const started = performance.now();
      const other = await RawClient.connect({ port: gateway.port, localAddress: "127.0.0.2" });
      durationsMs.push(performance.now() - started);
      other.destroy();
    }
    expect(Math.min(...durationsMs)).toBeLessThan(500);
    const client = await RawClient.connect({ port: gateway.port, localAddress: "127.0.0.2" });
    expect((await logIn(client, { user: "local", password: "x" })).ok).toBe(true);
    client.destroy();
    const liar = await RawClient.connect({ port: gateway.port, localAddress: "127.0.0.2" }, v1("10.1.2.3"));
    await liar.readToEnd();
    liar.destroy();
  });

  it("the unix socket needs none", async () => {
    const client = await RawClient.connect({ socketPath: gateway.socketPath });
    expect((await logIn(client, { user: "socket", password: "x" })).ok).toBe(true);
    client.destroy();
  });
});

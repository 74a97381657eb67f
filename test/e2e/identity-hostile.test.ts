// Clients that mean harm before they are anybody: certificates of absurd size, handshakes that fail, stall or never end.
import { randomBytes } from "node:crypto";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import { type GatewayProcess, startGateway } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { Authority, type Issued, issueServer } from "../support/pki.ts";
import { capability, usualCapabilities } from "../support/raw/capabilities.ts";
import { toFrames } from "../support/raw/frame-reader.ts";
import { loggedIn, login } from "../support/raw/login.ts";
import { encodeLoginHead } from "../support/raw/packets.ts";
import { openSocket, RawClient } from "../support/raw/raw-client.ts";
import { waitUntil } from "../support/scratch.ts";

const id = "spiffe://example.org/app/x";
const root = Authority.root();
const inter = root.intermediate("inter");
const good = root.issue("good", { names: `URI:${id}` });
const foreign = Authority.root("foreign", "/CN=Foreign");

let server: DatabaseServer;
let gateway: GatewayProcess;
beforeAll(async () => {
  server = await startMariadb({ skipNetworking: true });
  const { cert, key } = issueServer(root);
  gateway = await startGateway({
    backend: server,
    users: { app: [{ Attributes: { spiffe_id: id } }], plain: [{ Password: "p" }] },
    flags: {
      mysql_server_ssl_cert: cert,
      mysql_server_ssl_key: key,
      mysql_server_ssl_ca: root.cert,
      mysql_server_client_cert: "request",
      mysql_server_connect_timeout: "3s",
    },
  });
});
afterAll(async () => {
  await gateway?.stop();
  await server?.stop();
});

const presenting = (leaf: Issued, chain = "") => ({ cert: leaf.pem + chain, key: leaf.keyPem });
const sslRequest = toFrames(encodeLoginHead(usualCapabilities | capability.SSL, 45), 1);

/** Everybody else is served, and soon. */
async function othersAreServed(): Promise<void> {
  const begun = performance.now();
  const client = await loggedIn({ port: gateway.port }, { user: "app", password: "" }, presenting(good));
  expect(await client.rows("SELECT 1")).toEqual([["1"]]);
  await client.quit();
  expect(performance.now() - begun).toBeLessThan(5000);
}

const openConnections = () => gateway.metric("client_connections", { transport: "tcp" });

describe("a certificate", () => {
  it("with thousands of names is read in no time, and proves nothing", async () => {
    const names = Array.from({ length: 2500 }, (_, index) => `URI:spiffe://example.org/n/${index}`).join(",");
    const leaf = root.issue("names", { names });
    const { client, result } = await login(
      { port: gateway.port },
      { user: "app", password: "" },
      presenting(leaf),
    );
    expect(result.error?.code).toBe(1045);
    client.destroy();
    await othersAreServed();
  });

  it("with a chain of hundreds of others costs the client its own connection at most", async () => {
    for (const [leaf, more] of [
      [good, inter.pem],
      [foreign.issue("leaf"), foreign.pem],
    ] as const) {
      for (const count of [50, 150, 1000]) {
        const outcome = await login(
          { port: gateway.port },
          { user: "app", password: "" },
          presenting(leaf, more.repeat(count)),
        ).then(
          ({ client, result }) => {
            client.destroy();
            return result.ok ? "in" : String(result.error?.code);
          },
          () => "closed",
        );
        // OpenSSL takes 100 KiB of certificates at most.
        expect([leaf === good ? "in" : "1045", "closed"]).toContain(outcome);
        if (count === 1000) expect(outcome).toBe("closed");
        await othersAreServed();
      }
    }
  });

  it("names its subject and issuer at any length without filling the log", async () => {
    const organisation = Array.from({ length: 200 }, () => `/OU=${"x".repeat(60)}`).join("");
    const wordy = Authority.root("wordy", `/CN=Wordy${organisation}`);
    const leaf = wordy.issue("wordyleaf", { names: `URI:${id}` });
    const { client, result } = await login(
      { port: gateway.port },
      { user: "app", password: "" },
      presenting(leaf),
    );
    expect(result.error?.code).toBe(1045);
    const { connectionId } = client.greeting;
    const record = await gateway.waitForRecord(
      (one) => one.audit === "login" && one.connection_id === connectionId,
      "the audit record",
    );
    expect(JSON.stringify(record).length).toBeLessThan(5000);
    client.destroy();
  });
});

describe("a handshake", () => {
  it("of random bytes ends that connection alone", async () => {
    for (let round = 0; round < 100; round++) {
      const socket = await openSocket({ port: gateway.port });
      socket.on("error", () => {});
      const ended = new Promise((resolve) => socket.once("close", resolve));
      socket.resume();
      socket.write(sslRequest);
      // A record that claims to be a handshake, of any content.
      socket.write(Buffer.concat([Buffer.from([0x16, 3, 1, 1, 0]), randomBytes(256 + (round % 64))]));
      await ended;
    }
    await othersAreServed();
    await waitUntil(async () => (await openConnections()) === 0, "the end of all of them");
  });

  it("that is never finished is ended by the login's deadline, hundreds at a time", async () => {
    const before = gateway.residentKib();
    const sockets = await Promise.all(
      Array.from({ length: 400 }, async (_, index) => {
        const socket = await openSocket({ port: gateway.port });
        socket.on("error", () => {});
        socket.resume();
        const ended = new Promise((resolve) => socket.once("close", resolve));
        socket.write(sslRequest);
        // Some say nothing, some begin a record, some claim a long one and send it byte by byte.
        if (index % 3 === 1) socket.write(Buffer.from([0x16, 3, 1]));
        if (index % 3 === 2)
          socket.write(Buffer.concat([Buffer.from([0x16, 3, 1, 0x40, 0]), randomBytes(512)]));
        return { socket, ended };
      }),
    );
    await othersAreServed();
    await Promise.all(sockets.map(({ ended }) => ended));
    await waitUntil(async () => (await openConnections()) === 0, "the end of all of them");
    expect(gateway.residentKib() - before).toBeLessThan(80 * 1024);
    await othersAreServed();
  });

  it("that is left in the middle, again and again, leaves nothing behind", async () => {
    for (let round = 0; round < 200; round++) {
      const client = await RawClient.connect({ port: gateway.port });
      client.stream.write(sslRequest);
      client.reader.detach();
      const tls = connectTls({
        socket: client.stream as never,
        rejectUnauthorized: false,
        ...presenting(good),
      });
      tls.on("error", () => {});
      if (round % 2 === 0) tls.once("secureConnect", () => tls.destroy());
      else setImmediate(() => tls.destroy());
      await new Promise((resolve) => tls.once("close", resolve));
    }
    await othersAreServed();
    await waitUntil(async () => (await openConnections()) === 0, "the end of all of them");
    const open = await gateway.metric("session_failures_total");
    expect(open ?? 0).toBe(0);
  });
});

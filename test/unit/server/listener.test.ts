import { once } from "node:events";
import { readFileSync } from "node:fs";
import net from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { hasReusePort, type Listener, listen } from "../../../src/server/listener.ts";
import type { ClientTransport } from "../../../src/session/client-transport.ts";
import { silentLogger } from "../../../src/telemetry/logger.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** A client's connection, as the listener handed it over. */
async function connection(keepAlivePeriodMs: number) {
  let take: (transport: ClientTransport) => void = () => {};
  const taken = new Promise<ClientTransport>((resolve) => {
    take = resolve;
  });
  const listener: Listener = await listen({
    listen: {
      tcp: { host: "127.0.0.1", port: 0 },
      unixSocketPath: null,
      proxyProtocolTrusted: [],
      keepAlivePeriodMs,
    },
    proxyTrusted: [],
    tls: null,
    onClient: (transport) => take(transport),
    logger: silentLogger,
    isShared: false,
  });
  const port = listener.at.tcp?.port ?? 0;
  const client = net.connect(port, "127.0.0.1");
  const transport = await taken;
  if (client.connecting) await once(client, "connect");
  ends.push(
    () => client.destroy(),
    () => transport.channel.destroy(),
    () => listener.close(),
  );
  return { port, client, transport };
}

const hexPort = (port: number | undefined) => (port ?? 0).toString(16).toUpperCase().padStart(4, "0");

/** The timer of the gateway's end: its kind (2: keepalive) and the seconds until it fires. Linux: proc(5). */
function timerOf(port: number, clientPort: number | undefined): { kind: number; seconds: number } {
  const pair = `0100007F:${hexPort(port)} 0100007F:${hexPort(clientPort)} 01 `;
  const line = readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .find((one) => one.includes(pair));
  const [, kind, ticks] = / [0-9A-F]{8}:[0-9A-F]{8} (\d\d):([0-9A-F]{8}) /.exec(line ?? "") ?? [];
  return { kind: Number(kind), seconds: Number.parseInt(ticks ?? "", 16) / 100 };
}

describe.runIf(process.platform === "linux")("a connection that was accepted", () => {
  it.each([
    { keepAlivePeriodMs: 42_000, seconds: 42 },
    { keepAlivePeriodMs: 0, seconds: 15 },
  ])(
    "is probed after $seconds s of silence for --mysql_server_keepalive_period $keepAlivePeriodMs ms",
    async ({ keepAlivePeriodMs, seconds }) => {
      const { port, client } = await connection(keepAlivePeriodMs);
      const timer = timerOf(port, client.localPort);
      expect(timer.kind).toBe(2);
      expect(timer.seconds).toBeGreaterThan(seconds - 5);
      expect(timer.seconds).toBeLessThanOrEqual(seconds + 1);
    },
  );

  it("tells who the client is", async () => {
    const { client, transport } = await connection(0);
    expect(transport.peer).toEqual({
      transport: "tcp",
      address: "127.0.0.1",
      port: client.localPort,
      host: "127.0.0.1",
      tls: null,
    });
  });
});

describe("a port that several processes share", () => {
  it.each([
    ["20.19.0", false],
    ["22.11.0", false],
    ["22.12.0", true],
    ["23.0.0", false],
    ["23.1.0", true],
    ["24.21.0", true],
  ])("in Node %s is their own: %s", (version, expected) => {
    expect(hasReusePort(version)).toBe(expected);
  });
});

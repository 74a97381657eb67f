// Every limit and timeout toward clients: the error that is sent, and that everybody else goes on.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { startGateway, testUser } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { capability } from "../support/raw/capabilities.ts";
import { toFrames } from "../support/raw/frame-reader.ts";
import { loggedIn, login } from "../support/raw/login.ts";
import { decodeError } from "../support/raw/packets.ts";
import { encodePrepare } from "../support/raw/prepared.ts";
import { openSocket, RawClient, ServerRefused } from "../support/raw/raw-client.ts";
import { waitUntil } from "../support/scratch.ts";

let server: DatabaseServer;
beforeAll(async () => {
  server = await startMariadb({ skipNetworking: true });
});
afterAll(() => server?.stop());

async function withGateway(
  flags: Record<string, string | number | boolean>,
  body: (gateway: GatewayProcess) => Promise<void>,
): Promise<void> {
  const gateway = await startGateway({ backend: server, flags });
  try {
    await body(gateway);
  } catch (error) {
    await gateway.kill();
    throw error;
  }
  await gateway.stop();
}

const enter = (gateway: GatewayProcess): Promise<RawClient> => loggedIn({ port: gateway.port }, testUser);

describe("limits", () => {
  it("--mysql_server_max_connections: 1040 before the greeting, sequence 0, without SQLSTATE", () =>
    withGateway({ mysql_server_max_connections: 2 }, async (gateway) => {
      const first = await enter(gateway);
      const second = await RawClient.connect({ port: gateway.port }); // not logged in: counts, too
      const refused = await RawClient.connect({ port: gateway.port }).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(ServerRefused);
      expect((refused as ServerRefused).fields).toEqual({
        code: 1040,
        state: "",
        message: "Too many connections",
      });
      const socket = await openSocket({ port: gateway.port });
      const bytes = await new Promise<Buffer>((resolve) => socket.once("data", resolve));
      expect(bytes.toString("hex", 0, 7)).toBe("17000000ff1004");
      socket.destroy();
      second.destroy();
      const again = await waitUntil(() => enter(gateway).catch(() => null), "a free place");
      await again.quit();
      await first.quit();
    }));

  it("--mysql_server_max_connections_per_user: 1203 after the password is proven", () =>
    withGateway({ mysql_server_max_connections_per_user: 1 }, async (gateway) => {
      const first = await enter(gateway);
      const second = await login({ port: gateway.port }, testUser);
      expect(second.result.error).toMatchObject({ code: 1203, state: "42000" });
      const wrong = await login({ port: gateway.port }, { ...testUser, password: "wrong" });
      expect(wrong.result.error?.code).toBe(1045);
      await first.quit();
      const again = await waitUntil(() => enter(gateway).catch(() => null), "a free place");
      await again.quit();
    }));

  it("--max_allowed_packet: 1153 and close; a packet of that size passes", () =>
    withGateway({ max_allowed_packet: "1MiB" }, async (gateway) => {
      const client = await enter(gateway);
      const fitting = `SELECT LENGTH('${"x".repeat(1024 * 1024 - 100)}')`;
      expect(await client.rows(fitting)).toEqual([[String(1024 * 1024 - 100)]]);
      for (const payload of [1024 * 1024 + 1, 0xffffff, 0xffffff + 10]) {
        const sender = await enter(gateway);
        const reply = await sender.command(Buffer.alloc(payload, 3)).catch((error: unknown) => error);
        // The client may still be sending when the gateway closes: then it sees a reset instead of the error.
        if (!(reply instanceof Error)) {
          expect((reply as { error: unknown }).error).toMatchObject({ code: 1153, state: "08S01" });
        } else expect(payload).toBeGreaterThan(0xffffff - 1);
        sender.destroy();
      }
      expect(await client.rows("SELECT 1")).toEqual([["1"]]);
      await client.quit();
    }));

  it("--max_prepared_stmt_count: 1461 over all sessions, free again after a close", () =>
    withGateway({ max_prepared_stmt_count: 3 }, async (gateway) => {
      const first = await enter(gateway);
      const second = await enter(gateway);
      for (const client of [first, second, first]) {
        expect((await client.command(encodePrepare("SELECT 1"))).error).toBeNull();
      }
      expect((await second.command(encodePrepare("SELECT 1"))).error).toMatchObject({
        code: 1461,
        state: "42000",
      });
      await first.quit();
      await waitUntil(
        async () => (await second.command(encodePrepare("SELECT 1"))).error === null,
        "room for a statement",
      );
      await second.quit();
    }));

  it("--backend_pool_size: 1203 when none becomes free in time, and the session lives", () =>
    withGateway({ backend_pool_size: 1, backend_pool_wait_timeout: "200ms" }, async (gateway) => {
      const holder = await enter(gateway);
      // Outside a transaction it would let go of the connection.
      expect((await holder.query("BEGIN")).error).toBeNull();
      const waiter = await enter(gateway);
      const reply = await waiter.query("SELECT 2");
      expect(reply.error).toMatchObject({ code: 1203, state: "42000" });
      await holder.quit();
      await waitUntil(
        async () => (await waiter.query("SELECT 2")).error === null,
        "a free backend connection",
      );
      await waiter.quit();
    }));

  it("--local_infile=false: LOAD DATA LOCAL is an error, no file is asked for", () =>
    withGateway({ local_infile: "false" }, async (gateway) => {
      const client = await enter(gateway);
      expect(client.greeting.capabilities & capability.LOCAL_FILES).toBe(0);
      await server.admin("CREATE OR REPLACE TABLE shop.refused (a INT)");
      let asked = 0;
      const infile = (): readonly Buffer[] => {
        asked++;
        return [Buffer.from("1\n")];
      };
      const reply = await client.query("LOAD DATA LOCAL INFILE 'x' INTO TABLE shop.refused", { infile });
      expect(reply.error).not.toBeNull();
      expect(asked).toBe(0);
      await client.quit();
    }));
});

describe("timeouts", () => {
  it("--mysql_server_connect_timeout: silence before login is 1159 and close, in every phase", () =>
    withGateway({ mysql_server_connect_timeout: "300ms" }, async (gateway) => {
      const silent = await RawClient.connect({ port: gateway.port });
      const frame = await silent.reader.readFrame();
      expect(frame.sequence).toBe(1);
      expect(decodeError(frame.payload)).toMatchObject({ code: 1159 });
      await silent.readToEnd();
      const halfway = await RawClient.connect({ port: gateway.port });
      halfway.stream.write(Buffer.from([200, 0, 0, 1, 1, 2, 3]));
      await halfway.readToEnd();
      for (const client of [silent, halfway]) client.destroy();
      await (await enter(gateway)).quit();
    }));

  it("a session's own wait_timeout: 4031 likewise, unless it is longer than the limit", () =>
    withGateway({}, async (gateway) => {
      const client = await enter(gateway);
      const patient = await enter(gateway);
      await patient.query("SET SESSION wait_timeout = 1");
      await patient.query("SET SESSION wait_timeout = 100000000");
      await client.query("SET wait_timeout = 1");
      expect(decodeError((await client.reader.readFrame()).payload)).toMatchObject({ code: 4031 });
      await client.readToEnd();
      client.destroy();
      expect(await patient.rows("SELECT 'still here'")).toEqual([["still here"]]);
      patient.destroy();
    }));

  it("--mysql_server_idle_timeout: 4031, unsolicited, sequence 0, then close; a busy session stays", () =>
    withGateway({ mysql_server_idle_timeout: "400ms" }, async (gateway) => {
      const busy = await enter(gateway);
      const slow = busy.query("SELECT SLEEP(1.5)");
      const idle = await enter(gateway);
      const frame = await idle.reader.readFrame();
      expect(frame.sequence).toBe(0);
      expect(decodeError(frame.payload)).toMatchObject({ code: 4031, state: "HY000" });
      await idle.readToEnd();
      expect((await slow).error).toBeNull();
      busy.destroy();
      idle.destroy();
    }));

  it("--mysql_server_read_timeout: a command that was begun and not finished ends the session", () =>
    withGateway({ mysql_server_read_timeout: "300ms" }, async (gateway) => {
      const client = await enter(gateway);
      client.stream.write(Buffer.from([20, 0, 0, 0, 3, 0x53]));
      const rest = await client.readToEnd();
      if (rest.length > 0) expect(decodeError(rest.subarray(4))).toMatchObject({ code: 1159 });
      client.destroy();
    }));

  it("--mysql_server_query_timeout: 3024, the statement is killed, the session lives", () =>
    withGateway({ mysql_server_query_timeout: "300ms" }, async (gateway) => {
      const client = await enter(gateway);
      const reply = await client.query("SELECT SLEEP(30)");
      expect(reply.error).toMatchObject({ code: 3024, state: "HY000" });
      const running = await server.admin(
        "SELECT 1 FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP(30%'",
      );
      expect(running).toEqual([]);
      expect(await client.rows("SELECT 'alive'")).toEqual([["alive"]]);
      await client.quit();
    }));

  it("--mysql_server_write_timeout: a client that does not read its rows loses its backend connection", () =>
    withGateway({ mysql_server_write_timeout: "500ms" }, async (gateway) => {
      const client = await loggedIn({ port: gateway.port }, { ...testUser, database: "shop" });
      client.reader.pause();
      const text = "SELECT REPEAT('x', 1000000) FROM seq_1_to_300";
      client.stream.write(toFrames(Buffer.concat([Buffer.from([3]), Buffer.from(text)])));
      await waitUntil(
        async () =>
          (
            await server.admin(
              "SELECT 1 FROM information_schema.processlist WHERE info LIKE '%seq_1_to_300%' AND command = 'Query' AND id <> CONNECTION_ID()",
            )
          ).length > 0,
        "the statement to run",
      );
      await waitUntil(
        async () =>
          (
            await server.admin(
              "SELECT 1 FROM information_schema.processlist WHERE info LIKE '%seq_1_to_300%' AND command = 'Query' AND id <> CONNECTION_ID()",
            )
          ).length === 0,
        "the statement to end",
      );
      const bytes = await client.readToEnd(20_000);
      expect(bytes.length).toBeLessThan(300_000_000);
      client.destroy();
    }));
});

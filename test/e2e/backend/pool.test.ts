// The pool with real servers: nothing of one session is left for the next, limits hold, kills hit, restarts are survived.
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { housekeepingPermit } from "../../../src/acl/permit.ts";
import type { AcquireRequest, BackendLease } from "../../../src/backend/backend-pool.ts";
import { BackendTlsContexts } from "../../../src/backend/backend-tls.ts";
import { type SingleBackendParts, startSingleBackend } from "../../../src/backend/single-backend.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { SqlError } from "../../../src/errors/sql-error.ts";
import { silentLogger } from "../../../src/telemetry/logger.ts";
import { createMetrics, type Metrics } from "../../../src/telemetry/metrics.ts";
import {
  CLIENT_DEPRECATE_EOF,
  CLIENT_FOUND_ROWS,
  CLIENT_MULTI_STATEMENTS,
} from "../../../src/wire/capabilities.ts";
import type { DatabaseServer } from "../../support/database-server.ts";
import { serviceAccount } from "../../support/database-server.ts";
import { hasMariadb, startMariadb } from "../../support/mariadb-server.ts";
import { mysqldCommand, startMysql } from "../../support/mysql-server.ts";
import { toFrames } from "../../support/raw/frame-reader.ts";
import { waitUntil, within } from "../../support/scratch.ts";

const permit = housekeepingPermit("test");
const open: SingleBackendParts[] = [];

interface Limits {
  readonly connectionsMax?: number;
  readonly waitTimeoutMs?: number;
}

async function start(
  server: DatabaseServer,
  limits: Limits = {},
): Promise<{ parts: SingleBackendParts; metrics: Metrics }> {
  const metrics = createMetrics({ processMetrics: false });
  const account = {
    name: "default",
    user: serviceAccount.user,
    password: () => serviceAccount.password,
    generation: 1,
  };
  const parts = await startSingleBackend(
    {
      tablet: {
        alias: "backend",
        address: { kind: "unix", path: server.socketPath },
        tls: { mode: "DISABLED", ca: null, cert: null, key: null },
      },
      tlsContexts: new BackendTlsContexts(systemClock),
      account: () => account,
      database: null,
      limits: { connectionsMax: 10, waitTimeoutMs: 5000, idleTimeoutMs: 60_000, ...limits },
      version: "0.0.0",
      healthIntervalMs: 50,
      buffer: { enabled: false, windowMs: 0, statementsMax: 1 },
    },
    { clock: systemClock, logger: silentLogger, metrics },
  );
  open.push(parts);
  return { parts, metrics };
}

function acquire(
  parts: SingleBackendParts,
  request: Partial<AcquireRequest> & { database?: string | null } = {},
): Promise<BackendLease | SqlError> {
  const route = {
    ...parts.router.route(null, { database: null }),
    database: request.database ?? null,
  };
  const signal = new AbortController().signal;
  return parts.pool.acquire({ capabilities: CLIENT_DEPRECATE_EOF, collation: 45, signal, ...request, route });
}

async function lease(
  parts: SingleBackendParts,
  request: Parameters<typeof acquire>[1] = {},
): Promise<BackendLease> {
  const got = await within(acquire(parts, request), "a lease");
  if (got instanceof SqlError) throw got;
  return got;
}

/** Runs a query as a session would; the values of its first row, or the error's number. */
async function query(held: BackendLease, text: string): Promise<string> {
  const packets: Buffer[] = [];
  let bytes = Buffer.alloc(0);
  let closed = false;
  held.connection.setReceiver({
    onBytes: (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      while (bytes.length >= 4 && bytes.length >= 4 + bytes.readUIntLE(0, 3)) {
        const end = 4 + bytes.readUIntLE(0, 3);
        packets.push(bytes.subarray(4, end));
        bytes = bytes.subarray(end);
      }
    },
    onClosed: () => {
      closed = true;
    },
  });
  held.connection.resume();
  held.connection.send(permit, toFrames(Buffer.concat([Buffer.of(3), Buffer.from(text)]), 0));
  const isOver = (): boolean => {
    const last = packets.at(-1);
    return (
      last !== undefined && (last[0] === 0xff || (packets.length === 1 ? last[0] === 0 : last[0] === 0xfe))
    );
  };
  await waitUntil(() => closed || isOver(), `the reply to ${text}`);
  if (closed) return "closed";
  const last = packets.at(-1) ?? Buffer.alloc(0);
  if (last[0] === 0xff) return `error ${last.readUInt16LE(1)}`;
  if (packets.length === 1) return "ok";
  const row = packets[packets.length - 2] ?? Buffer.alloc(0);
  const values: string[] = [];
  for (let at = 0; at < row.length; ) {
    if (row[at] === 0xfb) {
      values.push("NULL");
      at += 1;
    } else {
      const length = row[at] ?? 0;
      values.push(row.toString("utf8", at + 1, at + 1 + length));
      at += 1 + length;
    }
  }
  return values.join(" ");
}

const names =
  "select @@character_set_client, @@character_set_results, @@character_set_connection, @@collation_connection";

for (const { name, isHere, startServer } of [
  { name: "MariaDB", isHere: hasMariadb(), startServer: startMariadb },
  { name: "MySQL", isHere: mysqldCommand !== null, startServer: startMysql },
]) {
  describe.skipIf(!isHere)(`the pool with ${name}`, () => {
    let server: DatabaseServer;
    beforeAll(async () => {
      server = await startServer();
      await server.admin(
        "create database if not exists shop",
        "create database if not exists crm",
        "create table shop.t (a int primary key)",
      );
    });
    afterEach(async () => {
      for (const parts of open.splice(0)) await parts.close();
    });
    afterAll(() => server.stop());

    it("leaves nothing of a session for the next", async () => {
      const { parts } = await start(server);
      const dirt = [
        "set names latin2",
        "set @secret = 1",
        "set session sql_mode = 'ANSI', time_zone = '+03:00', autocommit = 0",
        "create temporary table shop.temp (a int)",
        "prepare p from 'select 1'",
        "select get_lock('mine', 1)",
        "insert into shop.t values (1)",
      ];
      const state = `select @secret, @@sql_mode, @@time_zone, @@autocommit, is_free_lock('mine'), database(), last_insert_id(), (select count(*) from shop.t)`;
      const first = await lease(parts);
      const [freshNames, freshState] = [await query(first, names), await query(first, state)];
      for (const sql of dirt) expect(await query(first, sql)).not.toMatch(/error|closed/);
      first.release({ database: null });
      const second = await lease(parts);
      expect(second.connection.id).toBe(first.connection.id);
      expect(await query(second, names)).toBe(freshNames);
      expect(await query(second, state)).toBe(freshState);
      expect(await query(second, "select * from shop.temp")).toBe("error 1146");
      expect(await query(second, "execute p")).toBe("error 1243");
    });

    it("gives every session the character sets of a fresh login with its collation", async () => {
      const { parts } = await start(server, { connectionsMax: 1 });
      const { parts: fresh } = await start(server, { connectionsMax: 1 });
      for (const collation of [45, 8, 33, 255, 45, 224, 8, 63, 45]) {
        const held = await lease(parts, { collation });
        const shown = await query(held, names);
        await query(held, "set names cp1250");
        held.release({ database: null });
        const reference = await lease(fresh, { collation });
        const expected = await query(reference, names);
        reference.close("a fresh login each time");
        expect(`${collation} ${shown}`).toBe(`${collation} ${expected}`);
        expect(shown).toContain(held.connection.names.client);
      }
      const impossible = await acquire(parts, { collation: 54 });
      expect(impossible).toBeInstanceOf(SqlError);
      expect((impossible as SqlError).code).toBe(1115);
      await lease(parts);
    });

    it("gives every session its schema, none where it has none, and the server's 1049", async () => {
      const { parts } = await start(server);
      const seen: string[] = [];
      for (const database of ["shop", null, "crm", null, "shop"]) {
        const held = await lease(parts, { database });
        seen.push(await query(held, "select database()"));
        held.release(database === "crm" ? {} : { database });
      }
      expect(seen).toEqual(["shop", "NULL", "crm", "NULL", "shop"]);
      const missing = await acquire(parts, { database: "nosuch" });
      expect(missing).toMatchObject({ code: 1049, message: "Unknown database 'nosuch'" });
      const restless = await lease(parts);
      await query(restless, "use crm");
      restless.release();
      expect(await query(await lease(parts), "select database()")).toBe("NULL");
    });

    it("keeps capabilities apart, and undoes COM_SET_OPTION", async () => {
      const { parts } = await start(server);
      await server.admin("replace into shop.t values (5)");
      const update = "update shop.t set a = 5 where a = 5";
      const found = await lease(parts, { capabilities: CLIENT_DEPRECATE_EOF | CLIENT_FOUND_ROWS });
      const plain = await lease(parts);
      expect(found.connection.id).not.toBe(plain.connection.id);
      expect(await query(found, update)).toBe("ok");
      expect(await query(found, "select row_count()")).toBe("1");
      await query(plain, update);
      expect(await query(plain, "select row_count()")).toBe("0");
      for (const capabilities of [CLIENT_DEPRECATE_EOF, CLIENT_DEPRECATE_EOF | CLIENT_MULTI_STATEMENTS]) {
        const toggled = await lease(parts, { capabilities });
        const isOn = capabilities !== CLIENT_DEPRECATE_EOF;
        await waitUntil(async () => (await query(toggled, "select 1")) === "1", "it works");
        const reply: Buffer[] = [];
        toggled.connection.setReceiver({
          onBytes: (chunk) => reply.push(Buffer.from(chunk)),
          onClosed: () => {},
        });
        toggled.connection.send(permit, toFrames(Buffer.of(0x1b, isOn ? 1 : 0, 0), 0));
        await waitUntil(() => reply.length > 0, "the option's reply");
        toggled.release({ optionToggled: true, database: null });
        const next = await lease(parts, { capabilities });
        expect(next.connection.id).toBe(toggled.connection.id);
        expect(await query(next, "select 1; select 2")).toBe(isOn ? "2" : "error 1064");
      }
    });

    it("kills what runs, and only that", async () => {
      const { parts } = await start(server);
      const victim = await lease(parts);
      const bystander = await lease(parts);
      const sleeping = query(victim, "select sleep(1000)");
      await waitUntil(async () => {
        const rows = await server.admin(
          "select id from information_schema.processlist where info like 'select sleep%'",
        );
        return rows.length > 0;
      }, "it runs");
      await victim.cancel();
      expect(await within(sleeping, "it was killed")).toMatch(/^error 1317$|^1$/);
      expect(await query(bystander, "select 1")).toBe("1");
      victim.release({ database: null });
      const next = await lease(parts);
      expect(await query(next, "select 2")).toBe("2");
    });

    it("replaces what the server ended while it was idle", async () => {
      const { parts } = await start(server);
      const held = await lease(parts);
      await query(held, "select 1");
      held.release({ database: null });
      await waitUntil(() => parts.pool.snapshot()[0]?.leased === 0, "it is back");
      await server.admin(`kill ${held.connection.id}`);
      await waitUntil(() => parts.pool.snapshot()[0]?.idle === 0, "it is gone");
      expect(await query(await lease(parts), "select 1")).toBe("1");
    });

    it("serves a storm of sessions over few connections", async () => {
      const { parts, metrics } = await start(server, { connectionsMax: 5, waitTimeoutMs: 20_000 });
      const wrong: string[] = [];
      const session = async (number: number): Promise<void> => {
        const database = number % 2 === 0 ? "shop" : "crm";
        const held = await lease(parts, { database, collation: number % 3 === 0 ? 8 : 45 });
        const seen = await query(held, "select database(), @x, @@collation_connection");
        const expected = `${database} NULL ${number % 3 === 0 ? "latin1_swedish_ci" : "utf8mb4_general_ci"}`;
        if (seen !== expected) wrong.push(seen);
        await query(held, "set @x = 1");
        held.release({ database });
      };
      await Promise.all(Array.from({ length: 300 }, (_, number) => session(number)));
      expect(wrong).toEqual([]);
      const text = await metrics.text();
      expect(
        Number(/backend_connects_total\{tablet="backend",outcome="connected"\} (\d+)/.exec(text)?.[1]),
      ).toBeLessThan(40);
      expect(text).toContain("gatehouse_backend_wait_seconds_count 300");
      expect(text).toContain('gatehouse_backend_up{tablet="backend"} 1');
    });

    it("survives the server's death and restart, also of sessions that wait", async () => {
      const { parts } = await start(server, { connectionsMax: 1, waitTimeoutMs: 20_000 });
      const held = await lease(parts);
      await query(held, "select 1");
      const waiting = acquire(parts);
      await server.kill();
      expect(await waitUntil(() => held.connection.closed, "closed")).toBe(true);
      held.close("lost");
      expect(await within(waiting, "the bad news")).toMatchObject({ code: 3168 });
      await waitUntil(() => !parts.health.status.ready, "not ready");
      expect(parts.health.status.reason).toBe("Database server 'backend' cannot be reached");
      expect(parts.serverFacts().versionText).toMatch(/\d+\.\d+/);
      expect(await acquire(parts)).toMatchObject({ code: 3168 });
      await server.restart();
      await waitUntil(() => parts.health.status.ready, "ready", 20_000);
      // Health has told the pool: no pause is left.
      expect(await query(await lease(parts), "select 1")).toBe("1");
    });
  });
}

describe.skipIf(!hasMariadb())("a server that is full", () => {
  it("makes sessions share what there is", async () => {
    const server = await startMariadb({ flags: ["--max-connections=4", "--extra-max-connections=1"] });
    const admin = await server.connect();
    const { parts } = await start(server, { connectionsMax: 50, waitTimeoutMs: 10_000 });
    const results = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const held = await acquire(parts);
        if (held instanceof SqlError) return held.code;
        const value = await query(held, "select 7");
        held.release({ database: null });
        return value;
      }),
    );
    expect(new Set(results)).toEqual(new Set(["7"]));
    for (const part of open.splice(0)) await part.close();
    await admin.end();
    await server.stop();
  });
});

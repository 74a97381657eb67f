// The pool over servers in memory: who gets which connection, in which state, and what becomes of it afterwards.
import { describe, expect, it } from "vitest";
import { BackendLoginError } from "../../../src/backend/login-error.ts";
import {
  CLIENT_DEPRECATE_EOF,
  CLIENT_FOUND_ROWS,
  CLIENT_MULTI_STATEMENTS,
} from "../../../src/wire/capabilities.ts";
import { account, House, permit, tablet, use } from "../../support/pool-house.ts";
import { toFrames } from "../../support/raw/frame-reader.ts";
import { waitUntil, within } from "../../support/scratch.ts";
import { errPayload } from "../../support/scripted-backend.ts";

describe("a connection", () => {
  it("is logged in once, reset after use, and serves the next session", async () => {
    const house = new House();
    const first = await house.lease("shop");
    await use(first, "select 1");
    first.release({ database: "shop" });
    const second = await house.lease("shop");
    expect(second.connection.id).toBe(first.connection.id);
    expect(second.serial).toBeGreaterThan(first.serial);
    expect(house.backend.connections.map(({ commands }) => commands)).toEqual([
      [
        expect.stringContaining("QUERY SELECT @@character_set_client"),
        "INIT_DB shop",
        "QUERY select 1",
        "RESET",
        "QUERY DO (SELECT 1 FROM (SELECT 1) t)",
      ],
    ]);
  });

  it("that its session never used goes back as it is", async () => {
    const house = new House();
    (await house.lease()).release();
    (await house.lease()).release();
    expect(house.backend.connections.map(({ commands }) => commands.length)).toEqual([1]);
    expect(house.snapshot).toMatchObject({ leased: 0, idle: 1 });
  });

  it("is shared only between sessions with the same byte-changing capabilities", async () => {
    const house = new House();
    const eof = await house.lease();
    const ok = await house.lease(null, { capabilities: CLIENT_DEPRECATE_EOF });
    expect(ok.connection.capabilities).toBe(CLIENT_DEPRECATE_EOF);
    eof.release();
    ok.release();
    // 0x8 (CONNECT_WITH_DB) and 0x800 (SSL) change nothing behind the login.
    const again = await house.lease(null, { capabilities: 0x808 });
    expect(again.connection.id).toBe(eof.connection.id);
    const found = await house.lease(null, { capabilities: CLIENT_FOUND_ROWS });
    expect([eof.connection.id, ok.connection.id]).not.toContain(found.connection.id);
  });

  it("in a schema never serves a session without one, and one that may be in a schema is asked", async () => {
    const house = new House();
    const shop = await house.lease("shop");
    await use(shop, "select 1");
    shop.release({ database: "shop" });
    const none = await house.lease();
    expect(none.connection.id).not.toBe(shop.connection.id);
    await use(none, "use shop");
    none.release();
    const other = await house.lease();
    expect(house.backend.connections[1]?.commands.at(-1)).toBe("QUERY SELECT DATABASE()");
    expect([shop.connection.id, none.connection.id]).not.toContain(other.connection.id);
    await use(other, "select 1");
    other.release();
    const harmless = await house.lease();
    expect(harmless.connection.id).toBe(other.connection.id);
  });

  it("enters the schema of its next session", async () => {
    const house = new House();
    const shop = await house.lease("shop");
    await use(shop, "select 1");
    shop.release({ database: "shop" });
    const crm = await house.lease("crm");
    expect(crm.connection.id).toBe(shop.connection.id);
    expect(house.backend.connections[0]?.schema).toBe("crm");
    crm.release();
    await house.lease("crm");
    expect(house.backend.connections[0]?.commands.filter((command) => command.startsWith("INIT_DB"))).toEqual(
      ["INIT_DB shop", "INIT_DB crm"],
    );
  });

  it("gets the character sets of its next session back", async () => {
    for (const flavour of ["mysql", "mariadb"] as const) {
      const house = new House({ flavour });
      const general = await house.lease();
      await use(general, "set names latin1");
      general.release({ database: null });
      const swedish = await house.lease(null, { collation: 8 });
      expect(swedish.connection.id).not.toBe(general.connection.id);
      expect(swedish.connection.names.collation).toBe("collation_8");
      await use(swedish, "select 1");
      swedish.release({ database: null });
      await waitUntil(() => house.snapshot?.idle === 2 && house.snapshot.leased === 0, "both back");
      const sets = () =>
        house.backend.connections.map(({ commands }) => commands.filter((c) => c.includes("SET ")));
      const set = (id: number): string =>
        `QUERY SET character_set_client=utf8mb4, character_set_results=utf8mb4, collation_connection=collation_${id}`;
      // MariaDB's reset does it by itself.
      const afterReset = flavour === "mysql" ? [[set(45)], [set(8)]] : [[], []];
      await waitUntil(
        () => house.backend.connections.every(({ commands }) => commands.includes("RESET")),
        "reset",
      );
      expect(sets()).toEqual(afterReset);
      await house.lease(null, { collation: 8 });
      const moved = await house.lease(null, { collation: 8 });
      expect(moved.connection.id).toBe(general.connection.id);
      expect(sets()).toEqual([[...(afterReset[0] ?? []), set(8)], afterReset[1]]);
    }
  });

  it("has COM_SET_OPTION undone to what its capabilities say", async () => {
    const house = new House();
    for (const capabilities of [0, CLIENT_MULTI_STATEMENTS]) {
      const lease = await house.lease(null, { capabilities });
      await use(lease, "select 1");
      lease.release({ optionToggled: true });
    }
    const last = () => house.backend.connections.map(({ commands }) => commands.at(-2)).join();
    await waitUntil(() => last() === "SET_OPTION 1,SET_OPTION 0", "both undone");
  });

  it("gets the session assignments after its login and after every reset, in one statement", async () => {
    const house = new House({ flavour: "mysql" }, {}, { sessionAssignments: "sql_mode='ANSI'" });
    const lease = await house.lease();
    await use(lease, "select 1");
    lease.release();
    await waitUntil(() => house.backend.connections[0]?.commands.length === 5, "the reset");
    const commands = house.backend.connections[0]?.commands ?? [];
    expect(commands[1]).toBe("QUERY SET sql_mode='ANSI'");
    expect(commands[4]).toMatch(/^QUERY SET sql_mode='ANSI', character_set_client=utf8mb4, /);
  });
});

describe("a lease", () => {
  it("that has ended can neither send nor listen nor end again", async () => {
    const house = new House();
    const lease = await house.lease();
    await use(lease, "select 1");
    lease.release();
    expect(() => lease.connection.send(permit, Buffer.from([1]))).toThrow("has ended");
    expect(() => lease.connection.setReceiver({ onBytes: () => {}, onClosed: () => {} })).toThrow(
      "has ended",
    );
    lease.close("again");
    lease.release();
    const next = await house.lease();
    expect(next.connection.id).toBe(lease.connection.id);
    expect(house.snapshot).toMatchObject({ leased: 1, idle: 0 });
  });

  it("that is closed takes its connection with it", async () => {
    const house = new House();
    const lease = await house.lease();
    lease.close("the reply is not over");
    await waitUntil(() => house.backend.connections[0]?.closed, "closed");
    expect(house.closedBecause).toEqual(["the reply is not over"]);
    expect(house.snapshot).toMatchObject({ leased: 0, idle: 0 });
  });

  it("tells a receiver that comes late that the server is gone, and drops what the server says unasked", async () => {
    for (const spoil of ["close", "talk"] as const) {
      const house = new House();
      const lease = await house.lease();
      const server = house.backend.connections[0];
      if (spoil === "close") server?.stream.destroy();
      else server?.stream.write(toFrames(errPayload(4031, "inactive"), 0));
      await waitUntil(() => lease.connection.closed, "closed");
      let told = false;
      lease.connection.setReceiver({
        onBytes: () => {},
        onClosed: () => {
          told = true;
        },
      });
      await waitUntil(() => told, "told");
      lease.release();
      expect((await house.lease()).connection.id).not.toBe(lease.connection.id);
    }
  });
});

describe("what a server says or does while its connection is", () => {
  it("idle: an unasked packet or a close removes it", async () => {
    const house = new House();
    const [one, two] = [await house.lease(), await house.lease()];
    one.release();
    two.release();
    house.backend.connections[0]?.stream.write(toFrames(errPayload(1053, "Server shutdown"), 0));
    house.backend.connections[1]?.stream.destroy();
    await waitUntil(() => house.snapshot?.idle === 0, "both are gone");
    expect(house.closedBecause).toContain("while idle: the server said 1053: Server shutdown");
    expect((await house.lease()).connection.id).toBe(3);
  });

  it.each<[string, (command: string) => Buffer | null | undefined]>([
    ["an ERR", () => toFrames(errPayload(1317, "interrupted"), 1)],
    ["a wrong sequence number", () => toFrames(Buffer.from([0, 0, 0, 2, 0, 0, 0]), 5)],
    [
      "two replies",
      () => Buffer.concat([toFrames(Buffer.from([0, 0, 0, 2, 0, 0, 0]), 1), Buffer.from([7, 0, 0, 1])]),
    ],
    ["rows", () => toFrames(Buffer.from([1]), 1)],
    ["a request for a file", () => toFrames(Buffer.from("\xfb/etc/passwd", "latin1"), 1)],
    ["nothing", () => null],
  ])("reset: %s closes it", async (_what, reply) => {
    const house = new House(
      { onCommand: (command, { id }) => (command === "RESET" && id === 1 ? reply(command) : undefined) },
      { housekeepingTimeoutMs: 40 },
    );
    const lease = await house.lease();
    await use(lease, "select 1");
    lease.release();
    const next = await house.lease();
    expect(next.connection.id).toBe(2);
    await waitUntil(() => house.backend.connections[0]?.closed, "closed");
    expect(house.closedBecause.length).toBe(1);
    expect(house.snapshot).toMatchObject({ leased: 1, idle: 0 });
  });

  it("prepared: an unknown schema is told in the server's words, and the connection lives", async () => {
    const house = new House({
      onCommand: (command) => {
        if (command === "INIT_DB nosuch") return toFrames(errPayload(1049, "Unknown database 'nosuch'"), 1);
        const denied = "Access denied for user 'service'@'localhost' to database 'secret'";
        return command === "INIT_DB secret" ? toFrames(errPayload(1044, denied), 1) : undefined;
      },
    });
    const unknown = await house.error("nosuch");
    expect([unknown.code, unknown.message]).toEqual([1049, "Unknown database 'nosuch'"]);
    const denied = await house.error("secret");
    expect([denied.code, denied.message]).toEqual([1044, "Access denied to database 'secret'"]);
    expect((await house.lease()).connection.id).toBe(1);
    expect(house.closedBecause).toEqual([]);
  });

  it("prepared: a connection that dies is replaced; a server that always does so is not asked for ever", async () => {
    let deaths = 0;
    const house = new House({
      onCommand: (command, { stream }) => {
        if (!command.startsWith("INIT_DB") || deaths >= 2) return undefined;
        deaths += 1;
        stream.destroy();
        return null;
      },
    });
    const lease = await house.lease("shop");
    expect(lease.connection.id).toBe(3);
    const hopeless = new House({
      onCommand: (command, { stream }) => {
        if (!command.startsWith("INIT_DB")) return undefined;
        stream.destroy();
        return null;
      },
    });
    expect((await hopeless.error("shop")).code).toBe(3168);
    expect(hopeless.backend.connections.length).toBe(3);
  });
});

describe("the limit", () => {
  it("makes sessions wait in the order of their arrival", async () => {
    const house = new House({}, { connectionsMax: 2 });
    const held = [await house.lease(), await house.lease()];
    const order: number[] = [];
    const waiting = [1, 2, 3].map(async (number) => {
      const lease = await house.lease();
      order.push(number);
      await use(lease, "select 1");
      lease.release({ database: null });
    });
    await waitUntil(() => house.snapshot?.waiting === 3, "three wait");
    held[0]?.release();
    await Promise.all(waiting);
    expect(order).toEqual([1, 2, 3]);
    expect(house.backend.connections.length).toBe(2);
  });

  it("ends a wait with 1203 that names it", async () => {
    const house = new House({}, { connectionsMax: 1, waitTimeoutMs: 20 });
    await house.lease();
    const error = await house.error();
    expect([error.code, error.message]).toEqual([
      1203,
      "No backend connection became free in time: backend_pool_size=1",
    ]);
    expect(house.timeouts).toBe(1);
    expect(house.snapshot).toMatchObject({ waiting: 0, leased: 1 });
  });

  it("holds for the number of waiters too", async () => {
    const house = new House({}, { connectionsMax: 1, waitersMax: 1 });
    await house.lease();
    void house.acquire();
    expect((await house.error()).code).toBe(1203);
  });

  it("forgets a waiter whose client has gone, and keeps the connection that comes too late for it", async () => {
    const house = new House({}, { connectionsMax: 1 });
    const held = await house.lease();
    const leaving = new AbortController();
    const gone = house.error(null, { signal: leaving.signal });
    const next = house.lease();
    leaving.abort();
    expect((await gone).code).toBe(1317);
    held.release();
    expect((await next).connection.id).toBe(1);
    expect((await house.error(null, { signal: leaving.signal })).code).toBe(1317);
    let loggedIn = (): void => {};
    const slow = new House({ onLogin: () => new Promise((resolve) => (loggedIn = resolve)) });
    const late = new AbortController();
    const lost = slow.error(null, { signal: late.signal });
    late.abort();
    await lost;
    loggedIn();
    await waitUntil(() => slow.snapshot?.idle === 1, "it is kept");
  });

  it("lets a connection that fits nobody go for one that does", async () => {
    const house = new House({}, { connectionsMax: 1 });
    (await house.lease()).release();
    const other = await house.lease(null, { capabilities: CLIENT_DEPRECATE_EOF });
    expect(other.connection.id).toBe(2);
    await waitUntil(() => house.backend.connections[0]?.closed, "the first one has gone");
    expect(house.backend.connections[0]?.commands.at(-1)).toBe("QUIT");
  });

  it("is never exceeded by a storm, whatever the sessions want", async () => {
    const house = new House({}, { connectionsMax: 3, waitTimeoutMs: 10_000 });
    let most = 0;
    const wrong: string[] = [];
    const sessions = Array.from({ length: 200 }, async (_, index) => {
      const database = index % 3 === 0 ? null : `s${index % 4}`;
      const lease = await house.lease(database, {
        capabilities: index % 2 === 0 ? 0 : CLIENT_DEPRECATE_EOF,
        collation: index % 5 === 0 ? 8 : 45,
      });
      const { leased = 0, idle = 0, connecting = 0 } = house.snapshot ?? {};
      most = Math.max(most, leased + idle + connecting);
      const schema = house.backend.connections[lease.connection.id - 1]?.schema;
      if (schema !== database) wrong.push(`${schema} for ${database}`);
      await use(lease, index % 6 === 0 ? "use elsewhere" : "select 1");
      if (index % 7 === 0) lease.close("test");
      else lease.release(index % 6 === 0 || index % 11 === 0 ? {} : { database });
    });
    await within(Promise.all(sessions), "all served", 20_000);
    expect(wrong).toEqual([]);
    expect(most).toBe(3);
    expect(house.snapshot).toMatchObject({ leased: 0, waiting: 0, connecting: 0 });
  });
});

describe("logins that fail", () => {
  const failing = (kind: ConstructorParameters<typeof BackendLoginError>[0]) => {
    const state = { attempts: 0, fails: true };
    const onLogin = (): void => {
      state.attempts += 1;
      if (state.fails) throw new BackendLoginError(kind, `it is ${kind}`);
    };
    return { state, onLogin };
  };

  it.each(["unreachable", "access_denied", "tls", "timeout"] as const)(
    "%s: the session is told at once, and nobody tries again for a while",
    async (kind) => {
      const { state, onLogin } = failing(kind);
      const house = new House({ onLogin });
      const error = await house.error();
      expect([error.code, error.reason]).toEqual([3168, `it is ${kind}`]);
      for (let turn = 0; turn < 50; turn += 1) await house.error();
      expect(state.attempts).toBe(1);
      state.fails = false;
      house.nowMs += 40_000;
      await house.lease();
      expect(state.attempts).toBe(2);
      expect(house.snapshot?.loginError).toBe(null);
    },
  );

  it("make the pauses grow, up to a limit", async () => {
    const { state, onLogin } = failing("unreachable");
    const house = new House({ onLogin });
    const gaps: number[] = [];
    let lastMs = house.nowMs;
    for (let step = 0; step < 400_000 && gaps.length < 9; step += 50) {
      house.nowMs += 50;
      const before = state.attempts;
      await house.error();
      if (state.attempts === before) continue;
      gaps.push(house.nowMs - lastMs);
      lastMs = house.nowMs;
    }
    expect(gaps.slice(1)).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000]);
  });

  it("of a full server let sessions wait for a connection that exists", async () => {
    const { state, onLogin } = failing("too_many_connections");
    state.fails = false;
    const house = new House({ onLogin });
    const held = await house.lease();
    state.fails = true;
    const waiting = house.lease();
    await waitUntil(() => state.attempts === 2, "a login was tried");
    held.release();
    expect((await waiting).connection.id).toBe(1);
    expect((await new House({ onLogin }).error()).code).toBe(1203);
  });

  it("because of a client's own collation hurt nobody else", async () => {
    let attempts = 0;
    const house = new House({
      onLogin: (request) => {
        attempts += 1;
        if (request.collation === 54) throw new BackendLoginError("client_wish", "utf16 cannot be");
      },
    });
    for (let turn = 0; turn < 20; turn += 1) {
      expect((await house.error(null, { collation: 54 })).code).toBe(1115);
    }
    await house.lease();
    expect(attempts).toBe(21);
  });

  it("end all waits, also of a storm, with few attempts", async () => {
    let attempts = 0;
    let fail: (() => void)[] = [];
    const house = new House(
      {
        onLogin: () => {
          attempts += 1;
          return new Promise((_, reject) =>
            fail.push(() => reject(new BackendLoginError("unreachable", "down"))),
          );
        },
      },
      { connectionsMax: 1000 },
    );
    const sessions = Array.from({ length: 500 }, () => house.error());
    await waitUntil(() => fail.length > 0, "a login");
    expect(fail.length).toBe(16);
    for (const reject of fail) reject();
    fail = [];
    expect(new Set((await Promise.all(sessions)).map(({ code }) => code))).toEqual(new Set([3168]));
    expect(attempts).toBe(16);
  });

  it("are forgotten when health has seen the server", async () => {
    const { state, onLogin } = failing("unreachable");
    const house = new House({ onLogin });
    await house.error();
    state.fails = false;
    house.pool.reopen(tablet);
    await house.lease();
  });
});

describe("time", () => {
  it("ends what has been idle for too long, and what is too old", async () => {
    const house = new House({}, { idleTimeoutMs: 1000, lifetimeMs: 5000 });
    const [one, two] = [await house.lease(), await house.lease()];
    one.release();
    house.nowMs += 999;
    two.release();
    house.pool.sweep();
    expect(house.snapshot?.idle).toBe(2);
    house.nowMs += 1;
    house.pool.sweep();
    expect(house.snapshot?.idle).toBe(1);
    const old = await house.lease();
    await use(old, "select 1");
    house.nowMs += 5000;
    old.release();
    expect(house.snapshot).toMatchObject({ leased: 0, idle: 0 });
    expect(house.backend.connections[1]?.commands).not.toContain("RESET");
  });

  it("ends connections of an old credential", async () => {
    const house = new House();
    const [idle, held] = [await house.lease(), await house.lease()];
    idle.release();
    const renewed = { ...account, generation: 2 };
    const fresh = await house.lease(null, { account: renewed });
    expect(fresh.connection.id).toBe(3);
    expect(house.snapshot).toMatchObject({ leased: 2, idle: 0 });
    await use(held, "select 1");
    held.release();
    expect(house.snapshot).toMatchObject({ leased: 1, idle: 0 });
    const stale = await house.lease();
    expect(stale.connection.id).toBe(4);
  });
});

describe("a kill", () => {
  const kills = (house: House): string[] =>
    house.backend.connections.flatMap(({ commands }) =>
      commands.filter((command) => command.includes("KILL")),
    );

  it("goes over a connection of its own, with the lease's account", async () => {
    const house = new House();
    const lease = await house.lease();
    await lease.cancel();
    expect(kills(house)).toEqual([`QUERY KILL QUERY ${lease.connection.id}`]);
    expect(house.backend.connections[1]?.request).toMatchObject({ account, clientCapabilities: 0 });
    await waitUntil(() => house.backend.connections[1]?.closed, "the control connection is closed");
    expect(house.snapshot?.leased).toBe(1);
  });

  it("is over before the connection serves anybody else", async () => {
    let goOn: (() => void) | null = null;
    let logins = 0;
    const house = new House({
      onLogin: () => {
        logins += 1;
        return logins === 2 ? new Promise((resolve) => (goOn = resolve)) : undefined;
      },
    });
    const lease = await house.lease();
    await use(lease, "select sleep(10)");
    const cancelled = lease.cancel();
    lease.release({ database: null });
    const next = house.lease();
    await next;
    expect((await next).connection.id).not.toBe(lease.connection.id);
    await waitUntil(() => goOn, "the control connection logs in");
    (goOn as unknown as () => void)();
    await cancelled;
    const server = house.backend.connections.find(({ id }) => id === lease.connection.id);
    await waitUntil(() => server?.commands.at(-2) === "RESET", "it is reset");
    expect(kills(house).length).toBe(1);
  });

  it("never hits a thread whose lease has ended, and never rejects", async () => {
    let goOn: () => void = () => {};
    let logins = 0;
    const house = new House({
      onLogin: () => {
        logins += 1;
        return logins === 2 ? new Promise((resolve) => (goOn = resolve)) : undefined;
      },
    });
    const lease = await house.lease();
    const cancelled = lease.cancel();
    await waitUntil(() => logins === 2, "the control connection logs in");
    lease.close("gone");
    goOn();
    await cancelled;
    await lease.cancel();
    expect(kills(house)).toEqual([]);
    const dead = new House({
      onLogin: () => {
        logins += 1;
        if (logins % 2 === 0) throw new BackendLoginError("unreachable", "down");
      },
    });
    await (await dead.lease()).cancel();
    expect(dead.failures).toEqual(["KILL QUERY failed: down"]);
  });
});

describe("a pool that closes", () => {
  it("ends what is idle, turns away who waits and who comes, and takes leases back to end them", async () => {
    const house = new House({}, { connectionsMax: 2 });
    const held = await house.lease();
    (await house.lease()).release();
    await house.lease();
    const waiting = house.error();
    await house.pool.close();
    expect((await waiting).code).toBe(1053);
    expect((await house.error()).code).toBe(1053);
    await use(held, "select 1");
    held.release();
    await waitUntil(() => house.backend.connections[0]?.closed, "closed");
  });
});

// Connections that sessions offer: kept as long as nobody wants them, taken when somebody does, fitted by the difference.
import { describe, expect, it } from "vitest";
import type { BackendLease, Handover, ToldLeftovers } from "../../../src/backend/backend-pool.ts";
import { noSettings, withNames, withVariable } from "../../../src/backend/session-settings.ts";
import { SqlError } from "../../../src/errors/sql-error.ts";
import { CLIENT_FOUND_ROWS, CLIENT_MULTI_STATEMENTS } from "../../../src/wire/capabilities.ts";
import { House, use } from "../../support/pool-house.ts";
import { waitUntil, within } from "../../support/scratch.ts";
import { rowReply } from "../../support/scripted-backend.ts";

class Taker {
  taken = 0;
  told: (ToldLeftovers | null)[] = [];
  handover: Handover;

  constructor(handover: Partial<Handover> = {}) {
    this.handover = {
      database: "shop",
      settings: noSettings,
      multiStatements: false,
      insertId: "0",
      hasDiagnostics: false,
      ...handover,
    };
  }

  describe(): Handover {
    return this.handover;
  }

  onTaken() {
    this.taken += 1;
    if (this.handover.insertId !== null) return null;
    return { foundRows: true, tell: (told: ToldLeftovers | null) => void this.told.push(told) };
  }
}

const commandsOf = (house: House, index = 0): readonly string[] =>
  (house.backend.connections[index]?.commands ?? []).filter((command) => !command.includes("COLLATIONS"));

async function offered(
  house: House,
  taker: Taker,
  wish: Parameters<House["lease"]>[1] = {},
): Promise<BackendLease> {
  const lease = await house.lease(taker.handover.database, wish);
  lease.offer(taker, house.nowMs);
  return lease;
}

const only = { connectionsMax: 1 };

describe("an offered connection", () => {
  it("stays with its session while others can be made", async () => {
    const house = new House();
    const taker = new Taker();
    await offered(house, taker);
    await house.lease("shop");
    expect(taker.taken).toBe(0);
    expect(house.snapshot).toMatchObject({ leased: 2, offered: 1 });
  });

  it("goes to who waits at the limit, without a word to the server where it fits", async () => {
    const house = new House({}, only);
    const taker = new Taker();
    const first = await offered(house, taker);
    const second = await house.lease("shop");
    expect(taker.taken).toBe(1);
    expect(second.serial).not.toBe(first.serial);
    expect(second.connection.id).toBe(first.connection.id);
    expect(commandsOf(house)).toEqual(["INIT_DB shop"]);
    expect(house.taken).toEqual(["session"]);
    expect(() => first.connection.send(undefined as never, Buffer.alloc(1))).toThrow(/lease that has ended/);
  });

  it("is not taken after its session took the offer back, and is as soon as it offers again", async () => {
    const house = new House({}, only);
    const taker = new Taker();
    const first = await offered(house, taker);
    first.keep();
    const waiting = house.acquire("shop");
    expect(await within(Promise.race([waiting, Promise.resolve("waits")]), "a turn")).toBe("waits");
    first.offer(taker, house.nowMs);
    expect(await within(waiting, "the lease")).not.toBeInstanceOf(SqlError);
    expect(taker.taken).toBe(1);
  });

  it("is the longest unused one of those that fit best", async () => {
    const house = new House({}, { connectionsMax: 3 });
    const takers = [new Taker({ database: "other" }), new Taker(), new Taker()];
    for (const taker of takers) {
      house.nowMs += 1;
      await offered(house, taker);
    }
    await house.lease("shop");
    expect(takers.map(({ taken }) => taken)).toEqual([0, 1, 0]);
  });

  it("serves sessions in the order of their coming", async () => {
    const house = new House({}, only);
    const held = await house.lease("shop");
    const order: number[] = [];
    const turns = Array.from({ length: 5 }, async (_, index) => {
      const lease = await house.acquire("shop");
      if (lease instanceof SqlError) throw lease;
      order.push(index);
      lease.offer(new Taker(), house.nowMs);
    });
    held.offer(new Taker(), house.nowMs);
    await within(Promise.all(turns), "all turns");
    expect(order).toEqual([0, 1, 2, 3, 4]);
  });

  it("is told only what differs, in one go", async () => {
    const house = new House({}, only);
    const settings = withVariable(
      withVariable(noSettings, "sql_mode", "ANSI") ?? noSettings,
      "time_zone",
      "+02:00",
    );
    await offered(house, new Taker({ settings: settings ?? noSettings, insertId: "7" }));
    const wanted = withVariable(noSettings, "sql_mode", "TRADITIONAL") ?? noSettings;
    await house.lease("other", { settings: wanted });
    expect(commandsOf(house)).toEqual([
      "INIT_DB shop",
      "QUERY SET SESSION time_zone=@@GLOBAL.time_zone, SESSION sql_mode='TRADITIONAL', last_insert_id=0",
      "INIT_DB other",
    ]);
  });

  it("comes back to the character sets of a login from SET NAMES", async () => {
    const house = new House({ flavour: "mysql" }, only);
    const settings = withNames(noSettings, "latin1", null) ?? noSettings;
    const taker = new Taker({ settings });
    await offered(house, taker);
    (await house.lease("shop", { settings })).offer(taker, house.nowMs);
    await house.lease("shop");
    expect(commandsOf(house).slice(0, 2)).toEqual([
      "INIT_DB shop",
      expect.stringContaining("SET character_set_client=utf8mb4"),
    ]);
  });

  it("is asked for the insert id of its session before anything else", async () => {
    const house = new House(
      { onCommand: (command) => (command.includes("LAST_INSERT_ID") ? rowReply(["42", "3"]) : undefined) },
      only,
    );
    const taker = new Taker({ insertId: null });
    await offered(house, taker);
    await house.lease("shop", { insertId: "5" });
    expect(taker.told).toEqual([{ insertId: "42", foundRows: 3 }]);
    expect(commandsOf(house)).toEqual([
      "INIT_DB shop",
      "QUERY SELECT LAST_INSERT_ID(), FOUND_ROWS()",
      "QUERY SET last_insert_id=5",
    ]);
  });

  it("tells its session when the insert id cannot be had", async () => {
    const house = new House(
      {
        onCommand: (command, connection) => {
          if (!command.includes("LAST_INSERT_ID")) return undefined;
          connection.stream.destroy();
          return null;
        },
      },
      only,
    );
    const taker = new Taker({ insertId: null });
    await offered(house, taker);
    await house.lease("shop");
    expect(taker.told).toEqual([null]);
    expect(house.backend.open).toHaveLength(1);
  });

  it("makes room for a session that it cannot serve: in a schema, or with other capabilities", async () => {
    const house = new House({}, only);
    const taker = new Taker();
    await offered(house, taker);
    const bare = await house.lease(null);
    bare.offer(new Taker({ database: null }), house.nowMs);
    const other = await house.lease(null, { capabilities: CLIENT_FOUND_ROWS });
    expect(taker.taken).toBe(1);
    expect(new Set(house.backend.connections.map(({ id }) => id)).size).toBe(3);
    await waitUntil(() => house.backend.open.length === 1, "the others to close");
    other.release();
  });

  it("has several statements at once switched on and off as its session wants", async () => {
    const house = new House({}, only);
    const capabilities = CLIENT_MULTI_STATEMENTS;
    await offered(house, new Taker({ multiStatements: false }), { capabilities });
    await house.lease("shop", { capabilities });
    expect(commandsOf(house)).toEqual(["INIT_DB shop", "SET_OPTION 0"]);
  });

  it("is idle when nobody has wanted it for a second", async () => {
    const house = new House();
    const taker = new Taker();
    await offered(house, taker);
    house.nowMs += 999;
    house.pool.sweep();
    expect(taker.taken).toBe(0);
    house.nowMs += 1;
    house.pool.sweep();
    expect(taker.taken).toBe(1);
    expect(house.snapshot).toMatchObject({ leased: 0, idle: 1 });
    expect(house.taken).toEqual(["unused"]);
  });

  it("is not taken while a kill is under way on it", async () => {
    let killed = (): void => {};
    const house = new House(
      {
        onLogin: () =>
          house.backend.connections.length > 0
            ? new Promise<void>((resolve) => {
                killed = resolve;
              })
            : undefined,
      },
      only,
    );
    const lease = await house.lease("shop");
    const taker = new Taker();
    const cancelled = lease.cancel();
    lease.offer(taker, house.nowMs);
    const waiting = house.acquire("shop");
    expect(taker.taken).toBe(0);
    killed();
    await cancelled;
    expect(await within(waiting, "the lease")).not.toBeInstanceOf(SqlError);
    expect(taker.taken).toBe(1);
  });

  it("that breaks while it is fitted is replaced", async () => {
    const house = new House(
      {
        onCommand: (command, connection) => {
          if (command !== "INIT_DB other" || connection.id !== 1) return undefined;
          connection.stream.destroy();
          return null;
        },
      },
      only,
    );
    await offered(house, new Taker());
    const lease = await house.lease("other");
    expect(lease.connection.id).toBe(2);
  });

  it("given back with all that is on it known is not reset", async () => {
    const house = new House();
    const lease = await house.lease("shop");
    await use(lease, "select 1");
    lease.release({ handover: new Taker().describe() });
    await house.lease("shop");
    expect(commandsOf(house)).toEqual(["INIT_DB shop", "QUERY select 1"]);
  });
});

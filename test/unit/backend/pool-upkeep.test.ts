// What a pool does while nobody asks: connections in advance, within limits, and never against a server that refuses.
import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "vitest";
import { BackendLoginError } from "../../../src/backend/login-error.ts";
import type { BackendAccount } from "../../../src/routing/route.ts";
import { CLIENT_FOUND_ROWS, CLIENT_MULTI_RESULTS } from "../../../src/wire/capabilities.ts";
import { account, House, tablet, use } from "../../support/pool-house.ts";
import { waitUntil } from "../../support/scratch.ts";

/** What greetings offer: then the well-known clients are two kinds, mysql2's and the others'. */
const announced = CLIENT_FOUND_ROWS | CLIENT_MULTI_RESULTS;

class ReadyHouse extends House {
  servers: { tablet: typeof tablet; account: BackendAccount }[];

  constructor(
    behaviour: ConstructorParameters<typeof House>[0],
    limits: NonNullable<ConstructorParameters<typeof House>[1]>,
  ) {
    const later: { servers: ReadyHouse["servers"] } = { servers: [{ tablet, account }] };
    super(behaviour, limits, { ready: () => ({ servers: later.servers, announced }) });
    this.servers = later.servers;
  }
}

const settled = (house: House, idle: number): Promise<unknown> =>
  waitUntil(
    () => house.snapshot?.idle === idle && house.snapshot.connecting === 0,
    `${idle} idle connections`,
  );

describe("connections in advance", () => {
  it("are made for the kinds of clients that are expected, and serve them without a login", async () => {
    const house = new ReadyHouse({}, { minIdle: 4 });
    house.pool.keepReady();
    await settled(house, 4);
    expect(house.madeInAdvance).toBe(4);
    await house.lease("shop", { capabilities: CLIENT_MULTI_RESULTS, collation: 45 });
    await house.lease("shop", { capabilities: announced, collation: 224 });
    expect(house.backend.connections.length).toBe(4);
    expect(house.snapshot).toMatchObject({ leased: 2, idle: 2 });
  });

  it("follow the clients that come", async () => {
    const house = new ReadyHouse({}, { minIdle: 2, connectionsMax: 10 });
    (await house.lease("shop", { capabilities: announced, collation: 255 })).release();
    house.pool.keepReady();
    await settled(house, 2);
    expect(
      house.backend.connections.map(({ request }) => [request.clientCapabilities, request.collation]),
    ).toEqual([
      [announced, 255],
      [announced, 255],
    ]);
  });

  it("are topped up when sessions have taken them, but not where the limit is reached", async () => {
    const house = new ReadyHouse({}, { minIdle: 2, connectionsMax: 3 });
    const wish = { capabilities: 0, collation: 45 };
    await house.lease(null, wish);
    house.pool.sweep();
    await settled(house, 2);
    await house.lease(null, wish);
    house.pool.sweep();
    await settled(house, 1);
    house.pool.sweep();
    expect(house.snapshot).toMatchObject({ leased: 2, idle: 1, connecting: 0 });
    expect(house.backend.connections.length).toBe(3);
  });

  it("are made again when the server has closed them", async () => {
    const house = new ReadyHouse({}, { minIdle: 2 });
    house.pool.keepReady();
    await settled(house, 2);
    for (const connection of house.backend.connections) connection.stream.destroy();
    await settled(house, 0);
    house.pool.sweep();
    await settled(house, 2);
    expect(house.backend.connections.length).toBe(4);
  });

  it("count those that sessions could do without", async () => {
    const house = new ReadyHouse({}, { minIdle: 2 });
    for (let number = 0; number < 2; number += 1) {
      const lease = await house.lease();
      const handover = {
        database: null,
        settings: { key: "\n", names: [], namesKey: "", variables: new Map() },
        multiStatements: false,
        insertId: "0",
        hasDiagnostics: false,
      };
      lease.offer({ describe: () => handover, onTaken: () => null }, house.nowMs);
    }
    house.pool.keepReady();
    expect(house.snapshot).toMatchObject({ offered: 2, connecting: 0 });
  });

  it("do not end by being idle, but by their age, one after the other", async () => {
    const chances = [0, 0.5];
    const limits = { minIdle: 2, idleTimeoutMs: 1000, lifetimeMs: 10_000 };
    const house = new House({}, limits, {
      ready: () => ({ servers: [{ tablet, account }], announced }),
      random: () => chances.shift() ?? 0,
    });
    for (const lease of [await house.lease(), await house.lease()]) lease.release();
    house.pool.keepReady();
    const closed = (): readonly boolean[] => house.backend.connections.map((connection) => connection.closed);
    for (const [afterMs, expected] of [
      [5000, [false, false]],
      [9000, [false, true, false]],
      [10_000, [true, true, false, false]],
    ] as const) {
      house.nowMs = 1000 + afterMs;
      house.pool.sweep();
      await settled(house, 2);
      await waitUntil(() => isDeepStrictEqual(closed(), expected), `${closed()} to be ${expected}`);
    }
  });

  it("that are wanted no more end by being idle", async () => {
    const house = new ReadyHouse({}, { minIdle: 2, idleTimeoutMs: 1000 });
    house.pool.keepReady();
    await settled(house, 2);
    house.servers.length = 0;
    house.pool.sweep();
    house.nowMs += 1000;
    house.pool.sweep();
    expect(house.snapshot).toBeUndefined();
    await waitUntil(() => house.backend.open.length === 0, "the end of the connections");
  });

  it("use another password as soon as it holds", async () => {
    const house = new ReadyHouse({}, { minIdle: 1 });
    house.pool.keepReady();
    await settled(house, 1);
    house.servers[0] = { tablet, account: { ...account, generation: 2 } };
    house.pool.sweep();
    await waitUntil(() => house.backend.connections.length === 2, "a new login");
    await settled(house, 1);
    expect(house.backend.connections.map(({ request }) => request.account.generation)).toEqual([1, 2]);
  });
});

describe("a server that refuses connections in advance", () => {
  const refusing = (kind: ConstructorParameters<typeof BackendLoginError>[0]) => {
    const state = { logins: 0, refuses: true };
    const onLogin = (): void => {
      state.logins += 1;
      if (state.refuses) throw new BackendLoginError(kind, "no");
    };
    return { state, onLogin };
  };

  it.each(["unreachable", "unsuitable", "access_denied", "too_many_connections"] as const)(
    "is left in peace for longer and longer: %s",
    async (kind) => {
      const { state, onLogin } = refusing(kind);
      const house = new ReadyHouse({ onLogin }, { minIdle: 4 });
      for (let seconds = 0; seconds < 120; seconds += 1) {
        house.pool.sweep();
        await new Promise((resolve) => setImmediate(resolve));
        house.nowMs += 1000;
      }
      // Each round is at most four at a time: after 0, 1, 3, 7, 15, 31, 63 seconds.
      expect(state.logins).toBeLessThanOrEqual(kind === "access_denied" ? 3 * 4 : 8 * 4);
      expect(state.logins).toBeGreaterThan(1);
    },
  );

  it("is asked at once when health has seen it well", async () => {
    const { state, onLogin } = refusing("access_denied");
    const house = new ReadyHouse({ onLogin }, { minIdle: 1 });
    house.pool.keepReady();
    await waitUntil(() => house.failures.length === 1, "a failed login");
    house.pool.keepReady();
    expect(state.logins).toBe(1);
    state.refuses = false;
    house.pool.reopen(tablet);
    house.pool.keepReady();
    await settled(house, 1);
    expect(state.logins).toBe(2);
  });

  it("still serves sessions as it did", async () => {
    const { state, onLogin } = refusing("unsuitable");
    const house = new ReadyHouse({ onLogin }, { minIdle: 1 });
    house.pool.keepReady();
    await waitUntil(() => house.failures.length === 1, "a failed login");
    state.refuses = false;
    const lease = await house.lease();
    await use(lease, "select 1");
  });
});

describe("the age of a connection", () => {
  it("also ends one that its session could do without", async () => {
    const house = new House({}, { lifetimeMs: 10_000 });
    const lease = await house.lease();
    const handover = {
      database: null,
      settings: { key: "\n", names: [], namesKey: "", variables: new Map() },
      multiStatements: false,
      insertId: "0",
      hasDiagnostics: false,
    };
    let taken = 0;
    const taker = {
      describe: () => handover,
      onTaken: () => {
        taken += 1;
        return null;
      },
    };
    house.nowMs += 9999;
    lease.offer(taker, house.nowMs);
    house.pool.sweep();
    expect(taken).toBe(0);
    house.nowMs += 1;
    house.pool.sweep();
    expect(taken).toBe(1);
    await waitUntil(() => house.backend.connections[0]?.closed, "the end of the connection");
  });
});

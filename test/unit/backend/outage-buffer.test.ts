// Statements that wait out an outage: how many, how long, in which order, and who goes away meanwhile.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { BackendLease } from "../../../src/backend/backend-pool.ts";
import { BackendLoginError, leftServer } from "../../../src/backend/login-error.ts";
import { isWorthWaiting, type OutagePlace, type OutageTicket } from "../../../src/backend/outage.ts";
import { type BufferLimits, OutageBuffer } from "../../../src/backend/outage-buffer.ts";
import { CancelSource } from "../../../src/base/cancel-signal.ts";
import { type SqlError, sqlError } from "../../../src/errors/sql-error.ts";
import type { Tablet } from "../../../src/routing/route.ts";
import { NoPrimary } from "../../../src/routing/router.ts";
import { acquireLease } from "../../../src/session/acquire-lease.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";

const failure = sqlError("ER_SERVER_ISNT_AVAILABLE");
const shop: OutagePlace = "keyspace:shop";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function makeBuffer(limits: Partial<BufferLimits> = {}) {
  const suspected: OutagePlace[] = [];
  const metrics = createMetrics({ processMetrics: false });
  const buffer = new OutageBuffer(
    { enabled: true, windowMs: 10_000, statementsMax: 1000, ...limits },
    {
      clock: { monotonicMs: () => performance.now(), wallMs: () => Date.now() },
      metrics,
      onSuspect: (place) => suspected.push(place),
      follows: () => "nothing",
    },
  );
  const wait = (place: OutagePlace = shop, ticket: OutageTicket = buffer.ticket()) => {
    const signal = new CancelSource();
    const waiting = {
      signal,
      ticket,
      result: null as null | "again" | number,
      promise: Promise.resolve(),
    };
    waiting.promise = buffer.wait(place, ticket, signal, failure).then((result) => {
      waiting.result = result === "again" ? "again" : result.code;
    });
    return waiting;
  };
  return { buffer, suspected, metrics, wait };
}

const passed = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe("OutageBuffer", () => {
  it("lets nobody wait any more when the gateway stops", async () => {
    const { buffer, wait } = makeBuffer();
    const [waiting] = [wait()];
    buffer.close();
    await waiting.promise;
    const late = wait();
    await late.promise;
    expect([waiting.result, late.result, buffer.count, vi.getTimerCount()]).toEqual([1053, 1053, 0, 0]);
  });

  it("lets statements wait, has the place looked at, and releases them in the order of their arrival", async () => {
    const { buffer, suspected, wait } = makeBuffer();
    const order: number[] = [];
    const all = [0, 1, 2, 3].map((index) => {
      const waiting = wait();
      void waiting.promise.then(() => order.push(index));
      return waiting;
    });
    await passed(5000);
    expect([buffer.count, suspected.length, order]).toEqual([4, 4, []]);
    buffer.release("keyspace:other");
    await passed(0);
    expect(order).toEqual([]);
    buffer.release(shop);
    await passed(0);
    expect(order).toEqual([0, 1, 2, 3]);
    expect(all.map(({ result }) => result)).toEqual(Array(4).fill("again"));
    expect(buffer.count).toBe(0);
  });

  it("gives the error that it would have been when the window is over", async () => {
    const { buffer, wait } = makeBuffer();
    const waiting = wait();
    await passed(9999);
    expect(waiting.result).toBeNull();
    await passed(1);
    expect([waiting.result, buffer.count]).toEqual([3168, 0]);
  });

  it("does not let statements wait for an outage that is older than the window", async () => {
    const { buffer, wait } = makeBuffer();
    const first = wait();
    await passed(6000);
    const second = wait();
    await passed(4000);
    expect([first.result, second.result]).toEqual([3168, null]);
    const late = wait();
    await passed(0);
    expect(late.result).toBe(3168);
    await passed(6000);
    expect(second.result).toBe(3168);
    buffer.release(shop);
    const after = wait();
    await passed(1);
    expect(after.result).toBeNull();
    buffer.release(shop);
  });

  it("refuses more than buffer_size with 1203, naming it", async () => {
    const { buffer, wait } = makeBuffer({ statementsMax: 2 });
    const [first] = [wait(), wait()];
    const signal = new CancelSource();
    const refused = (await buffer.wait(shop, buffer.ticket(), signal, failure)) as SqlError;
    expect([refused.code, refused.sqlState]).toEqual([1203, "42000"]);
    expect(refused.message).toContain("buffer_size=2");
    first?.signal.abort();
    const next = wait();
    await passed(0);
    expect([first?.result, next.result]).toEqual([1317, null]);
    buffer.release(shop);
  });

  it("lets nobody wait when it is off", async () => {
    const { wait } = makeBuffer({ enabled: false });
    const waiting = wait();
    await passed(0);
    expect(waiting.result).toBe(3168);
  });

  it("a statement that comes back keeps its turn and its time, and pauses a little longer each time", async () => {
    const { buffer, wait } = makeBuffer();
    const early = wait();
    buffer.release(shop);
    await passed(0);
    const late = wait();
    const order: string[] = [];
    const again = wait(shop, early.ticket);
    void again.promise.then(() => order.push("early"));
    void late.promise.then(() => order.push("late"));
    await passed(49);
    buffer.release(shop);
    await passed(0);
    // The late one pauses for nothing: it is its first attempt.
    expect(order).toEqual(["late"]);
    await passed(1);
    expect(order).toEqual(["late", "early"]);
    const third = wait(shop, early.ticket);
    const fresh = wait();
    await passed(100);
    void third.promise.then(() => order.push("early again"));
    void fresh.promise.then(() => order.push("fresh"));
    buffer.release(shop);
    await passed(0);
    expect(order.slice(2)).toEqual(["early again", "fresh"]);
    const last = wait(shop, early.ticket);
    await passed(10_000);
    expect(last.result).toBe(3168);
  });

  it("counts how waits ended, and shows who waits", async () => {
    const { buffer, metrics, wait } = makeBuffer({ statementsMax: 3 });
    const [one] = [wait(), wait(), wait()];
    wait();
    expect(await metrics.text()).toMatch(/^gatehouse_buffered_statements 3$/m);
    one?.signal.abort();
    buffer.release(shop);
    const timedOut = wait();
    await passed(10_000);
    expect(timedOut.result).toBe(3168);
    const text = await metrics.text();
    for (const [outcome, count] of [
      ["released", 2],
      ["interrupted", 1],
      ["full", 1],
      ["timed_out", 1],
    ])
      expect(text).toContain(`gatehouse_buffered_statements_total{outcome="${outcome}"} ${count}`);
    expect(text).toContain("gatehouse_buffered_statement_seconds_count 4");
    expect(text).toMatch(/^gatehouse_buffered_statements 0$/m);
  });
});

const tablet: Tablet = {
  alias: "db1",
  address: { kind: "unix", path: "/none" },
  tls: { mode: "DISABLED", ca: null, cert: null, key: null },
};

describe("isWorthWaiting()", () => {
  const failed = (error: BackendLoginError) =>
    sqlError("ER_SERVER_ISNT_AVAILABLE", {}, { reason: "", cause: error });

  it("knows what waiting can mend", () => {
    expect(isWorthWaiting(leftServer("it is read-only"))).toBe(true);
    for (const kind of ["unreachable", "timeout"] as const)
      expect(isWorthWaiting(failed(new BackendLoginError(kind, "")))).toBe(true);
    expect(isWorthWaiting(failed(new BackendLoginError("refused", "", { code: 1053 })))).toBe(true);
  });

  it("knows what it cannot", () => {
    for (const kind of ["access_denied", "too_many_connections", "refused", "tls", "client_wish"] as const)
      expect(isWorthWaiting(failed(new BackendLoginError(kind, "")))).toBe(false);
    expect(isWorthWaiting(sqlError("ER_BAD_DB_ERROR", { database: "nosuch" }))).toBe(false);
    expect(isWorthWaiting(failure)).toBe(false);
  });
});

describe("acquireLease()", () => {
  const lease = { serial: 1 } as BackendLease;

  it("routes anew after each wait, until there is a lease", async () => {
    const { buffer } = makeBuffer();
    const answers: (NoPrimary | null)[] = [new NoPrimary("shop", "none"), null, null];
    const acquired: (SqlError | BackendLease)[] = [leftServer("it went away"), lease];
    const signal = new CancelSource();
    const request = () =>
      answers.shift() ?? {
        route: {
          keyspace: "shop",
          tabletType: "primary" as const,
          tablet,
          account: { name: "default", user: "u", password: () => "", generation: 1 },
          database: null,
        },
        capabilities: 0,
        collation: 45,
        signal,
      };
    const pool = { acquire: async () => acquired.shift() ?? failure, close: async () => {} };
    const patience = { ticket: null, first: null };
    const result = acquireLease(request, { pool, outages: buffer }, signal, patience);
    await passed(100);
    expect([answers.length, acquired.length, buffer.count]).toEqual([2, 2, 1]);
    buffer.release(shop);
    await passed(100);
    expect([answers.length, acquired.length, buffer.count]).toEqual([1, 1, 1]);
    buffer.release("tablet:db1");
    expect(await result).toBe(lease);
    expect(buffer.count).toBe(0);
  });

  it("returns at once what waiting does not mend", async () => {
    const { buffer } = makeBuffer();
    const pool = { acquire: async () => lease, close: async () => {} };
    const refused = sqlError("ER_BAD_DB_ERROR", { database: "nosuch" });
    const result = acquireLease(() => refused, { pool, outages: buffer }, new CancelSource(), {
      ticket: null,
      first: null,
    });
    expect(await result).toBe(refused);
  });
});

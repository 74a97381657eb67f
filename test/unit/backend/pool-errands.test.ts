// A server that hangs while the pool itself talks to it: who waits for that is sent elsewhere when the server is left.
import { describe, expect, it } from "vitest";
import { isWorthWaiting } from "../../../src/backend/outage.ts";
import { SqlError } from "../../../src/errors/sql-error.ts";
import type { CutManner } from "../../../src/routing/judge-keyspace.ts";
import { House, tablet, use } from "../../support/pool-house.ts";
import { toFrames } from "../../support/raw/frame-reader.ts";
import { waitUntil, within } from "../../support/scratch.ts";
import { errPayload } from "../../support/scripted-backend.ts";

/** A house whose server never answers commands that begin so. */
const silentOn = (start: string): House =>
  new House({ onCommand: (command) => (command.startsWith(start) ? null : undefined) });

const asked = (house: House, start: string): Promise<unknown> =>
  waitUntil(
    () => house.backend.connections.some(({ commands }) => commands.some((one) => one.startsWith(start))),
    start,
  );

const leave = (house: House, manner: CutManner): void => house.pool.cut(tablet, manner, "it is down", 1000);

describe("a server that is left while", () => {
  it.each<CutManner>(["now", "after_statement", "after_transaction"])(
    "a connection is prepared turns its session away at once: %s",
    async (manner) => {
      const house = silentOn("INIT_DB");
      const error = house.error("shop");
      await asked(house, "INIT_DB");
      leave(house, manner);
      expect(isWorthWaiting(await within(error, "the error", 2000))).toBe(true);
      if (manner === "now")
        await waitUntil(
          () => house.snapshot?.leased === 0 && house.snapshot.idle === 0,
          "the connection to go",
        );
    },
  );

  it("a session's insert id is asked for tells the session that it is lost", async () => {
    const house = silentOn("QUERY SELECT LAST_INSERT_ID");
    const lease = await house.lease();
    await use(lease, "insert");
    const told: unknown[] = [];
    lease.release({ owed: { foundRows: false, tell: (leftovers) => void told.push(leftovers) } });
    await asked(house, "QUERY SELECT LAST_INSERT_ID");
    expect(told).toEqual([]);
    leave(house, "now");
    await waitUntil(() => told.length > 0, "the word", 2000);
    expect(told).toEqual([null]);
  });

  it("a connection is reset ends the connection", async () => {
    const house = silentOn("RESET");
    const lease = await house.lease();
    await use(lease, "select 1");
    lease.release();
    await asked(house, "RESET");
    leave(house, "now");
    await waitUntil(() => house.snapshot?.idle === 0, "the connection to go", 2000);
  });

  it("a session asks it something answers the session at once", async () => {
    const house = silentOn("QUERY SHOW GRANTS");
    const lease = await house.lease();
    const grants = lease.readGrants();
    await asked(house, "QUERY SHOW GRANTS");
    lease.close("its server is left");
    expect(await within(grants, "the answer", 2000)).toBeNull();
  });
});

describe("a Galera node that is cut off from its cluster", () => {
  const refusal = toFrames(errPayload(1047, "WSREP has not yet prepared node for application use"), 1);

  it.each(["INIT_DB", "QUERY SELECT @@character_set_client"])("is waited for: %s", async (start) => {
    const house = new House({
      onCommand: (command) => (command.startsWith(start) ? refusal : undefined),
    });
    const error = await house.acquire("shop");
    if (!(error instanceof SqlError)) throw new Error("got a lease");
    expect([error.code, isWorthWaiting(error)]).toEqual([3168, true]);
  });
});

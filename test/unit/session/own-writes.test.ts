import { describe, expect, it } from "vitest";
import type { AcquireRequest, BackendLease } from "../../../src/backend/backend-pool.ts";
import type { WritePosition } from "../../../src/backend/write-position.ts";
import { CancelSource } from "../../../src/base/cancel-signal.ts";
import { SqlError, sqlError } from "../../../src/errors/sql-error.ts";
import { acquireWithOwnWrites } from "../../../src/session/acquire-own-writes.ts";
import { OwnWrites } from "../../../src/session/own-writes.ts";
import { statementText } from "../../../src/session/statement-text.ts";
import { bareStatement } from "../../../src/sql/statement-summary.ts";

const textOf = (kind: string, readOnly = false) => statementText([{ ...bareStatement(kind), readOnly }]);

describe("OwnWrites", () => {
  it("counts what may have written", () => {
    const kinds: [string, boolean][] = [
      ["INSERT", true],
      ["COMMIT", true],
      ["CALL", true],
      ["EXECUTE", true],
      ["CREATE TABLE", true],
      ["UNKNOWN", true],
      ["SET", false],
      ["BEGIN", false],
      ["ROLLBACK", false],
      ["SHOW", false],
    ];
    for (const [kind, ahead] of kinds) {
      const writes = new OwnWrites();
      writes.note(textOf(kind));
      expect([kind, writes.isAhead]).toEqual([kind, ahead]);
    }
    const writes = new OwnWrites();
    writes.note(textOf("SELECT", true));
    expect(writes.isReachedBy("db2")).toBe(true);
  });

  it("forgets who has come so far when something is written again", () => {
    const writes = new OwnWrites();
    writes.note(textOf("INSERT"));
    writes.learn({ kind: "gtids", text: "0-1-5" });
    expect(writes.isReachedBy("db2")).toBe(false);
    writes.noteReached("db2");
    expect([writes.isReachedBy("db2"), writes.isReachedBy("db3")]).toEqual([true, false]);
    writes.note(textOf("UPDATE"));
    expect([writes.isAhead, writes.isReachedBy("db2")]).toEqual([true, false]);
    writes.learn({ kind: "gtids", text: "0-1-6" });
    expect(writes.isReachedBy("db2")).toBe(false);
    writes.clear();
    expect(writes.isReachedBy("db2")).toBe(true);
  });
});

describe("acquireWithOwnWrites()", () => {
  /** Plays primary and replica; says what was done. */
  async function run(options: {
    wrote?: boolean;
    position?: WritePosition | null;
    hasCome?: boolean | null;
    within?: number;
    broken?: "primary" | "replica";
    /** Killed while it waits on the replica. */
    killed?: boolean;
  }) {
    const done: string[] = [];
    const ownWrites = new OwnWrites();
    if (options.wrote ?? true) ownWrites.note(textOf("INSERT"));
    const request = (readsMayLeave: boolean) => {
      const alias = readsMayLeave ? "replica" : "primary";
      const ownWritesWithinMs = "within" in options ? options.within : 100;
      const wait = readsMayLeave && ownWritesWithinMs !== undefined ? { ownWritesWithinMs } : {};
      return { route: { tablet: { alias }, ...wait } } as unknown as AcquireRequest;
    };
    const signal = new CancelSource();
    const result = await acquireWithOwnWrites({
      signal,
      ownWrites,
      request,
      acquire: async (wanted) => {
        const asked = wanted() as AcquireRequest;
        const { alias } = asked.route.tablet;
        done.push(`acquire ${alias}`);
        if (options.broken === alias) return sqlError("ER_SERVER_ISNT_AVAILABLE");
        return {
          route: asked.route,
          readWritePosition: async () => {
            done.push("ask");
            return options.position === undefined ? { kind: "gtids", text: "0-1-5" } : options.position;
          },
          awaitWritePosition: async (position: WritePosition, withinMs: number) => {
            done.push(`wait ${withinMs} for ${position.kind}`);
            if (options.killed === true) signal.abort();
            return options.hasCome === undefined ? true : options.hasCome;
          },
          cancel: async () => void done.push("cancel"),
        } as unknown as BackendLease;
      },
      giveBack: (lease) => void done.push(`give back ${lease.route.tablet.alias}`),
    });
    done.push(result instanceof SqlError ? `error ${result.code}` : `use ${result.route.tablet.alias}`);
    return done;
  }
  const asked = ["acquire primary", "ask", "give back primary", "acquire replica", "wait 100 for gtids"];

  it("takes the replica as it is where nothing was written or nobody wants to see it", async () => {
    expect(await run({ wrote: false })).toEqual(["acquire replica", "use replica"]);
    expect(await run({ within: undefined as unknown as number })).toEqual(["acquire replica", "use replica"]);
  });

  it("asks the primary how far it has written, and waits for that on the replica", async () => {
    expect(await run({})).toEqual([...asked, "use replica"]);
  });

  it("reads from the primary what the replica does not have in time, or cannot tell", async () => {
    expect(await run({ hasCome: false })).toEqual([
      ...asked,
      "give back replica",
      "acquire primary",
      "use primary",
    ]);
    expect(await run({ hasCome: null })).toEqual([...asked, "acquire primary", "use primary"]);
    expect(await run({ position: { kind: "none" } })).toEqual(["acquire primary", "ask", "use primary"]);
    expect(await run({ position: null })).toEqual([
      "acquire primary",
      "ask",
      "acquire primary",
      "use primary",
    ]);
  });

  it("ends its wait on the replica when the client's statement is killed", async () => {
    expect(await run({ killed: true, hasCome: false })).toEqual([
      ...asked,
      "cancel",
      "give back replica",
      "error 1317",
    ]);
  });

  it("fails as the servers do", async () => {
    expect(await run({ broken: "primary" })).toEqual(["acquire primary", "error 3168"]);
    expect((await run({ broken: "replica" })).at(-1)).toBe("error 3168");
  });
});

// A session whose server is the primary no more: what is repeated elsewhere, what never is, and how it leaves a server.
import { describe, expect, it } from "vitest";
import type { Follows, OutagePlace, Outages } from "../../src/backend/outage.ts";
import { type SqlError, sqlError } from "../../src/errors/sql-error.ts";
import type { CutManner } from "../../src/routing/judge-keyspace.ts";
import { bareStatement, type StatementSummary } from "../../src/sql/statement-summary.ts";
import { toFrames } from "../support/raw/frame-reader.ts";
import type { RawClient } from "../support/raw/raw-client.ts";
import { waitUntil } from "../support/scratch.ts";
import { errReply, Harness, type HarnessOptions, okReply, type Script } from "./harness.ts";

const readOnlyRefusal = errReply(
  1290,
  "The MariaDB server is running with the --read-only option so it cannot execute this statement",
);
const IN_TRANSACTION = 3;

/** By the statement's first word, several apart by semicolons. */
const analyze = (text: string): StatementSummary[] =>
  text.split(";").map((one) => {
    const kind = one.trim().split(" ")[0] ?? "";
    return { ...bareStatement(kind), readOnly: kind === "SELECT" };
  });

class Places implements Outages {
  readonly waited: OutagePlace[] = [];
  readonly #follows: Follows;
  verdict: "again" | "failure" | Promise<void> = "again";

  constructor(follows: Follows) {
    this.#follows = follows;
  }

  ticket = () => ({ serial: 1, deadlineMs: 0, attempts: 0 });
  follows = (): Follows => this.#follows;

  async wait(
    place: OutagePlace,
    _ticket: unknown,
    signal: { aborted: boolean },
    failure: SqlError,
  ): Promise<"again" | SqlError> {
    this.waited.push(place);
    const { verdict } = this;
    if (verdict instanceof Promise) await verdict;
    if (signal.aborted) return sqlError("ER_QUERY_INTERRUPTED");
    return verdict === "failure" ? failure : "again";
  }
}

/** The first connection is to a server that is read-only: it refuses what is not fine; later ones take everything. */
function world(
  refusal: Uint8Array = readOnlyRefusal,
  follows: Follows = "read_only",
  options: HarnessOptions = {},
) {
  const outages = new Places(follows);
  const script: Script = (command, backend) => {
    const text = command.subarray(1).toString();
    if (text.startsWith("BEGIN")) return okReply(IN_TRANSACTION);
    const index = harness.backends.indexOf(backend);
    const refuses = index === 0 || (index === 1 && text.endsWith("refused again"));
    return refuses && !text.startsWith("fine") ? Buffer.from(refusal) : okReply();
  };
  const harness: Harness = new Harness({ script, analyze, outages, ...options });
  const sent = (): string[][] =>
    harness.backends.map(({ commands }) => commands.map((command) => command.subarray(1).toString()));
  return { harness, outages, sent };
}

describe("a statement that a server refused for being read-only", () => {
  it.each([
    readOnlyRefusal,
    errReply(1290, "Der Server läuft mit --super-read-only: diese Anweisung geht nicht"),
    errReply(1836, "Running in read-only mode"),
  ])("runs on the next primary, once, and its client sees no error", async (refusal) => {
    const { harness, outages, sent } = world(refusal);
    const client = await harness.login();
    expect((await client.query("INSERT 1")).error).toBeNull();
    expect(sent()).toEqual([["INSERT 1"], ["INSERT 1"]]);
    expect(outages.waited).toEqual(["tablet:backend"]);
    expect(harness.backends[0]?.closedBecause).toContain("not the primary");
    expect((await client.query("INSERT 2")).error).toBeNull();
    expect(sent()).toEqual([["INSERT 1"], ["INSERT 1", "INSERT 2"]]);
    expect(harness.metrics.commands.query).toBe(2);
  });

  it("has its own time to wait, however long ago the session has waited before", async () => {
    const { harness, outages } = world();
    const tickets: unknown[] = [];
    const wait = outages.wait.bind(outages);
    outages.wait = (place, ticket, signal, failure) => {
      tickets.push(ticket);
      return wait(place, ticket, signal, failure);
    };
    const client = await harness.login();
    await client.query("INSERT 1");
    await client.query("INSERT 2 refused again");
    expect(tickets.length).toBe(2);
    expect(tickets[0]).not.toBe(tickets[1]);
  });

  it("is told to the client when no other server takes it in time", async () => {
    const { harness, outages, sent } = world();
    outages.verdict = "failure";
    const client = await harness.login();
    const { error } = await client.query("INSERT 1");
    expect([error?.code, sent()]).toEqual([1290, [["INSERT 1"]]]);
    outages.verdict = "again";
    expect((await client.query("INSERT 2")).error).toBeNull();
  });

  it("can be killed while it waits", async () => {
    const { harness, outages, sent } = world();
    const wait = { over: (): void => {} };
    outages.verdict = new Promise((resolve) => {
      wait.over = resolve;
    });
    const client = await harness.login();
    const reply = client.query("INSERT 1");
    await waitUntil(() => outages.waited.length === 1, "the wait");
    for (const session of harness.registry.all()) session.kill("query");
    wait.over();
    expect((await reply).error?.code).toBe(1317);
    expect(sent()).toEqual([["INSERT 1"]]);
  });

  it.each<[string, string[]]>([
    ["one of several statements", ["INSERT 1; INSERT 2"]],
    ["a procedure", ["CALL p"]],
    ["a prepared text", ["EXECUTE s"]],
    ["in a transaction", ["BEGIN", "INSERT 1"]],
  ])("is not repeated: %s", async (_why, texts) => {
    const { harness, sent } = world();
    const client = await harness.login();
    let code: number | undefined;
    for (const text of texts) code = (await client.query(text)).error?.code;
    expect([code, sent()]).toEqual([1290, [texts]]);
  });

  it.each<[string, Follows, Uint8Array, string]>([
    ["another option", "read_only", errReply(1290, "running with the --secure-file-priv option"), "INSERT 1"],
    ["another error", "read_only", errReply(1062, "Duplicate entry 'read-only'"), "INSERT 1"],
    ["nobody follows its role", "nothing", readOnlyRefusal, "INSERT 1"],
    ["a read", "read_only", readOnlyRefusal, "SELECT 1"],
    ["1047 without Galera", "read_only", errReply(1047, "WSREP has not yet prepared node"), "INSERT 1"],
    ["a deadlock", "read_only_and_galera", errReply(1213, "Deadlock found"), "INSERT 1"],
    ["a deadlock elsewhere", "read_only", errReply(1213, "Deadlock found"), "INSERT 1"],
    ["1047 of something else", "read_only_and_galera", errReply(1047, "Unknown command"), "INSERT 1"],
  ])("is relayed: %s", async (_why, follows, refusal, text) => {
    const { harness, sent } = world(refusal, follows);
    const client = await harness.login();
    expect((await client.query(text)).error).not.toBeNull();
    expect(sent()).toEqual([[text]]);
  });

  it("is not kept when it is larger than a mebibyte", async () => {
    const { harness, sent } = world();
    const client = await harness.login();
    const text = `INSERT ${"x".repeat(1024 * 1024)}`;
    expect((await client.query(text)).error?.code).toBe(1290);
    expect(sent().length).toBe(1);
  });

  it.each(["INSERT 1", "SELECT 1"])("of a Galera node that is cut off: %s", async (text) => {
    const { harness, sent } = world(
      errReply(1047, "WSREP has not yet prepared node for application use"),
      "read_only_and_galera",
    );
    const client = await harness.login();
    expect((await client.query(text)).error).toBeNull();
    expect(sent()).toEqual([[text], [text]]);
  });

  it("of a Galera node that has lost against another one, while the writer changes", async () => {
    const { harness, sent, outages } = world(errReply(1213, "Deadlock found"), "galera_changing");
    const client = await harness.login();
    expect((await client.query("INSERT 1")).error).toBeNull();
    expect(sent()).toEqual([["INSERT 1"], ["INSERT 1"]]);
    expect(outages.waited).toEqual(["tablet:backend"]);
    const { harness: other, sent: sentThere } = world(errReply(1213, "Deadlock found"), "galera_changing");
    const inTransaction = await other.login();
    await inTransaction.query("BEGIN");
    expect((await inTransaction.query("INSERT 1")).error?.code).toBe(1213);
    expect(sentThere()).toEqual([["BEGIN", "INSERT 1"]]);
  });
});

const cut = (harness: Harness, manner: CutManner): void =>
  harness.leases[0]?.onCut?.(manner, "it is the primary no more");

const startQuery = (client: RawClient, text: string): void => {
  client.stream.write(toFrames(Buffer.concat([Buffer.of(3), Buffer.from(text)])));
};

describe("a session that must leave its server", () => {
  /** The reply to `slow` is given by the test. */
  const slow = (statusFlags?: number) => {
    const harness: Harness = new Harness({
      analyze,
      script: (command) => {
        const text = command.subarray(1).toString();
        if (text.startsWith("slow")) return null;
        return text.startsWith("BEGIN") ? okReply(IN_TRANSACTION) : okReply(statusFlags);
      },
    });
    return harness;
  };

  it.each<CutManner>(["now", "after_statement", "after_transaction"])(
    "between two statements goes on elsewhere: %s",
    async (manner) => {
      const harness = slow();
      const client = await harness.login();
      await client.query("INSERT 1");
      cut(harness, manner);
      await waitUntil(() => harness.backends[0]?.closedBecause !== null, "the lease to be closed");
      expect((await client.query("INSERT 2")).error).toBeNull();
      expect(harness.backends.length).toBe(2);
    },
  );

  it.each<CutManner>(["now", "after_statement"])("in a transaction ends: %s", async (manner) => {
    const harness = slow();
    const client = await harness.login();
    await client.query("BEGIN");
    cut(harness, manner);
    expect(await client.readToEnd()).toEqual(Buffer.alloc(0));
  });

  it("may end its transaction where both servers can be written to", async () => {
    const harness = slow();
    const client = await harness.login();
    await client.query("BEGIN");
    cut(harness, "after_transaction");
    expect(harness.backends[0]?.closedBecause).toBeNull();
    await client.query("COMMIT");
    await waitUntil(() => harness.backends[0]?.closedBecause !== null, "the lease to be closed");
    expect((await client.query("INSERT 2")).error).toBeNull();
    expect(harness.backends.length).toBe(2);
  });

  it.each<CutManner>(["after_statement", "after_transaction"])(
    "gets the answer to its statement first: %s",
    async (manner) => {
      const harness = slow();
      const client = await harness.login();
      startQuery(client, "slow INSERT");
      await waitUntil(() => harness.backends[0]?.commands.length === 1, "the statement");
      cut(harness, manner);
      harness.backends[0]?.stream.write(okReply());
      expect((await client.readReply(3)).error).toBeNull();
      await waitUntil(() => harness.backends[0]?.closedBecause !== null, "the lease to be closed");
      expect((await client.query("INSERT 2")).error).toBeNull();
      expect(harness.backends[1]?.commands.length).toBe(1);
    },
  );

  it("a write whose fate nobody knows is not answered, and not repeated", async () => {
    const harness = slow();
    const client = await harness.login();
    startQuery(client, "slow INSERT");
    await waitUntil(() => harness.backends[0]?.commands.length === 1, "the statement");
    cut(harness, "after_statement");
    // The grace is over.
    cut(harness, "now");
    expect(await client.readToEnd()).toEqual(Buffer.alloc(0));
    expect(harness.backends.length).toBe(1);
  });
});

// The query log of sessions: what is recorded of which statement, and that no value of one ever is.
import { describe, expect, it } from "vitest";
import type { QueryRecord } from "../../src/telemetry/query-log.ts";
import { toFrames } from "../support/raw/frame-reader.ts";
import { waitUntil } from "../support/scratch.ts";
import { errReply, Harness, okReply } from "./harness.ts";

const query = (sql: string): Buffer => Buffer.concat([Buffer.of(3), Buffer.from(sql)]);

function logged(options: { sampled?: boolean; slowMs?: number; reply?: Buffer; takesMs?: number } = {}) {
  const records: QueryRecord[] = [];
  const harness: Harness = new Harness({
    variables: () => ({ sqlMode: "", characterSet: "utf8mb4", database: "shop" }),
    script: () => {
      harness.clock.nowMs += options.takesMs ?? 5;
      return options.reply ?? okReply();
    },
    queryLog: {
      sample: () => options.sampled ?? true,
      slowMs: options.slowMs ?? Number.POSITIVE_INFINITY,
      record: (record) => void records.push(record),
    },
  });
  return { harness, records };
}

describe("the query log", () => {
  it("records who did what for how long, without values", async () => {
    const { harness, records } = logged();
    const client = await harness.login("app", { database: "shop" });
    await client.command(query("select name from orders where id = 4711 and card = 'secret-literal'"));
    expect(records).toMatchObject([
      {
        user: "app",
        user_data: "app_data",
        host: "192.0.2.1",
        database: "shop",
        command: "COM_QUERY",
        statement_kind: "SELECT",
        fingerprint: "SELECT name FROM orders WHERE id = ? AND card = ?",
        no_fingerprint_because: null,
        text_bytes: 67,
        duration_ms: 5,
        outcome: "ok",
        error_code: null,
        logged_because: "sample",
      },
    ]);
    expect(records[0]?.fingerprint_id).toMatch(/^[0-9a-f]{16}$/);
  });

  it("records what was slow, and nothing of what was not", async () => {
    const slow = logged({ sampled: false, slowMs: 5 });
    await (await slow.harness.login()).command(query("select 1"));
    expect(slow.records).toMatchObject([{ logged_because: "slow" }]);
    const fast = logged({ sampled: false, slowMs: 6 });
    await (await fast.harness.login()).command(query("select 1"));
    expect(fast.records).toEqual([]);
    const off = logged({ sampled: false });
    await (await off.harness.login()).command(query("select 1"));
    expect(off.records).toEqual([]);
  });

  it("tells nothing of a text that the server could not read, but its error", async () => {
    const { harness, records } = logged({ reply: errReply(1064, "You have an error near 'secret'") });
    await (await harness.login()).command(query("select secret word here"));
    expect(records).toMatchObject([
      {
        fingerprint: null,
        no_fingerprint_because: "refused_by_server",
        outcome: "error",
        error_code: 1064,
        text_bytes: 23,
      },
    ]);
  });

  it.each([1235, 1054])(
    "nor of one that was refused with %d: what it has for names may be values",
    async (code) => {
      const { harness, records } = logged({ reply: errReply(code, "no") });
      await (await harness.login()).command(query("select secretvalue from t"));
      expect(records).toMatchObject([{ fingerprint: null, no_fingerprint_because: "refused_by_server" }]);
    },
  );

  it("keeps a fingerprint beside other errors", async () => {
    const { harness, records } = logged({ reply: errReply(1146, "no such table") });
    await (await harness.login()).command(query("select a from gone"));
    expect(records).toMatchObject([
      { fingerprint: "SELECT a FROM gone", outcome: "error", error_code: 1146 },
    ]);
  });

  it("records an error of the gateway's own", async () => {
    const { harness, records } = logged();
    const client = await harness.login();
    await client.command(query("kill 99"));
    expect(records).toMatchObject([{ statement_kind: "KILL", outcome: "error", error_code: 1094 }]);
  });

  it("records a statement whose session ended before its reply", async () => {
    const { harness, records } = logged();
    const held = new Harness({
      script: () => null,
      queryLog: { sample: () => true, slowMs: 1, record: (r) => void records.push(r) },
    });
    const client = await held.login();
    client.stream.write(toFrames(query("select sleep(9)")));
    await waitUntil(() => held.backends[0]?.commands.length === 1, "the command at the backend");
    for (const session of held.registry.all()) session.forceEnd("shutdown");
    await waitUntil(() => records.length === 1, "the record");
    expect(records).toMatchObject([{ outcome: "cut", error_code: null, fingerprint: "SELECT sleep(?)" }]);
    expect(harness.metrics.sessionFailures).toBe(0);
  });

  it("records long texts by kind and length, and gives memory back", async () => {
    const { harness, records } = logged();
    const client = await harness.login();
    const long = (bytes: number) => `insert into t values ('${"s".repeat(bytes)}')`;
    await client.command(query(long(70_000)));
    await client.command(query(long(30_000)));
    expect(records).toMatchObject([
      { no_fingerprint_because: "too_long", fingerprint: null, text_bytes: 70_025, statement_kind: "INSERT" },
      { fingerprint: "INSERT INTO t VALUES (?)", text_bytes: 30_025 },
    ]);
    expect(harness.services.statementBudget.reservedBytes).toBe(0);
    expect(
      harness.services.statementBudget.tryReserve(harness.services.statementBudget.bytesMax - 10_000),
    ).toBe(true);
    await client.command(query(long(9_000)).subarray(0, 5_000));
    await client.command(query(long(12_000)));
    expect(records[3]).toMatchObject({ no_fingerprint_because: "no_memory", text_bytes: 12_025 });
  });

  it("records no command without a statement, and no password of COM_CHANGE_USER", async () => {
    const { harness, records } = logged();
    const client = await harness.login();
    await client.command(Buffer.of(0x0e));
    await client.command(Buffer.concat([Buffer.of(0x11), Buffer.from("app\0\x0bsecret-pass\0")]));
    expect(records).toEqual([]);
  });
});

import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createAuditLog } from "../../../src/telemetry/audit.ts";
import { auditTable } from "../../../src/telemetry/audit-table.ts";
import { type LineSink, openFileLines } from "../../../src/telemetry/line-sink.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { createMetrics, mergedMetrics, pastMetrics } from "../../../src/telemetry/metrics.ts";

function memorySink(): LineSink & { lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    write: (line) => void lines.push(line),
    reopen: () => {},
    close: async () => {},
    droppedLines: 0,
    failures: 0,
  };
}

describe("createLogger()", () => {
  it("writes one JSON line per event, with the fields of its children", () => {
    const sink = memorySink();
    const logger = createLogger({ level: "info", format: "json", sink });
    logger.debug("Not written");
    logger.child({ connection_id: 7 }).warn("Slow client", { waited_ms: 12, user: "a\nb" });
    expect(sink.lines.length).toBe(1);
    expect(JSON.parse(sink.lines[0] ?? "")).toMatchObject({
      level: "warn",
      message: "Slow client",
      connection_id: 7,
      waited_ms: 12,
      user: "a\nb",
    });
  });

  it("blanks secrets by name at any depth, in children, errors and URLs, and never writes bytes", () => {
    const sink = memorySink();
    for (const format of ["json", "text"] as const) {
      const logger = createLogger({ level: "debug", format, sink });
      const child = logger.child({ Password: "hunter2", nested: { auth_response: "hunter2" } });
      child.info("Connect to mysql://root:hunter2@db:3306/x", {
        entry: { MysqlNativePassword: "hunter2", list: [{ scramble: "hunter2" }] },
        bytes: Buffer.from("hunter2"),
        url: "mysql://root:hunter2@db",
        error: new Error("mysql://u:hunter2@h failed", { cause: new Error("mysql://u:hunter2@h") }),
        sql: "SELECT 'hunter2'",
      });
    }
    expect(sink.lines.length).toBe(2);
    expect(sink.lines.join("\n")).not.toContain("hunter2");
    expect(sink.lines.join("\n")).toContain("[redacted]");
  });

  it("survives what cannot be written as JSON", () => {
    const sink = memorySink();
    const logger = createLogger({ level: "info", format: "json", sink });
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    logger.info("Circle", { circle, big: 10n, nothing: undefined, symbol: Symbol("x") });
    expect(JSON.parse(sink.lines[0] ?? "").message).toBe("Circle");
  });

  it("writes text that stays on one line", () => {
    const sink = memorySink();
    createLogger({ level: "info", format: "text", sink }).info("Two\nlines", {
      user: "a\u001b[31m b",
      port: 3306,
    });
    expect(sink.lines[0]).toMatch(/^\S+Z info {2}Two\\nlines user="a\\u001b\[31m b" port=3306$/);
  });
});

describe("createAuditLog()", () => {
  it("writes stable lines and cuts what is too long", () => {
    const sink = memorySink();
    const audit = createAuditLog(sink, { wallMs: () => 0, monotonicMs: () => 0 });
    audit.record("kill", {
      connection_id: 1,
      user: "u".repeat(5000),
      host: "10.0.0.1",
      user_data: null,
      scope: "query",
      target_id: 2,
      outcome: "denied",
    });
    const line = JSON.parse(sink.lines[0] ?? "");
    expect(line).toMatchObject({ time: "1970-01-01T00:00:00.000Z", audit: "kill", outcome: "denied" });
    expect(line.user.length).toBe(1029);
  });

  it("writes any text as JSON, with all fields in the order of the table", () => {
    const sink = memorySink();
    const audit = createAuditLog(sink, { wallMs: () => 1_763_722_800_007.9, monotonicMs: () => 0 });
    const groups = Array.from({ length: 203 }, (_unused, index) => `g${index}`);
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 1024 }),
        fc.constantFrom(groups, []),
        (text, list) => {
          const record = {
            outcome: "reloaded",
            file: text,
            path: "a\\b",
            trigger: '"',
            generation: 7,
            added: list,
          };
          audit.record("reload", { ...record, removed: [text], changed: [], problems: ["\u2028"] });
          const { time, audit: kind, ...line } = JSON.parse(sink.lines.at(-1) ?? "");
          expect([time, kind]).toEqual(["2025-11-21T11:00:00.007Z", "reload"]);
          expect(Object.keys(line)).toEqual(Object.keys(auditTable.reload.fields));
          const added = list.length === 0 ? [] : [...groups.slice(0, 200), "[3 more]"];
          expect(line).toEqual({ ...record, added, removed: [text], changed: [], problems: ["\u2028"] });
        },
      ),
    );
  });

  it("writes the moment of every record", () => {
    const sink = memorySink();
    let wallMs = Date.UTC(2026, 10, 21, 11, 59, 59, 999);
    const audit = createAuditLog(sink, { wallMs: () => wallMs, monotonicMs: () => 0 });
    for (const step of [0, 1, 1, 998, 1]) {
      wallMs += step;
      audit.record("stop", { reason: "SIGTERM" });
      expect(JSON.parse(sink.lines.at(-1) ?? "").time).toBe(new Date(wallMs).toISOString());
    }
  });
});

describe("openFileLines()", () => {
  let directory = "";
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "gatehouse-lines-"));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it("keeps the order of lines and loses none over a rotation", async () => {
    const path = join(directory, "audit.log");
    const sink = openFileLines(path);
    for (let line = 0; line < 500; line++) sink.write(`line ${line}`);
    renameSync(path, `${path}.1`);
    sink.reopen();
    for (let line = 500; line < 1000; line++) sink.write(`line ${line}`);
    await sink.close();
    const all = readFileSync(`${path}.1`, "utf8") + readFileSync(path, "utf8");
    expect(all.trimEnd().split("\n")).toEqual(Array.from({ length: 1000 }, (_, line) => `line ${line}`));
    expect(sink.failures).toBe(0);
  });

  it("writes what waits before it is closed, and drops later lines", async () => {
    const path = join(directory, "audit.log");
    const sink = openFileLines(path);
    sink.write("one");
    sink.write("two");
    await Promise.all([sink.close(), sink.close()]);
    sink.write("three");
    expect(readFileSync(path, "utf8")).toBe("one\ntwo\n");
    expect(sink.droppedLines).toBe(1);
  });

  it("counts failures and drops, and never throws", async () => {
    const failures: string[] = [];
    const path = join(directory, "audit.log");
    const sink = openFileLines(path, { onFailure: (code) => failures.push(code) });
    rmSync(path);
    mkdirSync(path);
    sink.reopen();
    expect(failures).toEqual(["EISDIR"]);
    expect(sink.failures).toBe(1);
    for (let line = 0; line < 100; line++) sink.write("x".repeat(100_000));
    expect(sink.droppedLines).toBeGreaterThan(0);
    expect(sink.droppedLines).toBeLessThan(100);
    await sink.close();
  });

  it("cannot start with a file that cannot be opened", () => {
    expect(() => openFileLines(join(directory, "none", "audit.log"))).toThrow("ENOENT");
  });

  it("survives a full disk", async () => {
    const failures: string[] = [];
    const sink = openFileLines("/dev/full", { onFailure: (code) => failures.push(code) });
    sink.write("x");
    await vi.waitFor(() => expect(failures).toContain("ENOSPC"), { interval: 2 });
    await sink.close();
  });
});

describe("createMetrics()", () => {
  it("formats counters, gauges and histograms", async () => {
    const metrics = createMetrics({ processMetrics: false });
    const logins = metrics.counter("logins_total", { outcome: "accepted", plugin: "p", tls: "none" });
    logins.add();
    logins.add(2);
    metrics.gauge("sessions").set(5);
    metrics.gauge("sessions").add(-1);
    const seconds = metrics.histogram("login_seconds");
    for (const value of [0.00005, 0.003, 0.003, 99]) seconds.observe(value);
    const text = await metrics.text();
    expect(text).toContain('gatehouse_logins_total{outcome="accepted",plugin="p",tls="none"} 3\n');
    expect(text).toContain("# TYPE gatehouse_sessions gauge\ngatehouse_sessions 4\n");
    expect(text).toContain('gatehouse_login_seconds_bucket{le="0.0005"} 1\n');
    expect(text).toContain('gatehouse_login_seconds_bucket{le="0.005"} 3\n');
    expect(text).toContain('gatehouse_login_seconds_bucket{le="10"} 3\n');
    expect(text).toContain('gatehouse_login_seconds_bucket{le="+Inf"} 4\n');
    expect(text).toContain("gatehouse_login_seconds_count 4\n");
  });

  it("tells from the start of counters whose labels are known, and of nothing that was not measured", async () => {
    const text = await createMetrics({ processMetrics: false }).text();
    expect(text).toContain('gatehouse_buffered_statements_total{outcome="full"} 0\n');
    expect(text).toContain('gatehouse_client_connections_total{transport="unix"} 0\n');
    expect(text).toContain("gatehouse_sessions 0\n");
    expect(text).not.toMatch(/^gatehouse_logins_total\{/m);
    expect(text).not.toMatch(/^gatehouse_certificate_end_timestamp_seconds\{/m);
  });

  it("copies numbers that are counted elsewhere", async () => {
    const metrics = createMetrics({ processMetrics: false });
    const counter = metrics.counter("backend_errors_total");
    counter.raiseTo(5);
    counter.raiseTo(3);
    const counts = new Array<number>(15).fill(1);
    metrics.histogram("command_seconds", { keyspace: "shop", kind: "read" }).load(counts, 7.5);
    metrics.histogram("command_seconds", { keyspace: "shop", kind: "read" }).load(counts, 7.5);
    const text = await metrics.text();
    expect(text).toContain("gatehouse_backend_errors_total 5\n");
    expect(text).toContain('gatehouse_command_seconds_bucket{keyspace="shop",kind="read",le="0.0005"} 2\n');
    expect(text).toContain('gatehouse_command_seconds_sum{keyspace="shop",kind="read"} 7.5\n');
    expect(text).toContain('gatehouse_command_seconds_count{keyspace="shop",kind="read"} 15\n');
    expect(() =>
      metrics.histogram("command_seconds", { keyspace: "shop", kind: "read" }).load([1], 1),
    ).toThrow("a count per bucket");
  });

  it("bounds the values of labels", async () => {
    const metrics = createMetrics({ processMetrics: false });
    for (let index = 0; index < 1000; index++) {
      metrics.counter("login_refusals_total", { reason: `reason ${index}` }).add();
    }
    metrics.counter("logins_total", { outcome: "no" as "refused", plugin: "p", tls: "none" }).add();
    const text = await metrics.text();
    expect(text.match(/^gatehouse_login_refusals_total\{/gm)?.length).toBe(65);
    expect(text).toContain('gatehouse_login_refusals_total{reason="other"} 936\n');
    expect(text).toContain('outcome="other"');
  });

  it("replaces the series of a metric, and adds up what is too much", async () => {
    const metrics = createMetrics({ processMetrics: false });
    const entries = (count: number, value: number) =>
      Array.from({ length: count }, (_, index) => ({ labels: { user: "u", entry: `e${index}` }, value }));
    metrics.replaceSeries("entry_logins_total", entries(1005, 2), "sum");
    metrics.replaceSeries("entry_last_login_timestamp_seconds", entries(1005, 7), "largest");
    const before = await metrics.text();
    expect(before).toContain('gatehouse_entry_logins_total{user="u",entry="other"} 10\n');
    expect(before).toContain('gatehouse_entry_last_login_timestamp_seconds{user="u",entry="other"} 7\n');
    metrics.replaceSeries("entry_logins_total", [{ labels: { user: "v", entry: "new" }, value: 1 }], "sum");
    const after = (await metrics.text()).match(/^gatehouse_entry_logins_total.*$/gm);
    expect(after).toEqual(['gatehouse_entry_logins_total{user="v",entry="new"} 1']);
  });

  it("adds up what several processes did, and counts once what all of them saw", async () => {
    const process = async (changes: number, checks: number) => {
      const metrics = createMetrics({ processMetrics: false });
      metrics.counter("primary_changes_total", { keyspace: "shop" }).add(changes);
      metrics.counter("health_checks_total", { tablet: "db1", outcome: "seen" }).add(checks);
      return metrics.json();
    };
    // The third was started again and has seen less; what is gone had seen as much as the others.
    const gone = await pastMetrics([await process(2, 10), await process(1, 1)]);
    const text = await mergedMetrics([gone, await process(3, 20), await process(1, 5)]);
    expect(text).toContain('gatehouse_primary_changes_total{keyspace="shop"} 3\n');
    expect(text).toContain('gatehouse_health_checks_total{tablet="db1",outcome="seen"} 36\n');
  });

  it("asks collectors before every reading, and adds the process's own numbers on demand", async () => {
    const metrics = createMetrics({ processMetrics: true });
    let value = 1;
    metrics.onRead(() => metrics.gauge("prepared_statements").set(value));
    expect(await metrics.text()).toContain("gatehouse_prepared_statements 1\n");
    value = 2;
    const text = await metrics.text();
    expect(text).toContain("gatehouse_prepared_statements 2\n");
    expect(text).toContain("process_resident_memory_bytes");
  });
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { FileProblemsError } from "../../../src/base/reloadable.ts";
import { noTableAcl, openTableAcl, type TableAclSource } from "../../../src/server/table-acl-source.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { identityOf } from "../acl/support.ts";

let directory = "";
let source: TableAclSource | null = null;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "gatehouse-acl-"));
});
afterEach(() => {
  source?.close();
  rmSync(directory, { recursive: true, force: true });
});

const alice = identityOf("alice");

function write(entry: string, group = "g"): string {
  const path = join(directory, "acl.json");
  writeFileSync(
    path,
    JSON.stringify({ table_groups: [{ name: group, table_names_or_prefixes: [entry], readers: ["alice"] }] }),
  );
  return path;
}

async function open(path: string) {
  const reloads: Readonly<Record<string, unknown>>[] = [];
  const metrics = createMetrics({ processMetrics: false });
  const nothing = () => {};
  source = await openTableAcl(
    { path, reloadIntervalMs: 0, strict: true, dryRun: false, exempt: [] },
    systemClock,
    {
      clock: systemClock,
      logger: {
        debug: nothing,
        info: nothing,
        warn: nothing,
        error: nothing,
        child: (): never => {
          throw new Error("no child is made");
        },
      },
      audit: { record: (event, fields) => void (event === "reload" && reloads.push({ ...fields })) },
      metrics,
    },
  );
  return { source, reloads };
}

describe("openTableAcl()", () => {
  it("judges by the newest good file, and says which groups a reload changed", async () => {
    const opened = await open(write("orders"));
    const { authorizer } = opened.source;
    const before = authorizer.generation;
    expect(authorizer.mayRead(alice, "shop", "orders")).toBe(true);
    write("invoices", "h");
    await opened.source.reload("SIGHUP");
    expect(authorizer.mayRead(alice, "shop", "orders")).toBe(false);
    expect(authorizer.mayRead(alice, "shop", "invoices")).toBe(true);
    expect(authorizer.generation).toBeGreaterThan(before);
    expect(opened.reloads.at(-1)).toMatchObject({ outcome: "reloaded", added: ["h"], removed: ["g"] });
  });

  it("keeps the last good file when the new one is bad, and says so", async () => {
    const opened = await open(write("orders"));
    writeFileSync(join(directory, "acl.json"), '{ "table_groups": [ { "nam": "x" } ] }');
    await opened.source.reload("SIGHUP");
    expect(opened.source.authorizer.mayRead(alice, "shop", "orders")).toBe(true);
    expect(opened.source.stale()).toBe(true);
    expect(opened.reloads.at(-1)).toMatchObject({ outcome: "failed" });
    write("orders");
    await opened.source.reload("SIGHUP");
    expect(opened.source.stale()).toBe(false);
  });

  it("compares without regard to case once the servers are known to, also after a reload", async () => {
    const opened = await open(write("Orders"));
    const { authorizer } = opened.source;
    expect(authorizer.mayRead(alice, "shop", "orders")).toBe(false);
    opened.source.learnNameCase(1);
    expect(authorizer.mayRead(alice, "shop", "orders")).toBe(true);
    const learnt = authorizer.generation;
    opened.source.learnNameCase(1);
    expect(authorizer.generation).toBe(learnt);
    write("INVOICES");
    await opened.source.reload("SIGHUP");
    expect(authorizer.mayRead(alice, "shop", "invoices")).toBe(true);
  });

  it("refuses to start with a bad or missing file", async () => {
    await expect(open(join(directory, "none.json"))).rejects.toThrow(FileProblemsError);
    await expect(open(write("a%b"))).rejects.toThrow(/Entry "a%b" of group "g"/);
  });
});

describe("without a table ACL", () => {
  it("everything is permitted", () => {
    expect(noTableAcl.authorizer.enforcing).toBe(false);
    expect(noTableAcl.authorizer.mayRead(alice, "mysql", "user")).toBe(true);
  });
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { FileProblemsError } from "../../../src/base/reloadable.ts";
import type { WatchedFile } from "../../../src/server/reload-report.ts";
import { openTopology, type TopologySource } from "../../../src/server/topology-source.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";

let directory = "";
let source: TopologySource | null = null;
let watchedFiles: WatchedFile[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "gatehouse-topology-"));
  watchedFiles = [];
});
afterEach(() => {
  source?.close();
  rmSync(directory, { recursive: true, force: true });
});

const path = () => join(directory, "topology.json");

function write(accounts: object, name = "shop"): void {
  const tablets = [{ alias: "db1", type: "primary", address: "db1:3306" }];
  writeFileSync(path(), JSON.stringify({ keyspaces: { [name]: { tablets } }, accounts }));
}

function secret(name: string, text: string): void {
  writeFileSync(join(directory, name), text, { mode: 0o600 });
}

async function open(environment: Record<string, string> = {}): Promise<TopologySource> {
  const nothing = () => {};
  const logger = {
    debug: nothing,
    info: nothing,
    warn: nothing,
    error: nothing,
    child: (): never => logger as never,
  };
  source = await openTopology(path(), environment, {
    clock: systemClock,
    logger,
    audit: { record: nothing },
    metrics: createMetrics({ processMetrics: false }),
    watchedFiles,
  });
  return source;
}

const account = (file: string, user = "svc") => ({ default: { user, password_file: file } });

describe("openTopology()", () => {
  it("refuses a file whose passwords are not there, all at once", async () => {
    write({
      default: { user: "svc", password_file: "absent" },
      monitor: { user: "m", password_env: "UNSET" },
    });
    const failure = await open().catch((error) => error);
    expect(failure).toBeInstanceOf(FileProblemsError);
    expect(failure.message).toMatch(/absent/);
    expect(failure.message).toMatch(
      /Environment variable UNSET must hold the password of account "monitor": it is not set/,
    );
    secret("absent", "");
    expect((await open({ UNSET: "x" }).catch((error) => error)).message).toContain(
      "one password, on one line",
    );
    expect(watchedFiles).toEqual([]);
  });

  it("gives a changed password a higher generation, and tells", async () => {
    secret("one", "first\n");
    write(account("one"));
    const opened = await open();
    let told = 0;
    opened.onPassword(() => (told += 1));
    const before = opened.account("default");
    expect(before.password()).toBe("first");
    expect(opened.account("monitor")).toBe(before);
    secret("one", "second\n");
    await opened.reload("test");
    expect(opened.account("default").password()).toBe("second");
    expect(opened.account("default").generation).toBeGreaterThan(before.generation);
    expect(told).toBe(1);
  });

  it("gives an account that the topology changes a higher generation, and lets go of the old file", async () => {
    secret("one", "first");
    secret("two", "second");
    write(account("one"));
    const opened = await open();
    const before = opened.account("default");
    write(account("two", "other"));
    await opened.reload("test");
    const after = opened.account("default");
    expect([after.user, after.password()]).toEqual(["other", "second"]);
    expect(after.generation).toBeGreaterThan(before.generation);
    expect(watchedFiles.map((file) => file.path.slice(directory.length + 1)).sort()).toEqual([
      "topology.json",
      "two",
    ]);
  });

  it("keeps topology and accounts as they were when a new account cannot be opened", async () => {
    secret("one", "first");
    write(account("one"));
    const opened = await open();
    const before = opened.account("default");
    write({ ...account("one"), by_user_data: { bi: { user: "bi", password_file: "absent" } } }, "crm");
    await opened.reload("test");
    expect(opened.stale()).toBe(true);
    expect([...opened.current().keyspaces.keys()]).toEqual(["shop"]);
    expect(opened.account("default")).toBe(before);
    expect(opened.account("bi")).toBe(before);
    // The file is as it was, and what it names is there now.
    secret("absent", "found");
    await opened.reload("SIGHUP");
    expect(opened.stale()).toBe(false);
    expect(opened.account("bi").password()).toBe("found");
    write({ ...account("one"), by_user_data: { bi: { user: "bi", password_file: "one" } } }, "crm");
    await opened.reload("test");
    expect(opened.stale()).toBe(false);
    expect([...opened.current().keyspaces.keys()]).toEqual(["crm"]);
    expect(opened.account("default")).toBe(before);
    expect(opened.account("bi").user).toBe("bi");
  });

  it("prints no password", async () => {
    secret("one", "the-secret");
    write(account("one"));
    const opened = await open();
    expect(JSON.stringify([opened.account("default"), opened.current(), watchedFiles])).not.toContain(
      "the-secret",
    );
  });
});

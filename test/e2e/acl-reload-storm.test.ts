// The file of the table ACL, rewritten in every way while clients work: at no moment is there no rule where there was one, and
// none is lost; what is broken keeps the last good file and is told.
import { closeSync, ftruncateSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Connection } from "mysql2/promise";
import { createConnection } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import { fileWriters } from "../support/file-writers.ts";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { startGateway } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { removeFolder, scratchFolder, waitUntil } from "../support/scratch.ts";

const eve = { readers: ["eve"], writers: ["eve"] };

/** Every version gives `t` and takes `secret` away from what `%` would give; one of the marks tells it from the one before. */
function contentOf(mark: number): string {
  const table_groups = [
    { name: "all", table_names_or_prefixes: ["%"], ...eve },
    { name: "closed", table_names_or_prefixes: ["secret"], readers: ["somebody"], deny_writers: ["eve"] },
    { name: `version ${mark}`, table_names_or_prefixes: [`mark_${(mark + 1) % 2}`], readers: ["somebody"] },
  ];
  return JSON.stringify({ table_groups }, null, 1);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Truncates the file and writes it piece by piece, each piece later than a file needs to settle. */
async function writeSlowly(path: string, text: string): Promise<void> {
  const file = openSync(path, "r+");
  ftruncateSync(file, 0);
  const piece = Math.ceil(text.length / 5);
  for (let at = 0; at < text.length; at += piece) {
    writeSync(file, text.slice(at, at + piece), at);
    await pause(120);
  }
  closeSync(file);
}

describe("the file of the table ACL, changed under load", () => {
  let server: DatabaseServer;
  let gateway: GatewayProcess;
  let folder = "";
  let stop = false;
  let load: Promise<void>[] = [];
  const wrong: string[] = [];
  let asked = 0;

  beforeAll(async () => {
    server = await startMariadb({ skipNetworking: true });
    await server.admin(
      "CREATE DATABASE d",
      ...["t", "secret", "mark_0", "mark_1"].map((name) => `CREATE TABLE d.${name} (a INT)`),
    );
  });

  afterAll(async () => {
    await server?.stop();
  });

  const connect = (): Promise<Connection> =>
    createConnection({ socketPath: gateway.socketPath, user: "eve", password: "p-secret", database: "d" });

  const codeOf = (attempt: Promise<unknown>): Promise<number> =>
    attempt.then(
      () => 0,
      (error: { errno?: number }) => error.errno ?? -1,
    );

  async function work(): Promise<void> {
    const connection = await connect();
    const own = await connection.prepare("SELECT a FROM t");
    while (!stop) {
      for (const [what, code, attempt] of [
        ["t", 0, () => connection.query("SELECT a FROM t")],
        ["t, prepared", 0, () => own.execute([])],
        ["secret", 1142, () => connection.query("SELECT a FROM secret")],
        ["secret, written", 1142, () => connection.query("DELETE FROM secret")],
        ["secret, prepared", 1142, () => connection.prepare("SELECT a FROM secret")],
      ] as const) {
        const found = await codeOf(attempt());
        asked += 1;
        if (found !== code) wrong.push(`${what}: ${found}`);
      }
    }
    connection.destroy();
  }

  const stale = async (): Promise<number> =>
    (await gateway.metric("gatehouse_file_stale", { file: "table ACL file" })) ?? 0;

  /** Which of the two marks is closed tells which version holds. */
  async function holds(mark: number): Promise<boolean> {
    const connection = await connect();
    const code = await codeOf(connection.query(`SELECT a FROM mark_${(mark + 1) % 2}`));
    const other = await codeOf(connection.query(`SELECT a FROM mark_${mark % 2}`));
    connection.destroy();
    return code === 1142 && other === 0;
  }

  async function begin(path: string): Promise<void> {
    const users = { eve: [{ Password: "p-secret" }] };
    gateway = await startGateway({ backend: server, users, flags: { table_acl_config: path } });
    stop = false;
    asked = 0;
    wrong.length = 0;
    load = [work(), work()];
  }

  beforeEach(() => {
    folder = scratchFolder("acl-storm");
  });

  afterEach(async () => {
    stop = true;
    await Promise.all(load);
    await gateway?.stop();
    removeFolder(folder);
  });

  it.each(fileWriters)("by $name", async ({ prepare, write }) => {
    const path = prepare(folder, contentOf(0));
    await begin(path);
    for (let mark = 1; mark <= 6; mark += 1) {
      write(path, contentOf(mark));
      await waitUntil(() => holds(mark), `version ${mark}`);
    }
    expect(await stale()).toBe(0);
    expect(wrong).toEqual([]);
    expect(asked).toBeGreaterThan(20);
  });

  it("slowly, in pieces: what is half written is told, and counts for nothing", async () => {
    const path = join(folder, "acl.json");
    writeFileSync(path, contentOf(0));
    await begin(path);
    for (let mark = 1; mark <= 2; mark += 1) {
      await writeSlowly(path, contentOf(mark));
      await waitUntil(() => holds(mark), `version ${mark}`);
    }
    await waitUntil(async () => (await stale()) === 0, "the good file");
    expect(wrong).toEqual([]);
  });

  it.each([
    ["empty", (path: string) => writeFileSync(path, "")],
    ["truncated", (path: string) => writeFileSync(path, contentOf(1).slice(0, -20))],
    ["of another kind", (path: string) => writeFileSync(path, '{"alice": [{"Password": "x"}]}')],
    ["no JSON", (path: string) => writeFileSync(path, Buffer.from([0, 255, 254, 10]))],
    ["gone", (path: string) => rmSync(path)],
  ] as const)("by one that is %s: the last good one holds, and it is told", async (_, spoil) => {
    const path = join(folder, "acl.json");
    writeFileSync(path, contentOf(0));
    await begin(path);
    spoil(path);
    await waitUntil(async () => (await stale()) === 1, "the failure to be told");
    expect((await gateway.admin("/readyz")).body).toContain("table ACL file");
    await gateway.waitForRecord(
      (record) => record.level === "error" && JSON.stringify(record).includes("acl.json"),
      "the record of the failure",
    );
    expect(await holds(0)).toBe(true);
    writeFileSync(path, contentOf(1));
    await waitUntil(() => holds(1), "the next good one");
    await waitUntil(async () => (await stale()) === 0, "the metric");
    expect(wrong).toEqual([]);
  });
});

// The query log of a real gateway: files as operators read them, through log rotation, with no value of any statement.
import { readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import { startGateway, testUser } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { removeFolder, scratchFolder, waitUntil } from "../support/scratch.ts";

let server: DatabaseServer;
let folder = "";
beforeAll(async () => {
  folder = scratchFolder("query-log");
  server = await startMariadb({ skipNetworking: true });
});
afterAll(async () => {
  await server?.stop();
  removeFolder(folder);
});

const linesOf = (path: string): Record<string, unknown>[] =>
  readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("the query log", () => {
  it("records texts and prepared statements, is opened anew on SIGHUP, and holds no value", async () => {
    const path = join(folder, "queries.log");
    const gateway = await startGateway({ backend: server, flags: { log_queries_to_file: path } });
    const client = await createConnection({ host: "127.0.0.1", port: gateway.port, ...testUser });
    await client.query("CREATE DATABASE IF NOT EXISTS ql");
    await client.query("CREATE TABLE ql.t (a INT, b VARCHAR(40))");
    await client.query("INSERT INTO ql.t VALUES (4711, 'secret-one'), (4712, 'grün')");
    await client.execute("SELECT a FROM ql.t WHERE b = ? AND a > 4710", ["secret-two"]);
    await expect(client.query("SELECT 'secret-three' FROM nowhere.at_all")).rejects.toThrow();
    await expect(client.query("secret-four")).rejects.toThrow();
    await waitUntil(() => linesOf(path).length >= 7, "seven lines");
    renameSync(path, `${path}.1`);
    gateway.signal("SIGHUP");
    await gateway.waitForRecord((record) => record.signal === "SIGHUP", "the reopening");
    await client.query("SELECT 'secret-five'");
    await waitUntil(() => linesOf(path).length === 1, "a line in the new file");
    await client.end();
    await gateway.stop();
    const lines = [...linesOf(`${path}.1`), ...linesOf(path)];
    expect(lines.map((line) => [line.command, line.fingerprint, line.outcome])).toEqual([
      ["COM_QUERY", "CREATE DATABASE IF NOT EXISTS ql", "ok"],
      ["COM_QUERY", "CREATE TABLE ql.t(a INT, b VARCHAR(?))", "ok"].map((v) => v.replace("ql.t(", "ql.t (")),
      ["COM_QUERY", "INSERT INTO ql.t VALUES (?, ...)", "ok"],
      ["COM_STMT_PREPARE", "SELECT a FROM ql.t WHERE b = ? AND a > ?", "ok"],
      ["COM_STMT_EXECUTE", "SELECT a FROM ql.t WHERE b = ? AND a > ?", "ok"],
      ["COM_QUERY", "SELECT ? FROM nowhere.at_all", "error"],
      ["COM_QUERY", null, "error"],
      ["COM_QUERY", "SELECT ?", "ok"],
    ]);
    expect(lines[3]?.fingerprint_id).toBe(lines[4]?.fingerprint_id);
    const written = readFileSync(`${path}.1`, "utf8") + readFileSync(path, "utf8");
    expect(written).not.toMatch(/secret-(one|two|three|four|five)|471[012]|grün/);
  });

  it("records only what is slow when asked so", async () => {
    const path = join(folder, "slow.log");
    const flags = { log_queries_to_file: path, querylog_time_threshold: "200ms" };
    const gateway = await startGateway({ backend: server, flags });
    const client = await createConnection({ host: "127.0.0.1", port: gateway.port, ...testUser });
    await client.query("SELECT 1");
    await client.query("SELECT SLEEP(0.3)");
    await waitUntil(() => linesOf(path).length >= 1, "a line");
    expect(linesOf(path)).toMatchObject([{ fingerprint: "SELECT SLEEP(?)", logged_because: "slow" }]);
    expect(Number(linesOf(path)[0]?.duration_ms)).toBeGreaterThanOrEqual(300);
    await client.end();
    await gateway.stop();
  });
});

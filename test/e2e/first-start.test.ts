// What a newcomer sees: the example's file as a checkout leaves it, and a file of one's own that others may read.
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import { isComplaint, startGateway } from "../support/gateway-process.ts";
import { hasMariadb, startMariadb } from "../support/mariadb-server.ts";
import { loggedIn } from "../support/raw/login.ts";
import { removeFolder, scratchFolder } from "../support/scratch.ts";

const root = resolve(import.meta.dirname, "../..");
const folder = scratchFolder("first");
chmodSync(folder, 0o755);
let server: DatabaseServer;

beforeAll(async () => {
  server = await startMariadb({ skipNetworking: true });
});
afterAll(async () => {
  await server?.stop();
  removeFolder(folder);
});

describe.skipIf(!hasMariadb)("a users file that others may read", () => {
  it("is nothing to complain of where it is the example", async () => {
    const path = join(folder, "users.example.json");
    copyFileSync(join(root, "users.example.json"), path);
    chmodSync(path, 0o644);
    const gateway = await startGateway({ backend: server, flags: { mysql_auth_server_static_file: path } });
    const client = await loggedIn({ port: gateway.port }, { user: "myuser1", password: "password1" });
    expect(await client.rows("select 1")).toEqual([["1"]]);
    client.destroy();
    expect(gateway.records().filter(isComplaint)).toEqual([]);
    expect(await gateway.metric("login_seconds_count")).toBe(1);
    await gateway.stop();
  });

  it("is warned of once, not at every reload, and refused with --strict_file_mode", async () => {
    const path = join(folder, "users.json");
    writeFileSync(path, '{ "shop": [ { "Password": "one" } ] }');
    chmodSync(path, 0o644);
    const flags = { mysql_auth_server_static_file: path };
    const gateway = await startGateway({ backend: server, flags });
    writeFileSync(path, '{ "shop": [ { "Password": "two" } ] }');
    await gateway.waitForRecord((record) => record.generation === 2, "the reload");
    const complaints = gateway.records().filter(isComplaint);
    expect(complaints.map((record) => record.message)).toEqual([
      expect.stringContaining("run chmod o-rwx on it"),
    ]);
    await gateway.stop();
    await expect(
      startGateway({ backend: server, flags: { ...flags, strict_file_mode: true } }),
    ).rejects.toThrow(/users\.json: Others than its owner and group may read the file/);
    expect(readFileSync(path, "utf8")).toContain("two");
  });
});

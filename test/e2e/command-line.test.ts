// The compiled program as a user calls it: help, what the process list shows, and rotation with a running gateway.
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import { gatewayCommand, startGateway } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { runProgram } from "../support/processes.ts";
import { loggedIn, login } from "../support/raw/login.ts";
import { removeFolder, scratchFolder, waitUntil } from "../support/scratch.ts";

const root = resolve(import.meta.dirname, "../..");
const gatehouse = (...words: string[]) => runProgram([...gatewayCommand, ...words], { timeoutMs: 20_000 });

let server: DatabaseServer;
beforeAll(async () => {
  server = await startMariadb();
});
afterAll(() => server?.stop());

describe("the command line", () => {
  it("shows version and help, and sentences for mistakes", async () => {
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
    expect((await gatehouse("--version")).stdout.trim()).toBe(version);
    expect((await gatehouse("--help")).stdout).toContain("--mysql_server_port=NUMBER  (default 3306)");
    const wrong = await gatehouse("--mysql_server_prot=1");
    expect(wrong.code).toBe(1);
    expect(wrong.stderr.trim()).toBe(
      "gatehouse: Unknown flag --mysql_server_prot: did you mean --mysql_server_port?",
    );
    const missing = await gatehouse("--mysql_auth_server_static_file=/nonexistent.json");
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain("gatehouse: /nonexistent.json: Cannot read the file: it does not exist");
  });

  it("keeps the backend's password out of the process list", async () => {
    const gateway = await startGateway({ backend: null, flags: { backend: server.backendUrl() } });
    try {
      const shown = readFileSync(`/proc/${gateway.pid}/cmdline`, "latin1");
      expect(shown).not.toContain("secret");
      expect(shown.startsWith("gatehouse")).toBe(true);
    } finally {
      await gateway.stop();
    }
  });

  it("demands the token of its file from those who ask for users", async () => {
    const folder = scratchFolder("token");
    const tokenFile = join(folder, "token");
    writeFileSync(tokenFile, "first-token\n", { mode: 0o600 });
    const gateway = await startGateway({ backend: server, flags: { admin_token_file: tokenFile } });
    const status = async (token: string): Promise<number> => {
      const headers = { Authorization: `Bearer ${token}` };
      return (await fetch(`http://127.0.0.1:${gateway.adminPort}/api/users`, { headers })).status;
    };
    try {
      expect((await gateway.admin("/api/users")).status).toBe(401);
      expect(await status("first-token")).toBe(200);
      writeFileSync(tokenFile, "second-token\n");
      await waitUntil(async () => (await status("second-token")) === 200, "the new token to be taken");
      expect(await status("first-token")).toBe(401);
    } finally {
      await gateway.stop();
      removeFolder(folder);
    }
  });

  it("rotates a password: rotate, use, list, retire", async () => {
    const gateway = await startGateway({
      backend: server,
      users: { shop: [{ UserData: "shop_old", Password: "old-password" }] },
    });
    try {
      const file = `--file=${gateway.usersFile}`;
      const admin = `--admin=http://127.0.0.1:${gateway.adminPort}`;
      const rotated = await gatehouse("users", "rotate", "shop", "--user_data=shop_new", file);
      expect(rotated.stderr).toContain("Added shop[1]");
      const password = rotated.stdout.trim();
      const place = { port: gateway.port };
      const client = await waitUntil(
        () => loggedIn(place, { user: "shop", password }).catch(() => null),
        "the new password to work",
      );
      expect((await login(place, { user: "shop", password: "old-password" })).result.error).toBeNull();
      const list = await gatehouse("users", "list", file, admin);
      expect(list.stdout).toMatch(/^shop +1 +shop_new .* +1$/m);
      const inUse = await gatehouse("users", "retire", "shop", "--entry=1", file, admin);
      expect(inUse.code).toBe(1);
      expect(inUse.stderr).toContain("it is used: 1 live sessions");
      const young = await gatehouse("users", "retire", "shop", file, admin);
      expect(young.code).toBe(1);
      const removed = await gatehouse("users", "retire", "shop", file, admin, "--force");
      expect(removed.code).toBe(0);
      await waitUntil(
        async () => (await login(place, { user: "shop", password: "old-password" })).result.error !== null,
        "the old password to be refused",
      );
      expect(await client.rows("SELECT 1")).toEqual([["1"]]);
    } finally {
      await gateway.stop();
    }
  });
});

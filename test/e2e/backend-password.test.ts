// --backend_password_file: read at start, watched, and a new password reaches the server without a restart.
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DatabaseServer, serviceAccount } from "../support/database-server.ts";
import { type GatewayProcess, startGateway, testUser } from "../support/gateway-process.ts";
import { hasMariadb, startMariadb } from "../support/mariadb-server.ts";
import { loggedIn } from "../support/raw/login.ts";
import type { RawClient } from "../support/raw/raw-client.ts";
import { removeFolder, scratchFolder, waitUntil } from "../support/scratch.ts";

const folder = scratchFolder("password");
const file = join(folder, "password");
let server: DatabaseServer;

function write(password: string): void {
  writeFileSync(file, `${password}\n`);
  chmodSync(file, 0o600);
}

function startWithFile(): Promise<GatewayProcess> {
  const backend = `mysql://${serviceAccount.user}@127.0.0.1:${server.port}/`;
  return startGateway({ backend, flags: { backend_password_file: file } });
}

const enter = (gateway: GatewayProcess): Promise<RawClient> => loggedIn({ port: gateway.port }, testUser);

async function readiness(gateway: GatewayProcess): Promise<number> {
  return (await gateway.admin("/readyz")).status;
}

describe.skipIf(!hasMariadb)("--backend_password_file", () => {
  beforeAll(async () => {
    server = await startMariadb();
  });

  afterAll(async () => {
    await server?.stop();
    removeFolder(folder);
  });

  it("is used, and used again when it changes, in sessions that stay", async () => {
    write(serviceAccount.password);
    const gateway = await startWithFile();
    const client = await enter(gateway);
    expect((await client.query("SELECT 1")).error).toBeNull();
    await server.admin(`ALTER USER '${serviceAccount.user}'@'%' IDENTIFIED BY 'next-secret'`);
    write("next-secret");
    await gateway.waitForRecord((record) => record.file === "backend password", "the reload");
    expect(await gateway.metric("file_generation", { file: "backend password" })).toBe(2);
    const next = await enter(gateway);
    expect((await next.query("SELECT 1")).error).toBeNull();
    expect((await client.query("SELECT 1")).error).toBeNull();
    expect(await readiness(gateway)).toBe(200);
    await server.admin(`ALTER USER '${serviceAccount.user}'@'%' IDENTIFIED BY '${serviceAccount.password}'`);
    await gateway.stop();
  });

  it("with a wrong password leaves the gateway up, not ready, and mended at once by the right one", async () => {
    write("wrong");
    const gateway = await startWithFile();
    const page = await gateway.admin("/readyz");
    expect([page.status, page.body]).toEqual([503, expect.stringContaining("refuses the service account")]);
    expect(page.body).not.toContain(serviceAccount.user);
    const client = await enter(gateway);
    expect((await client.query("SELECT 1")).error?.message).not.toContain(serviceAccount.user);
    write(serviceAccount.password);
    // Sooner than the ten seconds after which a refused login is tried again.
    await waitUntil(async () => (await readiness(gateway)) === 200, "readiness", 4000);
    expect((await client.query("SELECT 1")).error).toBeNull();
    await gateway.stop();
  });

  it("that is missing or empty is one sentence at start", async () => {
    removeFolder(file);
    await expect(startWithFile()).rejects.toThrow(/password: Cannot read the file: it does not exist/);
    write("");
    await expect(startWithFile()).rejects.toThrow(/must hold one password/);
  });
});

// Rows of the table "When something fails, and what clients see" of docs/operations.md that no other test tries to the
// letter: what a client is told, and where it shows.
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAuthority } from "../support/certificates.ts";
import { type DatabaseServer, serviceAccount } from "../support/database-server.ts";
import { startGateway, testUser } from "../support/gateway-process.ts";
import { hasMariadb, startMariadb } from "../support/mariadb-server.ts";
import { loggedIn } from "../support/raw/login.ts";
import { scratchFolder, waitUntil, within } from "../support/scratch.ts";

describe.skipIf(!hasMariadb())("when something fails", () => {
  let server: DatabaseServer;
  const folder = scratchFolder("fails");
  beforeAll(async () => {
    server = await startMariadb();
    await server.admin("CREATE TABLE shop.kept (a INT) ENGINE=InnoDB");
  });
  afterAll(() => server?.stop());

  it("the service account's password is wrong: logins work, statements wait and get 3168, the page says why", async () => {
    const file = join(folder, "password");
    writeFileSync(file, "wrong", { mode: 0o600 });
    const gateway = await startGateway({
      backend: `mysql://${serviceAccount.user}@127.0.0.1:${server.port}/shop`,
      flags: { backend_password_file: file, buffer_window: "500ms" },
    });
    const client = await loggedIn({ port: gateway.port }, testUser);
    expect((await client.query("SELECT 1")).error?.code).toBe(3168);
    expect((await client.query("SELECT 2")).error?.code).toBe(3168);
    const { body } = await gateway.admin("/api/status");
    expect(body).toContain("refuses the service account");
    expect(body).not.toContain(serviceAccount.password);
    writeFileSync(file, serviceAccount.password);
    await waitUntil(async () => (await gateway.admin("/readyz")).status === 200, "readiness", 30_000);
    expect(await client.rows("SELECT 3")).toEqual([["3"]]);
    await client.quit();
    await gateway.stop();
    rmSync(file);
  });

  it("the gateway's certificate has ended: who verifies it stays out, others come in, metric and log tell", async () => {
    const authority = createAuthority();
    const { cert, key } = authority.issue({
      commonName: "old",
      subjectAltNames: ["IP:127.0.0.1"],
      days: -1,
    });
    const gateway = await startGateway({
      backend: server,
      flags: { mysql_server_ssl_cert: cert, mysql_server_ssl_key: key },
    });
    const connect = (rejectUnauthorized: boolean) =>
      createConnection({ host: "127.0.0.1", port: gateway.port, ...testUser, ssl: { rejectUnauthorized } });
    await expect(connect(true)).rejects.toThrow(/expired|unable to verify|self.signed/i);
    const lax = await connect(false);
    await lax.query("SELECT 1");
    await lax.end();
    expect(
      (await gateway.metric("certificate_end_timestamp_seconds", { certificate: "server" })) ?? 0,
    ).toBeLessThan(Date.now() / 1000);
    await gateway.waitForRecord(
      ({ message }) => String(message).startsWith("The server certificate ended at"),
      "the warning",
    );
    await gateway.stop();
  });

  it("the gateway is killed: connections end, and the database rolls their transactions back", async () => {
    const gateway = await startGateway({ backend: server });
    const client = await loggedIn({ port: gateway.port }, { ...testUser, database: "shop" });
    await client.query("BEGIN");
    await client.query("INSERT INTO kept VALUES (1)");
    await gateway.kill();
    await within(client.readToEnd(), "the end of the connection", 10_000);
    await waitUntil(
      async () => (await server.admin("SELECT 1 FROM information_schema.innodb_trx")).length === 0,
      "the transaction to end",
      20_000,
    );
    expect(await server.admin("SELECT * FROM shop.kept")).toEqual([]);
  });

  it("the database ends a connection in a transaction: 1213, or the end of the session, and nothing of it stays", async () => {
    const gateway = await startGateway({ backend: server });
    const client = await loggedIn({ port: gateway.port }, { ...testUser, database: "shop" });
    await client.query("BEGIN");
    await client.query("INSERT INTO kept VALUES (2)");
    // What InnoDB tells of its transactions may be a moment old.
    const id = await waitUntil(async () => {
      const [row] = await server.admin("SELECT trx_mysql_thread_id AS id FROM information_schema.innodb_trx");
      return row === undefined ? null : String(row.id);
    }, "the transaction on the server");
    await server.admin(`KILL ${id}`);
    const told = await client.query("SELECT 1").then(
      ({ error }) => error?.code ?? null,
      () => "closed",
    );
    expect([1213, "closed"]).toContain(told);
    expect(await server.admin("SELECT * FROM shop.kept")).toEqual([]);
    client.destroy();
    await gateway.stop();
  });
});

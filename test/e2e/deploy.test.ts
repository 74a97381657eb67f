// The configurations of deploy/ as they are, but for their folders, ports and the database: a gateway starts with them,
// answers its probes, and drains when it is told to stop.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAuthority, issueServerCertificate } from "../support/certificates.ts";
import type { DatabaseServer } from "../support/database-server.ts";
import { gatewayCommand } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { startProgram } from "../support/processes.ts";
import { freePort, removeFolder, scratchFolder, waitUntil } from "../support/scratch.ts";

const deploy = resolve(import.meta.dirname, "../../deploy");
let server: DatabaseServer;
const folders: string[] = [];
beforeAll(async () => {
  server = await startMariadb({ skipNetworking: true });
});
afterAll(async () => {
  await server?.stop();
  for (const folder of folders) removeFolder(folder);
});

const manifest = readFileSync(join(deploy, "kubernetes/gatehouse.yaml"), "utf8");
const textOf = (key: string): string =>
  (new RegExp(`^ {2}${key}: \\|\\n((?: {4}.*\\n)+)`, "m").exec(manifest)?.[1] ?? "").replaceAll(
    /^ {4}/gm,
    "",
  );

/** Every file that the configuration names, with content that fits. */
function prepare(folder: string): void {
  const authority = createAuthority();
  folders.push(authority.folder);
  const { cert, key } = issueServerCertificate(authority);
  for (const place of [".", "config", "users", "secrets"]) {
    const at = join(folder, "etc/gatehouse", place);
    mkdirSync(at, { recursive: true });
    const write = (name: string, text: string) => writeFileSync(join(at, name), text, { mode: 0o640 });
    write("users.json", JSON.stringify({ shop: [{ Password: "shop-secret", UserData: "shop" }] }));
    write("backend-password", "gatehouse-secret\n");
    write("admin-token", "token-of-the-test\n");
    write("table-acl.json", textOf("table-acl\\.json"));
    copyFileSync(cert, join(at, "tls.crt"));
    copyFileSync(key, join(at, "tls.key"));
    copyFileSync(authority.cert, join(at, "db-ca.crt"));
  }
  for (const place of ["run/gatehouse", "var/log/gatehouse"])
    mkdirSync(join(folder, place), { recursive: true });
}

describe.each([
  ["systemd", readFileSync(join(deploy, "systemd/config.json"), "utf8")],
  ["kubernetes", textOf("config\\.json")],
])("the configuration for %s", (name, text) => {
  it("starts a gateway that answers its probes, takes clients over TLS, and drains", async () => {
    const folder = scratchFolder(`deploy-${name}`);
    folders.push(folder);
    prepare(folder);
    const moved = text.replaceAll(/"\/(etc|run|var)\//g, `"${folder}/$1/`);
    const config = JSON.parse(moved) as Record<string, string | number | boolean>;
    const port = await freePort();
    const adminPort = await freePort();
    const backend = `mysql://gatehouse@/?socket=${server.socketPath}`;
    const path = join(folder, "config.json");
    writeFileSync(path, JSON.stringify({ ...config, backend, mysql_server_port: port, port: adminPort }));
    const program = startProgram([...gatewayCommand, `--config_file=${path}`]);
    const ask = async (route: string): Promise<{ status: number; body: string } | null> => {
      try {
        const answer = await fetch(`http://127.0.0.1:${adminPort}${route}`);
        return { status: answer.status, body: await answer.text() };
      } catch {
        return null;
      }
    };
    await waitUntil(async () => (await ask("/readyz"))?.status === 200, "readiness", 30_000);
    expect((await ask("/healthz"))?.status).toBe(200);
    expect((await ask("/metrics"))?.body).toContain("gatehouse_sessions");
    expect((await ask("/api/status"))?.status).toBe(401);
    const client = await createConnection({
      ...{
        host: "127.0.0.1",
        port,
        user: "shop",
        password: "shop-secret",
        ssl: { rejectUnauthorized: false },
      },
    });
    expect((await client.query("SELECT 1 AS one"))[0]).toEqual([{ one: 1 }]);
    program.kill("SIGTERM");
    // With mysql_server_drain_onterm the client is let finish; new ones come to others.
    await waitUntil(async () => (await ask("/readyz"))?.status !== 200, "no readiness any more");
    await client.end();
    expect(await program.ended).toMatchObject({ code: 0 });
  });
});

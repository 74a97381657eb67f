// Real clients with certificates: SPIFFE entries, and logins by certificate alone, as VTGate has them.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commandLines, hasPython, runCommandLine, runPymysql } from "../support/command-line.ts";
import type { DatabaseServer } from "../support/database-server.ts";
import { type GatewayProcess, startGateway } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { Authority, issueServer } from "../support/pki.ts";
import { changeUser, loggedIn, login, plugins } from "../support/raw/login.ts";
import { RawClient } from "../support/raw/raw-client.ts";
import { scratchFolder } from "../support/scratch.ts";

const id = "spiffe://example.org/app/x";
const root = Authority.root();
const app = root.issue("app", { names: `URI:${id},DNS:web.example.org,DNS:jobs.example.org` });
const nobody = root.issue("other", { names: "URI:spiffe://example.org/other" });
const presenting = { cert: app.pem, key: app.keyPem };

let server: DatabaseServer;
let spiffe: GatewayProcess;
const clientcert = new Map<string, GatewayProcess>();
const methods = ["mysql_clear_password", "dialog", "caching_sha2_password"] as const;

beforeAll(async () => {
  server = await startMariadb({ skipNetworking: true });
  const { cert, key } = issueServer(root);
  const trust = join(scratchFolder("trust"), "ca.pem");
  writeFileSync(trust, root.pem);
  const flags = { mysql_server_ssl_cert: cert, mysql_server_ssl_key: key, mysql_server_ssl_ca: trust };
  const users = {
    app: [{ Attributes: { spiffe_id: id }, UserData: "app_data" }],
    both: [{ Attributes: { spiffe_id: id }, Password: "p-secret" }],
  };
  spiffe = await startGateway({ backend: server, users, flags });
  for (const method of methods) {
    const gateway = await startGateway({
      backend: server,
      flags: {
        ...flags,
        mysql_auth_server_impl: "clientcert",
        mysql_auth_server_static_file: false,
        ...(method === "mysql_clear_password" ? {} : { mysql_clientcert_auth_method: method }),
      },
    });
    clientcert.set(method, gateway);
  }
});
afterAll(async () => {
  await spiffe?.stop();
  for (const gateway of clientcert.values()) await gateway.stop();
  await server?.stop();
});

function gatewayOf(method: string): GatewayProcess {
  const gateway = clientcert.get(method);
  if (gateway === undefined) throw new Error(`no gateway with ${method}`);
  return gateway;
}

const tlsOptions = (name: string, leaf = app): string[] => [
  ...(name === "mysql" ? ["--ssl-mode=VERIFY_CA"] : ["--ssl", "--ssl-verify-server-cert"]),
  `--ssl-ca=${root.cert}`,
  `--ssl-cert=${leaf.cert}`,
  `--ssl-key=${leaf.key}`,
];

describe.each(commandLines)("$name, the command line", ({ name, command }) => {
  it("logs in by its SPIFFE id, with and without a password", async () => {
    for (const [user, password] of [
      ["app", ""],
      ["app", "ignored"],
      ["both", "p-secret"],
    ] as const) {
      const target = { user, password, port: spiffe.port };
      const result = await runCommandLine(command, target, "SELECT 6 * 7", { extra: tlsOptions(name) });
      expect(result.stderr).toBe("");
      expect(result.stdout).toBe("42\n");
    }
  });

  it("reads 1045 where its certificate is of another, and without one", async () => {
    const noCertificate = tlsOptions(name).slice(0, -2);
    for (const extra of [tlsOptions(name, nobody), noCertificate]) {
      const target = { user: "app", password: "", port: spiffe.port };
      const result = await runCommandLine(command, target, "SELECT 1", { extra });
      expect(result.stderr).toContain("ERROR 1045 (28000): Access denied for user 'app'@'127.0.0.1'");
    }
  });

  it.each(methods)("logs in by certificate alone, greeted with %s", async (method) => {
    // MySQL's client speaks this method only when told to, as with VTGate.
    const clear = name === "mysql" && method === "mysql_clear_password" ? ["--enable-cleartext-plugin"] : [];
    // It has no dialog.
    if (name === "mysql" && method === "dialog") return;
    // In a dialog, an empty password is asked for, on stdin where the statement is.
    for (const password of method === "dialog" ? ["ignored"] : ["", "ignored"]) {
      const target = { user: "app", password, port: gatewayOf(method).port };
      const extra = [...tlsOptions(name), ...clear];
      const result = await runCommandLine(command, target, "SELECT 6 * 7", { extra });
      expect(result.stderr, `password '${password}'`).toBe("");
      expect(result.stdout).toBe("42\n");
    }
    const target = { user: "root", password: "ignored", port: gatewayOf(method).port };
    const other = await runCommandLine(command, target, "SELECT 1", {
      extra: [...tlsOptions(name), ...clear],
    });
    expect(other.stderr).toContain("ERROR 1045 (28000): Access denied for user 'root'@'127.0.0.1'");
  });
});

describe.runIf(hasPython)("PyMySQL", () => {
  const ssl = `ssl={"ca": "${root.cert}", "cert": "${app.cert}", "key": "${app.key}", "check_hostname": False}`;

  it("logs in by its SPIFFE id", async () => {
    for (const [user, password] of [
      ["app", ""],
      ["app", "ignored"],
      ["both", "p-secret"],
    ] as const) {
      const target = { user, password, port: spiffe.port };
      const script = `c = connect(${ssl})\nk = c.cursor()\nk.execute("SELECT 6 * 7")\nout(k.fetchone())`;
      expect(await runPymysql(target, script)).toEqual([[42]]);
    }
  });

  it.each(methods)("logs in by certificate alone, greeted with %s", async (method) => {
    const target = { user: "app", password: "ignored", port: gatewayOf(method).port };
    const script = `c = connect(${ssl})\nk = c.cursor()\nk.execute("SELECT 6 * 7")\nout(k.fetchone())`;
    expect(await runPymysql(target, script)).toEqual([[42]]);
  });
});

it("mysql2 logs in by its SPIFFE id", async () => {
  const ssl = { ca: root.pem, ...presenting, verifyIdentity: false };
  const settings = { host: "127.0.0.1", port: spiffe.port, ssl };
  for (const [user, password] of [
    ["app", ""],
    ["both", "p-secret"],
  ] as const) {
    const connection = await createConnection({ ...settings, user, password });
    const [rows] = await connection.query("SELECT 6 * 7 AS n");
    expect(rows).toEqual([{ n: 42 }]);
    await connection.end();
  }
});

describe.each(methods)("impl clientcert with %s", (method) => {
  it("greets with the method and switches to it who waits for a switch", async () => {
    const { port } = gatewayOf(method);
    const client = await RawClient.connect({ port });
    expect(client.greeting.plugin).toBe(method);
    client.destroy();
    const empty = { user: "app", password: "", authResponse: Buffer.alloc(0), plugin: "unheard_of" };
    const { client: waiting, result } = await login({ port }, empty, presenting);
    expect(result.trace.slice(0, 1)).toEqual([`switch ${method}`]);
    expect(result.ok).toBe(true);
    await waiting.quit();
  });

  it("lets in by any method who has the name in the certificate, and nobody else", async () => {
    const { port, socketPath } = gatewayOf(method);
    for (const plugin of plugins) {
      for (const password of ["", "anything"]) {
        const own = await login({ port }, { user: "app", password, plugin }, presenting);
        expect(own.result, own.result.trace.join()).toMatchObject({ ok: true });
        expect(await own.client.rows("SELECT 1")).toEqual([["1"]]);
        await own.client.quit();
        const other = await login({ port }, { user: "root", password, plugin }, presenting);
        expect(other.result.error).toMatchObject({ code: 1045, state: "28000" });
        other.client.destroy();
      }
    }
    const without = await login({ port }, { user: "app", password: "x" }, true);
    expect(without.result.error?.code).toBe(1045);
    const plain = await login({ port }, { user: "app", password: "x" });
    expect(plain.result.error?.code).toBe(3159);
    const unix = await login({ socketPath }, { user: "app", password: "x" });
    expect(unix.result.error?.code).toBe(1045);
    for (const { client } of [without, plain, unix]) client.destroy();
  });

  it("takes the DNS names as groups, and judges COM_CHANGE_USER again", async () => {
    const gateway = gatewayOf(method);
    const client = await loggedIn({ port: gateway.port }, { user: "app", password: "" }, presenting);
    const { connectionId } = client.greeting;
    expect(
      await gateway.waitForRecord(
        (record) => record.audit === "login" && record.connection_id === connectionId,
        "the audit record",
      ),
    ).toMatchObject({
      plugin: "clientcert",
      user_data: "app",
      groups: ["web.example.org", "jobs.example.org"],
    });
    expect(await changeUser(client, { user: "app", password: "" })).toMatchObject({ ok: true });
    expect((await changeUser(client, { user: "root", password: "" })).error?.code).toBe(1045);
    client.destroy();
  });
});

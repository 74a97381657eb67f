// Logging in, with every kind of entry, every plugin that a client may start with and every transport.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAuthority, issueServerCertificate } from "../support/certificates.ts";
import type { DatabaseServer } from "../support/database-server.ts";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { startGateway } from "../support/gateway-process.ts";
import type { LoginCase } from "../support/login-fixtures.ts";
import { cryptCases, digestCases, usersOf } from "../support/login-fixtures.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import type { LoginOptions, LoginResult } from "../support/raw/login.ts";
import { changeUser, loggedIn, login, plugins } from "../support/raw/login.ts";

const transports = ["tcp", "tls", "unix"] as const;
type Transport = (typeof transports)[number];

let server: DatabaseServer;
let gateway: GatewayProcess; // entries of all kinds but MySQL's own strings
let cryptGateway: GatewayProcess; // and those, without entries that only native can check

beforeAll(async () => {
  server = await startMariadb({ skipNetworking: true });
  const { cert, key } = issueServerCertificate(createAuthority());
  const flags = { mysql_server_ssl_cert: cert, mysql_server_ssl_key: key };
  [gateway, cryptGateway] = await Promise.all([
    startGateway({ backend: server, users: usersOf(digestCases), flags }),
    startGateway({ backend: server, users: usersOf(cryptCases), flags }),
  ]);
});
afterAll(async () => {
  await gateway?.stop();
  await cryptGateway?.stop();
  await server?.stop();
});

async function attempt(
  to: GatewayProcess,
  transport: Transport,
  options: LoginOptions,
): Promise<LoginResult> {
  const address = transport === "unix" ? { socketPath: to.socketPath } : { port: to.port };
  const { client, result } = await login(address, options, transport === "tls" ? true : undefined);
  if (result.ok) {
    // An accepted login serves statements, a refused one is closed.
    expect(await client.rows("SELECT 40 + 2")).toEqual([["42"]]);
    await client.quit();
  } else {
    expect((await client.readToEnd()).length).toBe(0);
    client.destroy();
  }
  return result;
}

function denial(user: string, transport: Transport, password: string) {
  const host = transport === "unix" ? "localhost" : "127.0.0.1";
  const using = password === "" ? "NO" : "YES";
  return {
    code: 1045,
    state: "28000",
    message: `Access denied for user '${user}'@'${host}' (using password: ${using})`,
  };
}

/** Tries every password of every case and wrong ones; returns how many logins were let in and refused. */
async function tryAll(
  to: () => GatewayProcess,
  cases: readonly LoginCase[],
  plugin: string,
  transport: Transport,
) {
  const count = { accepted: 0, refused: 0 };
  for (const { user, passwords } of cases) {
    const options = { user, plugin };
    for (const password of passwords) {
      const result = await attempt(to(), transport, { ...options, password });
      expect(result, `${user} with ${password}: ${result.trace.join(", ")}`).toMatchObject({ ok: true });
      count.accepted++;
    }
    for (const password of ["wrong", "", `${passwords[0]}x`, "invalid"]) {
      const result = await attempt(to(), transport, { ...options, password });
      expect(result, `${user} with '${password}'`).toMatchObject({
        ok: false,
        error: denial(user, transport, password),
      });
      count.refused++;
    }
  }
  return count;
}

describe.each(transports)("over %s", (transport) => {
  // Clear text on a plain transport is refused, whatever the password: see below.
  const usable = plugins.filter((plugin) => transport !== "tcp" || plugin !== "mysql_clear_password");

  it.each(usable)("a client that starts with %s reaches every kind of entry", async (plugin) => {
    const count = await tryAll(() => gateway, digestCases, plugin, transport);
    expect(count).toEqual({ accepted: 16, refused: 4 * digestCases.length });
  });

  it.each(usable)("a client that starts with %s reaches MySQL's own strings", async (plugin) => {
    const count = await tryAll(() => cryptGateway, cryptCases, plugin, transport);
    expect(count).toEqual({ accepted: 5, refused: 4 * cryptCases.length });
  });

  it("an unknown user and a wrong password walk the same exchange", async () => {
    for (const to of [gateway, cryptGateway]) {
      for (const plugin of [...usable, "unheard_of_plugin"]) {
        for (const password of ["wrong", ""]) {
          const traces = new Set<string>();
          for (const user of [
            "sha2",
            "no_such_user",
            "",
            ...(to === gateway ? ["native", "clear"] : ["crypt5"]),
          ]) {
            const result = await attempt(to, transport, { user, password, plugin });
            expect(result.error).toEqual(denial(user, transport, password));
            traces.add(result.trace.join(", "));
          }
          expect([...traces], `${plugin} '${password}'`).toHaveLength(1);
        }
      }
    }
  });

  it("COM_CHANGE_USER authenticates again, in full", async () => {
    const address = transport === "unix" ? { socketPath: gateway.socketPath } : { port: gateway.port };
    const tls = transport === "tls" ? true : undefined;
    const client = await loggedIn(address, { user: "clear", password: "clear-secret" }, tls);
    await client.query("SET @kept = 1");
    let changes = 0;
    for (const plugin of usable) {
      for (const { user, passwords } of digestCases) {
        for (const password of passwords) {
          const result = await changeUser(client, { user, password, plugin, database: "shop" });
          expect(result, `${user} by ${plugin}: ${result.trace.join(", ")}`).toMatchObject({ ok: true });
          expect(await client.rows("SELECT @kept, DATABASE()")).toEqual([[null, "shop"]]);
          changes++;
        }
      }
    }
    expect(changes).toBe(16 * usable.length);
    const refused = await changeUser(client, { user: "native", password: "wrong" });
    expect(refused.error).toEqual(denial("native", transport, "wrong"));
    expect((await client.readToEnd()).length).toBe(0);
    client.destroy();
  });
});

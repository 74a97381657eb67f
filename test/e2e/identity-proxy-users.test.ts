// Proxy users: MySQL's own table of cases and what is ours beside it, as far as the gateway knows who somebody is.
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commandLines, runCommandLine } from "../support/command-line.ts";
import type { DatabaseServer } from "../support/database-server.ts";
import { type GatewayProcess, startGateway } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { Authority, issueServer } from "../support/pki.ts";
import { changeUser, type LoginOptions, loggedIn, login } from "../support/raw/login.ts";
import { nativeHash } from "../support/raw/passwords.ts";
import type { RawClient } from "../support/raw/raw-client.ts";
import { waitUntil } from "../support/scratch.ts";

const users = {
  proxy_base: [{ UserData: "base_data", Groups: ["staff"], AccountLocked: true, Password: "base-pw" }],
  proxy_base_multi: [{ Groups: ["multi"], AccountLocked: true }],
  proxy_native: [{ Password: "p", ProxyFor: "proxy_base" }],
  proxy_none: [{ Password: "p", ProxyFor: "gone" }],
  proxy_native_1: [{ Password: "p", ProxyFor: ["proxy_base_multi"] }],
  proxy_native_2: [{ Password: "p", ProxyFor: ["gone", "proxy_base_multi"] }],
  proxy_native_4: [{ Password: "p", ProxyFor: ["proxy_base_multi", "proxy_base"] }],
  proxy_native_41: [{ Password: "p", ProxyFor: "proxy_native_4" }],
  two: [{ Password: "own" }, { Password: "mapped", ProxyFor: "proxy_base" }],
  old: [{ MysqlNativePassword: nativeHash("p"), ProxyFor: "proxy_base" }],
  plain: [{ Password: "p" }],
  secure_proxy: [{ Password: "p", ProxyFor: "proxy_base", RequireSecureTransport: true }],
  secure_base: [{ Groups: ["secure"], RequireSecureTransport: true }],
  to_secure: [{ Password: "p", ProxyFor: "secure_base" }],
  narrow_base: [{ MaxConnections: 2 }],
  narrow_a: [{ Password: "p", ProxyFor: "narrow_base" }],
  narrow_b: [{ Password: "p", ProxyFor: "narrow_base", MaxConnections: 1 }],
};
type Who = readonly [userData: string, baseEntry: string | null];

const root = Authority.root();
const issued = issueServer(root);
const tls = { mysql_server_ssl_cert: issued.cert, mysql_server_ssl_key: issued.key };
const all = ["mysql_native_password", "caching_sha2_password", "sha256_password"] as const;
const flagsOf = (plugins: readonly string[], check = true) => ({
  ...tls,
  ...(check ? { check_proxy_users: true } : {}),
  ...Object.fromEntries(plugins.map((plugin) => [`${plugin}_proxy_users`, true])),
});

let server: DatabaseServer;
beforeAll(async () => {
  server = await startMariadb({ skipNetworking: true });
});
afterAll(() => server?.stop());

async function identityOf(gateway: GatewayProcess, client: RawClient, loginCount = 1): Promise<Who> {
  const { connectionId } = client.greeting;
  const records = () =>
    gateway.records().filter((record) => record.audit === "login" && record.connection_id === connectionId);
  await waitUntil(() => records().length >= loginCount, "the audit record");
  const record = records()[loginCount - 1];
  expect(record?.outcome).toBe("accepted");
  return [String(record?.user_data), record?.base_entry === null ? null : String(record?.base_entry)];
}

async function whoIs(gateway: GatewayProcess, options: LoginOptions): Promise<Who> {
  const client = await loggedIn({ port: gateway.port }, options, true);
  const who = await identityOf(gateway, client);
  const account = who[1] === null ? options.user : who[1].replace(/\[\d+\]$/, "");
  expect(await client.rows("SELECT USER(), CURRENT_USER(), @@proxy_user, @@external_user")).toEqual([
    [`${options.user}@127.0.0.1`, `${account}@%`, who[1] === null ? null : `'${options.user}'@'%'`, null],
  ]);
  expect((await client.rows("SHOW GRANTS")).flat().join()).toContain(`TO \`${account}\`@`);
  await client.quit();
  return who;
}

describe.each(all)("with the flag of %s", (method) => {
  const others = all.filter((plugin) => plugin !== method);
  let gateway: GatewayProcess;
  beforeAll(async () => {
    gateway = await startGateway({ backend: server, users, flags: flagsOf([method]) });
  });
  afterAll(() => gateway?.stop());

  it.each<[string, Who]>([
    ["proxy_native", ["base_data", "proxy_base[0]"]],
    ["proxy_none", ["proxy_none", null]],
    ["proxy_native_1", ["proxy_base_multi", "proxy_base_multi[0]"]],
    ["proxy_native_2", ["proxy_base_multi", "proxy_base_multi[0]"]],
    ["proxy_native_4", ["proxy_base_multi", "proxy_base_multi[0]"]],
    ["proxy_native_41", ["proxy_native_4", "proxy_native_4[0]"]],
    ["plain", ["plain", null]],
  ])("%s is %j", async (user, expected) => {
    expect(await whoIs(gateway, { user, password: "p", plugin: method })).toEqual(expected);
    for (const plugin of [...others, "mysql_clear_password"]) {
      expect(await whoIs(gateway, { user, password: "p", plugin }), plugin).toEqual([user, null]);
    }
  });
});

describe("with all flags", () => {
  let gateway: GatewayProcess;
  beforeAll(async () => {
    gateway = await startGateway({ backend: server, users, flags: flagsOf(all) });
  });
  afterAll(() => gateway?.stop());
  const at = () => ({ port: gateway.port });

  it("the entry that the password fits decides", async () => {
    expect(await whoIs(gateway, { user: "two", password: "own" })).toEqual(["two", null]);
    expect(await whoIs(gateway, { user: "two", password: "mapped" })).toEqual(["base_data", "proxy_base[0]"]);
  });

  it("the groups are the base's", async () => {
    const client = await loggedIn(at(), { user: "proxy_native", password: "p" });
    const { connectionId } = client.greeting;
    const record = await gateway.waitForRecord(
      (one) => one.audit === "login" && one.connection_id === connectionId,
      "the audit record",
    );
    expect(record).toMatchObject({
      user: "proxy_native",
      entry: "proxy_native[0]",
      base_entry: "proxy_base[0]",
      groups: ["staff"],
    });
    await client.quit();
  });

  it("a locked base logs nobody in itself: 3118 with the right password, 1045 with a wrong one", async () => {
    for (const [password, code] of [
      ["base-pw", 3118],
      ["wrong", 1045],
    ] as const) {
      const { client, result } = await login(at(), { user: "proxy_base", password });
      expect(result.error?.code).toBe(code);
      client.destroy();
    }
  });

  it("the demands of both for a secure transport hold", async () => {
    for (const user of ["secure_proxy", "to_secure"]) {
      const plain = await login(at(), { user, password: "p" });
      expect(plain.result.error).toMatchObject({ code: 1045, state: "28000" });
      plain.client.destroy();
      const [, base] = await whoIs(gateway, { user, password: "p" });
      expect(base).not.toBeNull();
    }
  });

  it("MaxConnections of both count, and are free again when a session ends or changes its user", async () => {
    const first = await loggedIn(at(), { user: "narrow_a", password: "p" });
    const second = await loggedIn(at(), { user: "narrow_b", password: "p" });
    const third = await login(at(), { user: "narrow_a", password: "p" });
    expect(third.result.error?.code).toBe(1226);
    expect(third.result.error?.message).toContain("'narrow_base'");
    third.client.destroy();
    expect((await changeUser(first, { user: "plain", password: "p" })).ok).toBe(true);
    const again = await login(at(), { user: "narrow_b", password: "p" });
    expect(again.result.error?.message).toContain("'narrow_b'");
    again.client.destroy();
    const fourth = await loggedIn(at(), { user: "narrow_a", password: "p" });
    for (const client of [first, second, fourth]) await client.quit();
  });

  it("COM_CHANGE_USER maps again, COM_RESET_CONNECTION keeps the mapping", async () => {
    const client = await loggedIn(at(), { user: "proxy_native", password: "p" }, true);
    const who = [await identityOf(gateway, client)];
    for (const user of ["plain", "proxy_native"]) {
      expect((await changeUser(client, { user, password: "p" })).ok).toBe(true);
      who.push(await identityOf(gateway, client, who.length + 1));
    }
    expect(who).toEqual([
      ["base_data", "proxy_base[0]"],
      ["plain", null],
      ["base_data", "proxy_base[0]"],
    ]);
    expect((await client.command(Buffer.of(0x1f))).error).toBeNull();
    const kill = gateway.waitForRecord((record) => record.audit === "kill", "the KILL");
    await client.query("KILL 1");
    expect(await kill).toMatchObject({ user: "proxy_native", user_data: "base_data" });
    await client.quit();
  });

  it("a real command line is mapped", async () => {
    expect(commandLines.length).toBeGreaterThan(0);
    for (const { command } of commandLines) {
      const target = { user: "proxy_native_1", password: "p", socketPath: gateway.socketPath };
      const before = gateway.records().length;
      const result = await runCommandLine(command, target, "SELECT 1");
      expect(result.stdout).toBe("1\n");
      const record = await waitUntil(
        () =>
          gateway
            .records()
            .slice(before)
            .find((one) => one.audit === "login" && one.user === "proxy_native_1"),
        "the audit record",
      );
      expect(record).toMatchObject({ outcome: "accepted", base_entry: "proxy_base_multi[0]" });
    }
  });
});

describe("the method that completes the login decides", () => {
  it("after a switch from native to caching_sha2, and the other way round", async () => {
    for (const [flag, mapped] of [
      ["mysql_native_password", ["base_data", "proxy_base[0]"]],
      ["caching_sha2_password", ["old", null]],
    ] as const) {
      const gateway = await startGateway({
        backend: server,
        users: { old: users.old, proxy_base: users.proxy_base },
        flags: flagsOf([flag]),
      });
      // Every entry can be proven by native here: over plain TCP clients are switched to it.
      const client = await loggedIn({ port: gateway.port }, { user: "old", password: "p" });
      expect(await identityOf(gateway, client)).toEqual(mapped);
      await client.quit();
      await gateway.stop();
    }
  });
});

describe("without check_proxy_users", () => {
  it("nobody is mapped, and the log says so", async () => {
    const gateway = await startGateway({ backend: server, users, flags: flagsOf([], false) });
    for (const plugin of all) {
      expect(await whoIs(gateway, { user: "proxy_native", password: "p", plugin })).toEqual([
        "proxy_native",
        null,
      ]);
    }
    const said = "ProxyFor has no effect without --check_proxy_users";
    expect(gateway.records().filter((record) => String(record.message).includes(said))).toHaveLength(1);
    await gateway.stop();
  });
});

describe("a reload", () => {
  it("maps new logins by the new file and leaves live sessions who they are", async () => {
    const gateway = await startGateway({
      backend: server,
      users: {
        p: [{ Password: "p", ProxyFor: ["first", "second"] }],
        first: [{ Groups: ["one"] }],
        second: [{ Groups: ["two"] }],
      },
      flags: flagsOf(all),
    });
    const live = await loggedIn({ port: gateway.port }, { user: "p", password: "p" });
    expect(await identityOf(gateway, live)).toEqual(["first", "first[0]"]);
    const write = async (content: object): Promise<void> => {
      const reloads = () => gateway.records().filter((record) => record.audit === "reload").length;
      const before = reloads();
      writeFileSync(gateway.usersFile, JSON.stringify(content));
      await waitUntil(() => reloads() > before, "the reload");
    };
    const p = [{ Password: "p", ProxyFor: ["first", "second"] }];
    await write({ p, second: [{ Groups: ["two"] }] });
    expect(await whoIs(gateway, { user: "p", password: "p" })).toEqual(["second", "second[0]"]);
    await write({ p });
    expect(await whoIs(gateway, { user: "p", password: "p" })).toEqual(["p", null]);
    const kill = gateway.waitForRecord((record) => record.audit === "kill", "the KILL");
    await live.query("KILL 1");
    expect(await kill).toMatchObject({ user: "p", user_data: "first" });
    await live.quit();
    await gateway.stop();
  });
});

describe("proxy users with SPIFFE ids", () => {
  const id = "spiffe://example.org/app/x";
  const leaf = root.issue("x", { names: `URI:${id}` });
  const other = root.issue("y", { names: "URI:spiffe://example.org/app/y" });
  const spiffe = { Attributes: { spiffe_id: id } };
  let gateway: GatewayProcess;
  beforeAll(async () => {
    gateway = await startGateway({
      backend: server,
      users: {
        by_cert: [{ ...spiffe, ProxyFor: "base" }],
        by_both: [{ ...spiffe, Password: "p", ProxyFor: "base" }],
        mixed: [{ ...spiffe, ProxyFor: "base" }, { Password: "p" }],
        by_password: [{ Password: "p", ProxyFor: "cert_base" }],
        base: [{ UserData: "base_data", Groups: ["staff"], AccountLocked: true }],
        cert_base: [{ Attributes: { spiffe_id: "spiffe://example.org/base" }, Groups: ["certified"] }],
      },
      flags: { ...flagsOf(all), mysql_server_ssl_ca: root.cert, mysql_server_client_cert: "request" },
    });
  });
  afterAll(() => gateway?.stop());

  const attempt = (user: string, password: string, presented = leaf) =>
    login({ port: gateway.port }, { user, password }, { cert: presented.pem, key: presented.keyPem });

  it.each([
    ["by_cert", "", "base_data", "base[0]"],
    ["by_both", "p", "base_data", "base[0]"],
    ["mixed", "", "base_data", "base[0]"],
    // The base's own certificate plays no part.
    ["by_password", "p", "cert_base", "cert_base[0]"],
  ])("%s is mapped", async (user, password, ...who) => {
    const { client, result } = await attempt(user, password);
    expect(result.ok).toBe(true);
    expect(await identityOf(gateway, client)).toEqual(who);
    const [account] = who[1]?.split("[") ?? [];
    expect(await client.rows("SELECT USER(), CURRENT_USER(), @@proxy_user")).toEqual([
      [`${user}@127.0.0.1`, `${account}@%`, `'${user}'@'%'`],
    ]);
    await client.quit();
  });

  it("the id and the password are still wanted, and the mapped session is a SPIFFE session", async () => {
    for (const [user, password, presented] of [
      ["by_cert", "", other],
      ["by_both", "wrong", leaf],
      ["by_both", "p", other],
      ["base", "", leaf],
      ["cert_base", "", leaf],
    ] as const) {
      const { client, result } = await attempt(user, password, presented);
      expect([user, result.error?.code]).toEqual([user, 1045]);
      client.destroy();
    }
    const { client: byPassword } = await attempt("mixed", "p", other);
    expect(await identityOf(gateway, byPassword)).toEqual(["mixed", null]);
    const { client } = await attempt("by_cert", "");
    expect((await changeUser(client, { user: "mixed", password: "p" })).error?.code).toBe(1045);
    expect((await client.readToEnd()).length).toBe(0);
    // Into one by a password: mapped, or not at all.
    expect((await changeUser(byPassword, { user: "by_both", password: "p" })).error?.code).toBe(1045);
    client.destroy();
    byPassword.destroy();
  });
});

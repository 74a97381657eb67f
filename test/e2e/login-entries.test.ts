// What the keys of an entry do: SourceHost, AccountLocked, RequireSecureTransport, the time window, MaxConnections; and
// the other sources of users.
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAuthority, issueServerCertificate } from "../support/certificates.ts";
import type { DatabaseServer } from "../support/database-server.ts";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { startGateway } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { loggedIn, login } from "../support/raw/login.ts";
import { waitUntil } from "../support/scratch.ts";

let server: DatabaseServer;
beforeAll(async () => {
  server = await startMariadb({ skipNetworking: true });
});
afterAll(() => server?.stop());

const day = 24 * 3600 * 1000;
const inDays = (days: number): string => new Date(Date.now() + days * day).toISOString();

describe("entries", () => {
  let gateway: GatewayProcess;
  const Password = "x";
  beforeAll(async () => {
    const { cert, key } = issueServerCertificate(createAuthority());
    gateway = await startGateway({
      backend: server,
      flags: { mysql_server_ssl_cert: cert, mysql_server_ssl_key: key },
      users: {
        anywhere: [{ Password, SourceHost: "" }],
        socket: [{ Password, SourceHost: "localhost" }],
        address: [{ Password, SourceHost: "127.0.0.1" }],
        other_address: [{ Password, SourceHost: "127.0.0.7" }],
        network: [{ Password, SourceHost: "127.0.0.0/8" }],
        other_network: [{ Password, SourceHost: "10.0.0.0/8" }],
        list: [{ Password, SourceHost: ["10.0.0.0/8", "localhost"] }],
        second: [
          { Password, SourceHost: "10.0.0.0/8", UserData: "far" },
          { Password, SourceHost: "127.0.0.1", UserData: "near" },
        ],
        locked: [{ Password, AccountLocked: true }],
        secure: [{ Password, RequireSecureTransport: true }],
        future: [{ Password, NotBefore: inDays(1) }],
        past: [{ Password, NotAfter: inDays(-1) }],
        now: [{ Password, NotBefore: inDays(-1), NotAfter: inDays(1) }],
        two: [{ Password, MaxConnections: 2 }],
        nothing: [{ UserData: "no credential" }],
        commented: [{ Password, Comment: "ignored", Groups: ["g1", "g2"] }],
      },
    });
  });
  afterAll(() => gateway?.stop());

  // user: accepted over [plain TCP, TLS, unix socket]
  const expected: Record<string, readonly [boolean, boolean, boolean]> = {
    anywhere: [true, true, true],
    socket: [false, false, true],
    address: [true, true, false],
    other_address: [false, false, false],
    network: [true, true, false],
    other_network: [false, false, false],
    list: [false, false, true],
    second: [true, true, false],
    secure: [false, true, true],
    future: [false, false, false],
    past: [false, false, false],
    now: [true, true, true],
    nothing: [false, false, false],
    commented: [true, true, true],
  };

  it.each(Object.entries(expected))("%s is let in over [TCP, TLS, unix]: %s", async (user, accepted) => {
    const places = [{ port: gateway.port }, { port: gateway.port }, { socketPath: gateway.socketPath }];
    for (const [index, address] of places.entries()) {
      for (const plugin of ["mysql_native_password", "caching_sha2_password"]) {
        const tls = index === 1 ? true : undefined;
        const { client, result } = await login(address, { user, password: Password, plugin }, tls);
        expect(result.ok, `${plugin}, transport ${index}: ${result.trace}`).toBe(accepted[index]);
        if (!result.ok) expect(result.error).toMatchObject({ code: 1045, state: "28000" });
        client.destroy();
      }
    }
  });

  it("a locked account is told so only with the right password", async () => {
    for (const plugin of ["mysql_native_password", "caching_sha2_password"]) {
      const right = await login({ port: gateway.port }, { user: "locked", password: Password, plugin });
      expect(right.result.error).toEqual({
        code: 3118,
        state: "HY000",
        message: "Access denied for user 'locked'@'127.0.0.1'. Account is locked.",
      });
      right.client.destroy();
      const wrong = await login({ port: gateway.port }, { user: "locked", password: "y", plugin });
      expect(wrong.result.error?.code).toBe(1045);
      wrong.client.destroy();
    }
  });

  it("MaxConnections counts live sessions of the entry: 1226 beyond, free again when one ends", async () => {
    const options = { user: "two", password: Password };
    const first = await loggedIn({ port: gateway.port }, options);
    const second = await loggedIn({ socketPath: gateway.socketPath }, options);
    const third = await login({ port: gateway.port }, options);
    expect(third.result.error).toMatchObject({ code: 1226, state: "42000" });
    expect(third.result.error?.message).toContain("'two'");
    third.client.destroy();
    await first.quit();
    const again = await waitUntil(async () => {
      const { client, result } = await login({ port: gateway.port }, options);
      if (result.ok) return client;
      client.destroy();
      return null;
    }, "a free place");
    await again.quit();
    await second.quit();
  });

  it("every login and refusal is on record, with who, from where, which entry and why; no secret is", async () => {
    const probe = await loggedIn({ port: gateway.port }, { user: "second", password: Password });
    await probe.quit();
    await gateway.waitForRecord((record) => JSON.stringify(record).includes('"near"'), "the accepted login");
    const refused = await login({ port: gateway.port }, { user: "nothing", password: "pa55-in-clear" }, true);
    refused.client.destroy();
    await gateway.waitForRecord(
      (record) =>
        JSON.stringify(record).includes('"nothing"') && /refus|denied|fail/i.test(JSON.stringify(record)),
      "the refused login",
    );
    expect(gateway.lines.filter((line) => line.includes("pa55-in-clear"))).toEqual([]);
  });
});

describe("other sources of users", () => {
  it("--mysql_auth_server_static_string holds the same JSON", async () => {
    const gateway = await startGateway({
      backend: server,
      flags: {
        mysql_auth_server_static_file: false,
        mysql_auth_server_static_string: '{"s":[{"Password":"x"}],"old":{"Password":"y","UserData":"z"}}',
      },
    });
    await (await loggedIn({ port: gateway.port }, { user: "s", password: "x" })).quit();
    await (await loggedIn({ port: gateway.port }, { user: "old", password: "y" })).quit();
    const wrong = await login({ port: gateway.port }, { user: "s", password: "y" });
    expect(wrong.result.error?.code).toBe(1045);
    wrong.client.destroy();
    await gateway.stop();
  });

  it("impl none lets everybody in", async () => {
    const gateway = await startGateway({
      backend: server,
      flags: { mysql_auth_server_impl: "none", mysql_auth_server_static_file: false },
    });
    for (const [user, password] of [
      ["anyone", "anything"],
      ["someone", ""],
      ["", ""],
    ] as const) {
      for (const plugin of ["mysql_native_password", "caching_sha2_password"]) {
        const client = await loggedIn({ port: gateway.port }, { user, password, plugin });
        expect(await client.rows("SELECT 1")).toEqual([["1"]]);
        await client.quit();
      }
    }
    await gateway.stop();
  });

  it("--mysql_auth_disconnect_removed ends sessions whose base is gone: its rights were theirs", async () => {
    const users = { p: [{ Password: "p", ProxyFor: "base" }], base: [{ UserData: "b" }] };
    const gateway = await startGateway({
      backend: server,
      users,
      flags: {
        mysql_auth_disconnect_removed: true,
        check_proxy_users: true,
        mysql_native_password_proxy_users: true,
        caching_sha2_password_proxy_users: true,
      },
    });
    const mapped = await loggedIn({ port: gateway.port }, { user: "p", password: "p" });
    writeFileSync(gateway.usersFile, JSON.stringify({ ...users, base: [{ UserData: "other" }] }));
    await mapped.readToEnd();
    await gateway.waitForRecord((record) => record.reason === "entry_removed", "the disconnect record");
    await gateway.stop();
  });

  it("--mysql_auth_disconnect_removed ends sessions whose entry is gone; without it they stay", async () => {
    for (const disconnect of [true, false]) {
      const gateway = await startGateway({
        backend: server,
        users: { keep: [{ Password: "k" }], drop: [{ Password: "old" }, { Password: "new" }] },
        flags: { mysql_auth_disconnect_removed: disconnect },
      });
      const at = { port: gateway.port };
      const keep = await loggedIn(at, { user: "keep", password: "k" });
      const old = await loggedIn(at, { user: "drop", password: "old" });
      const fresh = await loggedIn(at, { user: "drop", password: "new" });
      writeFileSync(
        gateway.usersFile,
        JSON.stringify({ keep: [{ Password: "k" }], drop: [{ Password: "new" }] }),
      );
      await waitUntil(async () => {
        const { client, result } = await login(at, { user: "drop", password: "old" });
        client.destroy();
        return !result.ok;
      }, "the reload");
      for (const client of [keep, fresh]) expect(await client.rows("SELECT 1")).toEqual([["1"]]);
      if (disconnect) await old.readToEnd();
      else expect(await old.rows("SELECT 1")).toEqual([["1"]]);
      for (const client of [keep, old, fresh]) client.destroy();
      await gateway.stop();
    }
  });
});

import { describe, expect, it } from "vitest";
import type { AuthenticatedUser } from "../../../src/auth/auth-exchange.ts";
import { type Identified, identifyUser } from "../../../src/auth/identify.ts";
import type { LoginRequest } from "../../../src/auth/login-request.ts";
import type { Peer } from "../../../src/identity/peer.ts";
import { noProxyUsers, type ProxyUserOptions } from "../../../src/users/proxy-users.ts";
import type { UserDirectory } from "../../../src/users/user-directory.ts";
import { directoryOf, entryOf, tcpPeer, tlsPeer, unixPeer } from "../users/support.ts";

// The accounts of MySQL's own tests (mysql-test/suite/sys_vars, *_proxy_users_func), with passwords.
const Password = "p";
const mysqlCases = directoryOf({
  proxy_base: [{ UserData: "base_data", Groups: ["staff"], AccountLocked: true, SourceHost: "localhost" }],
  proxy_base_multi: [{ AccountLocked: true }],
  proxy_native: [{ Password, ProxyFor: "proxy_base", SourceHost: "localhost", UserData: "own_data" }],
  proxy_none: [{ Password, ProxyFor: "not_a_user" }],
  proxy_native_1: [{ Password, ProxyFor: "proxy_base_multi" }],
  proxy_native_2: [{ Password, ProxyFor: "proxy_base_multi" }],
  proxy_native_4: [{ Password, ProxyFor: ["proxy_base_multi", "proxy_base"] }],
  proxy_native_41: [{ Password, ProxyFor: "proxy_native_4" }],
  plain: [{ Password }],
});

const plugins = ["mysql_native_password", "caching_sha2_password", "sha256_password"];
const allOn: ProxyUserOptions = {
  checkProxyUsers: true,
  mysqlNativePasswordProxyUsers: true,
  cachingSha2PasswordProxyUsers: true,
  sha256PasswordProxyUsers: true,
};

interface Login {
  readonly user: string;
  readonly index?: number;
  readonly plugin?: string;
  readonly peer?: Peer;
  readonly directory?: UserDirectory;
  readonly proxyUsers?: ProxyUserOptions;
}

function identified(login: Login): Identified {
  const directory = login.directory ?? mysqlCases;
  const user: AuthenticatedUser = {
    loginUser: login.user,
    entry: entryOf(directory, login.user, login.index ?? 0),
    directory,
    plugin: login.plugin ?? "mysql_native_password",
    spiffeId: null,
  };
  const peer = login.peer ?? unixPeer;
  return identifyUser(user, requestOf(login.user, peer), login.proxyUsers ?? allOn, 0);
}

/** The wish of a client that was asked for its password by a switch. */
function requestOf(user: string, peer: Peer): LoginRequest {
  return {
    ...{ origin: "connect", user, peer, authResponse: new Uint8Array(0), clientPlugin: "dialog" },
    ...{
      scramble: new Uint8Array(20),
      database: null,
      collation: 45,
      capabilities: 0,
      attributes: new Map(),
    },
  };
}

/** `CURRENT_USER() @@proxy_user`, or the reason of the refusal. */
function shown(login: Login): string {
  const result = identified(login);
  if ("error" in result) return `${result.error.code} ${result.reason}`;
  return `${result.identity.authUser}@${result.identity.authHost} ${result.identity.proxyUser ?? "NULL"}`;
}

describe("identifyUser()", () => {
  it("without a mapping is the entry's own UserData and Groups", () => {
    const directory = directoryOf(
      { u: [{ Password, SourceHost: ["10.0.0.0/8", "localhost"], Groups: ["a", "b"], UserData: "ud" }] },
      7,
    );
    const entry = entryOf(directory);
    const reference = { user: "u", index: 0, generation: 7, fingerprint: entry.fingerprint };
    expect(identified({ user: "u", directory })).toEqual({
      identity: {
        loginUser: "u",
        authUser: "u",
        authHost: "10.0.0.0/8,localhost",
        proxyUser: null,
        callerId: { username: "ud", groups: ["a", "b"] },
        entry: reference,
        baseEntry: null,
        plugin: "mysql_native_password",
        spiffeId: null,
        peer: unixPeer,
      },
      base: null,
    });
    expect(shown({ user: "plain" })).toBe("plain@% NULL");
  });

  it("mapped has UserData and Groups of the base, and names both entries", () => {
    const result = identified({ user: "proxy_native" });
    if ("error" in result) throw result.error;
    expect(result.identity).toMatchObject({
      loginUser: "proxy_native",
      authUser: "proxy_base",
      callerId: { username: "base_data", groups: ["staff"] },
      entry: { user: "proxy_native", index: 0 },
      baseEntry: { user: "proxy_base", index: 0, fingerprint: entryOf(mysqlCases, "proxy_base").fingerprint },
    });
    expect(result.base).toBe(entryOf(mysqlCases, "proxy_base"));
  });

  it.each([
    ["proxy_native", "proxy_base@localhost 'proxy_native'@'localhost'"],
    ["proxy_none", "proxy_none@% NULL"],
    ["proxy_native_1", "proxy_base_multi@% 'proxy_native_1'@'%'"],
    ["proxy_native_2", "proxy_base_multi@% 'proxy_native_2'@'%'"],
    ["proxy_native_4", "proxy_base_multi@% 'proxy_native_4'@'%'"],
    ["proxy_native_41", "proxy_native_4@% 'proxy_native_41'@'%'"],
  ])("passes MySQL's case %s, by every plugin", (user, expected) => {
    for (const plugin of plugins) expect(shown({ user, plugin })).toBe(expected);
  });

  it("maps only with check_proxy_users and the flag of the plugin that completed the login", () => {
    const own = "proxy_native_1@% NULL";
    const mapped = "proxy_base_multi@% 'proxy_native_1'@'%'";
    const off = { ...allOn, checkProxyUsers: false };
    const nativeOnly = { ...noProxyUsers, checkProxyUsers: true, mysqlNativePasswordProxyUsers: true };
    const none = { ...noProxyUsers, checkProxyUsers: true };
    const of = (proxyUsers: ProxyUserOptions, plugin: string) =>
      shown({ user: "proxy_native_1", proxyUsers, plugin });
    for (const plugin of plugins) {
      expect(of(off, plugin)).toBe(own);
      expect(of(none, plugin)).toBe(own);
      expect(of(nativeOnly, plugin)).toBe(plugin === "mysql_native_password" ? mapped : own);
    }
    for (const plugin of ["mysql_clear_password", "clientcert", "none"]) expect(of(allOn, plugin)).toBe(own);
  });

  it("maps by the entry that accepted, not by the user", () => {
    const directory = directoryOf({
      u: [{ Password: "a" }, { Password: "b", ProxyFor: "base" }],
      base: [{ AccountLocked: true }],
    });
    expect(shown({ user: "u", index: 0, directory })).toBe("u@% NULL");
    expect(shown({ user: "u", index: 1, directory })).toBe("base@% 'u'@'%'");
  });

  it("refuses where the base demands a secure transport: 1045, as any other refusal reads", () => {
    const directory = directoryOf({
      u: [{ Password, ProxyFor: "base" }],
      base: [{ RequireSecureTransport: true }],
    });
    const result = identified({ user: "u", directory, peer: tcpPeer() });
    if (!("error" in result)) throw new Error("not refused");
    expect(result.error.message).toBe("Access denied for user 'u'@'192.0.2.7' (using password: YES)");
    expect(result.reason).toBe("base_requires_secure_transport");
    expect(shown({ user: "u", directory, peer: tlsPeer() })).toBe("base@% 'u'@'%'");
    expect(shown({ user: "u", directory, peer: unixPeer })).toBe("base@% 'u'@'%'");
  });
});

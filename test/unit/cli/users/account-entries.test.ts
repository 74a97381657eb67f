import { describe, expect, it } from "vitest";
import { type Account, convertAccounts } from "../../../../src/cli/users/account-entries.ts";
import { cryptHash, nativeHash } from "../../../../src/cli/users/password-hashes.ts";

function account(values: Partial<Account> & { plugin?: string; hash?: string | Uint8Array }): Account {
  const { plugin = "mysql_native_password", hash = nativeHash("x"), ...rest } = values;
  return {
    user: "u",
    host: "%",
    methods: [{ plugin, hash: typeof hash === "string" ? Buffer.from(hash, "latin1") : hash }],
    locked: false,
    expired: false,
    isRole: false,
    sslType: "",
    maxUserConnections: 0,
    beyondPassword: null,
    lost: [],
    ...rest,
  };
}

const entryOf = (values: Parameters<typeof account>[0]) =>
  convertAccounts([account(values)]).users.get("u")?.[0];
const noteOf = (values: Parameters<typeof account>[0]) => {
  const { users, notes } = convertAccounts([account(values)]);
  expect(users.size).toBe(0);
  return notes.join("\n");
};

describe("convertAccounts()", () => {
  it("carries over native and caching_sha2 hashes, limits, locks and TLS", () => {
    expect(entryOf({ locked: true, sslType: "ANY", maxUserConnections: 5 })).toEqual({
      UserData: "u",
      MysqlNativePassword: nativeHash("x"),
      AccountLocked: true,
      RequireSecureTransport: true,
      MaxConnections: 5,
    });
    const crypt = cryptHash("x");
    expect(entryOf({ plugin: "caching_sha2_password", hash: crypt })).toEqual({
      UserData: "u",
      CachingSha2Password: crypt,
    });
  });

  it("writes unprintable salts as hexadecimal digits", () => {
    const hash = Buffer.from(cryptHash("x"), "latin1");
    hash[10] = 7;
    expect(entryOf({ plugin: "caching_sha2_password", hash })?.CachingSha2Password).toBe(
      `0x${hash.toString("hex").toUpperCase()}`,
    );
  });

  it.each([
    ["%", undefined],
    ["localhost", "localhost"],
    ["10.1.2.3", "10.1.2.3"],
    ["::1", "::1"],
    ["10.%", "10.0.0.0/8"],
    ["10.1.2.%", "10.1.2.0/24"],
    ["10.1.0.0/255.255.0.0", "10.1.0.0/16"],
    ["10.1.0.0/16", "10.1.0.0/16"],
  ])("turns host %s into SourceHost %s", (host, expected) => {
    expect(entryOf({ host })?.SourceHost).toBe(expected);
  });

  it.each<[Parameters<typeof account>[0], string]>([
    [{ host: "%.example.com" }, "pattern that is no network"],
    [{ host: "db.example.com" }, "pattern that is no network"],
    [{ host: "10.1.%.3" }, "pattern that is no network"],
    [{ host: "10.1.0.0/255.0.255.0" }, "pattern that is no network"],
    [{ user: "" }, "anonymous"],
    [{ user: "mysql.sys" }, "belongs to the server"],
    [{ isRole: true }, "role"],
    [{ sslType: "X509" }, "client certificate"],
    [{ hash: "" }, "it has no password"],
    [{ hash: "invalid" }, "its hash is not valid"],
    [{ plugin: "unix_socket", hash: "x" }, "no client can prove"],
    [{ plugin: "ed25519", hash: "x" }, "no client can prove"],
    [{ plugin: "caching_sha2_password", hash: cryptHash("x").replace("$005$", "$0FF$") }, "not valid here"],
  ])("leaves out %j: %s", (values, reason) => {
    expect(noteOf(values)).toContain(reason);
  });

  it("puts the most specific host first and tells of the difference", () => {
    const { users, notes } = convertAccounts([
      account({ host: "%" }),
      account({ host: "10.%" }),
      account({ host: "10.1.2.3" }),
    ]);
    expect(users.get("u")?.map((entry) => entry.SourceHost)).toEqual(["10.1.2.3", "10.0.0.0/8", undefined]);
    expect(notes.join()).toContain("'u' has 3 entries");
  });
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readUsersFile, readUsersFileInSteps } from "../../../src/users/users-file.ts";
import { nativeHash, sha2Hash } from "../../support/raw/passwords.ts";
import { directoryOf, entryOf, problemsOf, warningsOf } from "./support.ts";

// "test" with the salt of the reference algorithm's MySQL variant; checked against a server in the e2e tests.
const dollarA = "$A$005$abcdefghijklmnopqrst" + "0123456789012345678901234567890123456789012";

describe("readUsersFile()", () => {
  it("takes Vitess's legacy form, one entry without a list, with a warning for each", () => {
    const file = { u: { Password: "123", UserData: "dummy" }, u2: { Password: "456" } };
    expect(entryOf(directoryOf(file), "u").userData).toBe("dummy");
    expect(entryOf(directoryOf(file), "u2").userData).toBe("u2");
    expect(warningsOf(file)).toHaveLength(2);
    expect(warningsOf(file)[0]).toContain("without a list around it");
  });

  it("validates the legacy form as strictly as the other", () => {
    expect(problemsOf({ u: { Password: "x", SourceHost: "nowhere" } })[0]).toContain("u[0].SourceHost");
  });

  it("keeps three entries, their order and groups", () => {
    const directory = directoryOf({
      u: [
        { Password: "a", SourceHost: "localhost" },
        { Password: "b", UserData: "two" },
        { Password: "c", Groups: ["g", "h", "g"] },
      ],
    });
    expect(directory.entriesOf("u")?.map((entry) => [entry.index, entry.userData, entry.groups])).toEqual([
      [0, "u", []],
      [1, "two", []],
      [2, "u", ["g", "h"]],
    ]);
    expect(directory.entriesOf("nobody")).toBeNull();
    expect(directory.entriesOf("__proto__")).toBeNull();
  });

  it("reads users.example.json without a warning", () => {
    const text = readFileSync(join(import.meta.dirname, "../../../users.example.json"));
    const result = readUsersFile(text, "users.example.json", 1);
    expect(result).toMatchObject({ ok: true, warnings: [] });
    if (!result.ok) return;
    expect(result.directory.userNames).toEqual(["vitess", "myuser1", "myuser2", "rotating"]);
    expect(result.directory.entriesOf("rotating")?.map((entry) => entry.userData)).toEqual([
      "vitess_old",
      "vitess_new",
    ]);
  });

  it.each([
    ["an unknown key, with the nearest", { u: [{ InvalidKey: "x" }] }, "Unknown key 'InvalidKey'"],
    ["a key in another case", { u: [{ password: "x" }] }, "did you mean 'Password'?"],
    ["a duplicate user", '{"u":[{"Password":"a"}],"u":[{"Password":"b"}]}', "u"],
    ["a duplicate key", '{"u":[{"Password":"a","Password":"b"}]}', "Password"],
    ["no user", {}, "The file has no user"],
    ["nothing but $schema", { $schema: "x" }, "The file has no user"],
    ["nothing but users without entries", { u: [] }, "The file has no user"],
    ["null as an entry", { u: [null] }, "must be an object"],
    ["null as a user", { u: null }, "must be a list or an object, not null"],
    ["an empty user name", { "": [{ Password: "x" }] }, "A user's name must not be empty"],
    ["NUL in a user name", { "a\u0000b": [{ Password: "x" }] }, "NUL"],
    ["an empty password", { u: [{ Password: "" }] }, "'u[0].Password' must not be empty"],
    ["a password beyond 256 bytes", { u: [{ Password: "x".repeat(257) }] }, "at most 256 bytes"],
    ["a password with NUL", { u: [{ Password: "a\u0000" }] }, "NUL"],
    ["bad native hex", { u: [{ MysqlNativePassword: `*${"G".repeat(40)}` }] }, "40 hexadecimal digits"],
    ["a short native hash", { u: [{ MysqlNativePassword: `*${"A".repeat(39)}` }] }, "40 hexadecimal digits"],
    ["two stars", { u: [{ MysqlNativePassword: `**${"A".repeat(39)}` }] }, "40 hexadecimal digits"],
    ["bad sha2 hex", { u: [{ CachingSha2Password: `*${"Z".repeat(64)}` }] }, "64 hexadecimal digits"],
    ["a long sha2 hash", { u: [{ CachingSha2Password: "A".repeat(65) }] }, "64 hexadecimal digits"],
    [
      "the native hash of nothing",
      { u: [{ MysqlNativePassword: nativeHash("") }] },
      "hash of the empty string",
    ],
    ["the sha2 hash of nothing", { u: [{ CachingSha2Password: sha2Hash("") }] }, "hash of the empty string"],
    [
      "the native hash of nothing as the manual spells it",
      { u: [{ MysqlNativePassword: "*BE1BDEC0AA74B4DCB079943E70528096CCA985F8" }] },
      "hash of the empty string",
    ],
    ["a cut $A$ string", { u: [{ CachingSha2Password: dollarA.slice(0, -1) }] }, '"$A$"'],
    [
      "a $A$ string with 16,000 rounds",
      { u: [{ CachingSha2Password: dollarA.replace("005", "010") }] },
      "between 001 and 00F",
    ],
    ["a $A$ string without rounds", { u: [{ CachingSha2Password: dollarA.replace("005", "000") }] }, "001"],
    ["odd hex digits after 0x", { u: [{ CachingSha2Password: "0x123" }] }, "hexadecimal digits"],
    [
      "a host name as SourceHost",
      { u: [{ Password: "x", SourceHost: "db.example.org" }] },
      'must be "localhost"',
    ],
    ["% as SourceHost", { u: [{ Password: "x", SourceHost: "%" }] }, "left out to admit every host"],
    ["an impossible network", { u: [{ Password: "x", SourceHost: "10.0.0.0/33" }] }, 'must be "localhost"'],
    ["an empty list of hosts", { u: [{ Password: "x", SourceHost: [] }] }, "must not be empty"],
    [
      "a bad one in a list of hosts",
      { u: [{ Password: "x", SourceHost: ["10.0.0.1", "x"] }] },
      "u[0].SourceHost[1]",
    ],
    ["a time without a zone", { u: [{ Password: "x", NotAfter: "2026-01-01T00:00:00" }] }, "RFC 3339"],
    ["a day that does not exist", { u: [{ Password: "x", NotBefore: "2026-02-30T00:00:00Z" }] }, "RFC 3339"],
    [
      "an empty time window",
      { u: [{ Password: "x", NotBefore: "2026-02-01T00:00:00Z", NotAfter: "2026-01-01T00:00:00Z" }] },
      "must not be before 'NotBefore'",
    ],
    ["a wrong type", { u: [{ Password: 5 }] }, "must be a string"],
    ["no connections at all", { u: [{ Password: "x", MaxConnections: 0 }] }, "MaxConnections"],
    ["an empty group", { u: [{ Password: "x", Groups: [""] }] }, "must not be empty"],
    ["itself as base", { u: [{ Password: "x", ProxyFor: "u" }] }, "must name another user"],
    ["an empty base", { u: [{ Password: "x", ProxyFor: "" }] }, "must not be empty"],
    ["a pattern as base", { u: [{ Password: "x", ProxyFor: "b%" }], b: [{}] }, "without a pattern"],
    ["a host with the base", { u: [{ Password: "x", ProxyFor: "b@localhost" }], b: [{}] }, "without a host"],
    ["a number as base", { u: [{ Password: "x", ProxyFor: 1 }] }, "must be"],
    ["a bare !", { u: [{ Attributes: { spiffe_id: "!" } }] }, "regular expression"],
    ["a broken expression", { u: [{ Attributes: { spiffe_id: "!(" } }] }, "regular expression"],
    [
      "another scheme",
      { u: [{ Attributes: { spiffe_id: "https://example.org/x" } }] },
      'begin with "spiffe://"',
    ],
    [
      "an upper-case trust domain",
      { u: [{ Attributes: { spiffe_id: "spiffe://Example.org/x" } }] },
      "lower-case",
    ],
    ["a spiffe_id that is no string", { u: [{ Attributes: { spiffe_id: 5 } }] }, "must be a string"],
    ["an unknown attribute", { u: [{ Attributes: { spife_id: "x" } }] }, "did you mean 'spiffe_id'?"],
  ])("refuses %s", (_, content, sentence) => {
    const problems = problemsOf(content);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.join("\n")).toContain(sentence);
  });

  it("tells all problems at once, each with its place", () => {
    const text = [
      "{",
      '  "a": [ { "Pasword": "x" },',
      '         { "Password": "ok", "AccountLocked": "yes" } ],',
      '  "b": [ null ]',
      "}",
    ].join("\n");
    expect(problemsOf(text)).toEqual([
      "users.json:2:12: Unknown key 'Pasword' in 'a[0]': did you mean 'Password'?",
      expect.stringMatching(/^users\.json:3:47: .*AccountLocked/),
      expect.stringMatching(/^users\.json:4:10: .*must be an object/),
    ]);
    const mixed = {
      u: [{ Pasword: "x", MysqlNativePassword: "zz" }, null, 5, { SourceHost: "x", Groups: 1 }],
    };
    expect(problemsOf(mixed).map((line) => line.replace(/^[^']*/, "").slice(0, 30))).toEqual([
      expect.stringContaining("'Pasword'"),
      expect.stringContaining("'u[0].MysqlNativePassword'"),
      expect.stringContaining("'u[1]'"),
      expect.stringContaining("'u[2]'"),
      expect.stringContaining("'u[3].SourceHost'"),
      expect.stringContaining("'u[3].Groups'"),
    ]);
    const values =
      '{\n"a": [{ "Password": "" }],\n"b": [{ "MysqlNativePassword": "zz", "NotAfter": "soon" }]\n}';
    expect(problemsOf(values).map((line) => line.split(": ")[0])).toEqual([
      "users.json:2:21",
      "users.json:3:32",
      "users.json:3:50",
    ]);
  });

  it("never repeats a secret", () => {
    const secret = "S3cr3tThing";
    const said = [
      ...problemsOf({
        u: [{ Password: `${secret}\u0000`, MysqlNativePassword: secret, CachingSha2Password: secret }],
      }),
      ...problemsOf({ u: [{ CachingSha2Password: `$A$${secret}` }] }),
      ...problemsOf({ u: [{ Password: [secret] }] }),
      ...warningsOf({ u: [{ Password: secret, MysqlNativePassword: nativeHash("other") }] }),
    ];
    expect(said.length).toBeGreaterThan(5);
    expect(said.join("\n")).not.toContain(secret);
  });

  it("allows at most a thousand entries a user: every login tries them", () => {
    const entries = Array.from({ length: 1001 }, () => ({ Password: "x" }));
    expect(problemsOf({ u: entries.slice(1) })).toEqual([]);
    expect(problemsOf({ u: entries })).toEqual([
      expect.stringContaining('User "u" has 1001 entries: at most 1000 are allowed'),
    ]);
  });

  it("tells a thousand mistakes of any number, in bounded memory", () => {
    const wrongKeys = problemsOf({ u: Array.from({ length: 2000 }, () => ({ Pasword: 1 })) });
    expect(wrongKeys[0]).toContain("did you mean 'Password'?");
    expect(wrongKeys.at(-1)).toContain("More than 1000 problems");
    const wrongTimes = Object.fromEntries(
      Array.from({ length: 2000 }, (_, index) => [`u${index}`, [{ NotBefore: "2026-02-31T08:00:00Z" }]]),
    );
    const told = problemsOf(wrongTimes);
    expect(told).toHaveLength(1001);
    expect(told.at(-1)).toContain("1000 more problems are not listed");
  });

  it("reads a large file in steps, between which others get their turn", async () => {
    const users = Object.fromEntries(
      Array.from({ length: 5000 }, (_, index) => [`u${index}`, [{ Password: "x" }]]),
    );
    const text = JSON.stringify(users);
    let turns = 0;
    let reading = true;
    const others = (): void => {
      turns += 1;
      if (reading) setImmediate(others);
    };
    setImmediate(others);
    const result = await readUsersFileInSteps(text, "users.json", 3);
    reading = false;
    expect(turns).toBeGreaterThanOrEqual(10);
    const whole = readUsersFile(text, "users.json", 3);
    expect(result.ok && result.directory.userNames).toEqual(whole.ok && whole.directory.userNames);
    expect(result.ok && result.directory.entriesOf("u4999")).toEqual(
      whole.ok && whole.directory.entriesOf("u4999"),
    );
  });

  it("allows at most four $A$ entries a user", () => {
    const entries = Array.from({ length: 5 }, () => ({ CachingSha2Password: dollarA }));
    expect(problemsOf({ u: entries.slice(0, 4) })).toEqual([]);
    expect(problemsOf({ u: entries })[0]).toContain("at most 4 are allowed");
  });

  it("takes a $A$ string as it is and as 0x", () => {
    const hex = `0x${Buffer.from(dollarA, "latin1").toString("hex")}`;
    const plain = entryOf(directoryOf({ u: [{ CachingSha2Password: dollarA }] })).credentials;
    expect(entryOf(directoryOf({ u: [{ CachingSha2Password: hex }] })).credentials).toEqual(plain);
    expect(plain).toMatchObject([{ kind: "sha256crypt", rounds: 5000 }]);
    const withControls = dollarA.replace("abcd", "\u0001\u001b\u007f\u000a");
    expect(entryOf(directoryOf({ u: [{ CachingSha2Password: withControls }] })).credentials).toHaveLength(1);
  });

  it("lets the hash hold where a clear password contradicts it, and warns", () => {
    const file = { u: [{ Password: "invalid", MysqlNativePassword: nativeHash("user03") }] };
    expect(warningsOf(file)[0]).toContain("the hash holds");
    expect(entryOf(directoryOf(file)).credentials.map((credential) => credential.kind)).toEqual(["native"]);
    const agreeing = { u: [{ Password: "user03", CachingSha2Password: sha2Hash("user03") }] };
    expect(warningsOf(agreeing)).toEqual([]);
    expect(entryOf(directoryOf(agreeing)).credentials.map((credential) => credential.kind)).toEqual([
      "sha2",
      "clear",
    ]);
  });

  it.each([
    ["an entry that cannot log in", { u: [{}], v: [{ Password: "x" }] }, "it cannot log in"],
    ["a user without entries", { u: [], v: [{ Password: "x" }] }, "has no entry"],
    ["a base that does not exist", { u: [{ Password: "x", ProxyFor: "gone" }] }, "is no user of this file"],
    [
      "several bases",
      { u: [{ Password: "x", ProxyFor: ["a", "b"] }], a: [{ AccountLocked: true }], b: [{}] },
      "the first that admits the client is taken",
    ],
  ])("warns about %s", (_, content, sentence) => {
    expect(warningsOf(content)).toEqual([expect.stringContaining(sentence)]);
  });

  it("keeps fingerprints over spelling, comments and order, and changes them with any value", () => {
    const hash = nativeHash("x");
    const fingerprint = (entry: object): string => entryOf(directoryOf({ u: [entry] })).fingerprint;
    const base = fingerprint({ MysqlNativePassword: hash });
    expect(fingerprint({ Comment: "c", MysqlNativePassword: hash.slice(1).toLowerCase() })).toBe(base);
    const moved = directoryOf({ u: [{ Password: "y" }, { MysqlNativePassword: hash }] });
    expect(entryOf(moved, "u", 1).fingerprint).toBe(base);
    const others = [
      { MysqlNativePassword: nativeHash("y") },
      { MysqlNativePassword: hash, UserData: "z" },
      { MysqlNativePassword: hash, Groups: ["g"] },
      { MysqlNativePassword: hash, SourceHost: "10.0.0.1" },
      { MysqlNativePassword: hash, AccountLocked: true },
      { MysqlNativePassword: hash, MaxConnections: 1 },
      { MysqlNativePassword: hash, NotAfter: "2030-01-01T00:00:00Z" },
      { MysqlNativePassword: hash, Attributes: { spiffe_id: "spiffe://example.org/x" } },
    ].map(fingerprint);
    expect(new Set([base, ...others]).size).toBe(others.length + 1);
  });
});

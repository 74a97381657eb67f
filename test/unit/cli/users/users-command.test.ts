import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AdminServer, startAdminServer } from "../../../../src/admin/admin-server.ts";
import type { EntryActivity } from "../../../../src/admin/admin-sources.ts";
import type { CommandContext } from "../../../../src/cli/command.ts";
import { runCommand } from "../../../../src/cli/run.ts";
import { nativeHash, sha2Hash } from "../../../../src/cli/users/password-hashes.ts";
import { users } from "../../../../src/cli/users/users-command.ts";
import { silentLogger } from "../../../../src/telemetry/logger.ts";
import { createMetrics } from "../../../../src/telemetry/metrics.ts";
import { readUsersFile } from "../../../../src/users/users-file.ts";
import { noAssets, quietSources } from "../../../support/admin-sources.ts";

let directory = "";
let path = "";
let server: AdminServer | null = null;
const nowMs = Date.parse("2026-11-21T12:00:00Z");
const hourMs = 3_600_000;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "gatehouse-users-"));
  path = join(directory, "users.json");
});
afterEach(async () => {
  await server?.close();
  server = null;
  rmSync(directory, { recursive: true, force: true });
});

async function run(
  argv: readonly string[],
  input = "",
): Promise<{ code: number; out: string[]; err: string[] }> {
  const out: string[] = [];
  const err: string[] = [];
  const stdin = new PassThrough();
  stdin.end(input);
  const context: CommandContext = {
    argv: ["users", ...argv],
    environment: { GATEHOUSE_MYSQL_AUTH_SERVER_STATIC_FILE: path },
    homeDirectory: directory,
    clock: { wallMs: () => nowMs, monotonicMs: () => performance.now() },
    width: 100,
    print: (text) => out.push(text),
    complain: (text) => err.push(text),
  };
  const code = await runCommand(context, {
    serve: async () => 0,
    users: (inner) => users(inner, { input: stdin, show: () => {} }),
  });
  return { code, out, err };
}

function fileText(): string {
  return readFileSync(path, "utf8");
}

function entries(user: string) {
  const result = readUsersFile(fileText(), path, 1);
  if (!result.ok) throw new Error(result.problems.map((problem) => problem.message).join("\n"));
  return result.directory.entriesOf(user) ?? [];
}

const twoEntries = `{
  "other": [ { "UserData": "o", "Password": "x" } ],

  "shop": [
    { "UserData": "shop_old", "MysqlNativePassword": "${nativeHash("old")}", "Groups": ["web"], "Comment": "kept" },
    { "UserData": "shop_new", "CachingSha2Password": "${sha2Hash("new")}" }
  ]
}
`;

describe("gatehouse users hash", () => {
  it("prints all three kinds of a piped password", async () => {
    const { code, out } = await run(["hash"], "old-password\n");
    expect(code).toBe(0);
    expect(out[0]).toBe('"MysqlNativePassword": "*724878FA316175757A443B5B72A6FFE4CC07E2C5"');
    expect(out[1]).toMatch(/^"CachingSha2Password": "\*[0-9A-F]{64}"$/);
    expect(out[2]).toMatch(/^"CachingSha2Password": "\$A\$005\$[./0-9A-Za-z]{63}"$/);
    writeFileSync(path, `{ "u": [ { ${out[2]} } ] }`);
    expect(entries("u")[0]?.credentials[0]?.kind).toBe("sha256crypt");
  });

  it("takes no password from the command line, and no empty or overlong one", async () => {
    expect((await run(["hash", "secret"])).err.join()).toContain("never taken from the command line");
    expect((await run(["hash", "secret"])).err.join()).not.toContain("secret");
    expect((await run(["import", "foo"])).err).toEqual([
      "gatehouse: The server's URL must begin with mysql://",
    ]);
    expect((await run(["add", "zz", "--file=/proc/none/u.json"])).err).toEqual([
      "gatehouse: Cannot write /proc/none/u.json.lock: its folder does not exist",
    ]);
    expect((await run(["hash"], "\n")).err).toEqual(["gatehouse: The password must not be empty"]);
    expect((await run(["hash"], `${"x".repeat(257)}\n`)).code).toBe(1);
    expect((await run(["hash"], "x".repeat(100_000))).code).toBe(1);
  });
});

describe("gatehouse users add", () => {
  it("makes the file with mode 0600, prints the password once and writes only the hash", async () => {
    const { code, out } = await run(["add", "shop", "--groups=web,bi", "--source_host=10.0.0.0/8"]);
    expect(code).toBe(0);
    expect(out.length).toBe(1);
    expect(out[0]).toMatch(/^[\w-]{43}$/);
    expect(fileText()).not.toContain(out[0]);
    expect(fileText()).toContain(sha2Hash(out[0] ?? ""));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(entries("shop")[0]).toMatchObject({ userData: "shop", groups: ["web", "bi"] });
    expect(readdirSync(directory)).toEqual(["users.json"]);
  });

  it("keeps what stands in the file, and refuses a user that is there", async () => {
    writeFileSync(path, twoEntries);
    expect((await run(["add", "new", "--kinds=sha2,native"])).code).toBe(0);
    expect(fileText().startsWith(twoEntries.slice(0, twoEntries.lastIndexOf("\n}")))).toBe(true);
    expect(
      entries("new")[0]
        ?.credentials.map((credential) => credential.kind)
        .sort(),
    ).toEqual(["native", "sha2"]);
    const before = fileText();
    expect((await run(["add", "shop"])).err.join()).toContain("has a user 'shop' already");
    expect(fileText()).toBe(before);
  });

  it.each([
    [["add"]],
    [["add", "$schema"]],
    [["add", "u", "--kinds=md5"]],
    [["add", "u", "p"]],
    [["ad", "u"]],
  ])("%j is an error that changes nothing", async (argv) => {
    expect((await run(argv)).code).toBe(1);
    expect(existsSync(path)).toBe(false);
  });
});

describe("gatehouse users rotate", () => {
  it("adds an entry beside the old one with its settings and kinds", async () => {
    writeFileSync(path, twoEntries);
    const { code, out } = await run(["rotate", "shop", "--user_data=shop_next"]);
    expect(code).toBe(0);
    expect(entries("shop").map((entry) => entry.userData)).toEqual(["shop_old", "shop_new", "shop_next"]);
    expect(fileText()).toContain(
      `    { "UserData": "shop_next", "CachingSha2Password": "${sha2Hash(out[0] ?? "")}" }\n  ]\n}\n`,
    );
  });

  it("keeps groups and native hashes, drops comment and window; turns the legacy form into a list", async () => {
    writeFileSync(
      path,
      `{ "u": { "UserData": "d", "MysqlNativePassword": "${nativeHash("x")}", "Groups": ["g"], "Comment": "c", "NotAfter": "2030-01-01T00:00:00Z" } }`,
    );
    const { out } = await run(["rotate", "u", "--ask"], "chosen\n");
    expect(out).toEqual([]);
    expect(entries("u")[1]).toMatchObject({ userData: "d", groups: ["g"], notAfterMs: null });
    expect(fileText()).toContain(nativeHash("chosen"));
  });

  it("keeps mode and symbolic link, and refuses an invalid file", async () => {
    const real = join(directory, "real.json");
    writeFileSync(real, twoEntries);
    chmodSync(real, 0o640);
    symlinkSync("real.json", path);
    expect((await run(["rotate", "shop"])).code).toBe(0);
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
    expect(statSync(real).mode & 0o777).toBe(0o640);
    writeFileSync(real, '{ "shop": [ { "Pasword": "x" } ] }');
    const { code, err } = await run(["rotate", "shop"]);
    expect(code).toBe(1);
    expect(err.join()).toContain("users.json:1:15: Unknown key 'Pasword'");
    expect(readFileSync(real, "utf8")).toBe('{ "shop": [ { "Pasword": "x" } ] }');
  });

  it("of a missing user or file says so", async () => {
    expect((await run(["rotate", "shop"])).err.join()).toContain("Cannot read");
    writeFileSync(path, twoEntries);
    expect((await run(["rotate", "nobody"])).err.join()).toContain("has no user 'nobody'");
  });

  it("loses no edit of many at the same time", async () => {
    writeFileSync(path, twoEntries);
    const results = await Promise.all(Array.from({ length: 12 }, () => run(["rotate", "shop"])));
    expect(results.map((result) => result.code)).toEqual(new Array(12).fill(0));
    expect(entries("shop").length).toBe(14);
    expect(readdirSync(directory)).toEqual(["users.json"]);
  });

  it("takes over the lock of a process that is gone", async () => {
    writeFileSync(path, twoEntries);
    const child = spawn("true");
    await new Promise((resolve) => child.on("exit", resolve));
    writeFileSync(`${path}.lock`, `${child.pid}\n`);
    expect((await run(["rotate", "shop"])).code).toBe(0);
    expect(readdirSync(directory)).toEqual(["users.json"]);
  });
});

describe("gatehouse users retire and list", () => {
  let wantedToken: string | null = null;

  async function gateway(
    seen: readonly Partial<EntryActivity>[],
    stale = false,
    hasSame: (user: string | null) => boolean = () => true,
  ): Promise<string> {
    const all = [
      { user: "other", index: 0, userData: "o", credentialKinds: ["clear"] },
      { user: "shop", index: 0, userData: "shop_old", credentialKinds: ["native"] },
      { user: "shop", index: 1, userData: "shop_new", credentialKinds: ["sha2"] },
    ].map((entry, position) => ({
      ...entry,
      fingerprint: "f",
      countingSinceMs: nowMs - 48 * hourMs,
      lastLoginMs: null,
      notBeforeMs: null,
      notAfterMs: null,
      accountLocked: false,
      liveSessions: 0,
      logins: 0,
      ...seen[position],
    }));
    server = await startAdminServer(
      { host: "127.0.0.1", port: 0, token: () => wantedToken },
      {
        sources: quietSources({
          userActivity: async ({ users, from, proof }) => {
            const own = all.filter(({ user }) => users === null || users.includes(user));
            // Parts of two entries, whatever the limit.
            const part = { total: 3, matching: own.length, entries: own.slice(from, from + 2) };
            const file = { countingSinceMs: nowMs - 48 * hourMs, generation: 1, loadedAtMs: nowMs, stale };
            return { ...file, ...part, proven: proof === null ? null : hasSame(users?.[0] ?? null) };
          },
        }),
        metrics: createMetrics({ processMetrics: false }),
        version: "1",
        assets: noAssets,
      },
      silentLogger,
    );
    return `http://${server.address}`;
  }

  it("removes an entry that the gateway has not seen used", async () => {
    writeFileSync(path, twoEntries);
    const url = await gateway([]);
    const { code, err } = await run(["retire", "shop", `--admin=${url}`]);
    expect(err).toEqual([`Removed shop[0] from ${path}`]);
    expect(code).toBe(0);
    expect(entries("shop").map((entry) => entry.userData)).toEqual(["shop_new"]);
  });

  it.each<[string, Partial<EntryActivity>, boolean, string]>([
    ["is live", { liveSessions: 2 }, false, "it is used: 2 live sessions, no login seen"],
    [
      "logged in lately",
      { lastLoginMs: nowMs - 2 * hourMs },
      false,
      "it is used: 0 live sessions, last login 2h ago",
    ],
    [
      "is counted for too short",
      { countingSinceMs: nowMs - hourMs },
      false,
      "unknown: it has counted this entry for 1h only",
    ],
    [
      "is another one there",
      { userData: "changed" },
      false,
      "unknown: it uses another version of the users file",
    ],
    ["comes from a stale file", {}, true, "unknown: it uses another version of the users file"],
  ])("keeps an entry that %s, without --force", async (_name, seen, stale, sentence) => {
    writeFileSync(path, twoEntries);
    const url = await gateway([{}, seen], stale);
    const { code, err } = await run(["retire", "shop", `--admin=${url}`]);
    expect(code).toBe(1);
    expect(err.join("\n")).toContain(sentence);
    expect(fileText()).toBe(twoEntries);
    expect((await run(["retire", "shop", `--admin=${url}`, "--force"])).code).toBe(0);
    expect(entries("shop").length).toBe(1);
  });

  it("keeps an entry that looks alike there but has another password", async () => {
    writeFileSync(path, twoEntries);
    const url = await gateway([], false, () => false);
    const { code, err } = await run(["retire", "shop", `--admin=${url}`]);
    expect(code).toBe(1);
    expect(err.join("\n")).toContain("unknown: it uses another version of the users file");
    expect(fileText()).toBe(twoEntries);
  });

  it("says what to do when a gateway does not take the token, or it is no gateway's address", async () => {
    writeFileSync(path, twoEntries);
    const file = join(directory, "token");
    const asked = async (url: string, ...flags: string[]) =>
      (await run(["list", `--admin=${url}`, ...flags])).out.at(-1);
    const url = await gateway([]);
    wantedToken = "right";
    expect(await asked(url)).toContain(
      "it wants a token: name the file that holds it with --admin_token_file",
    );
    writeFileSync(file, "wrong\n");
    expect(await asked(url, `--admin_token_file=${file}`)).toContain("its token is another one than that of");
    writeFileSync(file, "right\n");
    expect(await asked(url, `--admin_token_file=${file}`)).toContain("has counted since");
    wantedToken = null;
    expect(await asked(url.replace("http:", "https:"))).toContain("it speaks no TLS there: write http://");
    expect(await asked("gateway-1")).toContain("its URL is not one: write http://host:port");
    const missing = await run(["list", `--admin=${url}`, "--admin_token_file=/none"]);
    expect(missing.err).toEqual(["gatehouse: Cannot read the token file /none: it does not exist"]);
  });

  it("adds to a file that touch or an editor left empty, and refuses one that is not text", async () => {
    for (const empty of ["", "\n", "{}", "\ufeff{ }\n"]) {
      writeFileSync(path, empty);
      expect((await run(["add", "new"])).code).toBe(0);
      expect(entries("new")).toHaveLength(1);
    }
    writeFileSync(path, Buffer.from('{"a": [{"Password": "\xff"}]}', "latin1"));
    const { err } = await run(["rotate", "a"]);
    expect(err).toEqual([`gatehouse: ${path} is not UTF-8: convert it, e.g. with iconv`]);
  });

  it("keeps an entry when no gateway was asked, one is not reached, or it is the last", async () => {
    writeFileSync(path, twoEntries);
    expect((await run(["retire", "shop"])).err.join()).toContain("unknown: no gateway was asked");
    const { err } = await run(["retire", "shop", "--admin=http://127.0.0.1:1"]);
    expect(err.join()).toContain("unknown: it cannot be reached");
    expect((await run(["retire", "other", "--force"])).err[0]).toContain("unknown");
    expect(fileText()).not.toContain('"other"');
    expect((await run(["retire", "shop", "--entry=7"])).err.join()).toContain("there is no entry 7");
    expect((await run(["retire", "shop", "--force"])).code).toBe(0);
    const before = fileText();
    const last = await run(["retire", "shop", "--force"]);
    expect(last.code).toBe(1);
    expect(fileText()).toBe(before);
  });

  it("lists entries with kinds, windows and what gateways have seen, and no secret", async () => {
    writeFileSync(path, twoEntries.replace('"Groups"', '"NotAfter": "2026-12-01T00:00:00Z", "Groups"'));
    const url = await gateway([{}, { lastLoginMs: nowMs - hourMs, liveSessions: 3 }]);
    const { code, out } = await run(["list", `--admin=${url}`, "--admin=http://127.0.0.1:1"]);
    expect(code).toBe(0);
    const text = out.join("\n");
    expect(text).toMatch(/^USER +ENTRY +USERDATA +KINDS +FROM +WINDOW +LAST LOGIN +LIVE$/m);
    expect(text).toMatch(
      /^shop +0 +shop_old +native +% +until 2026-12-01T00:00Z +2026-11-21T11:00Z\+\? +3\+\?$/m,
    );
    expect(text).toMatch(/^shop +1 +shop_new +sha2 +% +open +unknown +0\+\?$/m);
    expect(text).toContain(`Gateway ${url}: has counted since 2026-11-19T12:00Z`);
    expect(text).toContain("Gateway http://127.0.0.1:1: unknown, it cannot be reached");
    expect(text).not.toContain("*");
  });

  it("lists as unknown what a gateway tells of a user whose entries are others there, though they look the same", async () => {
    writeFileSync(path, twoEntries);
    const seen = { lastLoginMs: nowMs - hourMs, liveSessions: 3 };
    const url = await gateway([seen, seen, seen], false, (user) => user === "other");
    const text = (await run(["list", `--admin=${url}`])).out.join("\n");
    expect(text).toMatch(/^other .* 2026-11-21T11:00Z +3$/m);
    expect(text).toMatch(/^shop +0 .* unknown +0\+\?$/m);
    expect(text).toMatch(/^shop +1 .* unknown +0\+\?$/m);
    expect(text).toContain("has counted since 2026-11-19T12:00Z; it uses another version of the users file");
  });

  it("doubts all that a gateway with another file tells where the file is large", async () => {
    const many = Object.fromEntries(Array.from({ length: 201 }, (_, n) => [`u${n}`, [{ Password: "p" }]]));
    writeFileSync(path, JSON.stringify({ ...many, other: [{ UserData: "o", Password: "p" }] }));
    const seen = { lastLoginMs: nowMs - hourMs, liveSessions: 3 };
    const url = await gateway([seen], false, () => false);
    const text = (await run(["list", `--admin=${url}`])).out.join("\n");
    expect(text).toMatch(/^other .* 2026-11-21T11:00Z\+\? +3\+\?$/m);
  });

  it("shows help", async () => {
    expect((await run(["--help"])).out.join()).toContain("rotate USER");
    expect((await run(["retire", "--help"])).out.join()).toContain("--unused_for=DURATION  (default 24h)");
    expect((await run([])).code).toBe(1);
  });
});

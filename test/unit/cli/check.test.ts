import { generateKeyPairSync } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { check } from "../../../src/cli/check.ts";
import { runCommand } from "../../../src/cli/run.ts";
import { Authority, issueServer } from "../../support/pki.ts";

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "gatehouse-check-"));
  chmodSync(directory, 0o755);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function file(name: string, text: string, mode = 0o600): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

async function run(argv: readonly string[], environment: Record<string, string> = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const context = {
    argv: ["check", ...argv],
    environment: { GATEHOUSE_BACKEND: "mysql://u@127.0.0.1", ...environment },
    homeDirectory: directory,
    clock: systemClock,
    width: 80,
    print: (text: string) => void out.push(text),
    complain: (text: string) => void err.push(text),
  };
  const code = await runCommand(context, { serve: async () => 0, check });
  return { code, out, err };
}

const usersFlag = (path: string): string => `--mysql_auth_server_static_file=${path}`;

describe("gatehouse check", () => {
  it("says what is fine and exits with 0", async () => {
    const path = file(
      "good.json",
      '{ "a": [ { "Password": "x" } ], "b": [ { "Password": "y" }, { "Password": "z" } ] }',
    );
    const { code, out, err } = await run([usersFlag(path)]);
    expect(err).toEqual([]);
    expect(out).toEqual([`${path}: 2 users, 3 entries`]);
    expect(code).toBe(0);
    const one = file("one.json", '{ "a": [ { "Password": "x" } ] }');
    expect((await run([usersFlag(one)])).out).toEqual([`${one}: 1 user, 1 entry`]);
  });

  it("lists every problem of every file with its place and exits with 1", async () => {
    const path = file(
      "bad.json",
      '{\n  "a": [ { "Pasword": "x" } ],\n  "b": [ { "Password": "" } ],\n}',
      0o644,
    );
    const rsa = file("rsa.pem", "no key");
    const cert = file("cert.pem", "no certificate");
    const { code, err } = await run([
      usersFlag(path),
      "--strict_file_mode",
      `--mysql_server_rsa_private_key=${rsa}`,
      `--mysql_server_ssl_cert=${cert}`,
      `--mysql_server_ssl_key=${directory}/missing.pem`,
      `--pid_file=${directory}/none/pid`,
      "--backend=mysql://u@h?ssl-ca=/nonexistent/ca.pem",
      `--backend_password_file=${file("empty", "\n")}`,
    ]);
    expect(code).toBe(1);
    const text = err.join("\n");
    expect(text).toContain(`${path}:2:12: Unknown key 'Pasword' in 'a[0]': did you mean 'Password'?`);
    expect(text).toContain(`${path}:3:`);
    expect(text).toContain("Trailing comma");
    expect(text).toContain("run chmod o-rwx");
    expect(text).toContain(`${rsa}: Cannot read a private key`);
    expect(text).toContain("missing.pem: Cannot read the file: it does not exist");
    expect(text).toContain(`${directory}/none/pid: Its folder does not exist`);
    expect(text).toContain("/nonexistent/ca.pem: Cannot read the file");
    expect(text).toContain("empty: The file must hold a password: it is empty");
  });

  it("checks an RSA key's kind and size", async () => {
    const users = file("users.json", '{ "a": [ { "Password": "x" } ] }');
    for (const [bits, code] of [
      [1024, 1],
      [2048, 0],
    ] as const) {
      const { privateKey } = generateKeyPairSync("rsa", { modulusLength: bits });
      const key = file("key.pem", privateKey.export({ type: "pkcs8", format: "pem" }).toString());
      expect((await run([usersFlag(users), `--mysql_server_rsa_private_key=${key}`])).code).toBe(code);
    }
  });

  it("judges the files of TLS as one set, and the users file beside them", async () => {
    const root = Authority.root();
    const { cert, key } = issueServer(root);
    const users = file(
      "spiffe.json",
      '{ "a": [ { "Attributes": { "spiffe_id": "spiffe://x/y" } } ], "b": [ { "Password": "x", "ProxyFor": "a" } ] }',
    );
    const pair = [usersFlag(users), `--mysql_server_ssl_cert=${cert}`, `--mysql_server_ssl_key=${key}`];
    const alone = await run(pair);
    expect(alone.err).toEqual([
      expect.stringContaining("'a[0]': a spiffe_id can be proven only with --mysql_server_ssl_ca"),
      expect.stringContaining("'b[0]': ProxyFor has no effect without --check_proxy_users"),
    ]);
    expect(alone.code).toBe(0);
    const crl = file("crl.pem", root.revocationList());
    const trusting = [...pair, `--mysql_server_ssl_ca=${root.cert}`, `--mysql_server_ssl_crl=${crl}`];
    const good = await run([...trusting, "--check_proxy_users", "--caching_sha2_password_proxy_users"]);
    expect(good.err).toEqual([expect.stringContaining("--mysql_server_client_cert=request")]);
    expect(good.out).toContain(`${root.cert}: 1 CA certificate`);
    expect(good.out).toContain(`${crl}: 1 revocation lists`);
    const foreign = file("foreign.pem", Authority.root("other").revocationList());
    const bad = await run([...pair, `--mysql_server_ssl_ca=${cert}`, `--mysql_server_ssl_crl=${foreign}`]);
    expect(bad.code).toBe(1);
    expect(bad.err.join("\n")).toContain(`${cert}: The file must hold a root`);
    expect(bad.err.join("\n")).toContain(`${foreign}:1:1: The revocation list must be signed by a CA`);
    const old = root.issue("old", { days: -1 });
    const ended = await run([
      usersFlag(users),
      `--mysql_server_ssl_cert=${old.cert}`,
      `--mysql_server_ssl_key=${old.key}`,
    ]);
    expect(ended.code).toBe(1);
    expect(ended.err.join("\n")).toContain(`${old.cert}: The server certificate ended at `);
  });

  it("announces the embedded database, or that it is not installed", async () => {
    const users = file("users.json", '{ "a": [ { "Password": "x" } ] }');
    const { err } = await run([usersFlag(users)], { GATEHOUSE_BACKEND: "embedded" });
    expect(err.join()).toContain("--backend=embedded: ");
  });

  it("names a missing file, a string of users, and a wrong word", async () => {
    expect((await run([usersFlag("/nonexistent")])).err).toEqual([
      "/nonexistent: Cannot read the file: it does not exist",
    ]);
    expect((await run(["--mysql_auth_server_static_string={}"])).err.join()).toContain(
      "--mysql_auth_server_static_string",
    );
    expect((await run(["now"])).err).toEqual(["gatehouse: Unexpected word 'now': check takes flags only"]);
  });

  it("validates the table ACL and warns of what has no effect", async () => {
    const users = file(
      "acl-users.json",
      '{ "a": [ { "Password": "x", "UserData": "app", "Groups": ["crew"] } ] }',
    );
    const acl = file(
      "acl.json",
      '{ "table_groups": [ { "name": "g", "table_names_or_prefixes": ["o%", "orders"],\n "readers": ["app", "crew", "nobody"] } ] }',
    );
    const flags = [
      usersFlag(users),
      `--table_acl_config=${acl}`,
      "--queryserver_config_acl_exempt_acl=*,ghost",
    ];
    const { code, out, err } = await run(flags);
    expect(code).toBe(0);
    expect(out).toContain(`${acl}: 1 groups of tables, 0 of routines`);
    const warnings = err.join("\n");
    expect(warnings).toMatch(/acl\.json:1:\d+: Entry "orders" of group "g" changes nothing/);
    expect(warnings).toMatch(/acl\.json:2:\d+: .*"nobody"/);
    expect(warnings).toContain('Principal "ghost" is the UserData or group of no user');
    expect(warnings).not.toContain('"crew"');
    const bad = file(
      "bad-acl.json",
      '{ "table_groups": [ { "name": "g", "table_names_or_prefixes": ["a%b"] } ] }',
    );
    const refused = await run([usersFlag(users), `--table_acl_config=${bad}`]);
    expect(refused.code).toBe(1);
    expect(refused.err.join("\n")).toMatch(/bad-acl\.json:1:\d+: Entry "a%b" of group "g"/);
  });
});

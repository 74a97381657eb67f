// The table of SPIFFE logins with real certificates, real TLS and a real server behind: what is let in, what is told to
// the client, and what only the audit log says.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import { type GatewayProcess, startGateway } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { Authority, type Issued, issueServer, rawUri } from "../support/pki.ts";
import { changeUser, loggedIn, logIn, login } from "../support/raw/login.ts";
import { RawClient } from "../support/raw/raw-client.ts";
import { scratchFolder } from "../support/scratch.ts";

const id = "spiffe://example.org/app/x";
const users = {
  both: [{ Password: "right", Attributes: { spiffe_id: id }, UserData: "both_data" }],
  cert: [{ Attributes: { spiffe_id: id }, Groups: ["apps"] }],
  pattern: [{ Attributes: { spiffe_id: "!spiffe://example\\.org/app/.*" } }],
  slow: [{ Attributes: { spiffe_id: "!(([a-z:/.]+)+)+$" } }],
  anything: [{ Attributes: { spiffe_id: "!.*" } }],
  plain: [{ Password: "right" }],
  mixed: [
    { Attributes: { spiffe_id: id }, UserData: "by_certificate" },
    { Password: "right", UserData: "by_password" },
  ],
};

const root = Authority.root();
/** The same name, another key. */
const foreign = Authority.root();
const inter = root.intermediate("inter");
const unlisted = root.intermediate("unlisted");
const uri = (text: string) => ({ names: `URI:${text}` });
const leaves = {
  good: root.issue("good", uri(id)),
  nosan: root.issue("nosan"),
  other: root.issue("other", uri("spiffe://example.org/app/y")),
  shorter: root.issue("shorter", uri("spiffe://example.org/app")),
  longer: root.issue("longer", uri("spiffe://a.example.org/app/x")),
  domain: root.issue("domain", uri("spiffe://example.com/app/x")),
  case: root.issue("case", uri("spiffe://example.org/App/x")),
  scheme: root.issue("scheme", uri("SPIFFE://example.org/app/x")),
  https: root.issue("https", uri("https://example.org/app/x")),
  xyz: root.issue("xyz", uri("spiffexyz:app/x")),
  two: root.issue("two", uri(`${id},URI:spiffe://example.org/b`)),
  twoReversed: root.issue("tworeversed", uri(`spiffe://example.org/b,URI:${id}`)),
  joined: root.issue("joined", { names: rawUri(`spiffe://example.org/b, URI:${id}`) }),
  nul: root.issue("nul", { names: rawUri(`${id}\0.evil`) }),
  long: root.issue("long", { names: rawUri(`spiffe://example.org/${"a".repeat(2000)}`) }),
  tooLong: root.issue("toolong", { names: rawUri(`spiffe://example.org/${"a".repeat(30_000)}`) }),
  expired: root.issue("expired", { ...uri(id), days: -1 }),
  revoked: root.issue("revoked", uri(id)),
  revokedNosan: root.issue("revokednosan"),
  wrong: foreign.issue("wrong", uri(id)),
  wrongNosan: foreign.issue("wrongnosan"),
  viaInter: inter.issue("viainter", uri(id)),
  viaUnlisted: unlisted.issue("viaunlisted", uri(id)),
  authority: root.issue("authority", { ...uri(id), constraints: "CA:TRUE", keyUsage: "digitalSignature" }),
  signer: root.issue("signer", { ...uri(id), keyUsage: "digitalSignature,keyCertSign" }),
  serverOnly: root.issue("serveronly", { ...uri(id), usage: "serverAuth" }),
  weak: root.issue("weak", { ...uri(id), newKey: ["-newkey", "rsa:1024"], digest: "sha1" }),
};
root.revoke(leaves.revoked);
root.revoke(leaves.revokedNosan);
type Leaf = keyof typeof leaves;

let server: DatabaseServer;
let gateway: GatewayProcess;

beforeAll(async () => {
  server = await startMariadb({ skipNetworking: true });
  const { cert, key } = issueServer(root);
  const folder = scratchFolder("trust");
  // The intermediate in front of its root, as SPIRE writes it.
  writeFileSync(join(folder, "ca.pem"), `${inter.pem}${root.pem}`);
  writeFileSync(join(folder, "crl.pem"), `${inter.revocationList()}${root.revocationList()}`);
  const flags = {
    mysql_server_ssl_cert: cert,
    mysql_server_ssl_key: key,
    mysql_server_ssl_ca: join(folder, "ca.pem"),
    mysql_server_ssl_crl: join(folder, "crl.pem"),
    mysql_server_client_cert: "request",
  };
  gateway = await startGateway({ backend: server, users, flags });
});
afterAll(async () => {
  await gateway?.stop();
  await server?.stop();
});

const presenting = (leaf: Issued, ...chain: readonly Issued[]) => ({
  cert: [leaf, ...chain].map((issued) => issued.pem).join(""),
  key: leaf.keyPem,
});

type Transport = "tcp" | "unix" | "tls" | Leaf | readonly [Leaf, ...Issued[]];

async function attempt(transport: Transport, user: string, password: string, plugin?: string) {
  const address = transport === "unix" ? { socketPath: gateway.socketPath } : { port: gateway.port };
  const options = { user, password, ...(plugin === undefined ? {} : { plugin }) };
  if (transport === "tcp" || transport === "unix") return login(address, options);
  if (transport === "tls") return login(address, options, true);
  const [leaf, ...chain] = typeof transport === "string" ? [transport] : transport;
  // A client that does not mind weak keys of its own.
  const tls = { ...presenting(leaves[leaf], ...chain), ciphers: "DEFAULT@SECLEVEL=0" };
  return login(address, options, tls);
}

/** The audit record of the login that `connectionId` made. */
async function auditOf(connectionId: number) {
  return gateway.waitForRecord(
    (record) => record.audit === "login" && record.connection_id === connectionId,
    `the audit record of ${connectionId}`,
  );
}

const refused = "1045";
const cases: readonly [string, Transport, string, string, string][] = [
  ["1 plain TCP, right password", "tcp", "both", "right", `${refused} certificate_missing`],
  ["2 unix socket, right password", "unix", "both", "right", `${refused} certificate_missing`],
  ["3 TLS without a certificate", "tls", "both", "right", `${refused} certificate_missing`],
  ["4 no URI", "nosan", "both", "right", `${refused} certificate_without_uri`],
  ["5 another id", "other", "both", "right", `${refused} spiffe_id_mismatch`],
  ["5 another trust domain", "domain", "both", "right", `${refused} spiffe_id_mismatch`],
  ["6 wrong password", "good", "both", "wrong", `${refused} wrong_password`],
  ["6 no password", "good", "both", "", refused],
  ["7 id and password", "good", "both", "right", "both_data"],
  ["8 certificate alone, no password sent", "good", "cert", "", "cert"],
  ["8 certificate alone, any password sent", "good", "cert", "whatever", "cert"],
  ["9 neither", "tls", "cert", "", `${refused} certificate_missing`],
  ["10 expired", "expired", "cert", "", `${refused} certificate_cert_has_expired`],
  ["10 revoked", "revoked", "cert", "", `${refused} certificate_cert_revoked`],
  ["10 another CA of the same name", "wrong", "cert", "", `${refused} certificate_`],
  ["10 a CA without a list", "viaUnlisted", "cert", "", `${refused} certificate_`],
  [
    "11 revoked without id, another user",
    "revokedNosan",
    "plain",
    "right",
    `${refused} certificate_cert_revoked`,
  ],
  ["11 another CA, another user", "wrongNosan", "plain", "right", `${refused} certificate_`],
  ["11 expired, another user", "expired", "plain", "right", `${refused} certificate_cert_has_expired`],
  ["11 revoked, unknown user", "revoked", "nobody", "", `${refused} certificate_cert_revoked`],
  ["12 a certificate without id, a password", "nosan", "plain", "right", "plain"],
  ["12 a certificate without id, a wrong password", "nosan", "plain", "wrong", `${refused} wrong_password`],
  ["13 two ids", "two", "cert", "", `${refused} certificate_with_several_uris`],
  ["13 two ids, reversed", "twoReversed", "cert", "", `${refused} certificate_with_several_uris`],
  ["13 two ids, a password", "two", "plain", "right", "plain"],
  ["13 one URI that looks like two", "joined", "cert", "", `${refused} certificate_spiffe_id_malformed`],
  ["14 https", "https", "cert", "", `${refused} certificate_uri_not_spiffe`],
  ["15 NUL", "nul", "cert", "", `${refused} certificate_uri_with_nul`],
  ["16 another case in the path", "case", "cert", "", `${refused} spiffe_id_mismatch`],
  ["16 another case in the scheme", "scheme", "cert", "", `${refused} certificate_uri_not_spiffe`],
  ["17 intermediate in the trust file only", "viaInter", "cert", "", "cert"],
  ["18 intermediate sent", ["viaInter", inter], "cert", "", "cert"],
  ["18 intermediate and root sent", ["viaInter", inter, root], "cert", "", "cert"],
  ["18 an intermediate of another leaf sent", ["good", unlisted], "cert", "", "cert"],
  ["19 a pattern", "good", "pattern", "", "pattern"],
  ["20 a pattern, shorter id", "shorter", "pattern", "", `${refused} spiffe_id_mismatch`],
  ["20 a pattern, something before", "longer", "pattern", "", `${refused} spiffe_id_mismatch`],
  ["21 a pattern that is slow elsewhere, long id", "long", "slow", "", "slow"],
  ["21 a pattern that is slow elsewhere, no match", "case", "slow", "", `${refused} spiffe_id_mismatch`],
  ["21 an id beyond all bounds", "tooLong", "anything", "", `${refused} certificate_spiffe_id_malformed`],
  ["23 every id, another scheme", "xyz", "anything", "", `${refused} certificate_uri_not_spiffe`],
  ["23 every id", "good", "anything", "", "anything"],
  ["27 mixed, no certificate", "tls", "mixed", "right", "by_password"],
  ["27 mixed, plain TCP", "tcp", "mixed", "right", "by_password"],
  ["27 mixed, unix socket", "unix", "mixed", "right", "by_password"],
  ["27 mixed, certificate", "good", "mixed", "", "by_certificate"],
  ["27 mixed, a certificate of another", "other", "mixed", "right", "by_password"],
  ["a CA as a leaf", "authority", "cert", "", `${refused} certificate_of_an_authority`],
  ["a leaf that may sign certificates", "signer", "cert", "", `${refused} certificate_`],
  ["not for clients", "serverOnly", "cert", "", `${refused} certificate_`],
  ["a weak key", "weak", "cert", "", `${refused} certificate_`],
];

describe("a login with a certificate", () => {
  it.each(cases)("%s", async (_what, transport, user, password, expected) => {
    for (const plugin of ["caching_sha2_password", "mysql_native_password"]) {
      const { client, result } = await attempt(transport, user, password, plugin);
      const audit = await auditOf(client.greeting.connectionId);
      if (!expected.startsWith("1045")) {
        expect(result, `${plugin} ${result.trace}: ${audit.reason}`).toMatchObject({ ok: true });
        expect(audit).toMatchObject({ outcome: "accepted", user_data: expected });
        expect(await client.rows("SELECT 40 + 2")).toEqual([["42"]]);
        await client.quit();
        continue;
      }
      const host = transport === "unix" ? "localhost" : "127.0.0.1";
      const using = password === "" ? "NO" : "YES";
      expect(result.error, result.trace.join()).toEqual({
        code: 1045,
        state: "28000",
        message: `Access denied for user '${user}'@'${host}' (using password: ${using})`,
      });
      expect(`1045 ${String(audit.reason)}`).toContain(expected);
      expect((await client.readToEnd()).length).toBe(0);
      client.destroy();
    }
  });

  it("18: is refused with a chain that only the client trusts, always in a packet", async () => {
    for (let round = 0; round < 10; round++) {
      const { client, result } = await attempt(["wrong", foreign], "cert", "");
      expect(result.error?.code).toBe(1045);
      client.destroy();
    }
  });

  it("leaves its certificate on record, let in or not", async () => {
    for (const [leaf, user, spiffeId] of [
      ["good", "cert", id],
      ["other", "cert", "spiffe://example.org/app/y"],
      ["revoked", "cert", null],
    ] as const) {
      const { client } = await attempt(leaf, user, "");
      const audit = await auditOf(client.greeting.connectionId);
      expect(audit).toMatchObject({ spiffe_id: spiffeId, certificate_issuer: "CN=Test Root" });
      expect(audit.certificate_serial).toMatch(/^[0-9A-F]{8,}$/);
      expect(Date.parse(String(audit.certificate_not_after))).toBeGreaterThan(Date.now());
      client.destroy();
    }
  });
});

describe("a session", () => {
  it("24: cannot leave a SPIFFE identity by COM_CHANGE_USER", async () => {
    for (const password of ["right", "wrong"]) {
      const { client } = await attempt("good", "cert", "");
      const result = await changeUser(client, { user: "plain", password });
      expect(result.error?.code).toBe(1045);
      expect((await client.readToEnd()).length).toBe(0);
      client.destroy();
    }
  });

  it("25: cannot enter one, even with its certificate", async () => {
    for (const [user, password] of [
      ["cert", ""],
      ["both", "right"],
    ] as const) {
      const { client } = await attempt("good", "plain", "right");
      const result = await changeUser(client, { user, password });
      expect(result.error?.code).toBe(1045);
      expect((await client.readToEnd()).length).toBe(0);
      client.destroy();
    }
  });

  it("25: enters the password entry of a user who has both", async () => {
    const { client } = await attempt("good", "plain", "right");
    expect(await changeUser(client, { user: "mixed", password: "right" })).toMatchObject({ ok: true });
    expect(await client.rows("SELECT 1")).toEqual([["1"]]);
    await client.quit();
  });

  it("26: keeps its identity over COM_RESET_CONNECTION", async () => {
    const { client } = await attempt("good", "cert", "");
    expect((await client.command(Buffer.of(0x1f))).error).toBeNull();
    const audit = gateway.waitForRecord((record) => record.audit === "kill", "the KILL");
    await client.query("KILL 1");
    expect(await audit).toMatchObject({ user: "cert", user_data: "cert" });
    await client.quit();
  });

  it("is never resumed, in TLS 1.2 nor 1.3: every login is judged by its own handshake", async () => {
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      const options = { ...presenting(leaves.good), maxVersion };
      const first = await RawClient.connect({ port: gateway.port });
      const tls = await first.startTls(options);
      let session: Buffer | undefined = tls.getSession();
      tls.on("session", (given: Buffer) => {
        session = given;
      });
      expect((await logIn(first, { user: "cert", password: "" }, true)).ok).toBe(true);
      await first.rows("SELECT 1");
      await first.quit();
      const second = await RawClient.connect({ port: gateway.port });
      const again = await second.startTls({ maxVersion, ...(session === undefined ? {} : { session }) });
      expect(again.isSessionReused()).toBe(false);
      const result = await logIn(second, { user: "cert", password: "" }, true);
      expect(result.error?.code).toBe(1045);
      second.destroy();
    }
  });

  it("is not renegotiated", async () => {
    const client = await RawClient.connect({ port: gateway.port });
    const tls = await client.startTls({ maxVersion: "TLSv1.2" });
    const failure = await new Promise<Error | null>((resolve) => {
      tls.on("error", resolve);
      tls.renegotiate({}, resolve);
    });
    expect(failure).not.toBeNull();
    client.destroy();
    await (await loggedIn({ port: gateway.port }, { user: "plain", password: "right" }, true)).quit();
  });

  it("keeps who it is when its entry changes; new logins go by the new file", async () => {
    const own = await startGateway({
      backend: server,
      users: { u: [{ Attributes: { spiffe_id: id } }] },
      flags: {
        mysql_server_ssl_cert: leaves.good.cert,
        mysql_server_ssl_key: leaves.good.key,
        mysql_server_ssl_ca: root.cert,
      },
    });
    const client = await loggedIn({ port: own.port }, { user: "u", password: "" }, presenting(leaves.good));
    writeFileSync(own.usersFile, JSON.stringify({ u: [{ Attributes: { spiffe_id: `${id}y` } }] }));
    await own.waitForRecord((record) => record.audit === "reload", "the reload");
    const late = await login({ port: own.port }, { user: "u", password: "" }, presenting(leaves.good));
    expect(late.result.error?.code).toBe(1045);
    expect(await client.rows("SELECT 1")).toEqual([["1"]]);
    await client.quit();
    await own.stop();
  });
});

describe("mysql_server_client_cert=require", () => {
  it("30: is the default beside a CA: over TCP nobody gets in without a certificate, the unix socket needs none", async () => {
    const { cert, key } = issueServer(root, "server2");
    const own = await startGateway({
      backend: server,
      users,
      flags: { mysql_server_ssl_cert: cert, mysql_server_ssl_key: key, mysql_server_ssl_ca: root.cert },
    });
    const options = { user: "plain", password: "right" };
    const plain = await login({ port: own.port }, options);
    expect(plain.result.error).toMatchObject({ code: 3159 });
    const without = await login({ port: own.port }, options, true);
    expect(without.result.error).toMatchObject({ code: 1045, state: "28000" });
    for (const { client } of [plain, without]) client.destroy();
    await (await loggedIn({ port: own.port }, options, presenting(leaves.nosan))).quit();
    await (await loggedIn({ socketPath: own.socketPath }, options)).quit();
    await own.stop();
  });

  it("holds with impl none, too: everybody gets in who has a certificate", async () => {
    const { cert, key } = issueServer(root, "server3");
    const own = await startGateway({
      backend: server,
      flags: {
        mysql_auth_server_impl: "none",
        mysql_auth_server_static_file: false,
        mysql_server_ssl_cert: cert,
        mysql_server_ssl_key: key,
        mysql_server_ssl_ca: root.cert,
      },
    });
    const options = { user: "whoever", password: "" };
    const without = await login({ port: own.port }, options, true);
    expect(without.result.error?.code).toBe(1045);
    const bad = await login({ port: own.port }, options, presenting(leaves.wrong));
    expect(bad.result.error?.code).toBe(1045);
    for (const { client } of [without, bad]) client.destroy();
    await (await loggedIn({ port: own.port }, options, presenting(leaves.nosan))).quit();
    await own.stop();
  });
});

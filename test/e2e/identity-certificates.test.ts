// Every kind of certificate that a client may present, with each kind of key, in TLS 1.2 and 1.3, its handshake in one piece
// and in many: whoever is refused reads a packet that says so, and the audit log knows why.
import { writeFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import { type GatewayProcess, startGateway } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { Authority, type Issued, issueServer, type LeafOptions, rawUri } from "../support/pki.ts";
import { loggedIn, login } from "../support/raw/login.ts";
import { scratchFolder } from "../support/scratch.ts";

const id = "spiffe://example.org/app/x";
const named = { names: `URI:${id}` };
const keys = {
  ecdsa: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
  rsa: ["-newkey", "rsa:2048"],
  ed25519: ["-newkey", "ed25519"],
} as const;
type KeyKind = keyof typeof keys;

const root = Authority.root();
/** The same name, another key. */
const foreign = Authority.root();
const stranger = Authority.root("stranger", "/CN=Stranger");
const inter = root.intermediate("inter");
const unknown = root.intermediate("unknown");
const ended = root.intermediate("ended", { days: -1 });
const deeper = inter.intermediate("deeper");
const plainIssuer = root.intermediate("plainissuer", { constraints: null });
const noAuthority = root.intermediate("noauthority", { constraints: "CA:FALSE" });
const within = (constraints: string): LeafOptions => ({
  extensions: [`nameConstraints=critical,${constraints}`],
});
const ours = root.intermediate("ours", within("permitted;URI:example.org"));
const others = root.intermediate("others", within("permitted;URI:.example.com"));
const notOurs = root.intermediate("notours", within("excluded;URI:example.org"));
const unread = root.intermediate("unread", { extensions: ["1.2.3.4=critical,DER:05:00"] });
const later = root.intermediate("later", { startsIn: 2 });
/** In the trust file, and no CA. */
const selfSigned = Authority.root("selfsigned", "/CN=Self", 30, keys.ecdsa, {
  ...named,
  constraints: "CA:FALSE",
  keyUsage: "digitalSignature",
});

interface Kind {
  readonly what: string;
  readonly issuer?: Authority;
  readonly leaf: LeafOptions;
  /** Sent behind the leaf. */
  readonly chain?: readonly Issued[];
  /** Empty: it is let in. */
  readonly reason: RegExp | null;
}

const uri = (text: string): LeafOptions => ({ names: rawUri(text) });
const malformed = /^certificate_spiffe_id_malformed/;
/** Node has no code of its own for what OpenSSL says there. */
const unnamed = /^certificate_unspecified/;
const kinds: readonly Kind[] = [
  { what: "good", leaf: named, reason: null },
  { what: "good by an intermediate in the file", issuer: inter, leaf: named, reason: null },
  {
    what: "good by an intermediate that is sent",
    issuer: unknown,
    chain: [unknown],
    leaf: named,
    reason: null,
  },
  { what: "critical names", leaf: { names: `critical,URI:${id}` }, reason: null },
  { what: "no usage said", leaf: { ...named, usage: null }, reason: null },
  { what: "expired", leaf: { ...named, days: -1 }, reason: /cert_has_expired/ },
  { what: "not yet valid", leaf: { ...named, startsIn: 2 }, reason: /not_yet_valid/ },
  { what: "issuer not yet valid", issuer: later, chain: [later], leaf: named, reason: /not_yet_valid/ },
  { what: "within its issuer's names", issuer: ours, chain: [ours], leaf: named, reason: null },
  { what: "beyond its issuer's names", issuer: others, chain: [others], leaf: named, reason: unnamed },
  { what: "its issuer's exception", issuer: notOurs, chain: [notOurs], leaf: named, reason: unnamed },
  {
    what: "an extension that nobody knows",
    leaf: { ...named, extensions: ["1.2.3.4=DER:05:00"] },
    reason: null,
  },
  {
    what: "a critical extension that nobody knows",
    leaf: { ...named, extensions: ["1.2.3.4=critical,DER:05:00"] },
    reason: unnamed,
  },
  { what: "such an issuer", issuer: unread, chain: [unread], leaf: named, reason: unnamed },
  { what: "wrong signature", issuer: foreign, leaf: named, reason: /signature/ },
  {
    what: "wrong signature, its CA sent",
    issuer: foreign,
    chain: [foreign],
    leaf: named,
    reason: /certificate_/,
  },
  { what: "unknown CA", issuer: stranger, leaf: named, reason: /unable_to/ },
  {
    what: "unknown CA, sent",
    issuer: stranger,
    chain: [stranger],
    leaf: named,
    reason: /self_signed|unable_to/,
  },
  { what: "intermediate missing", issuer: unknown, leaf: named, reason: /unable_to/ },
  { what: "intermediate expired", issuer: ended, chain: [ended], leaf: named, reason: /cert_has_expired/ },
  { what: "path too long", issuer: deeper, chain: [deeper, inter], leaf: named, reason: /path_length/ },
  {
    what: "issuer without constraints",
    issuer: plainIssuer,
    chain: [plainIssuer],
    leaf: named,
    reason: /invalid_ca/,
  },
  {
    what: "issuer that is no CA",
    issuer: noAuthority,
    chain: [noAuthority],
    leaf: named,
    reason: /invalid_ca|invalid_purpose|keyusage/,
  },
  { what: "for servers only", leaf: { ...named, usage: "serverAuth" }, reason: /purpose|not_for_clients/ },
  { what: "a CA as a leaf", leaf: { ...named, constraints: "CA:TRUE" }, reason: /of_an_authority/ },
  { what: "no names", leaf: {}, reason: /^certificate_without_uri/ },
  {
    what: "the id in the subject only",
    leaf: { subject: `/CN=${id.replaceAll("/", "\\/")}` },
    reason: /without_uri/,
  },
  { what: "an empty list of names", leaf: { names: "DER:30:00" }, reason: /without_uri|unreadable/ },
  {
    what: "other names only",
    leaf: { names: "DNS:app.example.org,email:a@example.org" },
    reason: /without_uri/,
  },
  { what: "query", leaf: uri(`${id}?a=b`), reason: malformed },
  { what: "fragment", leaf: uri(`${id}#a`), reason: malformed },
  { what: "port", leaf: uri("spiffe://example.org:443/app/x"), reason: malformed },
  { what: "userinfo", leaf: uri("spiffe://me@example.org/app/x"), reason: malformed },
  { what: "trust domain in capitals", leaf: uri("spiffe://Example.org/app/x"), reason: malformed },
  { what: "percent", leaf: uri("spiffe://example.org/app/%78"), reason: malformed },
  { what: "slash at the end", leaf: uri(`${id}/`), reason: malformed },
  { what: "dots", leaf: uri("spiffe://example.org/app/y/../x"), reason: malformed },
  { what: "more than 2048 bytes", leaf: uri(`${id}${"a".repeat(2048)}`), reason: malformed },
  { what: "beyond ASCII", leaf: uri("spiffe://example.org/app/\xe9"), reason: malformed },
  { what: "a space behind", leaf: uri(`${id} `), reason: malformed },
  { what: "NUL", leaf: uri(`${id}\0`), reason: /uri_with_nul/ },
  { what: "two", leaf: { names: `URI:${id},URI:${id}` }, reason: /several_uris/ },
];

/** Hands the client's bytes on in pieces of `size`, one after the other. */
async function splitter(port: number, size: number): Promise<{ port: number; server: Server }> {
  const server = createServer((client) => {
    const through = connect(port, "127.0.0.1").setNoDelay(true);
    for (const socket of [client, through] as Socket[]) socket.on("error", () => {});
    through.pipe(client);
    const pieces: Buffer[] = [];
    const next = (): void => {
      const piece = pieces.shift();
      if (piece !== undefined) through.write(piece, () => setImmediate(next));
    };
    client.on("data", (chunk: Buffer) => {
      const idle = pieces.length === 0;
      for (let at = 0; at < chunk.length; at += size) pieces.push(chunk.subarray(at, at + size));
      if (idle) next();
    });
    client.on("close", () => through.destroy());
    through.on("close", () => client.end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return { port: typeof address === "object" && address !== null ? address.port : 0, server };
}

let server: DatabaseServer;
let gateway: GatewayProcess;
const splitters: { port: number; server: Server }[] = [];

beforeAll(async () => {
  server = await startMariadb({ skipNetworking: true });
  const { cert, key } = issueServer(root);
  const folder = scratchFolder("trust");
  writeFileSync(join(folder, "ca.pem"), `${inter.pem}${selfSigned.pem}${root.pem}`);
  gateway = await startGateway({
    backend: server,
    users: { app: [{ Attributes: { spiffe_id: id } }], plain: [{ Password: "p" }] },
    flags: {
      mysql_server_ssl_cert: cert,
      mysql_server_ssl_key: key,
      mysql_server_ssl_ca: join(folder, "ca.pem"),
      mysql_server_client_cert: "request",
    },
  });
  for (const size of [100, 7]) splitters.push(await splitter(gateway.port, size));
});
afterAll(async () => {
  for (const { server: one } of splitters) one.close();
  await gateway?.stop();
  await server?.stop();
});

async function tryWith(
  { cert, key }: { cert: string; key: string },
  port: number,
  version: "TLSv1.2" | "TLSv1.3",
) {
  const tls = { cert, key, minVersion: version, maxVersion: version };
  const { client, result } = await login({ port }, { user: "app", password: "" }, tls);
  const { connectionId } = client.greeting;
  const audit = await gateway.waitForRecord(
    (record) => record.audit === "login" && record.connection_id === connectionId,
    `the audit record of ${connectionId}`,
  );
  client.destroy();
  return { result, audit };
}

async function expectResult(kind: Kind, material: { cert: string; key: string }): Promise<void> {
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    for (const port of [gateway.port, ...splitters.map((one) => one.port)]) {
      const { result, audit } = await tryWith(material, port, version);
      const where = `${kind.what}, ${version}, port ${splitters.findIndex((one) => one.port === port)}`;
      if (kind.reason === null) {
        expect(result.ok, `${where}: ${String(audit.reason)}`).toBe(true);
        expect(audit.spiffe_id).toBe(id);
        continue;
      }
      expect(result.error, where).toEqual({
        code: 1045,
        state: "28000",
        message: "Access denied for user 'app'@'127.0.0.1' (using password: NO)",
      });
      expect(String(audit.reason), where).toMatch(kind.reason);
    }
  }
}

describe.each(Object.keys(keys) as KeyKind[])("a certificate with a key of %s", (key) => {
  it.each(kinds.map((kind) => [kind.what, kind] as const))("%s", async (what, kind) => {
    const name = `${key}-${what.replace(/[^a-z0-9]/gi, "")}`;
    const leaf = (kind.issuer ?? root).issue(name, { ...kind.leaf, newKey: keys[key] });
    const cert = [leaf, ...(kind.chain ?? [])].map(({ pem }) => pem).join("");
    await expectResult(kind, { cert, key: leaf.keyPem });
  });
});

describe("a certificate", () => {
  it("that signed itself and is in the trust file proves nothing: no CA has issued it", async () => {
    const kind = { what: "self-signed", leaf: {}, reason: /self_signed/ };
    await expectResult(kind, { cert: selfSigned.pem, key: selfSigned.keyPem });
  });

  it("of a CA with a key of any kind verifies", async () => {
    for (const kind of Object.keys(keys) as KeyKind[]) {
      const other = Authority.root(`root${kind}`, `/CN=Root ${kind}`, 30, keys[kind]);
      const leaf = other.issue("leaf", named);
      writeFileSync(join(gateway.folder, `${kind}.pem`), other.pem);
      const { cert, key } = issueServer(other);
      const own = await startGateway({
        backend: server,
        users: { app: [{ Attributes: { spiffe_id: id } }] },
        flags: {
          mysql_server_ssl_cert: cert,
          mysql_server_ssl_key: key,
          mysql_server_ssl_ca: join(gateway.folder, `${kind}.pem`),
        },
      });
      try {
        const material = { cert: leaf.pem, key: leaf.keyPem };
        await (await loggedIn({ port: own.port }, { user: "app", password: "" }, material)).quit();
      } finally {
        await own.stop();
      }
    }
  });
});

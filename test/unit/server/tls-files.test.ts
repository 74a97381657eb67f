// What is said about the files of TLS toward clients before anybody shakes hands by them.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { FileContent } from "../../../src/base/file-content.ts";
import { formatProblem } from "../../../src/base/problem.ts";
import { expiryWarning } from "../../../src/server/expiry.ts";
import { readTlsFiles, tlsPathsOf } from "../../../src/server/tls-files.ts";
import { Authority, issueServer } from "../../support/pki.ts";
import { scratchFolder } from "../../support/scratch.ts";

const root = Authority.root();
const foreign = Authority.root("foreign", "/CN=Foreign Root");
const inter = root.intermediate("inter");
const server = issueServer(root);
const behindInter = issueServer(inter, "behind");
const folder = scratchFolder("tls");
const nowMs = Date.now();
const dayMs = 24 * 3_600_000;

interface Texts {
  readonly cert?: string;
  readonly key?: string;
  readonly serverCa?: string;
  readonly ca?: string;
  readonly crl?: string;
}

/** Judges files of these texts; the names of the files are those of the keys. */
function judge(texts: Texts, atMs = nowMs) {
  const all: Record<string, string> = { cert: server.pem, key: server.keyPem, ...texts };
  const options = {
    certFile: "cert",
    keyFile: "key",
    serverCaFile: texts.serverCa === undefined ? null : "serverCa",
    minVersion: "TLSv1.2",
    clientTrust:
      texts.ca === undefined
        ? null
        : { caFile: "ca", crlFile: texts.crl === undefined ? null : "crl", isRequired: true },
  } as const;
  const contents: FileContent[] = tlsPathsOf(options).map((path) => {
    const file = join(folder, path);
    writeFileSync(file, all[path] ?? "");
    return { path, bytes: readFileSync(file), mode: 0o600 };
  });
  const result = readTlsFiles(options, contents, atMs);
  return {
    result,
    problems: result.ok ? [] : result.problems.map(formatProblem),
    warnings: result.ok ? result.warnings.map(formatProblem) : [],
  };
}

const stamp = (ms: number): string => `${new Date(ms).toISOString().replaceAll(/[-:T]/g, "").slice(0, 14)}Z`;

describe("readTlsFiles()", () => {
  it("takes roots and intermediates in any order, and lists of each", () => {
    for (const ca of [root.pem + inter.pem, `first\n${inter.pem}\nand then\n${root.pem}`]) {
      const crl = inter.revocationList() + root.revocationList();
      const { result, warnings } = judge({ ca, crl });
      expect(warnings).toEqual([]);
      if (!result.ok) throw new Error("refused");
      expect(result.material.clientTrust?.ca).toHaveLength(2);
      expect(result.material.clientTrust?.crl).toHaveLength(2);
      expect(result.expiries.map(({ what }) => what)).toEqual(["server", "client_ca", "client_crl"]);
    }
  });

  it("takes a pair in one file, with Windows line ends, and a chain from another", () => {
    const pair = (behindInter.pem + behindInter.keyPem).replaceAll("\n", "\r\n");
    const { result, warnings } = judge({ cert: pair, key: pair, serverCa: inter.pem });
    expect(warnings).toEqual([]);
    if (!result.ok) throw new Error("refused");
    expect(result.material.cert.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(result.material.cert).not.toContain("PRIVATE KEY");
  });

  it.each<[string, Texts, string]>([
    ["no certificate", { cert: "" }, "cert: The file must hold a certificate (PEM): it has none"],
    [
      "half a certificate",
      { cert: server.pem.slice(0, 200) },
      "cert:1:1: The block CERTIFICATE must end with",
    ],
    ["no bytes of one", { cert: server.pem.replace(/\n[\s\S]{64}/, "\nAAAA") }, "cert:1:1: Cannot read this"],
    ["no key", { key: "nothing" }, "key: Cannot read a private key"],
    ["another's key", { key: behindInter.keyPem }, "key: The key must be that of the certificate"],
    [
      "a key among CAs",
      { ca: root.pem + root.keyPem },
      "The file must hold certificates only: this block is",
    ],
    ["no root", { ca: inter.pem }, "ca: The file must hold a root"],
    ["an empty trust file", { ca: "" }, "ca: The file must hold a certificate"],
    ["an empty list", { ca: root.pem, crl: "" }, "crl: The file must hold a revocation list"],
    ["no list", { ca: root.pem, crl: root.pem }, "crl:1:1: The revocation list must be a revocation list"],
    [
      "a list of another CA",
      { ca: root.pem, crl: foreign.revocationList() },
      "crl:1:1: The revocation list must be signed by a CA of the trust file",
    ],
    [
      "a list of the future",
      {
        ca: root.pem,
        crl: root.revocationList({ from: stamp(nowMs + dayMs), to: stamp(nowMs + 2 * dayMs) }),
      },
      "crl:1:1: The revocation list must not be of the future",
    ],
    [
      "bytes that are no list",
      { ca: root.pem, crl: "-----BEGIN X509 CRL-----\nMAMCAQE=\n-----END X509 CRL-----\n" },
      "crl:1:1: The revocation list cannot be read as a revocation list",
    ],
  ])("refuses %s", (_what, texts, message) => {
    const { problems } = judge(texts);
    expect(problems.join("\n")).toContain(message);
    expect(problems.join("\n")).not.toMatch(/PRIVATE KEY-----|MII/);
  });

  it("names the line of the block that is meant", () => {
    const lines = root.pem.split("\n").length - 1;
    const { problems } = judge({
      ca: `${root.pem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----`,
    });
    expect(problems).toEqual([`ca:${lines + 1}:1: Cannot read this certificate`]);
  });

  it("warns of what will not do what one may think", () => {
    expect(judge({ cert: server.pem + foreign.pem }).warnings.join()).toContain(
      "the next one is not its issuer's",
    );
    expect(judge({ ca: root.pem + server.pem }).warnings.join()).toContain("is not a CA's");
    const stray = foreign.intermediate("stray");
    expect(judge({ ca: root.pem + stray.pem }).warnings.join()).toContain("is not in the file");
    const { warnings } = judge({ ca: root.pem + foreign.pem, crl: root.revocationList() });
    expect(warnings).toEqual([
      'crl: There is no list of the CA "CN=Foreign Root": certificates under it will be refused',
    ]);
  });

  it("tells when things end: a list that has ended is still used", () => {
    const crl = root.revocationList({ from: stamp(nowMs - 2 * dayMs), to: stamp(nowMs - dayMs) });
    const { result } = judge({ ca: root.pem, crl });
    if (!result.ok) throw new Error("refused");
    const told = (atMs: number) => result.expiries.map((expiry) => expiryWarning(expiry, atMs));
    expect(told(nowMs)).toEqual([
      null,
      null,
      expect.stringMatching(
        /^The revocation list of client certificates ended at .*: client certificates under it are refused$/,
      ),
    ]);
    expect(told(nowMs + 29 * dayMs)[0]).toMatch(/^The server certificate ends soon, at /);
    expect(told(nowMs + 29 * dayMs)[1]).toMatch(/^The CA of client certificates ends soon, at /);
    expect(told(nowMs + 31 * dayMs)[0]).toMatch(/^The server certificate ended at /);
    expect(told(nowMs - 1.2 * dayMs)[2]).toMatch(
      /^The revocation list of client certificates ends soon, at /,
    );
  });

  it("knows the signatures of other kinds of CAs", () => {
    for (const newKey of [
      ["-newkey", "rsa:2048"],
      ["-newkey", "ed25519"],
    ]) {
      const other = Authority.root("kind", `/CN=${newKey[1]}`, 30, newKey);
      expect(judge({ ca: other.pem, crl: other.revocationList() }).problems).toEqual([]);
      const forged = judge({ ca: root.pem, crl: other.revocationList() });
      expect(forged.problems.join()).toContain("must be signed by a CA of the trust file");
    }
  });
});

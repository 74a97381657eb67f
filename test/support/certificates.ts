// X.509 certificates for tests, made at run time with openssl: a CA, server and client certificates, self-made keys.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchFolder } from "./scratch.ts";

/** A certificate with its key, as PEM files. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** What stands in a certificate. */
export interface CertificateRequest {
  readonly commonName: string;
  /** As openssl writes them: `DNS:localhost`, `IP:127.0.0.1`, `URI:spiffe://example.org/web`. */
  readonly subjectAltNames?: readonly string[];
  readonly usage?: "serverAuth" | "clientAuth";
  /** Days from now; negative: expired already. */
  readonly days?: number;
}

/** A certificate authority in a folder of its own. */
export interface CertificateAuthority {
  readonly folder: string;
  /** Its own certificate. */
  readonly cert: string;
  issue(request: CertificateRequest): CertificateFiles;
}

const openssl = (...args: string[]): void => {
  execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
};

let serial = 1;

/** Makes a CA. */
export function createAuthority(commonName = "Test CA"): CertificateAuthority {
  const folder = scratchFolder("ca");
  const key = join(folder, "ca.key");
  const cert = join(folder, "ca.pem");
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl(
    "req",
    "-x509",
    ...curve,
    "-keyout",
    key,
    "-out",
    cert,
    "-days",
    "30",
    "-subj",
    `/CN=${commonName}`,
    ...["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign"],
  );
  return {
    folder,
    cert,
    issue({ commonName: name, subjectAltNames = [], usage = "serverAuth", days = 30 }) {
      const number = serial++;
      const base = join(folder, `leaf${number}`);
      openssl(
        "req",
        "-new",
        ...curve,
        "-keyout",
        `${base}.key`,
        "-out",
        `${base}.csr`,
        "-subj",
        `/CN=${name}`,
      );
      const extensions = [
        "basicConstraints=CA:FALSE",
        `extendedKeyUsage=${usage}`,
        ...(subjectAltNames.length > 0 ? [`subjectAltName=${subjectAltNames.join(",")}`] : []),
      ];
      writeFileSync(`${base}.ext`, `${extensions.join("\n")}\n`);
      openssl(
        "x509",
        "-req",
        ...["-in", `${base}.csr`, "-CA", cert, "-CAkey", key, "-set_serial", String(1000 + number)],
        ...["-days", String(days), "-extfile", `${base}.ext`, "-out", `${base}.pem`],
      );
      return { cert: `${base}.pem`, key: `${base}.key` };
    },
  };
}

/** The usual server certificate: localhost and 127.0.0.1. */
export function issueServerCertificate(authority: CertificateAuthority): CertificateFiles {
  return authority.issue({
    commonName: "localhost",
    subjectAltNames: ["DNS:localhost", "IP:127.0.0.1"],
  });
}

/** A file's text: certificates are passed to Node as text and to servers as paths. */
export function pem(path: string): string {
  return readFileSync(path, "utf8");
}

// Certificates for tests of what is read from them: self-signed by openssl, never verified by anybody.
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchFolder } from "../../support/scratch.ts";

const folder = scratchFolder("x509");
const key = join(folder, "key.pem");
execFileSync("openssl", ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key]);

const configuration = join(folder, "openssl.cnf");
writeFileSync(
  configuration,
  "[req]\ndistinguished_name = dn\n[dn]\n[nothing]\nsubjectKeyIdentifier = none\nauthorityKeyIdentifier = none\n",
);

/** The DER bytes of a certificate with this subject and these extensions, in openssl's spelling and nothing else. */
export function certificateOf(subject: string, ...extensions: readonly string[]): Uint8Array {
  const pem = execFileSync(
    "openssl",
    [
      ...["req", "-x509", "-new", "-key", key, "-days", "2", "-utf8", "-subj", subject],
      ...["-multivalue-rdn", "-config", configuration, "-extensions", "nothing"],
      ...extensions.flatMap((extension) => ["-addext", extension]),
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  return new X509Certificate(pem).raw;
}

/** `subjectAltName` with a URI of any bytes, which openssl's own spelling does not allow. */
export function rawUriName(text: string): string {
  const bytes = Buffer.from(text, "latin1");
  const name = Buffer.concat([Buffer.of(0x86, bytes.length), bytes]);
  const names = Buffer.concat([Buffer.of(0x30, name.length), name]);
  return `subjectAltName=DER:${names.toString("hex").replace(/(..)(?!$)/g, "$1:")}`;
}

export const leaf = ["basicConstraints=critical,CA:FALSE", "extendedKeyUsage=clientAuth,serverAuth"];

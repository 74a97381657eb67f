// Reads and judges the files of TLS toward clients as one set: certificate, key, chain, the CAs that client certificates
// are verified by, and their revocation lists. Everything that would only show at a handshake is told here, with its line.

import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import type { FileContent } from "../base/file-content.ts";
import { isPemFault, type PemBlock, pemContent, splitPem } from "../base/pem.ts";
import { type Problem, wholeFileProblem } from "../base/problem.ts";
import { type Expiry, firstExpiry, type Life } from "./expiry.ts";
import type { ClientTlsOptions } from "./gateway-options.ts";
import { type RevocationList, readRevocationList } from "./revocation-list.ts";

/** Longest file of the set, in bytes; revocation lists are the long ones. */
export const tlsFileBytesMax = 16 * 1024 * 1024;

/** What a TLS context is made of; PEM. */
export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  /** null: clients are not asked for certificates. */
  readonly clientTrust: { readonly ca: readonly string[]; readonly crl: readonly string[] } | null;
}

/** A set that can be used, or all that is wrong with it. */
export type TlsFiles =
  | {
      readonly ok: true;
      readonly material: TlsMaterial;
      readonly warnings: readonly Problem[];
      readonly expiries: readonly Expiry[];
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** The paths of the set, in the order in which {@link readTlsFiles} takes their content. */
export function tlsPathsOf(options: ClientTlsOptions): readonly string[] {
  const { certFile, keyFile, serverCaFile, clientTrust } = options;
  return [certFile, keyFile, serverCaFile, clientTrust?.caFile, clientTrust?.crlFile].filter(
    (path) => path !== null && path !== undefined,
  );
}

/** Judges the set. Never throws for what the files hold. */
export function readTlsFiles(
  options: ClientTlsOptions,
  contents: readonly FileContent[],
  nowMs: number,
): TlsFiles {
  const reading = new Reading(contents, nowMs);
  const chain = reading.certificates(options.certFile, "mixed");
  const more = options.serverCaFile === null ? [] : reading.certificates(options.serverCaFile, "alone");
  const key = reading.key(options.keyFile, chain[0]?.certificate ?? null);
  reading.judgeChain(options.certFile, [...chain, ...more]);
  const { clientTrust } = options;
  const trusted = clientTrust === null ? [] : reading.trusted(clientTrust.caFile);
  const crlFile = clientTrust?.crlFile ?? null;
  const lists = crlFile === null ? [] : reading.revocationLists(crlFile, trusted);
  const { problems, warnings, expiries } = reading;
  if (problems.length > 0 || key === null) return { ok: false, problems };
  const text = (blocks: readonly { readonly text: string }[]) => blocks.map((block) => block.text);
  const material = {
    cert: text([...chain, ...more]).join(""),
    key,
    minVersion: options.minVersion,
    clientTrust: clientTrust === null ? null : { ca: text(trusted), crl: text(lists) },
  };
  return { ok: true, material, warnings, expiries };
}

interface CertificateBlock extends PemBlock {
  readonly certificate: X509Certificate;
}

/** A clock that is behind the CA's is no reason to refuse a list, in milliseconds. */
const clockSkewMs = 5 * 60_000;

class Reading {
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];
  readonly expiries: Expiry[] = [];
  readonly #contents: ReadonlyMap<string, FileContent>;
  readonly #nowMs: number;

  constructor(contents: readonly FileContent[], nowMs: number) {
    this.#contents = new Map(contents.map((content) => [content.path, content]));
    this.#nowMs = nowMs;
  }

  /** `mixed`: other blocks are passed over. `alone`: they are a mistake, a private key above all. */
  certificates(path: string, company: "mixed" | "alone"): CertificateBlock[] {
    const found: CertificateBlock[] = [];
    for (const block of this.#blocks(path)) {
      if (block.label !== "CERTIFICATE") {
        if (company === "alone") {
          this.#complain(path, block, `The file must hold certificates only: this block is ${block.label}`);
        }
        continue;
      }
      try {
        found.push({ ...block, certificate: new X509Certificate(block.text) });
      } catch {
        this.#complain(path, block, "Cannot read this certificate");
      }
    }
    if (found.length === 0 && this.problems.length === 0) {
      this.problems.push(wholeFileProblem(path, "The file must hold a certificate (PEM): it has none"));
    }
    return found;
  }

  /** The key's text, when it fits `leaf`. */
  key(path: string, leaf: X509Certificate | null): string | null {
    const text = Buffer.from(this.#contents.get(path)?.bytes ?? []).toString("latin1");
    let key: KeyObject;
    try {
      key = createPrivateKey(text);
    } catch {
      this.problems.push(wholeFileProblem(path, "Cannot read a private key (PEM, without a passphrase)"));
      return null;
    }
    if (leaf !== null && !leaf.checkPrivateKey(key)) {
      this.problems.push(wholeFileProblem(path, "The key must be that of the certificate: it does not fit"));
    }
    return text;
  }

  /** What is sent to clients: the leaf, then its issuers. */
  judgeChain(path: string, chain: readonly CertificateBlock[]): void {
    const [leaf] = chain;
    if (leaf === undefined) return;
    this.#expire("server", path, [leaf]);
    this.#expire("server_chain", path, chain.slice(1));
    for (const [index, block] of chain.entries()) {
      const issuer = chain[index + 1]?.certificate;
      if (issuer === undefined || block.certificate.checkIssued(issuer)) continue;
      this.#warn(path, block, "Clients may not verify this certificate: the next one is not its issuer's");
      return;
    }
  }

  /** The CAs for client certificates. */
  trusted(path: string): CertificateBlock[] {
    const found = this.certificates(path, "alone");
    const isRoot = ({ certificate }: CertificateBlock) => certificate.checkIssued(certificate);
    if (found.length > 0 && !found.some(isRoot)) {
      this.problems.push(
        wholeFileProblem(
          path,
          "The file must hold a root, a CA that issued itself: without one no certificate of a client can be verified",
        ),
      );
    }
    for (const block of found) {
      const { certificate } = block;
      if (!certificate.ca) this.#warn(path, block, "This certificate is not a CA's: it verifies nobody");
      else if (!found.some((other) => certificate.checkIssued(other.certificate))) {
        this.#warn(path, block, "The issuer of this CA is not in the file: it verifies nobody by itself");
      }
    }
    this.#expire("client_ca", path, found);
    return found;
  }

  revocationLists(path: string, trusted: readonly CertificateBlock[]): PemBlock[] {
    const blocks = this.#blocks(path);
    const byAuthority = new Map<CertificateBlock, [RevocationList, ...RevocationList[]]>();
    for (const block of blocks) {
      const list =
        block.label === "X509 CRL"
          ? readRevocationList(pemContent(block))
          : `must be a revocation list: this block is ${block.label}`;
      const fault = typeof list === "string" ? list : this.#listFault(list, trusted, byAuthority);
      if (fault !== null) this.#complain(path, block, `The revocation list ${fault}`);
    }
    if (blocks.length === 0) {
      this.problems.push(wholeFileProblem(path, "The file must hold a revocation list (PEM): it has none"));
    }
    for (const block of trusted) {
      if (byAuthority.has(block) || !block.certificate.ca) continue;
      const name = block.certificate.subject.replaceAll("\n", ", ");
      const message = `There is no list of the CA ${JSON.stringify(name.slice(0, 200))}: certificates under it will be refused`;
      this.warnings.push(wholeFileProblem(path, message));
    }
    this.#expireLists(path, byAuthority);
    return [...blocks];
  }

  /** Files the list under the CAs that signed it. */
  #listFault(
    list: RevocationList,
    trusted: readonly CertificateBlock[],
    byAuthority: Map<CertificateBlock, [RevocationList, ...RevocationList[]]>,
  ): string | null {
    const signers = trusted.filter((block) => list.isSignedBy(block.certificate.publicKey));
    if (signers.length === 0) return "must be signed by a CA of the trust file: none of them did";
    if (list.thisUpdateMs > this.#nowMs + clockSkewMs) {
      return `must not be of the future: it says ${new Date(list.thisUpdateMs).toISOString()}`;
    }
    for (const signer of signers) byAuthority.set(signer, [list, ...(byAuthority.get(signer) ?? [])]);
    return null;
  }

  /** The newest list of a CA is the one that counts. */
  #expireLists(
    path: string,
    byAuthority: ReadonlyMap<CertificateBlock, readonly [RevocationList, ...RevocationList[]]>,
  ): void {
    const ending = [...byAuthority].flatMap(([{ certificate }, lists]) => {
      const newest = lists.reduce((a, b) =>
        (b.nextUpdateMs ?? Infinity) > (a.nextUpdateMs ?? Infinity) ? b : a,
      );
      const { thisUpdateMs: startMs, nextUpdateMs: endMs } = newest;
      return endMs === null ? [] : [{ subject: certificate.subject ?? "", startMs, endMs }];
    });
    this.#expireFirst("client_crl", path, ending);
  }

  #expire(what: Expiry["what"], path: string, blocks: readonly CertificateBlock[]): void {
    const lives = blocks.map(({ certificate }) => ({
      subject: certificate.subject ?? "",
      startMs: Date.parse(certificate.validFrom),
      endMs: Date.parse(certificate.validTo),
    }));
    this.#expireFirst(what, path, lives);
  }

  #expireFirst(what: Expiry["what"], path: string, lives: readonly Life[]): void {
    const expiry = firstExpiry(what, path, lives);
    if (expiry !== null) this.expiries.push(expiry);
  }

  #blocks(path: string): readonly PemBlock[] {
    const content = this.#contents.get(path);
    const blocks = splitPem(content?.bytes ?? new Uint8Array(0));
    if (!isPemFault(blocks)) return blocks;
    this.#complain(path, blocks, blocks.message);
    return [];
  }

  #complain(path: string, { line }: { readonly line: number }, message: string): void {
    this.problems.push({ path, line, column: 1, pointer: "", message });
  }

  #warn(path: string, { line }: PemBlock, message: string): void {
    this.warnings.push({ path, line, column: 1, pointer: "", message });
  }
}

// TLS toward database servers, in the words of the MySQL client's --ssl-mode. Certificate files are read again when
// they have changed, so that rotated ones serve the next login.
// https://dev.mysql.com/doc/refman/8.4/en/connection-options.html#option_general_ssl-mode

import { X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import type net from "node:net";
import tls from "node:tls";
import type { Clock } from "../base/clock.ts";
import { isPemFault, splitPem } from "../base/pem.ts";
import type { BackendTls, Tablet } from "../routing/route.ts";
import { formatTabletAddress } from "../routing/tablet-address.ts";
import { BackendLoginError } from "./login-error.ts";

/** How long files are trusted to be unchanged, in milliseconds: login storms must not become storms of stat calls. */
const trustMs = 1000;

/** Certificates of one place, and how long they live. */
export interface CertificateLife {
  /** `backend_server`: shown by a server at the newest handshake with it. */
  readonly what: "backend_ca" | "backend_client" | "backend_server";
  /** The file, or the server's address. */
  readonly path: string;
  /** Times in milliseconds since the epoch. */
  readonly lives: readonly { readonly subject: string; readonly startMs: number; readonly endMs: number }[];
}

interface KeptContext {
  readonly context: tls.SecureContext;
  readonly files: readonly CertificateLife[];
  /** Of the files that it was made from. */
  readonly fingerprint: string;
  checkedMs: number;
}

/** Makes TLS contexts and keeps the newest of each setting. One for all tablets. */
export class BackendTlsContexts {
  readonly #clock: Clock;
  /** By file names; as many as there are different settings. */
  readonly #kept = new Map<string, KeptContext>();
  /** What servers showed, by their address; as many as there are servers. */
  readonly #shown = new Map<string, CertificateLife>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws BackendLoginError `tls` when a file cannot be read or used. */
  async contextFor(settings: BackendTls): Promise<tls.SecureContext> {
    const paths = [settings.ca, settings.cert, settings.key];
    const name = nameOf(settings);
    const nowMs = this.#clock.monotonicMs();
    const kept = this.#kept.get(name);
    if (kept !== undefined && nowMs - kept.checkedMs < trustMs) return kept.context;
    try {
      const fingerprint = (await Promise.all(paths.map(fingerprintOf))).join(" ");
      if (kept !== undefined && kept.fingerprint === fingerprint) {
        kept.checkedMs = nowMs;
        return kept.context;
      }
      const [ca, cert, key] = await Promise.all(paths.map((path) => (path === null ? null : readFile(path))));
      const context = tls.createSecureContext({
        minVersion: "TLSv1.2",
        ...(ca == null ? {} : { ca }),
        ...(cert == null ? {} : { cert }),
        ...(key == null ? {} : { key }),
      });
      const files = [
        ...filesOf("backend_ca", settings.ca, ca),
        ...filesOf("backend_client", settings.cert, cert),
      ];
      this.#kept.set(name, { context, files, fingerprint, checkedMs: nowMs });
      return context;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new BackendLoginError("tls", `Cannot use the certificate files for TLS: ${why}`, {
        cause: error,
      });
    }
  }

  /** Remembers what a server showed; one that was refused is in nobody's hands any more when that is known. */
  saw({ address }: Tablet, certificate: X509Certificate | undefined): void {
    if (certificate === undefined) return;
    const path = formatTabletAddress(address);
    this.#shown.set(path, { what: "backend_server", path, lives: [lifeOf(certificate)] });
  }

  /** What is known about the certificates toward these servers, each place once. */
  livesOf(tablets: readonly Tablet[]): readonly CertificateLife[] {
    const secured = tablets.filter((tablet) => tablet.tls.mode !== "DISABLED");
    const addresses = new Set(secured.map(({ address }) => formatTabletAddress(address)));
    for (const path of this.#shown.keys()) if (!addresses.has(path)) this.#shown.delete(path);
    const names = new Set(secured.map((tablet) => nameOf(tablet.tls)));
    for (const name of this.#kept.keys()) if (!names.has(name)) this.#kept.delete(name);
    const places = new Map<string, CertificateLife>();
    for (const life of [...[...this.#kept.values()].flatMap(({ files }) => files), ...this.#shown.values()])
      places.set(`${life.what} ${life.path}`, life);
    return [...places.values()];
  }
}

function nameOf({ ca, cert, key }: BackendTls): string {
  return JSON.stringify([ca, cert, key]);
}

/** None for a file without a certificate that can be read: whether it can be used is OpenSSL's to say. */
function filesOf(
  what: CertificateLife["what"],
  path: string | null,
  content: Uint8Array | null | undefined,
): CertificateLife[] {
  const blocks = content == null ? [] : splitPem(content);
  if (path === null || isPemFault(blocks)) return [];
  const lives = blocks.flatMap(({ label, text }) => {
    if (label !== "CERTIFICATE") return [];
    try {
      return [lifeOf(new X509Certificate(text))];
    } catch {
      return [];
    }
  });
  return lives.length === 0 ? [] : [{ what, path, lives }];
}

function lifeOf({ subject, validFrom, validTo }: X509Certificate): CertificateLife["lives"][number] {
  return { subject: subject ?? "", startMs: Date.parse(validFrom), endMs: Date.parse(validTo) };
}

async function fingerprintOf(path: string | null): Promise<string> {
  if (path === null) return "-";
  const facts = await stat(path, { bigint: true });
  return `${facts.ino}:${facts.size}:${facts.mtimeNs}:${facts.ctimeNs}`;
}

/**
 * Does the TLS handshake on a connected socket that nothing else reads. `host` is who the certificate must name under
 * VERIFY_IDENTITY.
 * @throws BackendLoginError `tls` when the handshake or the check of the certificate fails.
 */
export async function upgradeToTls(
  socket: net.Socket,
  tablet: Tablet,
  host: string,
  contexts: BackendTlsContexts,
): Promise<tls.TLSSocket> {
  const settings = tablet.tls;
  const secureContext = await contexts.contextFor(settings);
  const verifies = settings.mode === "VERIFY_CA" || settings.mode === "VERIFY_IDENTITY";
  return new Promise((resolve, reject) => {
    const secured = tls.connect({
      socket,
      secureContext,
      rejectUnauthorized: verifies,
      // RFC 6066: no addresses in the server name.
      ...(isIpAddress(host) ? {} : { servername: host }),
      checkServerIdentity: (_name, certificate) =>
        settings.mode === "VERIFY_IDENTITY" ? tls.checkServerIdentity(host, certificate) : undefined,
    });
    const fail = (error?: Error): void => {
      const why = error === undefined ? "the connection was closed" : error.message;
      reject(new BackendLoginError("tls", `TLS handshake failed: ${why}`, { cause: error }));
      secured.destroy();
    };
    secured.once("error", fail);
    secured.once("close", fail);
    secured.once("secureConnect", () => {
      secured.off("error", fail);
      secured.off("close", fail);
      contexts.saw(tablet, secured.getPeerX509Certificate());
      resolve(secured);
    });
  });
}

function isIpAddress(host: string): boolean {
  return /^[\d.]+$/.test(host) || host.includes(":");
}

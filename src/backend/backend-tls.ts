// TLS toward database servers, in the words of the MySQL client's --ssl-mode. Certificate files are read again when
// they have changed, so that rotated ones serve the next login.
// https://dev.mysql.com/doc/refman/8.4/en/connection-options.html#option_general_ssl-mode

import { readFile, stat } from "node:fs/promises";
import type net from "node:net";
import tls from "node:tls";
import type { Clock } from "../base/clock.ts";
import type { BackendTls } from "../routing/route.ts";
import { BackendLoginError } from "./login-error.ts";

/** How long files are trusted to be unchanged, in milliseconds: login storms must not become storms of stat calls. */
const trustMs = 1000;

interface KeptContext {
  readonly context: tls.SecureContext;
  /** Of the files that it was made from. */
  readonly fingerprint: string;
  checkedMs: number;
}

/** Makes TLS contexts and keeps the newest of each setting. One for all tablets. */
export class BackendTlsContexts {
  readonly #clock: Clock;
  /** By file names; as many as there are different settings. */
  readonly #kept = new Map<string, KeptContext>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws BackendLoginError `tls` when a file cannot be read or used. */
  async contextFor(settings: BackendTls): Promise<tls.SecureContext> {
    const paths = [settings.ca, settings.cert, settings.key];
    const name = JSON.stringify(paths);
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
      this.#kept.set(name, { context, fingerprint, checkedMs: nowMs });
      return context;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new BackendLoginError("tls", `Cannot use the certificate files for TLS: ${why}`, {
        cause: error,
      });
    }
  }
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
  settings: BackendTls,
  host: string,
  contexts: BackendTlsContexts,
): Promise<tls.TLSSocket> {
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
      resolve(secured);
    });
  });
}

function isIpAddress(host: string): boolean {
  return /^[\d.]+$/.test(host) || host.includes(":");
}

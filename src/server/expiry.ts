// When certificates and revocation lists end, toward clients and toward database servers: who is told, in which words.

import type { CertificateLife } from "../backend/backend-tls.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** When something ends: of several in one file, the first. */
export interface Expiry {
  readonly what: "server" | "server_chain" | "client_ca" | "client_crl" | CertificateLife["what"];
  /** The file, or the server that showed the certificate. */
  readonly path: string;
  /** Whom the certificate names, or who made the list. */
  readonly subject: string;
  /** Milliseconds since the epoch. */
  readonly endMs: number;
  /** From when on it is worth a warning: 30 days before, or a quarter of its life. */
  readonly warnMs: number;
}

/** A life that ends. */
export interface Life {
  readonly subject: string;
  /** Milliseconds since the epoch, both. */
  readonly startMs: number;
  readonly endMs: number;
}

const dayMs = 24 * 3_600_000;

/** The end of the first of `lives`; null: there is none. */
export function firstExpiry(what: Expiry["what"], path: string, lives: readonly Life[]): Expiry | null {
  const [first, ...others] = lives;
  if (first === undefined) return null;
  const { subject, startMs, endMs } = others.reduce((a, b) => (b.endMs < a.endMs ? b : a), first);
  return { what, path, subject, endMs, warnMs: endMs - Math.min(30 * dayMs, (endMs - startMs) / 4) };
}

/** What each is, for people. */
export const useOfExpiry = {
  server: "server certificate",
  server_chain: "issuer of the server certificate",
  client_ca: "CA of client certificates",
  client_crl: "revocation list of client certificates",
  backend_ca: "CA of database servers",
  backend_client: "certificate toward database servers",
  backend_server: "certificate of a database server",
} as const satisfies Record<Expiry["what"], string>;

const consequence: Readonly<Record<Expiry["what"], string>> = {
  server: "",
  server_chain: ": clients may refuse the gateway's certificate",
  client_ca: ": client certificates under it are refused",
  client_crl: ": client certificates under it are refused",
  backend_ca: ": servers under it are refused where ssl-mode verifies them",
  backend_client: ": database servers may refuse the gateway",
  backend_server: ": the server is refused where ssl-mode verifies it",
};

/** Says that something ends or has ended; null: there is time. */
export function expiryWarning({ what, endMs, warnMs }: Expiry, nowMs: number): string | null {
  if (nowMs < warnMs) return null;
  const use = useOfExpiry[what];
  const subject = `The ${use}`;
  const end = new Date(endMs).toISOString();
  return nowMs < endMs ? `${subject} ends soon, at ${end}` : `${subject} ended at ${end}${consequence[what]}`;
}

/** Warns once before something ends, and once when it has. */
export class ExpiryReport {
  readonly #clock: Clock;
  readonly #logger: Logger;
  #told: ReadonlySet<string> = new Set();

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  look(expiries: readonly Expiry[]): void {
    const told = new Set<string>();
    for (const expiry of expiries) {
      const warning = expiryWarning(expiry, this.#clock.wallMs());
      if (warning === null) continue;
      const { path, subject } = expiry;
      const key = `${path} ${warning}`;
      if (!this.#told.has(key) && !told.has(key)) this.#logger.warn(warning, { path, subject });
      told.add(key);
    }
    this.#told = told;
  }
}

/** Exports when things end; what is gone takes its series with it. */
export function exportExpiries(metrics: Metrics, expiries: () => readonly Expiry[]): void {
  metrics.onRead(() => {
    const first = new Map<Expiry["what"], Expiry>();
    for (const expiry of expiries()) {
      const known = first.get(expiry.what);
      if (known === undefined || expiry.endMs < known.endMs) first.set(expiry.what, expiry);
    }
    const rows = (value: (expiry: Expiry) => number) =>
      [...first.values()].map((one) => ({ labels: { certificate: one.what }, value: value(one) / 1000 }));
    metrics.replaceSeries(
      "certificate_end_timestamp_seconds",
      rows(({ endMs }) => endMs),
      "largest",
    );
    metrics.replaceSeries(
      "certificate_warn_timestamp_seconds",
      rows(({ warnMs }) => warnMs),
      "largest",
    );
  });
}

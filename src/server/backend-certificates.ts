// The certificates toward database servers, as operators want to see them: files that are read although no server may
// have been reached, and what servers showed. Looked at anew every minute, so that the log warns of their end.

import { BackendTlsContexts } from "../backend/backend-tls.ts";
import type { Clock } from "../base/clock.ts";
import type { Tablet } from "../routing/route.ts";
import type { Logger } from "../telemetry/logger.ts";
import { type Expiry, ExpiryReport, firstExpiry } from "./expiry.ts";

/** How often files are looked at where no login does, in milliseconds. */
const LOOK_MS = 60_000;

/** Begins to watch; resolves once the files were read, whatever they hold. */
export async function watchBackendCertificates(
  tablets: () => readonly Tablet[],
  tools: { readonly clock: Clock; readonly logger: Logger },
): Promise<BackendCertificates> {
  const certificates = new BackendCertificates(tablets, tools);
  await certificates.look();
  return certificates;
}

class BackendCertificates {
  /** For whoever logs in to the servers. */
  readonly contexts: BackendTlsContexts;
  readonly #tablets: () => readonly Tablet[];
  readonly #report: ExpiryReport;
  readonly #timer: NodeJS.Timeout;

  constructor(tablets: () => readonly Tablet[], tools: { readonly clock: Clock; readonly logger: Logger }) {
    this.contexts = new BackendTlsContexts(tools.clock);
    this.#tablets = tablets;
    this.#report = new ExpiryReport(tools.clock, tools.logger);
    this.#timer = setInterval(() => void this.look(), LOOK_MS);
    this.#timer.unref();
  }

  /** Reads files that have changed and warns of what ends. Never rejects: logins tell what is wrong with files. */
  async look(): Promise<void> {
    const reading = this.#tablets()
      .filter(({ tls }) => tls.mode !== "DISABLED")
      .map(({ tls }) => this.contexts.contextFor(tls));
    await Promise.allSettled(reading);
    this.#report.look(this.expiries());
  }

  /** As they are known now. */
  expiries(): readonly Expiry[] {
    return this.contexts
      .livesOf(this.#tablets())
      .flatMap(({ what, path, lives }) => firstExpiry(what, path, lives) ?? []);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

// Certificate and key toward clients as one watched value: a pair that does not fit keeps the last good one.

import type { Clock } from "../base/clock.ts";
import { wholeFileProblem } from "../base/problem.ts";
import { Reloadable } from "../base/reloadable.ts";
import type { ClientTlsOptions } from "./gateway-options.ts";
import { nothingNamed, ReloadReport, type ReportTools } from "./reload-report.ts";
import { TlsAcceptor } from "./tls-acceptor.ts";

/** Files of a certificate are small; larger ones are refused, in bytes. */
const PEM_BYTES_MAX = 1024 * 1024;

/**
 * Loads certificate and key and watches both.
 * @throws FileProblemsError when they cannot be read or do not fit together.
 */
export function openClientTls(
  options: ClientTlsOptions,
  clock: Clock,
  tools: ReportTools,
): Promise<Reloadable<TlsAcceptor>> {
  const report = new ReloadReport({ name: "TLS certificate", path: options.certFile }, tools);
  return Reloadable.start<TlsAcceptor>({
    name: "TLS certificate",
    paths: [options.certFile, options.keyFile],
    bytesMax: PEM_BYTES_MAX,
    clock,
    load: ([cert, key]) => {
      if (cert === undefined || key === undefined) return { ok: false, problems: [] };
      try {
        const material = { cert: cert.bytes, key: key.bytes, minVersion: options.minVersion };
        return { ok: true, value: new TlsAcceptor(material) };
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        const message = `Cannot use certificate and key '${options.keyFile}': ${why}`;
        return { ok: false, problems: [wholeFileProblem(options.certFile, message)] };
      }
    },
    onEvent: (event) => report.handle(event, nothingNamed),
  });
}

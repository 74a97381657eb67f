// The files of TLS toward clients as one watched value: a set that does not fit together keeps the last good one. It also
// tells when something of the set ends, as nobody changes a file then.

import type { Clock } from "../base/clock.ts";
import { formatProblem, wholeFileProblem } from "../base/problem.ts";
import { type Loaded, Reloadable } from "../base/reloadable.ts";
import { type Expiry, ExpiryReport } from "./expiry.ts";
import type { ClientTlsOptions } from "./gateway-options.ts";
import { nothingNamed, ReloadReport, type ReportTools } from "./reload-report.ts";
import { TlsAcceptor } from "./tls-acceptor.ts";
import { readTlsFiles, tlsFileBytesMax, tlsPathsOf } from "./tls-files.ts";

/** What the rest of the gateway sees of it. */
export interface ClientTls {
  /** Accepts by the files in use. */
  current(): TlsAcceptor;
  /** What of them ends, and when. */
  expiries(): readonly Expiry[];
  reload(trigger: string): Promise<void>;
  close(): void;
}

interface Loading {
  readonly acceptor: TlsAcceptor;
  readonly expiries: readonly Expiry[];
}

/** How often it is looked whether something has come to its end, in milliseconds. */
const EXPIRY_CHECK_MS = 60_000;

/**
 * Loads the files and watches them.
 * @throws FileProblemsError when they cannot be read or do not fit together.
 */
export async function openClientTls(
  options: ClientTlsOptions,
  clock: Clock,
  tools: ReportTools,
): Promise<ClientTls> {
  const paths = tlsPathsOf(options);
  const report = new ReloadReport({ name: "TLS certificate", path: options.certFile }, tools);
  const expiryReport = new ExpiryReport(clock, tools.logger);
  const reloadable = await Reloadable.start<Loading>({
    name: "TLS certificate",
    paths,
    bytesMax: tlsFileBytesMax,
    clock,
    load: (contents): Loaded<Loading> => {
      const files = readTlsFiles(options, contents, clock.wallMs());
      if (!files.ok) return files;
      const { material, warnings, expiries } = files;
      try {
        const acceptor = new TlsAcceptor(material);
        for (const warning of warnings)
          tools.logger.warn(formatProblem(warning), { file: "TLS certificate" });
        return { ok: true, value: { acceptor, expiries } };
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        const message = `Cannot use the files ${paths.join(", ")} together: ${why}`;
        return { ok: false, problems: [wholeFileProblem(options.certFile, message)] };
      }
    },
    onEvent: (event) => {
      report.handle(event, nothingNamed);
      if (event.kind === "reloaded") expiryReport.look(event.value.expiries);
    },
  });
  expiryReport.look(reloadable.current().expiries);
  const timer = setInterval(() => expiryReport.look(reloadable.current().expiries), EXPIRY_CHECK_MS);
  timer.unref();
  return {
    current: () => reloadable.current().acceptor,
    expiries: () => reloadable.current().expiries,
    reload: async (trigger) => void (await reloadable.reload(trigger)),
    close: () => {
      clearInterval(timer);
      reloadable.close();
    },
  };
}

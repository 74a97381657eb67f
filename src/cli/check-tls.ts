// `gatehouse check` of the files of TLS toward clients: the judgement that loads them, told to people.

import { wholeFileProblem } from "../base/problem.ts";
import { expiryWarning } from "../server/expiry.ts";
import type { ClientTlsOptions } from "../server/gateway-options.ts";
import { TlsAcceptor } from "../server/tls-acceptor.ts";
import { readTlsFiles, tlsFileBytesMax, tlsPathsOf } from "../server/tls-files.ts";
import { counted, type Findings, readFound } from "./findings.ts";

/** Validates the set. */
export async function checkTls(
  options: ClientTlsOptions | null,
  nowMs: number,
  findings: Findings,
): Promise<void> {
  if (options === null) return;
  const found = await Promise.all(
    tlsPathsOf(options).map((path) => readFound(path, tlsFileBytesMax, findings)),
  );
  const contents = found.filter((content) => content !== null);
  if (contents.length < found.length) return;
  const files = readTlsFiles(options, contents, nowMs);
  if (!files.ok) {
    findings.problems.push(...files.problems);
    return;
  }
  try {
    new TlsAcceptor(files.material);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    findings.problems.push(wholeFileProblem(options.certFile, `Cannot use it with the other files: ${why}`));
    return;
  }
  findings.warnings.push(...files.warnings);
  for (const expiry of files.expiries) {
    const warning = expiryWarning(expiry, nowMs);
    if (warning === null) continue;
    // Who comes too late can serve nobody who looks at certificates; a list or CA may be replaced while serving.
    const list = expiry.what === "server" && nowMs >= expiry.endMs ? findings.problems : findings.warnings;
    list.push(wholeFileProblem(expiry.path, warning));
  }
  const end = files.expiries.find(({ what }) => what === "server")?.endMs ?? nowMs;
  findings.good.push(
    `${options.certFile}: certificate until ${new Date(end).toISOString().slice(0, 10)}, fits ${options.keyFile}`,
  );
  const { clientTrust } = files.material;
  if (clientTrust === null || options.clientTrust === null) return;
  const { caFile, crlFile } = options.clientTrust;
  findings.good.push(`${caFile}: ${counted(clientTrust.ca.length, "CA certificate")}`);
  if (crlFile !== null) findings.good.push(`${crlFile}: ${clientTrust.crl.length} revocation lists`);
}

// Files about servers that `gatehouse check` reads: passwords and certificates.

import { wholeFileProblem } from "../base/problem.ts";
import type { BackendTls } from "../routing/route.ts";
import { othersCanRead } from "../server/file-mode.ts";
import { type Findings, readFound } from "./findings.ts";

/** PEM, password and token files are small; larger ones are refused, in bytes. */
export const smallFileBytesMax: number = 1024 * 1024;

/** Are the files of TLS settings there, and PEM? */
export async function checkPemFiles({ ca, cert, key }: BackendTls, findings: Findings): Promise<void> {
  for (const path of [ca, cert, key]) {
    const content = path === null ? null : await readFound(path, smallFileBytesMax, findings);
    if (content !== null && !Buffer.from(content.bytes).includes("-----BEGIN ")) {
      findings.problems.push(wholeFileProblem(content.path, "The file must be PEM: it has no BEGIN line"));
    }
  }
}

/** Does a file hold a secret, and do only those read it who should? */
export async function checkSecretFile(path: string, what: string, findings: Findings): Promise<void> {
  const content = await readFound(path, smallFileBytesMax, findings);
  if (content === null) return;
  if (Buffer.from(content.bytes).toString().trim() === "") {
    findings.problems.push(wholeFileProblem(path, `The file must hold a ${what}: it is empty`));
  } else if (await othersCanRead(content)) {
    findings.warnings.push(
      wholeFileProblem(path, `Others may read the ${what}: run chmod o-rwx on the file`),
    );
  }
}

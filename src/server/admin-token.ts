// The token of admin HTTP, from its watched file. An empty file is no token but a mistake: the last good one stays.

import type { Clock } from "../base/clock.ts";
import { wholeFileProblem } from "../base/problem.ts";
import { Reloadable } from "../base/reloadable.ts";
import { nothingNamed, ReloadReport, type ReportTools } from "./reload-report.ts";

/** Longest token file, in bytes. */
const tokenFileBytesMax = 4096;

/**
 * Loads the token and watches its file.
 * @throws FileProblemsError when it cannot be read or is empty.
 */
export function openAdminToken(path: string, clock: Clock, tools: ReportTools): Promise<Reloadable<string>> {
  const report = new ReloadReport({ name: "admin token", path }, tools);
  return Reloadable.start<string>({
    name: "admin token",
    paths: [path],
    bytesMax: tokenFileBytesMax,
    clock,
    load: ([content]) => {
      const token = Buffer.from(content?.bytes ?? [])
        .toString("utf8")
        .trim();
      return /^\S+$/.test(token)
        ? { ok: true, value: token }
        : {
            ok: false,
            problems: [wholeFileProblem(path, "The file must hold one token without white space")],
          };
    },
    onEvent: (event) => report.handle(event, nothingNamed),
  });
}

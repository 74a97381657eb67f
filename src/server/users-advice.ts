// What of a users file cannot work with the flags beside it: the file alone is right, so nobody else would tell.

import { type Problem, wholeFileProblem } from "../base/problem.ts";
import type { Steps } from "../base/steps.ts";
import type { UserDirectory, UserEntry } from "../users/user-directory.ts";
import type { GatewayOptions } from "./gateway-options.ts";

/** Entries that are named in one sentence; the others are counted. */
const namedMax = 5;

/** Warnings about `directory`, which was read from `path`. */
export function* adviseAboutUsers(
  directory: UserDirectory,
  path: string,
  options: Pick<GatewayOptions, "auth" | "clientTls">,
): Steps<Problem[]> {
  const { auth, clientTls } = options;
  const advice: Problem[] = [];
  const spiffe: UserEntry[] = [];
  const mapped: UserEntry[] = [];
  let passwordOnly = false;
  for (const user of directory.userNames) {
    yield;
    for (const entry of directory.entriesOf(user) ?? []) {
      if (entry.spiffeId !== null) spiffe.push(entry);
      else if (entry.credentials.length > 0) passwordOnly = true;
      if (entry.proxyFor.length > 0) mapped.push(entry);
    }
  }
  if (spiffe.length > 0 && (clientTls?.clientTrust ?? null) === null) {
    const message = `${namesOf(spiffe)}: a spiffe_id can be proven only with --mysql_server_ssl_ca, so nobody can log in`;
    advice.push(wholeFileProblem(path, message));
  }
  if (mapped.length > 0 && auth.kind === "static" && !auth.proxyUsers.checkProxyUsers) {
    const message = `${namesOf(mapped)}: ProxyFor has no effect without --check_proxy_users`;
    advice.push(wholeFileProblem(path, message));
  }
  if (spiffe.length > 0 && passwordOnly && clientTls?.clientTrust?.isRequired === true) {
    const message =
      "Entries without spiffe_id demand a client certificate over TCP, too: --mysql_server_client_cert=request lets them in by password alone";
    advice.push(wholeFileProblem(path, message));
  }
  return advice;
}

function namesOf(entries: readonly UserEntry[]): string {
  const names = entries.slice(0, namedMax).map((entry) => `'${entry.user}[${entry.index}]'`);
  const rest = entries.length - names.length;
  return `${names.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

// `gatehouse check`: validates every file that the same flags would serve with, without serving. All problems at once.

import { createPrivateKey } from "node:crypto";
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { findPrograms } from "../backend/embedded/programs.ts";
import { jsonFileBytesMax } from "../base/json-file.ts";
import { formatProblem, wholeFileProblem } from "../base/problem.ts";
import { runAtOnce } from "../base/steps.ts";
import { isExample, othersCanRead } from "../server/file-mode.ts";
import type { BackendOptions, GatewayOptions, TableAclOptions } from "../server/gateway-options.ts";
import { adviseAboutUsers } from "../server/users-advice.ts";
import type { UserDirectory } from "../users/user-directory.ts";
import { readUsersFile } from "../users/users-file.ts";
import { splitArguments, UsageError } from "./arguments.ts";
import { checkPemFiles, checkSecretFile, smallFileBytesMax } from "./check-backend-files.ts";
import { checkTableAcl } from "./check-table-acl.ts";
import { checkTls } from "./check-tls.ts";
import { checkTopology } from "./check-topology.ts";
import type { CommandContext, ExitCode } from "./command.ts";
import { counted, type Findings, readFound } from "./findings.ts";
import { serveFlags } from "./flags.ts";
import { formatHelp } from "./help.ts";
import type { ServeOptions } from "./options.ts";
import { readServeOptions } from "./serve.ts";

/** Validates everything. @throws UsageError for wrong flags */
export async function check(context: CommandContext): Promise<ExitCode> {
  const split = splitArguments(context.argv, serveFlags);
  if (split.help) {
    const about = [
      "Takes the flags of serve, validates every file that they name, and says what is wrong, with line and column. Exit code 1 when there is a problem.",
    ];
    context.print(formatHelp({ usage: "gatehouse check [flags]", about }, serveFlags, context.width));
    return 0;
  }
  if (split.words.length > 0)
    throw new UsageError(`Unexpected word '${split.words[0]}': check takes flags only`);
  const { options, settings } = readServeOptions(context);
  const findings: Findings = { problems: [], warnings: [], good: [] };
  const users = await checkAuth(options.gateway, findings);
  await checkAcl(options.gateway.tableAcl, users, findings);
  await checkTls(options.gateway.clientTls, context.clock.wallMs(), findings);
  await checkBackend(options.gateway.backend, context, findings);
  const tokenFile = options.gateway.admin?.tokenFile ?? null;
  if (tokenFile !== null) await checkSecretFile(tokenFile, "token", findings);
  checkFolders(options, findings);
  for (const warning of settings.warnings) context.complain(`warning: ${warning}`);
  for (const warning of findings.warnings) context.complain(`warning: ${formatProblem(warning)}`);
  for (const problem of findings.problems) context.complain(formatProblem(problem));
  for (const line of findings.good) context.print(line);
  return findings.problems.length === 0 ? 0 : 1;
}

/** Returns the users; null where they are bad or not known. */
async function checkAuth(gateway: GatewayOptions, findings: Findings): Promise<UserDirectory | null> {
  const { auth } = gateway;
  let users: UserDirectory | null = null;
  if (auth.kind === "none") {
    findings.good.push("Logins are not judged: everybody gets in (--mysql_auth_server_impl=none)");
    return null;
  }
  if (auth.kind === "clientcert") {
    findings.good.push(
      "Logins are judged by the client's certificate: its common name is the user (--mysql_auth_server_impl=clientcert)",
    );
    return null;
  }
  if (auth.users.kind === "text") {
    users = checkUsersText(auth.users.text, "--mysql_auth_server_static_string", gateway, findings);
  } else if (auth.users.kind === "file") {
    const content = await readFound(auth.users.path, jsonFileBytesMax, findings);
    if (content !== null) {
      if ((auth.strictFileMode || !isExample(content.path)) && (await othersCanRead(content))) {
        const message = "Others than its owner and group may read the file: run chmod o-rwx on it";
        const list = auth.strictFileMode ? findings.problems : findings.warnings;
        list.push(wholeFileProblem(content.path, message));
      }
      users = checkUsersText(content.bytes, content.path, gateway, findings);
    }
  }
  if (auth.rsaPrivateKeyFile !== null) await checkRsaKey(auth.rsaPrivateKeyFile, findings);
  return users;
}

async function checkAcl(
  options: TableAclOptions | null,
  users: UserDirectory | null,
  findings: Findings,
): Promise<void> {
  if (options === null) return;
  const content = await readFound(options.path, jsonFileBytesMax, findings);
  if (content === null) return;
  const found = checkTableAcl(content, options, users);
  findings.problems.push(...found.problems);
  findings.warnings.push(...found.warnings);
  findings.good.push(...found.good);
}

function checkUsersText(
  text: string | Uint8Array,
  path: string,
  gateway: GatewayOptions,
  findings: Findings,
): UserDirectory | null {
  const result = readUsersFile(text, path, 1);
  if (!result.ok) {
    findings.problems.push(...result.problems);
    return null;
  }
  const { directory } = result;
  findings.warnings.push(...result.warnings, ...runAtOnce(adviseAboutUsers(directory, path, gateway)));
  const entries = directory.userNames.reduce(
    (sum, user) => sum + (directory.entriesOf(user)?.length ?? 0),
    0,
  );
  findings.good.push(
    `${path}: ${counted(directory.userNames.length, "user")}, ${entries} ${entries === 1 ? "entry" : "entries"}`,
  );
  return directory;
}

async function checkRsaKey(path: string, findings: Findings): Promise<void> {
  const content = await readFound(path, smallFileBytesMax, findings);
  if (content === null) return;
  try {
    const key = createPrivateKey(Buffer.from(content.bytes));
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
    if (key.asymmetricKeyType !== "rsa" || bits < 2048) {
      findings.problems.push(wholeFileProblem(path, "The key must be an RSA key of at least 2048 bits"));
    } else {
      findings.good.push(`${path}: RSA key of ${bits} bits`);
    }
  } catch {
    findings.problems.push(wholeFileProblem(path, "Cannot read a private key (PEM, without a passphrase)"));
  }
}

async function checkBackend(
  backend: BackendOptions,
  context: CommandContext,
  findings: Findings,
): Promise<void> {
  if (backend.kind === "topology") {
    await checkTopology(backend.path, context.environment, findings);
    return;
  }
  if (backend.kind === "embedded") {
    const programs = findPrograms(context.environment.PATH ?? "");
    if (typeof programs === "string") {
      findings.problems.push(
        wholeFileProblem("--backend=embedded", `Cannot run the embedded database: ${programs}`),
      );
    } else {
      const message = `The embedded database will serve, with its own data in ${backend.dataDirectory}: --backend names a real one`;
      findings.warnings.push(wholeFileProblem("--backend=embedded", message));
    }
    return;
  }
  if (backend.password.kind === "file") await checkSecretFile(backend.password.path, "password", findings);
  await checkPemFiles(backend.tls, findings);
}

/** Files that are written at start need a folder. */
function checkFolders(options: ServeOptions, findings: Findings): void {
  const { logFile, auditLogFile, queryLog, pidFile } = options.process;
  const logs = [logFile, auditLogFile, queryLog?.path ?? null];
  for (const path of [...logs, pidFile, options.gateway.listen.unixSocketPath]) {
    if (path === null) continue;
    try {
      if (statSync(dirname(path)).isDirectory()) continue;
    } catch {
      // Told below.
    }
    findings.problems.push(wholeFileProblem(path, "Its folder does not exist"));
  }
}

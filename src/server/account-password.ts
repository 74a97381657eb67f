// The password of one account of a topology file: from a file, which is watched, or from the environment. It stays
// behind a function, so that nothing prints it.

import type { Clock } from "../base/clock.ts";
import type { FileContent } from "../base/file-content.ts";
import { type Problem, wholeFileProblem } from "../base/problem.ts";
import { type Loaded, Reloadable } from "../base/reloadable.ts";
import type { BackendAccount } from "../routing/route.ts";
import type { AccountConfig } from "../routing/topology.ts";
import { nothingNamed, ReloadReport, type ReportTools } from "./reload-report.ts";

/** Longest password file, in bytes. */
const passwordFileBytesMax = 4096;

/** What opening a password needs. */
export interface PasswordTools extends ReportTools {
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The file that names the accounts. */
  readonly topologyPath: string;
  /** A number that was never given before: pools take the account with the higher one as the newer. */
  readonly nextGeneration: () => number;
}

/** An account with its password. */
export interface OpenAccount {
  readonly config: AccountConfig;
  current(): BackendAccount;
  reload(trigger: string): Promise<void>;
  close(): void;
}

/**
 * Reads the password. `onChange`: told when it has changed.
 * @throws FileProblemsError when the file cannot be read or holds no password.
 */
export async function openAccount(
  config: AccountConfig,
  tools: PasswordTools,
  onChange: () => void,
): Promise<OpenAccount | Problem> {
  const { name, user, secret } = config;
  const made = (text: string): BackendAccount => ({
    name,
    user,
    password: () => text,
    generation: tools.nextGeneration(),
  });
  if (secret.kind === "env") {
    const text = tools.environment[secret.variable];
    if (text === undefined || text === "") {
      const message = `Environment variable ${secret.variable} must hold the password of account ${JSON.stringify(name)}: it is ${text === "" ? "empty" : "not set"}`;
      return wholeFileProblem(tools.topologyPath, message);
    }
    const account = made(text);
    return { config, current: () => account, reload: async () => {}, close: () => {} };
  }
  const { path } = secret;
  const file = `password of account ${name}`;
  const reports: { current: ReloadReport | null } = { current: null };
  const reloadable = await Reloadable.start<BackendAccount>({
    name: file,
    paths: [path],
    bytesMax: passwordFileBytesMax,
    clock: tools.clock,
    load: ([content]) => readPassword(content, path, made),
    onEvent: (event) => reports.current?.handle(event, nothingNamed),
  });
  const report = new ReloadReport({ name: file, path }, tools);
  reports.current = report;
  reloadable.subscribe(onChange);
  return {
    config,
    current: () => reloadable.current(),
    reload: async (trigger) => void (await reloadable.reload(trigger)),
    close: () => {
      reloadable.close();
      report.forget();
    },
  };
}

function readPassword(
  content: FileContent | undefined,
  path: string,
  made: (text: string) => BackendAccount,
): Loaded<BackendAccount> {
  const text = Buffer.from(content?.bytes ?? [])
    .toString("utf8")
    .replace(/\r?\n$/, "");
  if (text === "" || /[\0\r\n]/.test(text))
    return { ok: false, problems: [wholeFileProblem(path, "The file must hold one password, on one line")] };
  return { ok: true, value: made(text) };
}

// The account that the gateway uses on its server. A password in a file is watched: every content has a generation, and
// connections of an older one are replaced.

import type { Clock } from "../base/clock.ts";
import type { FileContent } from "../base/file-content.ts";
import { wholeFileProblem } from "../base/problem.ts";
import { type Loaded, Reloadable } from "../base/reloadable.ts";
import type { BackendAccount } from "../routing/route.ts";
import type { BackendOptions } from "./gateway-options.ts";
import { nothingNamed, ReloadReport, type ReportTools } from "./reload-report.ts";

/** Longest password file, in bytes. */
const passwordFileBytesMax = 4096;

/** The account as it is now, and its file. */
export interface BackendAccountSource {
  current(): BackendAccount;
  /** Called after the password has changed. */
  subscribe(listener: () => void): void;
  reload(trigger: string): Promise<void>;
  close(): void;
}

/**
 * Reads the password for the first time and watches its file, if it stands in one.
 * @throws FileProblemsError when the file cannot be read or holds no password.
 */
export async function openBackendAccount(
  backend: BackendOptions & { readonly kind: "server" },
  clock: Clock,
  tools: ReportTools,
): Promise<BackendAccountSource> {
  const { user, password } = backend;
  if (password.kind === "inline") {
    return fixedAccount({ name: "default", user, password: password.reveal, generation: 1 });
  }
  const { path } = password;
  const report = new ReloadReport({ name: "backend password", path }, tools);
  const reloadable = await Reloadable.start<BackendAccount>({
    name: "backend password",
    paths: [path],
    bytesMax: passwordFileBytesMax,
    clock,
    load: ([content], generation) => loadPassword(content, path, user, generation),
    onEvent: (event) => report.handle(event, nothingNamed),
  });
  return {
    current: () => reloadable.current(),
    subscribe: (listener) => void reloadable.subscribe(listener),
    reload: async (trigger) => void (await reloadable.reload(trigger)),
    close: () => reloadable.close(),
  };
}

/** An account that never changes, as the embedded database's. */
export function fixedAccount(account: BackendAccount): BackendAccountSource {
  return { current: () => account, subscribe: () => {}, reload: async () => {}, close: () => {} };
}

function loadPassword(
  content: FileContent | undefined,
  path: string,
  user: string,
  generation: number,
): Loaded<BackendAccount> {
  const text = Buffer.from(content?.bytes ?? [])
    .toString("utf8")
    .replace(/\r?\n$/, "");
  if (text === "" || /[\0\r\n]/.test(text)) {
    return { ok: false, problems: [wholeFileProblem(path, "The file must hold one password, on one line")] };
  }
  return { ok: true, value: { name: "default", user, password: () => text, generation } };
}

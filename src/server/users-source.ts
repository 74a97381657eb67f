// The users of a gateway: a watched file, or a text given at start. Every reload makes a whole new directory or changes
// nothing.

import { assert } from "../base/assert.ts";
import type { Clock } from "../base/clock.ts";
import type { FileContent } from "../base/file-content.ts";
import { formatProblem, type Problem, wholeFileProblem } from "../base/problem.ts";
import { FileProblemsError, type Loaded, Reloadable } from "../base/reloadable.ts";
import { describeChanges } from "../users/directory-changes.ts";
import type { UserDirectory } from "../users/user-directory.ts";
import { readUsersFile, readUsersFileInSteps } from "../users/users-file.ts";
import { isExample, othersCanRead } from "./file-mode.ts";
import type { UsersHook } from "./gateway-hooks.ts";
import type { AuthOptions } from "./gateway-options.ts";
import type { GatewayTools } from "./gateway-seam.ts";
import { ReloadReport, type ReportTools } from "./reload-report.ts";
import { openUsersHook } from "./users-hook.ts";

/** What the rest of the gateway sees of it. */
export interface Users {
  current(): UserDirectory;
  /** Called after every swap. */
  subscribe(listener: (directory: UserDirectory, previous: UserDirectory) => void): void;
  /** Whether the file on disk is bad and an older content is in use. */
  stale(): boolean;
  reload(trigger: string): Promise<void>;
  close(): void;
}

/** Judges a users file by what stands around it: warnings. */
export type Advise = (directory: UserDirectory, path: string) => readonly Problem[];

/** All processes of a gateway give an entry the same fingerprint. */
type UsersTools = ReportTools & Pick<GatewayTools, "seat">;

type StaticAuthOptions = Extract<AuthOptions, { kind: "static" }>;

/**
 * Loads the users for the first time.
 * @throws FileProblemsError with every problem of the file.
 */
export async function openUsers(
  auth: StaticAuthOptions,
  advise: Advise,
  clock: Clock,
  tools: UsersTools,
  hook?: UsersHook,
): Promise<Users> {
  const source = auth.users;
  if (source.kind === "hook") {
    assert(hook !== undefined, "users of a hook, and none is given");
    return openUsersHook(hook, advise, tools);
  }
  if (source.kind === "text") return fixedUsers(source.text, advise, tools);
  const report = new ReloadReport({ name: "users file", path: source.path }, tools);
  // A file that is written anew is as open as before: once is enough.
  let toldOpenness = false;
  const reloadable = await Reloadable.start<UserDirectory>({
    name: "users file",
    paths: [source.path],
    clock,
    load: async ([content], generation) => {
      if (content === undefined) return { ok: false, problems: [] };
      const openness = (await othersCanRead(content)) ? opennessOf(content.path) : null;
      if (openness !== null && auth.strictFileMode) return { ok: false, problems: [openness] };
      if (openness !== null && !toldOpenness && !isExample(content.path)) warn([openness], tools);
      toldOpenness = openness !== null;
      return loadUsers(content, generation, advise, tools);
    },
    onEvent: (event) =>
      report.handle(event, (previous, value) => {
        const changes = describeChanges(previous, value);
        return {
          added: [...changes.usersAdded, ...changes.entriesAdded],
          removed: [...changes.usersRemoved, ...changes.entriesRemoved],
          changed: changes.usersChanged,
        };
      }),
  });
  const interval =
    source.reloadIntervalMs > 0
      ? setInterval(() => void reloadable.reload("interval"), source.reloadIntervalMs)
      : null;
  interval?.unref();
  return {
    current: () => reloadable.current(),
    subscribe: (listener) => void reloadable.subscribe(listener),
    stale: () => reloadable.lastFailure !== null,
    reload: async (trigger) => void (await reloadable.reload(trigger)),
    close: () => {
      if (interval !== null) clearInterval(interval);
      reloadable.close();
    },
  };
}

async function loadUsers(
  content: FileContent,
  generation: number,
  advise: Advise,
  tools: UsersTools,
): Promise<Loaded<UserDirectory>> {
  const key = tools.seat?.fingerprintKey;
  const result = await readUsersFileInSteps(content.bytes, content.path, generation, key);
  if (!result.ok) return result;
  warn([...result.warnings, ...advise(result.directory, content.path)], tools);
  return { ok: true, value: result.directory };
}

function opennessOf(path: string): Problem {
  return wholeFileProblem(path, "Others than its owner and group may read the file: run chmod o-rwx on it");
}

function warn(warnings: readonly Problem[], tools: UsersTools): void {
  for (const warning of warnings) tools.logger.warn(formatProblem(warning), { file: "users file" });
}

function fixedUsers(text: string, advise: Advise, tools: UsersTools): Users {
  const path = "--mysql_auth_server_static_string";
  const result = readUsersFile(text, path, 1, tools.seat?.fingerprintKey);
  if (!result.ok) throw new FileProblemsError(result.problems);
  warn([...result.warnings, ...advise(result.directory, path)], tools);
  return {
    current: () => result.directory,
    subscribe: () => {},
    stale: () => false,
    reload: async () => {},
    close: () => {},
  };
}

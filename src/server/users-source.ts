// The users of a gateway: a watched file, or a text given at start. Every reload makes a whole new directory or changes
// nothing.

import { assert } from "../base/assert.ts";
import type { Clock } from "../base/clock.ts";
import type { FileContent } from "../base/file-content.ts";
import { formatProblem, type Problem, wholeFileProblem } from "../base/problem.ts";
import { FileProblemsError, type Loaded, Reloadable } from "../base/reloadable.ts";
import { runAtOnce, runInSteps, type Steps } from "../base/steps.ts";
import { type DirectoryChanges, describeChanges, stepsOfChanges } from "../users/directory-changes.ts";
import type { UserDirectory } from "../users/user-directory.ts";
import { readUsersFile, readUsersFileInSteps } from "../users/users-file.ts";
import { isExample, othersCanRead } from "./file-mode.ts";
import type { UsersHook } from "./gateway-hooks.ts";
import type { AuthOptions } from "./gateway-options.ts";
import type { GatewayTools } from "./gateway-seam.ts";
import { type ChangedNames, ReloadReport, type ReportTools } from "./reload-report.ts";
import { openUsersHook } from "./users-hook.ts";

/** What the rest of the gateway sees of it. */
export interface Users {
  current(): UserDirectory;
  /** Called before every swap, for work that is done in steps; what it returns is called at the swap. */
  prepare(prepare: PrepareSwap): void;
  /** Called after every swap. */
  subscribe(listener: (directory: UserDirectory, previous: UserDirectory) => void): void;
  /** Whether the file on disk is bad and an older content is in use. */
  stale(): boolean;
  /** When what is in use was loaded, in milliseconds since the epoch. */
  loadedAtMs(): number;
  reload(trigger: string): Promise<void>;
  close(): void;
}

/** See {@link Users.prepare}. */
export type PrepareSwap = (directory: UserDirectory, previous: UserDirectory) => Steps<() => void>;

/** Judges a users file by what stands around it: warnings. */
export type Advise = (directory: UserDirectory, path: string) => Steps<readonly Problem[]>;

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
  const swap = new Swap();
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
      const loaded = await loadUsers(content, generation, advise, tools);
      if (loaded.ok) await swap.prepare(loaded.value);
      return loaded;
    },
    onEvent: (event) => report.handle(event, (previous, value) => swap.namesOfChanges(previous, value)),
  });
  swap.begin(reloadable);
  const interval =
    source.reloadIntervalMs > 0
      ? setInterval(() => void reloadable.reload("interval"), source.reloadIntervalMs)
      : null;
  interval?.unref();
  return {
    current: () => reloadable.current(),
    prepare: (prepare) => swap.listeners.push(prepare),
    subscribe: (listener) => void reloadable.subscribe(listener),
    stale: () => reloadable.lastFailure !== null,
    loadedAtMs: () => reloadable.loadedAtMs,
    reload: async (trigger) => void (await reloadable.reload(trigger)),
    close: () => {
      if (interval !== null) clearInterval(interval);
      reloadable.close();
    },
  };
}

/** What is done in steps before a swap, so that the swap itself is short. Loads and swaps never overlap. */
class Swap {
  readonly listeners: PrepareSwap[] = [];
  #current: () => UserDirectory | null = () => null;
  #prepared: {
    readonly directory: UserDirectory;
    readonly previous: UserDirectory;
    readonly changes: DirectoryChanges;
    readonly finish: readonly (() => void)[];
  } | null = null;

  begin(reloadable: Reloadable<UserDirectory>): void {
    this.#current = () => reloadable.current();
    reloadable.subscribe((directory) => {
      if (this.#prepared?.directory === directory) for (const finish of this.#prepared.finish) finish();
      this.#prepared = null;
    });
  }

  async prepare(directory: UserDirectory): Promise<void> {
    const previous = this.#current();
    if (previous === null) return;
    const changes = await runInSteps(stepsOfChanges(previous, directory));
    const finish: (() => void)[] = [];
    for (const listener of this.listeners) finish.push(await runInSteps(listener(directory, previous)));
    this.#prepared = { directory, previous, changes, finish };
  }

  namesOfChanges(previous: UserDirectory, directory: UserDirectory): ChangedNames {
    const prepared = this.#prepared;
    const isPrepared = prepared?.directory === directory && prepared.previous === previous;
    const changes = isPrepared ? prepared.changes : describeChanges(previous, directory);
    return {
      added: [...changes.usersAdded, ...changes.entriesAdded],
      removed: [...changes.usersRemoved, ...changes.entriesRemoved],
      changed: changes.usersChanged,
    };
  }
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
  warn([...result.warnings, ...(await runInSteps(advise(result.directory, content.path)))], tools);
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
  const loadedAtMs = tools.clock.wallMs();
  warn([...result.warnings, ...runAtOnce(advise(result.directory, path))], tools);
  return {
    current: () => result.directory,
    prepare: () => {},
    subscribe: () => {},
    stale: () => false,
    loadedAtMs: () => loadedAtMs,
    reload: async () => {},
    close: () => {},
  };
}

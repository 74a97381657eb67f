// Users that code given from outside knows: loaded at the start and whenever that code says so, validated as the users
// file is. A bad answer changes nothing.

import { formatProblem, type Problem, wholeFileProblem } from "../base/problem.ts";
import { FileProblemsError } from "../base/reloadable.ts";
import { runInSteps } from "../base/steps.ts";
import { describeChanges } from "../users/directory-changes.ts";
import type { UserDirectory } from "../users/user-directory.ts";
import { readUsersFileInSteps, type UsersFileResult } from "../users/users-file.ts";
import type { UsersHook } from "./gateway-hooks.ts";
import { ReloadReport, type ReportTools } from "./reload-report.ts";
import type { Advise, PrepareSwap, Users } from "./users-source.ts";

/** What stands for the file in logs and problems. */
const place = "users hook";

type Listener = (directory: UserDirectory, previous: UserDirectory) => void;

/** @throws FileProblemsError when the first answer cannot be used; whatever the hook throws at first */
export async function openUsersHook(hook: UsersHook, advise: Advise, tools: ReportTools): Promise<Users> {
  const first = await readUsersFileInSteps(JSON.stringify(await hook.load()), place, 1);
  if (!first.ok) throw new FileProblemsError(first.problems);
  const report = new ReloadReport({ name: "users file", path: place }, tools);
  const warn = async (directory: UserDirectory): Promise<void> => {
    for (const warning of await runInSteps(advise(directory, place)))
      tools.logger.warn(formatProblem(warning), { file: "users file" });
  };
  await warn(first.directory);
  const users = new HookedUsers(hook, first.directory, report, warn);
  users.watch();
  return users;
}

class HookedUsers implements Users {
  readonly #hook: UsersHook;
  readonly #report: ReloadReport;
  readonly #warn: (directory: UserDirectory) => Promise<void>;
  readonly #listeners: Listener[] = [];
  readonly #prepares: PrepareSwap[] = [];
  #directory: UserDirectory;
  #stopWatching: () => void = () => {};
  #loading: Promise<void> | null = null;
  /** Asked for while a load was under way: one more follows. */
  #again: string | null = null;
  #closed = false;

  constructor(
    hook: UsersHook,
    directory: UserDirectory,
    report: ReloadReport,
    warn: (directory: UserDirectory) => Promise<void>,
  ) {
    this.#hook = hook;
    this.#directory = directory;
    this.#report = report;
    this.#warn = warn;
  }

  watch(): void {
    this.#stopWatching = this.#hook.watch?.(() => void this.reload("hook")) ?? this.#stopWatching;
  }

  current(): UserDirectory {
    return this.#directory;
  }

  prepare(prepare: PrepareSwap): void {
    this.#prepares.push(prepare);
  }

  loadedAtMs(): number {
    return this.#report.loadedAtMs;
  }

  subscribe(listener: Listener): void {
    this.#listeners.push(listener);
  }

  stale(): boolean {
    return this.#report.failure !== null;
  }

  /** Loads anew; calls that come meanwhile are answered by one more load. Never rejects. */
  async reload(trigger: string): Promise<void> {
    if (this.#loading !== null) {
      this.#again = trigger;
      await this.#loading;
      return;
    }
    this.#loading = this.#loadUntilSettled(trigger);
    await this.#loading;
    this.#loading = null;
  }

  close(): void {
    this.#closed = true;
    this.#stopWatching();
  }

  async #loadUntilSettled(first: string): Promise<void> {
    let trigger: string | null = first;
    while (trigger !== null && !this.#closed) {
      await this.#load(trigger);
      trigger = this.#again;
      this.#again = null;
    }
  }

  async #load(trigger: string): Promise<void> {
    const generation = this.#report.generation + 1;
    const result = await this.#read(generation);
    if (this.#closed) return;
    if (!result.ok) {
      this.#report.handle({ kind: "failed", trigger, problems: result.problems }, () => nothing);
      return;
    }
    const previous = this.#directory;
    await this.#warn(result.directory);
    const finish: (() => void)[] = [];
    for (const prepare of this.#prepares) finish.push(await runInSteps(prepare(result.directory, previous)));
    if (this.#closed) return;
    this.#directory = result.directory;
    for (const one of finish) one();
    this.#report.handle(
      { kind: "reloaded", trigger, previous, value: result.directory, generation },
      changesOf,
    );
    for (const listener of this.#listeners) listener(result.directory, previous);
  }

  async #read(generation: number): Promise<UsersFileResult> {
    try {
      return await readUsersFileInSteps(JSON.stringify(await this.#hook.load()), place, generation);
    } catch (error) {
      // The message may hold anything: only that it failed is told, and the kind of error.
      const kind = error instanceof Error ? error.name : typeof error;
      const problems: Problem[] = [wholeFileProblem(place, `The users hook has thrown (${kind})`)];
      return { ok: false, problems };
    }
  }
}

const nothing = { added: [], removed: [], changed: [] };

function changesOf(previous: UserDirectory, value: UserDirectory) {
  const changes = describeChanges(previous, value);
  return {
    added: [...changes.usersAdded, ...changes.entriesAdded],
    removed: [...changes.usersRemoved, ...changes.entriesRemoved],
    changed: changes.usersChanged,
  };
}

// The accounts of a topology: opened before the topology is taken into use, all or none; those that a reload leaves as
// they are stay open.

import { isDeepStrictEqual } from "node:util";
import { assert } from "../base/assert.ts";
import type { Problem } from "../base/problem.ts";
import { FileProblemsError } from "../base/reloadable.ts";
import type { BackendAccount } from "../routing/route.ts";
import type { AccountConfig, Topology } from "../routing/topology.ts";
import { type OpenAccount, openAccount, type PasswordTools } from "./account-password.ts";

/** The accounts of one topology. */
export class TopologyAccounts {
  readonly #tools: Omit<PasswordTools, "nextGeneration">;
  #open = new Map<string, OpenAccount>();
  #generation = 0;
  #listener: () => void = () => {};

  constructor(tools: Omit<PasswordTools, "nextGeneration">) {
    this.#tools = tools;
  }

  /** Called whenever a password has changed. */
  subscribe(listener: () => void): void {
    this.#listener = listener;
  }

  /**
   * Opens what a topology needs and is not open yet. Nothing of the accounts in use changes before `take`.
   * `problems` are all that stand against it; then nothing stays open.
   */
  async prepare(topology: Topology): Promise<PreparedAccounts> {
    const problems: Problem[] = [];
    const next = new Map<string, OpenAccount>();
    const opened: OpenAccount[] = [];
    for (const config of configsOf(topology)) {
      const known = this.#open.get(config.name);
      if (known !== undefined && isDeepStrictEqual(known.config, config)) {
        next.set(config.name, known);
        continue;
      }
      const account = await this.#openOne(config, problems);
      if (account === null) continue;
      next.set(config.name, account);
      opened.push(account);
    }
    if (problems.length > 0) for (const account of opened) account.close();
    return { problems, next };
  }

  /** Uses prepared accounts from now on; closes those that are not among them. */
  take({ next }: PreparedAccounts): void {
    const before = this.#open;
    this.#open = new Map(next);
    for (const [name, account] of before) if (next.get(name) !== account) account.close();
  }

  /** The account of this name, as it is now. */
  current(name: string): BackendAccount {
    const account = this.#open.get(name) ?? this.#open.get("default");
    assert(account !== undefined, "no account is open");
    return account.current();
  }

  async reload(trigger: string): Promise<void> {
    await Promise.all([...this.#open.values()].map((account) => account.reload(trigger)));
  }

  close(): void {
    for (const account of this.#open.values()) account.close();
  }

  async #openOne(config: AccountConfig, problems: Problem[]): Promise<OpenAccount | null> {
    const nextGeneration = (): number => {
      this.#generation += 1;
      return this.#generation;
    };
    try {
      const account = await openAccount(config, { ...this.#tools, nextGeneration }, () => this.#listener());
      if ("current" in account) return account;
      problems.push(account);
    } catch (error) {
      if (!(error instanceof FileProblemsError)) throw error;
      problems.push(...error.problems);
    }
    return null;
  }
}

/** See `prepare`. */
export interface PreparedAccounts {
  readonly problems: readonly Problem[];
  readonly next: ReadonlyMap<string, OpenAccount>;
}

/** All accounts of a topology. */
export function configsOf({ accounts }: Topology): readonly AccountConfig[] {
  const { monitor, byUserData } = accounts;
  return [accounts.default, ...(monitor === null ? [] : [monitor]), ...byUserData.values()];
}

// KILL QUERY over a connection of its own, logged in with the account of the lease: nobody else may kill its thread.
// https://dev.mysql.com/doc/refman/8.4/en/kill.html

import { setMaxListeners } from "node:events";
import type { BackendAccount, Tablet } from "../routing/route.ts";
import type { BackendConnectionId } from "./backend-connection.ts";
import { killQueryCommand } from "./housekeeping.ts";
import type { PoolLimits, PoolTools } from "./pool-settings.ts";
import { converseOn } from "./pooled-connection.ts";

/** Whose statement. */
export interface KillTarget {
  readonly tablet: Tablet;
  readonly account: BackendAccount;
  readonly threadId: BackendConnectionId;
}

/** Control connections at a time, in the whole process; more wait. */
const underWayMax = 16;
/** Kills that wait for one; beyond, a kill is given up at once (its caller closes the connection instead). */
const waitingMax = 1024;

/** Kills statements, a few at a time. */
export class KillQuery {
  readonly #tools: PoolTools & { readonly limits: PoolLimits };
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;
  /** Aborted when kills under way are given up: the pool has closed, and their time is over. */
  readonly #givingUp = new AbortController();
  #onIdle: () => void = () => {};

  constructor(tools: PoolTools & { readonly limits: PoolLimits }) {
    this.#tools = tools;
    setMaxListeners(0, this.#givingUp.signal);
  }

  /** Resolves when no kill is left; those that a server does not answer within `graceMs` are given up. */
  async close(graceMs: number): Promise<void> {
    if (this.#underWay === 0) return;
    const timeout = setTimeout(() => this.#givingUp.abort(), graceMs);
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
    clearTimeout(timeout);
  }

  /**
   * Resolves when the kill is done, has failed (logged), or is pointless because `stillHeld` turned false: the thread
   * may serve somebody else by then. Never rejects.
   */
  async kill(target: KillTarget, stillHeld: () => boolean): Promise<void> {
    const { observer } = this.#tools;
    if (this.#waiting.length >= waitingMax) {
      observer.connectionClosed(target.tablet.alias, "a kill was given up: too many wait");
      return;
    }
    if (this.#underWay >= underWayMax) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#underWay += 1;
    try {
      if (stillHeld() && !this.#givingUp.signal.aborted) await this.#killNow(target, stillHeld);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      observer.loginFailed(target.tablet.alias, target.account.name, `KILL QUERY failed: ${why}`);
    } finally {
      this.#underWay -= 1;
      this.#waiting.shift()?.();
      // Whoever waited is counted when its turn comes, which is a moment later.
      queueMicrotask(() => {
        if (this.#underWay === 0) this.#onIdle();
      });
    }
  }

  async #killNow(target: KillTarget, stillHeld: () => boolean): Promise<void> {
    const { logIn, limits } = this.#tools;
    const control = await logIn({
      tablet: target.tablet,
      account: target.account,
      clientCapabilities: 0,
      collation: null,
      timeoutMs: limits.loginTimeoutMs,
      signal: this.#givingUp.signal,
    });
    const giveUp = (): void => control.channel.destroy();
    this.#givingUp.signal.addEventListener("abort", giveUp);
    try {
      // An ERR (1094) says that the thread is gone already: as good as killed.
      if (stillHeld())
        await converseOn(control, [killQueryCommand(target.threadId)], limits.housekeepingTimeoutMs);
    } finally {
      this.#givingUp.signal.removeEventListener("abort", giveUp);
      control.channel.destroy();
    }
  }
}

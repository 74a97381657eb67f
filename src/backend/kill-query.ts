// KILL QUERY over a connection of its own, logged in with the account of the lease: nobody else may kill its thread.
// https://dev.mysql.com/doc/refman/8.4/en/kill.html

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

  constructor(tools: PoolTools & { readonly limits: PoolLimits }) {
    this.#tools = tools;
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
      if (stillHeld()) await this.#killNow(target, stillHeld);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      observer.loginFailed(target.tablet.alias, target.account.name, `KILL QUERY failed: ${why}`);
    } finally {
      this.#underWay -= 1;
      this.#waiting.shift()?.();
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
    });
    try {
      // An ERR (1094) says that the thread is gone already: as good as killed.
      if (stillHeld())
        await converseOn(control, [killQueryCommand(target.threadId)], limits.housekeepingTimeoutMs);
    } finally {
      control.channel.destroy();
    }
  }
}

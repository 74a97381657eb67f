// Connections over which the pool itself talks to its server just now: to prepare them for a session, to clean them, to
// learn what it owes to a session that has left. A server that hangs must not keep anybody who waits for that.

import type { CutManner } from "../routing/judge-keyspace.ts";
import type { Waiter } from "./pool-waiter.ts";
import type { PooledConnection } from "./pooled-connection.ts";

/** See the file's head. */
export class PoolErrands {
  readonly #underWay = new Map<PooledConnection, Waiter | null>();
  readonly #timeoutMs: number;

  /** `timeoutMs`: for one conversation. */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Talks over a connection that nobody else uses; `waiter`: the session for whom, null: none. */
  async run<Result>(
    connection: PooledConnection,
    waiter: Waiter | null,
    talk: (timeoutMs: number) => Promise<Result>,
  ): Promise<Result> {
    this.#underWay.set(connection, waiter);
    try {
      return await talk(this.#timeoutMs);
    } finally {
      this.#underWay.delete(connection);
    }
  }

  /** The server is left: returns the sessions for whom connections were prepared. `now`: conversations end at once. */
  cut(manner: CutManner, reason: string): Waiter[] {
    const waiters: Waiter[] = [];
    for (const [connection, waiter] of [...this.#underWay]) {
      if (waiter !== null) waiters.push(waiter);
      if (manner === "now") connection.interrupt(reason);
    }
    return waiters;
  }
}

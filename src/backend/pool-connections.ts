// The connections of one account on one server, from login to close: how many there are, with which credential they log
// in, when they are too old. Knows no session and no waiter.

import type { BackendAccount, Tablet } from "../routing/route.ts";
import { readGrantsIfTold } from "./ask-connection.ts";
import type { ServerFacts } from "./backend-connection.ts";
import { BackendLoginError, reasonOf } from "./login-error.ts";
import { LoginGate } from "./login-gate.ts";
import { makeConnection, unlessClosed } from "./make-connection.ts";
import type { Lane } from "./pool-lane.ts";
import type { GroupTools } from "./pool-settings.ts";
import type { PooledConnection } from "./pooled-connection.ts";

/** See the file's head. */
export class PoolConnections {
  readonly gate: LoginGate;
  account: BackendAccount;
  /** Connections that exist or are being made. */
  total = 0;
  /** Of the newest login; null before the first. */
  server: ServerFacts | null = null;
  /** The credential whose grants were asked for last. */
  #knownGrants: number | null = null;
  readonly #tablet: Tablet;
  readonly #tools: GroupTools;
  readonly #pump: () => void;

  /** `pump` is called whenever more has become possible. */
  constructor(tablet: Tablet, account: BackendAccount, tools: GroupTools, pump: () => void) {
    this.#tablet = tablet;
    this.account = account;
    this.#tools = tools;
    this.#pump = pump;
    this.gate = new LoginGate(tools.clock, pump);
  }

  /** Makes one for a lane: it is idle then. `onFailure` is called before anybody tries again. Never rejects. */
  async make(lane: Lane, collation: number, onFailure: (failure: BackendLoginError) => void): Promise<void> {
    const { observer } = this.#tools;
    const { account } = this;
    this.total += 1;
    lane.connecting += 1;
    this.gate.enter();
    try {
      const connection = await makeConnection(
        { tablet: this.#tablet, account, capabilities: lane.capabilities, collation },
        this.#tools,
      );
      await this.#readGrants(connection);
      lane.connecting -= 1;
      this.server = connection.server;
      observer.loginFinished(this.#tablet.alias, "connected");
      this.putIdle(lane, connection);
      this.gate.succeeded();
    } catch (error) {
      lane.connecting -= 1;
      this.total -= 1;
      const failure =
        error instanceof BackendLoginError
          ? error
          : new BackendLoginError("protocol", reasonOf(error), { cause: error });
      observer.loginFinished(this.#tablet.alias, "failed");
      observer.loginFailed(this.#tablet.alias, account.name, failure.message);
      onFailure(failure);
      this.gate.failed(failure);
    }
  }

  async #readGrants(connection: PooledConnection): Promise<void> {
    const { grants, limits, closing } = this.#tools;
    const { account } = this;
    if (grants === undefined || this.#knownGrants === account.generation || !grants.wanted(this.#tablet))
      return;
    this.#knownGrants = account.generation;
    try {
      const lines = await unlessClosed(closing, connection.channel, () =>
        readGrantsIfTold(connection, limits.housekeepingTimeoutMs),
      );
      if (lines !== null) grants.told(this.#tablet, account, connection.server, lines);
    } catch (error) {
      this.#knownGrants = null;
      connection.destroy();
      throw error;
    }
  }

  putIdle(lane: Lane, connection: PooledConnection): void {
    const nowMs = this.#tools.clock.monotonicMs();
    if (this.#tools.closing.aborted || connection.closed || this.isRetired(connection, nowMs)) {
      this.quit(connection);
      return;
    }
    connection.idleSinceMs = nowMs;
    lane.idle.push(connection);
    connection.watch((reason) => {
      if (!lane.remove(connection)) return;
      this.drop(connection, `while idle: ${reason}`);
      this.#pump();
    });
  }

  quitIdle(lane: Lane, connection: PooledConnection): void {
    if (lane.remove(connection)) this.quit(connection);
  }

  /** Ends a connection that is in no lane, with a word of farewell. */
  quit(connection: PooledConnection): void {
    this.total -= 1;
    connection.quit();
  }

  drop(connection: PooledConnection, reason: string): void {
    this.total -= 1;
    connection.destroy();
    this.#tools.observer.connectionClosed(this.#tablet.alias, reason);
  }

  /** Of an old credential, or too old itself. */
  isRetired(connection: PooledConnection, nowMs: number): boolean {
    return connection.generation !== this.account.generation || nowMs >= connection.retiresAtMs;
  }

  /** Takes a newer credential of the account: connections of the old one drain. True: it was newer. */
  adopt(account: BackendAccount): boolean {
    if (account.generation <= this.account.generation) return false;
    this.account = account;
    this.gate.reopen();
    return true;
  }
}

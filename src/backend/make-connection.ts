// Makes one connection for the pool: login, the session assignments that every connection gets, and the character sets
// that the login gave (read back once per server and collation id).

import type { ByteChannel } from "../base/byte-channel.ts";
import type { BackendAccount, Tablet } from "../routing/route.ts";
import type { Capabilities } from "../wire/capabilities.ts";
import type { LoggedIn } from "./backend-login.ts";
import { type HousekeepingCommand, queryCommand } from "./housekeeping.ts";
import { BackendLoginError, quoteServer } from "./login-error.ts";
import type { PoolLimits, PoolTools } from "./pool-settings.ts";
import { converseOn, PooledConnection } from "./pooled-connection.ts";
import { namesOf, namesQuery, type RestorableNames, type SessionNamesCache } from "./session-names.ts";

/** For whom. */
export interface ConnectionWish {
  readonly tablet: Tablet;
  readonly account: BackendAccount;
  readonly capabilities: Capabilities;
  readonly collation: number;
}

/** What it takes. */
export interface ConnectionTools extends PoolTools {
  readonly limits: PoolLimits;
  readonly names: SessionNamesCache;
  readonly closing: AbortSignal;
}

/** @throws BackendLoginError for whatever goes wrong; nothing is left open then. */
export async function makeConnection(
  { tablet, account, capabilities, collation }: ConnectionWish,
  tools: ConnectionTools,
): Promise<PooledConnection> {
  const loggedIn = await tools.logIn({
    tablet,
    account,
    clientCapabilities: capabilities,
    collation,
    timeoutMs: tools.limits.loginTimeoutMs,
    signal: tools.closing,
  });
  try {
    const names = await unlessClosed(tools.closing, loggedIn.channel, () => settle(tablet, loggedIn, tools));
    return new PooledConnection(loggedIn, {
      names,
      generation: account.generation,
      retiresAtMs: retirementOf(tools),
    });
  } catch (error) {
    loggedIn.channel.destroy();
    throw error;
  }
}

/** Talks to a server that must not keep a pool that closes: the conversation fails then. */
export async function unlessClosed<Result>(
  closing: AbortSignal,
  channel: ByteChannel,
  talk: () => Promise<Result>,
): Promise<Result> {
  const cut = (): void => channel.destroy();
  closing.addEventListener("abort", cut);
  if (closing.aborted) cut();
  try {
    return await talk();
  } finally {
    closing.removeEventListener("abort", cut);
  }
}

/** Connections that were made together, by a burst or after a failover, must not end together. */
const lifetimeSpread = 0.2;

function retirementOf({ limits, clock, random }: ConnectionTools): number {
  if (limits.lifetimeMs === 0) return Number.POSITIVE_INFINITY;
  const portion = 1 - lifetimeSpread * (random?.() ?? 0);
  return clock.monotonicMs() + limits.lifetimeMs * portion;
}

async function settle(tablet: Tablet, loggedIn: LoggedIn, tools: ConnectionTools): Promise<RestorableNames> {
  const known = tools.names.get(tablet.alias, loggedIn.server, loggedIn.collation);
  const commands: HousekeepingCommand[] = [];
  if (known === null) commands.push(namesQuery);
  if (tools.sessionAssignments !== null) commands.push(queryCommand(`SET ${tools.sessionAssignments}`));
  const replies = await converseOn(loggedIn, commands, tools.limits.housekeepingTimeoutMs);
  const refused = replies.find((reply) => reply.kind === "err");
  if (refused?.kind === "err") {
    const { code, message } = refused.error;
    throw new BackendLoginError(
      "refused",
      `The server answered ${code} after the login: ${quoteServer(message)}`,
      {
        code,
      },
    );
  }
  if (known !== null) return known;
  const [reply] = replies;
  if (reply === undefined)
    throw new BackendLoginError("protocol", "The server does not tell its character sets");
  const names = namesOf(reply, loggedIn.server.flavour);
  tools.names.set(tablet.alias, loggedIn.server, loggedIn.collation, names);
  return names;
}

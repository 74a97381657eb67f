// What the router is asked for a session: its target, its state, the text in hand, and the connection that it holds.

import type { SqlError } from "../errors/sql-error.ts";
import type { Route } from "../routing/route.ts";
import type { NoPrimary, Router } from "../routing/router.ts";
import { isSameAddress } from "../routing/tablet-address.ts";
import { internalError } from "./reply.ts";
import type { SessionState } from "./session.ts";
import type { StatementText } from "./statement-text.ts";

/** What of the session is on the connection at hand, so that no other one will do; null: nothing. */
export function stuckBecause({
  statusFlags,
  pinnedBecause,
  prepared,
  following,
}: SessionState): string | null {
  return pinnedBecause ?? prepared.holdsBecause ?? following.holdsBecause(statusFlags);
}

/** What is not as the session's state says. */
export interface RoutingWishes {
  /** @default what its state says */
  readonly stuck?: string | null;
  /** False: reads go where writes go. @default true, if its state lets them */
  readonly readsMayLeave?: boolean;
}

/** Where a text goes; null: there is none. `held`: where the connection at hand leads. */
export function routeText(
  state: SessionState,
  router: Router,
  held: Route | null,
  text: StatementText | null,
  { stuck = stuckBecause(state), readsMayLeave = true }: RoutingWishes = {},
): Route | SqlError | NoPrimary {
  const { identity, target, database, id } = state;
  if (identity === null) return internalError();
  const statements = text?.statements ?? null;
  return router.route(identity, {
    target,
    database,
    statements,
    readsMayLeave: readsMayLeave && stuckBecause(state) === null,
    held,
    stuck,
    spread: id,
  });
}

/** Whether both lead to the same server with the same account. */
export function leadsAlike(a: Route, b: Route): boolean {
  return a === b || (isSameAddress(a.tablet.address, b.tablet.address) && a.account.name === b.account.name);
}

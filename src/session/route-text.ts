// What the router is asked for a session: its target, its state, the text in hand, and the connection that it holds.

import type { SqlError } from "../errors/sql-error.ts";
import type { Route } from "../routing/route.ts";
import type { NoPrimary, Router } from "../routing/router.ts";
import { isSameAddress } from "../routing/tablet-address.ts";
import { internalError } from "./reply.ts";
import type { SessionState } from "./session.ts";
import type { StatementText } from "./statement-text.ts";

/** Whether the session's state is on the connection at hand, so that no other one will do. */
export function isStuck({ statusFlags, pinnedBecause, prepared, following }: SessionState): boolean {
  if (pinnedBecause !== null || prepared.holdsBecause !== null) return true;
  return following.holdsBecause(statusFlags) !== null;
}

/** Where a text goes; null: there is none. `held`: where the connection at hand leads. */
export function routeText(
  state: SessionState,
  router: Router,
  held: Route | null,
  text: StatementText | null,
  stuck: boolean = isStuck(state),
): Route | SqlError | NoPrimary {
  const { identity, target, database, id } = state;
  if (identity === null) return internalError();
  const statements = text?.statements ?? null;
  const readsMayLeave = !isStuck(state);
  return router.route(identity, { target, database, statements, readsMayLeave, held, stuck, spread: id });
}

/** Whether both lead to the same server with the same account. */
export function leadsAlike(a: Route, b: Route): boolean {
  return a === b || (isSameAddress(a.tablet.address, b.tablet.address) && a.account.name === b.account.name);
}

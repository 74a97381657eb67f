// The Permit: proof that a statement was authorised. Only this folder can make one; backend connections demand one
// (ARCHITECTURE.md, invariant 1).

import type { AclDenial, DecidingRule } from "./denial.ts";
import type { Role } from "./role.ts";

const permitMark: unique symbol = Symbol("permit");

/** One table or routine that was judged on the way to a permit; the labels of `table_acl_allowed_total`. */
export interface GrantedUse {
  readonly object: "table" | "routine";
  /** `shop.orders`. */
  readonly name: string;
  readonly role: Role;
  readonly rule: DecidingRule;
}

/** Allows bytes to be sent to a backend. A plain object does not type-check as one. */
export interface Permit {
  readonly [permitMark]: true;
  /** `client`: a client's command was authorised; `housekeeping`: the gateway's own statement. */
  readonly origin: "client" | "housekeeping";
  /** Why, for logs and `explain`. */
  readonly reason: string;
  /** The rights that were used, in the order of judgement; empty without a table ACL and for exempt principals. */
  readonly uses: readonly GrantedUse[];
  /** Whether it is there because nothing is denied to the principal; for the metrics. */
  readonly exempt: boolean;
  /** In a dry run: what would have been answered. The session logs and counts it at every execution. */
  readonly wouldDeny: AclDenial | null;
}

/** Makes a permit for a client's command. For the authorisers of this folder only (a house test checks). */
export function clientPermit(
  reason: string,
  details: { uses?: readonly GrantedUse[]; wouldDeny?: AclDenial; exempt?: boolean } = {},
): Permit {
  return Object.freeze({
    [permitMark]: true as const,
    origin: "client" as const,
    reason,
    uses: details.uses ?? [],
    exempt: details.exempt ?? false,
    wouldDeny: details.wouldDeny ?? null,
  });
}

/** Makes a permit for a statement of the gateway itself: reset, rollback, health, init. */
export function housekeepingPermit(reason: string): Permit {
  return Object.freeze({
    [permitMark]: true as const,
    origin: "housekeeping" as const,
    reason,
    uses: [],
    exempt: false,
    wouldDeny: null,
  });
}

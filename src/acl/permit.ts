// The Permit: proof that a statement was authorised. Only this folder can make one; backend connections demand one
// (ARCHITECTURE.md, invariant 1).

const permitMark: unique symbol = Symbol("permit");

/** Allows bytes to be sent to a backend. A plain object does not type-check as one. */
export interface Permit {
  readonly [permitMark]: true;
  /** `client`: a client's command was authorised; `housekeeping`: the gateway's own statement. */
  readonly origin: "client" | "housekeeping";
  /** Why, for logs and `explain`. */
  readonly reason: string;
}

/** Makes a permit for a client's command. For the authorisers of this folder only (a house test checks). */
export function clientPermit(reason: string): Permit {
  return Object.freeze({ [permitMark]: true as const, origin: "client" as const, reason });
}

/** Makes a permit for a statement of the gateway itself: reset, rollback, health, init. */
export function housekeepingPermit(reason: string): Permit {
  return Object.freeze({ [permitMark]: true as const, origin: "housekeeping" as const, reason });
}

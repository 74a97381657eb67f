// Getting a backend connection in spite of outages: routed anew after each wait, for the primary may be another one by
// then. Nothing has been sent to a server yet, so nothing can run twice.

import type { AcquireRequest, BackendLease, BackendPool } from "../backend/backend-pool.ts";
import {
  isWorthWaiting,
  type OutagePlace,
  type Outages,
  type OutageTicket,
  placeOfTablet,
} from "../backend/outage.ts";
import type { CancelSignal } from "../base/cancel-signal.ts";
import { SqlError, sqlError } from "../errors/sql-error.ts";
import { NoPrimary } from "../routing/router.ts";

/** What one command has waited for so far. */
export interface Patience {
  ticket: OutageTicket | null;
  /** To be waited for before the next attempt, and what the client is told when that takes too long; null: nothing. */
  first: { readonly place: OutagePlace; readonly failure: SqlError } | null;
}

/** Asks (`request`: where to, and what for) until there is a lease, an error that waiting does not mend, or no time. */
export async function acquireLease(
  request: () => AcquireRequest | SqlError | NoPrimary,
  services: { readonly pool: BackendPool; readonly outages: Outages },
  signal: CancelSignal,
  patience: Patience,
): Promise<BackendLease | SqlError> {
  const { pool, outages } = services;
  for (;;) {
    const { first } = patience;
    patience.first = null;
    if (first !== null) {
      patience.ticket ??= outages.ticket();
      const verdict = await outages.wait(first.place, patience.ticket, signal, first.failure);
      if (verdict !== "again") return verdict;
    }
    const asked = request();
    if (asked instanceof SqlError) return asked;
    if (asked instanceof NoPrimary) {
      const failure = sqlError("ER_SERVER_ISNT_AVAILABLE", {}, { reason: asked.because });
      patience.first = { place: `keyspace:${asked.keyspace}`, failure };
      continue;
    }
    const result = await pool.acquire(asked);
    if (!(result instanceof SqlError) || signal.aborted || !isWorthWaiting(result)) return result;
    patience.first = { place: placeOfTablet(asked.route.tablet), failure: result };
  }
}

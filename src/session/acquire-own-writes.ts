// A connection for a read that must show what the session has written itself: a replica that has come so far, else the
// primary. Where nothing was written, or nobody asks for that, it is simply the one that the text leads to.

import type { AcquireRequest, BackendLease } from "../backend/backend-pool.ts";
import type { CancelSignal } from "../base/cancel-signal.ts";
import { SqlError, sqlError } from "../errors/sql-error.ts";
import { NoPrimary } from "../routing/router.ts";
import type { OwnWrites } from "./own-writes.ts";

/** What is asked for; `readsMayLeave` false: the primary. */
export type RequestLease = (readsMayLeave: boolean) => AcquireRequest | SqlError | NoPrimary;

/** What is needed for it. */
export interface OwnWritesTools {
  readonly ownWrites: OwnWrites;
  readonly request: RequestLease;
  /** Gets a lease for what `request` returns at that moment. */
  readonly acquire: (
    request: () => AcquireRequest | SqlError | NoPrimary,
  ) => Promise<BackendLease | SqlError>;
  /** Aborted when the client goes away, its statement is killed, or takes too long. */
  readonly signal: CancelSignal;
  /** Gives back a lease on which nothing of the session has run. */
  readonly giveBack: (lease: BackendLease) => void;
}

/** Waits for the replica at most as long as the route says. */
export function acquireWithOwnWrites(tools: OwnWritesTools): Promise<BackendLease | SqlError> {
  const { ownWrites, request, acquire } = tools;
  const fromAnywhere = () => request(true);
  const hasWritten = ownWrites.isAhead || ownWrites.position !== null;
  const isUsual = !hasWritten || !mustWait(fromAnywhere(), ownWrites);
  return isUsual ? acquire(fromAnywhere) : acquireCaughtUp(tools);
}

async function acquireCaughtUp(tools: OwnWritesTools): Promise<BackendLease | SqlError> {
  const { ownWrites, request, acquire, giveBack, signal } = tools;
  const fromAnywhere = () => request(true);
  const fromPrimary = () => request(false);
  if (ownWrites.isAhead) {
    const primary = await acquire(fromPrimary);
    if (primary instanceof SqlError) return primary;
    const position = await primary.readWritePosition();
    if (position === null) return acquire(fromPrimary);
    // Without positions there is nothing to wait for: nobody else is known to have it.
    if (position.kind === "none") return primary;
    ownWrites.learn(position);
    giveBack(primary);
  }
  const lease = await acquire(fromAnywhere);
  if (lease instanceof SqlError) return lease;
  const { tablet, ownWritesWithinMs } = lease.route;
  const { position } = ownWrites;
  if (ownWritesWithinMs === undefined || position === null) return lease;
  // The wait ends on its server; the lease is not given back before that is done.
  const endWait = (): void => void lease.cancel();
  signal.addEventListener("abort", endWait);
  const hasCome = await lease.awaitWritePosition(position, ownWritesWithinMs);
  signal.removeEventListener("abort", endWait);
  if (hasCome === true) {
    ownWrites.noteReached(tablet.alias);
    return lease;
  }
  if (hasCome === false) giveBack(lease);
  return signal.aborted ? sqlError("ER_QUERY_INTERRUPTED") : acquire(fromPrimary);
}

function mustWait(asked: AcquireRequest | SqlError | NoPrimary, ownWrites: OwnWrites): boolean {
  if (asked instanceof SqlError || asked instanceof NoPrimary) return false;
  const { tablet, ownWritesWithinMs } = asked.route;
  return ownWritesWithinMs !== undefined && !ownWrites.isReachedBy(tablet.alias);
}

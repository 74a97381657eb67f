// Which of the connections that sessions hold, and can do without, is taken for somebody who waits: the one that fits
// best, and of those the one that was longest unused.

import type { Lease } from "./backend-lease.ts";
import type { Lane } from "./pool-lane.ts";
import { fitness, type Wish } from "./prepare-connection.ts";

/** Offers that are looked at before one is taken: a choice costs a few microseconds at most. */
const offersLookedAtMax = 32;

/** An offered lease in the lane that fits; null: there is none. */
export function bestOffer(leases: Iterable<Lease>, lane: Lane, wish: Wish): Lease | null {
  let best: Lease | null = null;
  let bestFitness = 2;
  let seen = 0;
  for (const lease of leases) {
    if (!lane.owns(lease)) continue;
    const connection = lease.look();
    const fits = connection === null ? null : fitness(connection, wish);
    if (fits === null || fits > bestFitness) continue;
    if (fits === bestFitness && best !== null && best.offeredSinceMs <= lease.offeredSinceMs) continue;
    best = lease;
    bestFitness = fits;
    seen += 1;
    if (seen === offersLookedAtMax) break;
  }
  return best;
}

/** The lease that was offered first, in `lane` or, where that is null, in any; null: there is none. */
export function longestOffered(leases: Iterable<Lease>, lane: Lane | null): Lease | null {
  let longest: Lease | null = null;
  for (const lease of leases) {
    if (!lease.isOffered || (lane !== null && !lane.owns(lease))) continue;
    if (longest === null || lease.offeredSinceMs < longest.offeredSinceMs) longest = lease;
  }
  return longest;
}

// The seam between those who watch the servers and the router: who is the primary of a keyspace now, and who serves
// reads.

import type { Tablet } from "./route.ts";

/** One keyspace as it is now. A tablet is the same object as long as it is the same server. */
export interface KeyspaceState {
  readonly primary: Tablet | null;
  /** A sentence; null while there is a primary. */
  readonly noPrimaryBecause: string | null;
  /** Usable replicas, in file order. */
  readonly replicas: readonly Tablet[];
  /** Usable tablets of type rdonly, in file order. */
  readonly rdonly: readonly Tablet[];
}

/** All keyspaces as they are now. */
export interface TopologyStates {
  /** Grows with every change of any of them. */
  readonly generation: number;
  /** null: there is no keyspace of this name. */
  keyspace(name: string): KeyspaceState | null;
}

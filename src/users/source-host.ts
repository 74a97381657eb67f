// SourceHost of an entry: which peers it admits.

import type { Peer } from "../identity/peer.ts";

/** A compiled SourceHost. */
export interface SourceHostRule {
  /** As written, `%` when absent; several values joined by a comma. Shown by CURRENT_USER(). */
  readonly text: string;
  admits(peer: Peer): boolean;
}

// What sessions of one process need of the other processes that share its port (`--workers`): limits that hold over all
// of them, and KILL of a session that lives elsewhere. Interfaces only: who carries them out stands in server/workers.

import type { Identity } from "../identity/identity.ts";
import type { SessionView } from "./session-view.ts";

/** The other processes. */
export interface SiblingProcesses {
  /**
   * Takes one of the `max` places that all processes have together; null: any number, but they are counted. True or
   * false, at once where this process holds a place already.
   */
  take(place: string, max: number | null): boolean | Promise<boolean>;
  /** The reverse of a `take` that was true. */
  giveBack(place: string): void;
  /** The login user of a session of another process; null: there is no such session. */
  ownerOf(id: number): Promise<string | null>;
  /** What may be shown of the sessions of the other processes. */
  sessions(): Promise<readonly SessionView[]>;
  /** KILL of a session of another process. */
  kill(id: number, scope: "query" | "connection"): void;
}

/** Where every connection takes a place. */
export const connectionPlace = "connections";

/** Where sessions of this login user take a place. */
export const userPlace = (user: string): string => `user ${user}`;

/** Where sessions that an entry of the users file holds take a place. */
export const entryPlace = (user: string, fingerprint: string): string => `entry ${user}\u0000${fingerprint}`;

/** All places that a logged-in session holds, but for the connection's own. */
export function placesOf(identity: Identity): string[] {
  const { entry, baseEntry } = identity;
  const places = [userPlace(identity.loginUser), entryPlace(entry.user, entry.fingerprint)];
  if (baseEntry !== null) places.push(entryPlace(baseEntry.user, baseEntry.fingerprint));
  return places;
}

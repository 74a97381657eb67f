// All live sessions of this process: ids, counts behind the limits, the sweep of deadlines, KILL by id.
// It owns no socket and decides no policy beyond counting.

import type { Identity } from "../identity/identity.ts";
import type { ConnectionId } from "./connection-ids.ts";
import { ConnectionIds } from "./connection-ids.ts";
import type { SessionView } from "./session-view.ts";

/**
 * Why a session is asked to end. `shutdown` and `entry_removed`: between two commands, outside a transaction, at once
 * when it rests there. `drain`: it is left alone until it begins a command outside a transaction (1053 then).
 */
export type EndRequest = "shutdown" | "entry_removed" | "drain";

/** What the registry needs of a session. */
export interface RegisteredSession {
  readonly id: ConnectionId;
  /** null until the login succeeded. */
  readonly identity: Identity | null;
  /** Monotonic milliseconds at which `onDeadline` is due; Infinity: none. */
  readonly deadlineMs: number;
  /** The deadline has passed. */
  onDeadline(nowMs: number): void;
  /** KILL: `query` cancels what runs, `connection` ends the session. */
  kill(scope: "query" | "connection"): void;
  /** Ends as {@link EndRequest} says. */
  requestEnd(reason: EndRequest): void;
  /** Ends now; a command under way is cancelled on the server. */
  forceEnd(reason: "shutdown" | "ended_by_operator"): void;
  /** What may be shown of it. */
  view(nowMs: number): SessionView;
}

/** How many sessions an entry or a user holds. */
class Counts {
  readonly #counts = new Map<string, number>();

  get(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  add(key: string, by: 1 | -1): void {
    const next = this.get(key) + by;
    if (next <= 0) this.#counts.delete(key);
    else this.#counts.set(key, next);
  }
}

/**
 * What the registry's Map refers to. A Map that grew old leaves each table that it has outgrown to the next major garbage
 * collection, and all that was in it survives minor ones: an empty place instead of a whole session.
 */
interface Place {
  session: RegisteredSession | null;
}

/** Live sessions of one process. */
export class SessionRegistry {
  readonly #ids: ConnectionIds;
  readonly #places = new Map<number, Place>();
  readonly #perUser = new Counts();
  readonly #perEntry = new Counts();
  #loggedInCount = 0;
  readonly #waitingForEmpty: (() => void)[] = [];

  constructor(randomPrefix: () => number) {
    this.#ids = new ConnectionIds(randomPrefix);
  }

  /** Live sessions, logged in or not. */
  get size(): number {
    return this.#places.size;
  }

  /** Sessions whose login was accepted. */
  get loggedInCount(): number {
    return this.#loggedInCount;
  }

  /** The next connection id; null when there is none left. */
  takeId(): ConnectionId | null {
    return this.#ids.take();
  }

  /** Makes a session known. */
  add(session: RegisteredSession): void {
    this.#places.set(session.id, { session });
  }

  /** Forgets a session; its identity must have been removed by `removeIdentity`. */
  remove(session: RegisteredSession): void {
    const place = this.#places.get(session.id);
    if (place === undefined) return;
    place.session = null;
    this.#places.delete(session.id);
    this.#ids.giveBack(session.id);
    if (this.#places.size > 0) return;
    for (const resolve of this.#waitingForEmpty.splice(0)) resolve();
  }

  get(id: number): RegisteredSession | null {
    return this.#places.get(id)?.session ?? null;
  }

  /** Live sessions, oldest first. */
  *all(): IterableIterator<RegisteredSession> {
    for (const { session } of this.#places.values()) if (session !== null) yield session;
  }

  /** Counts a logged-in identity for the per-user and per-entry limits. */
  addIdentity(identity: Identity): void {
    this.#loggedInCount += 1;
    this.#perUser.add(identity.loginUser, 1);
    for (const key of entryKeysOf(identity)) this.#perEntry.add(key, 1);
  }

  /** The reverse of `addIdentity`. */
  removeIdentity(identity: Identity): void {
    this.#loggedInCount -= 1;
    this.#perUser.add(identity.loginUser, -1);
    for (const key of entryKeysOf(identity)) this.#perEntry.add(key, -1);
  }

  /** Live sessions that this user logged in. */
  countOfUser(user: string): number {
    return this.#perUser.get(user);
  }

  /** Live sessions that an entry of `user` holds. */
  countOfEntry(user: string, fingerprint: string): number {
    return this.#perEntry.get(entryKey(user, fingerprint));
  }

  /** Calls every session whose deadline has passed. One coarse timer for all sessions, none per session. */
  sweep(nowMs: number): void {
    for (const session of this.all()) {
      if (session.deadlineMs <= nowMs) session.onDeadline(nowMs);
    }
  }

  /** Resolves when no session is left. */
  whenEmpty(): Promise<void> {
    if (this.#places.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waitingForEmpty.push(resolve);
    });
  }
}

const entryKey = (user: string, fingerprint: string): string => `${user}\u0000${fingerprint}`;

function entryKeysOf(identity: Identity): string[] {
  const keys = [entryKey(identity.entry.user, identity.entry.fingerprint)];
  if (identity.baseEntry !== null) {
    keys.push(entryKey(identity.baseEntry.user, identity.baseEntry.fingerprint));
  }
  return keys;
}

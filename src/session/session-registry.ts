// All live sessions of this process: ids, counts behind the limits, the sweep of deadlines, KILL by id.
// It owns no socket and decides no policy beyond counting.

import type { EntryReference, Identity } from "../identity/identity.ts";
import type { ConnectionId } from "./connection-ids.ts";
import { ConnectionIds } from "./connection-ids.ts";
import type { RunningCommand } from "./other-sessions.ts";
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
  /** The command that a server has of it; null: none has. */
  readonly running: RunningCommand | null;
  /** What may be shown of it. */
  view(nowMs: number): SessionView;
}

/** How many sessions a user holds, and each of its entries by fingerprint. */
interface UserCount {
  sessions: number;
  readonly entries: Map<string, number>;
}

/** Sessions by user. Names and fingerprints are looked up as they are: a key made of both costs more than the rest. */
class Counts {
  readonly #users = new Map<string, UserCount>();
  /** Sessions that entries hold, all together. */
  heldByEntries = 0;

  get(user: string): UserCount | undefined {
    return this.#users.get(user);
  }

  addUser(user: string, by: 1 | -1): void {
    const count = this.#of(user);
    count.sessions += by;
    this.#forgetEmpty(user, count);
  }

  addEntry({ user, fingerprint }: EntryReference, by: 1 | -1): void {
    const count = this.#of(user);
    const next = (count.entries.get(fingerprint) ?? 0) + by;
    this.heldByEntries += by;
    if (next <= 0) count.entries.delete(fingerprint);
    else count.entries.set(fingerprint, next);
    this.#forgetEmpty(user, count);
  }

  #of(user: string): UserCount {
    const known = this.#users.get(user);
    if (known !== undefined) return known;
    const count = { sessions: 0, entries: new Map<string, number>() };
    this.#users.set(user, count);
    return count;
  }

  #forgetEmpty(user: string, count: UserCount): void {
    if (count.sessions <= 0 && count.entries.size === 0) this.#users.delete(user);
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
  readonly #counts = new Counts();
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
    this.#count(identity, 1);
  }

  /** The reverse of `addIdentity`. */
  removeIdentity(identity: Identity): void {
    this.#loggedInCount -= 1;
    this.#count(identity, -1);
  }

  #count({ loginUser, entry, baseEntry }: Identity, by: 1 | -1): void {
    this.#counts.addUser(loginUser, by);
    this.#counts.addEntry(entry, by);
    if (baseEntry !== null) this.#counts.addEntry(baseEntry, by);
  }

  /** Live sessions that this user logged in. */
  countOfUser(user: string): number {
    return this.#counts.get(user)?.sessions ?? 0;
  }

  /** Live sessions that an entry of `user` holds. */
  countOfEntry(user: string, fingerprint: string): number {
    return this.#counts.get(user)?.entries.get(fingerprint) ?? 0;
  }

  /** Sessions that entries hold, all together: one with a base's entry counts twice. */
  get heldByEntries(): number {
    return this.#counts.heldByEntries;
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

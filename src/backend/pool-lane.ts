// Lanes: within the connections of one account on one server, those with the same byte-changing capabilities, and the
// sessions that wait for one of them. Knows who fits whom; makes and ends no connection.

import { type Capabilities, poolKeyOf } from "../wire/capabilities.ts";
import type { Waiter } from "./pool-waiter.ts";
import type { PooledConnection } from "./pooled-connection.ts";
import { fitness, type Wish } from "./prepare-connection.ts";

/** One lane. */
export class Lane {
  readonly capabilities: Capabilities;
  /** The one used last is at the end and is taken first, so that the others can reach their idle timeout. */
  readonly idle: PooledConnection[] = [];
  /** In the order of their arrival. */
  readonly waiters: Waiter[] = [];
  connecting = 0;
  /** Being cleaned after a session: they will be idle soon. */
  resetting = 0;

  constructor(capabilities: Capabilities) {
    this.capabilities = capabilities;
  }

  /** Waiters for whom no connection is on its way. */
  get unprovided(): number {
    return Math.max(0, this.waiters.length - this.connecting - this.resetting);
  }

  get isEmpty(): boolean {
    return this.idle.length + this.waiters.length + this.connecting + this.resetting === 0;
  }

  /** Whether a lease is of this lane. */
  owns(lease: { readonly capabilities: Capabilities }): boolean {
    return poolKeyOf(lease.capabilities) === this.capabilities;
  }

  /** Takes out the idle connection that fits best; null: none does. */
  take(wish: Wish): PooledConnection | null {
    let best = -1;
    for (let index = this.idle.length - 1; index >= 0; index -= 1) {
      const connection = this.idle[index];
      if (connection === undefined) continue;
      const fits = fitness(connection, wish);
      if (fits === 0) {
        best = index;
        break;
      }
      if (fits === 1 && best < 0) best = index;
    }
    return best < 0 ? null : (this.idle.splice(best, 1)[0] ?? null);
  }

  remove(connection: PooledConnection): boolean {
    const index = this.idle.indexOf(connection);
    if (index >= 0) this.idle.splice(index, 1);
    return index >= 0;
  }

  forget(waiter: Waiter): void {
    const index = this.waiters.indexOf(waiter);
    if (index >= 0) this.waiters.splice(index, 1);
  }
}

/** All lanes of a group. */
export class Lanes {
  readonly #byCapabilities = new Map<Capabilities, Lane>();

  /** The lane for these capabilities; made when there is none. */
  of(capabilities: Capabilities): Lane {
    const key = poolKeyOf(capabilities);
    let lane = this.#byCapabilities.get(key);
    if (lane === undefined) {
      lane = new Lane(key);
      this.#byCapabilities.set(key, lane);
    }
    return lane;
  }

  [Symbol.iterator](): Iterator<Lane> {
    return this.#byCapabilities.values();
  }

  /** Those in which somebody waits; first the one whose first waiter came first. */
  inOrderOfNeed(): readonly Lane[] {
    const lanes = [...this].filter((lane) => lane.waiters.length > 0);
    if (lanes.length < 2) return lanes;
    return lanes.sort((a, b) => (a.waiters[0]?.serial ?? 0) - (b.waiters[0]?.serial ?? 0));
  }

  /** Whether anybody waits. */
  get isWanted(): boolean {
    for (const lane of this.#byCapabilities.values()) if (lane.waiters.length > 0) return true;
    return false;
  }

  sum(count: (lane: Lane) => number): number {
    let total = 0;
    for (const lane of this) total += count(lane);
    return total;
  }

  /** The connection that has been idle longest. */
  longestIdle(): { readonly lane: Lane; readonly connection: PooledConnection } | null {
    let longest: { readonly lane: Lane; readonly connection: PooledConnection } | null = null;
    for (const lane of this) {
      for (const connection of lane.idle) {
        if (longest === null || connection.idleSinceMs < longest.connection.idleSinceMs) {
          longest = { lane, connection };
        }
      }
    }
    return longest;
  }

  dropEmpty(): void {
    for (const [key, lane] of this.#byCapabilities) if (lane.isEmpty) this.#byCapabilities.delete(key);
  }
}

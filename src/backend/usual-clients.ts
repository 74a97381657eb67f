// Which kinds of clients come to a pool, by what decides whether they can share connections: so that connections can be
// ready before a session asks. Knows no connection.

import {
  type Capabilities,
  CLIENT_DEPRECATE_EOF,
  CLIENT_FOUND_ROWS,
  CLIENT_IGNORE_SPACE,
  CLIENT_LOCAL_FILES,
  CLIENT_MULTI_RESULTS,
  CLIENT_MULTI_STATEMENTS,
  CLIENT_ODBC,
  CLIENT_PS_MULTI_RESULTS,
  CLIENT_SESSION_TRACK,
  poolKeyOf,
} from "../wire/capabilities.ts";

/** Clients that a connection logged in like this can serve. */
export interface ClientKind {
  readonly capabilities: Capabilities;
  /** The collation id of the login. */
  readonly collation: number;
}

/** A number of connections for one kind. */
export interface ClientShare {
  readonly capabilities: Capabilities;
  /**
   * Collation ids of their logins, in turn; never empty. A server tells what an id means at a login only, and without that a
   * connection cannot change to it.
   */
  readonly collations: readonly number[];
  readonly count: number;
}

const commandLine =
  CLIENT_LOCAL_FILES |
  CLIENT_MULTI_STATEMENTS |
  CLIENT_MULTI_RESULTS |
  CLIENT_PS_MULTI_RESULTS |
  CLIENT_SESSION_TRACK;

/** What well-known clients ask for by default, as seen in their logins; counted on until the first session has come. */
export const wellKnownClients = {
  "mysql2 3": {
    capabilities:
      CLIENT_FOUND_ROWS |
      CLIENT_ODBC |
      CLIENT_LOCAL_FILES |
      CLIENT_IGNORE_SPACE |
      CLIENT_MULTI_RESULTS |
      CLIENT_SESSION_TRACK,
    collation: 224,
  },
  "PyMySQL 1": { capabilities: CLIENT_MULTI_RESULTS, collation: 45 },
  "mysql 9": { capabilities: commandLine | CLIENT_DEPRECATE_EOF, collation: 255 },
  "mariadb 10": { capabilities: commandLine, collation: 33 },
} as const satisfies Record<string, ClientKind>;

/** Kinds that are told apart; beyond, the one seen least is forgotten. */
const kindsMax = 16;
/** Kinds that connections are kept ready for. */
const sharesMax = 4;
/** After this time, in milliseconds, what was seen counts half. */
const halfLifeMs = 60_000;

/** Collation ids that are remembered of a kind. */
const collationsMax = 4;

interface Seen {
  /** The latest first. */
  collations: readonly number[];
  weight: number;
}

/** Counts what sessions ask for; the latest minutes count most. */
export class UsualClients {
  readonly #seen = new Map<Capabilities, Seen>();
  #fadedMs = 0;

  /** A session asks for a connection. */
  note(capabilities: Capabilities, collation: number): void {
    const key = poolKeyOf(capabilities);
    const seen = this.#seen.get(key);
    if (seen !== undefined) {
      seen.weight += 1;
      if (seen.collations[0] !== collation) seen.collations = withFirst(seen.collations, collation);
      return;
    }
    if (this.#seen.size >= kindsMax) this.#forgetLeast();
    this.#seen.set(key, { collations: [collation], weight: 1 });
  }

  /** Called now and then. */
  fade(nowMs: number): void {
    if (nowMs - this.#fadedMs < halfLifeMs) return;
    this.#fadedMs = nowMs;
    // Who came last is the best guess, however long ago that was.
    if ([...this.#seen.values()].every(({ weight }) => weight < 1)) return;
    for (const seen of this.#seen.values()) seen.weight /= 2;
  }

  /**
   * Divides `count` connections among the kinds that come most, at least one for the first. `announced`: what greetings
   * offer; no client has more.
   */
  shares(count: number, announced: Capabilities): readonly ClientShare[] {
    const kinds = this.#seen.size > 0 ? this.#mostSeen() : expected(announced);
    const total = kinds.reduce((sum, { weight }) => sum + weight, 0);
    const shares: ClientShare[] = [];
    let [left, weightLeft] = [count, total];
    for (const { capabilities, collations, weight } of kinds) {
      // Rounded up: with few connections they go to the kinds that come most.
      const own = Math.min(left, Math.ceil((left * weight) / weightLeft));
      if (own > 0) shares.push({ capabilities, collations, count: own });
      left -= own;
      weightLeft -= weight;
    }
    return shares;
  }

  #mostSeen(): WeighedKind[] {
    return [...this.#seen]
      .map(([capabilities, seen]) => ({ capabilities, ...seen }))
      .sort((left, right) => right.weight - left.weight)
      .slice(0, sharesMax);
  }

  #forgetLeast(): void {
    let least: Capabilities | null = null;
    let leastWeight = Number.POSITIVE_INFINITY;
    for (const [key, { weight }] of this.#seen) {
      if (weight >= leastWeight) continue;
      least = key;
      leastWeight = weight;
    }
    if (least !== null) this.#seen.delete(least);
  }
}

interface WeighedKind extends Seen {
  readonly capabilities: Capabilities;
}

/** The well-known clients in front of these servers; those that no more differ count as one. */
function expected(announced: Capabilities): WeighedKind[] {
  const kinds = new Map<Capabilities, WeighedKind>();
  for (const client of Object.values(wellKnownClients)) {
    const capabilities = poolKeyOf(client.capabilities & announced);
    const { collations, weight } = kinds.get(capabilities) ?? { collations: [], weight: 0 };
    kinds.set(capabilities, {
      capabilities,
      collations: [...collations, client.collation],
      weight: weight + 1,
    });
  }
  return [...kinds.values()];
}

function withFirst(collations: readonly number[], first: number): readonly number[] {
  return [first, ...collations.filter((collation) => collation !== first)].slice(0, collationsMax);
}

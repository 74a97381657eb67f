// How long commands and logins take, sorted into buckets: plain numbers, so that the hot path pays a few comparisons
// and an addition.

import type { StatementText } from "./statement-text.ts";

/** Upper bounds for commands, in milliseconds; the last bucket has none. The row `command_seconds` has the same. */
export const commandBoundsMs: readonly number[] = [
  0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10000,
];

/** Upper bounds for logins, in milliseconds. The row `login_seconds` has the same. */
export const loginBoundsMs: readonly number[] = [
  0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000,
];

/** Values by bucket. */
export class Latency {
  readonly boundsMs: readonly number[];
  /** One more than there are bounds. */
  readonly counts: number[];
  sumMs = 0;

  constructor(boundsMs: readonly number[]) {
    this.boundsMs = boundsMs;
    this.counts = new Array<number>(boundsMs.length + 1).fill(0);
  }

  observe(elapsedMs: number): void {
    const { boundsMs, counts } = this;
    let bucket = 0;
    while (bucket < boundsMs.length && elapsedMs > (boundsMs[bucket] ?? 0)) bucket += 1;
    counts[bucket] = (counts[bucket] ?? 0) + 1;
    this.sumMs += elapsedMs;
  }
}

/** What a command is timed as. */
export const commandKinds = ["read", "write", "other"] as const;

/** One of them. */
export type CommandKind = (typeof commandKinds)[number];

/** Keyspaces that are timed apart; reloads of the topology may bring more, which count as `other`. */
const keyspacesMax = 256;

type LatencyByKind = Readonly<Record<CommandKind, Latency>>;

/** How long commands take, by keyspace and kind. */
export class CommandLatency {
  /** Of gateways without keyspaces, and of commands that went to none. */
  readonly #none: LatencyByKind = byKind();
  readonly #keyspaces = new Map<string, LatencyByKind>();

  observe(keyspace: string | null, kind: CommandKind, elapsedMs: number): void {
    this.#of(keyspace)[kind].observe(elapsedMs);
  }

  /** All of them; without keyspaces the name is `none`. */
  *all(): Iterable<{ readonly keyspace: string; readonly kind: CommandKind; readonly latency: Latency }> {
    for (const [keyspace, latencies] of [["none", this.#none] as const, ...this.#keyspaces]) {
      for (const kind of commandKinds) yield { keyspace, kind, latency: latencies[kind] };
    }
  }

  #of(keyspace: string | null): LatencyByKind {
    if (keyspace === null) return this.#none;
    const known = this.#keyspaces.get(keyspace);
    if (known !== undefined) return known;
    if (this.#keyspaces.size >= keyspacesMax && keyspace !== "other") return this.#of("other");
    const made = byKind();
    this.#keyspaces.set(keyspace, made);
    return made;
  }
}

function byKind(): LatencyByKind {
  const latency = () => new Latency(commandBoundsMs);
  return { read: latency(), write: latency(), other: latency() };
}

const writes = new Set(["INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD DATA", "LOAD XML"]);

/** The kind of a command; null stands for one without text. What is not one known read or write is `other`. */
export function commandKindOf(text: StatementText | null): CommandKind {
  const [first] = text?.statements ?? [];
  if (text === null || first === undefined || text.statements.length > 1) return "other";
  if (first.kind === "SELECT") return "read";
  return writes.has(first.kind) ? "write" : "other";
}

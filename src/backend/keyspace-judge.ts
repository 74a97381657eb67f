// One keyspace under watch: health checks of its tablets go in, who is primary and who serves reads comes out, and whom
// sessions must leave. Keeps the conditions of tablets; the judgement itself is in routing.

import {
  type CutManner,
  judgeKeyspace,
  type KeyspaceVerdict,
  noVerdict,
  tabletsToCut,
} from "../routing/judge-keyspace.ts";
import type { KeyspaceState } from "../routing/keyspace-state.ts";
import type { Tablet } from "../routing/route.ts";
import { tabletKey } from "../routing/tablet-address.ts";
import { nextCondition, type TabletCondition, unaskedTablet } from "../routing/tablet-condition.ts";
import type { ProbeResult } from "../routing/tablet-observation.ts";
import type { KeyspaceConfig } from "../routing/topology.ts";

/** What a health check has changed. */
export interface Judgement {
  readonly before: KeyspaceVerdict;
  readonly after: KeyspaceVerdict;
  /** Servers that sessions must leave. */
  readonly cuts: readonly { readonly tablet: Tablet; readonly manner: CutManner }[];
}

/** See the file's head. */
export class KeyspaceJudge {
  readonly config: KeyspaceConfig;
  /** By alias. */
  readonly #conditions = new Map<string, TabletCondition>();
  #verdict: KeyspaceVerdict;
  /** The last primary, where sessions were sent away from it already; null: they were not. */
  #left: string | null = null;
  #state: KeyspaceState;

  /**
   * `known`: how far its tablets were known before a reload; they go on from there. `expected`: whom another process of
   * this gateway writes to; null: nobody has said.
   */
  constructor(config: KeyspaceConfig, known: KeyspaceJudge | null = null, expected: string | null = null) {
    this.config = config;
    this.#verdict = { ...noVerdict, expected };
    // What was learned by one monitor says nothing to another one.
    const goesOn = known !== null && known.config.monitor === config.monitor;
    if (goesOn) this.#verdict = known.#verdict;
    for (const { tablet } of config.tablets) {
      const condition = goesOn ? known.conditionOf(tablet) : null;
      this.#conditions.set(tablet.alias, condition ?? unaskedTablet);
    }
    this.#verdict = judgeKeyspace(this.config, this.#judged(), this.#verdict);
    this.#state = this.#stateOf(this.#verdict);
  }

  get verdict(): KeyspaceVerdict {
    return this.#verdict;
  }

  /** The same object as long as nothing in it changes. */
  get state(): KeyspaceState {
    return this.#state;
  }

  /** null: it is no tablet of this keyspace. */
  conditionOf(tablet: Tablet): TabletCondition | null {
    const own = this.#tabletOf(tablet.alias);
    const isIt = own !== null && tabletKey(own) === tabletKey(tablet);
    return isIt ? (this.#conditions.get(tablet.alias) ?? null) : null;
  }

  /** Takes one more health check. null: it is about another keyspace's tablet. `nowMs` is monotonic. */
  see(tablet: Tablet, result: ProbeResult, nowMs: number): Judgement | null {
    const condition = this.conditionOf(tablet);
    if (condition === null) return null;
    const wasUp = new Map([...this.#conditions].map(([alias, { up }]) => [alias, up]));
    this.#conditions.set(tablet.alias, nextCondition(condition, result, this.config, nowMs));
    const before = this.#verdict;
    const judged = this.#judged();
    const after = judgeKeyspace(this.config, judged, before);
    const cuts = tabletsToCut(
      this.config,
      judged.map((one) => ({ ...one, wasUp: wasUp.get(one.alias) ?? false })),
      before,
      after,
    );
    const due = [...cuts].filter(([alias]) => {
      const wentDown = wasUp.get(alias) === true && this.#conditions.get(alias)?.up === false;
      return wentDown || alias !== this.#left;
    });
    if (after.primary !== null) this.#left = null;
    else if (before.lastPrimary !== null && cuts.has(before.lastPrimary)) this.#left = before.lastPrimary;
    this.#verdict = after;
    if (!isSame(before, after)) this.#state = this.#stateOf(after);
    return {
      before,
      after,
      cuts: due.flatMap(([alias, manner]) => {
        const leaving = this.#tabletOf(alias);
        return leaving === null ? [] : [{ tablet: leaving, manner }];
      }),
    };
  }

  #judged() {
    return this.config.tablets.map(({ tablet, type }) => ({
      alias: tablet.alias,
      type,
      condition: this.#conditions.get(tablet.alias) ?? unaskedTablet,
    }));
  }

  #tabletOf(alias: string): Tablet | null {
    return this.config.tablets.find(({ tablet }) => tablet.alias === alias)?.tablet ?? null;
  }

  #stateOf({ primary, noPrimaryBecause, replicas, rdonly }: KeyspaceVerdict): KeyspaceState {
    const tablets = (aliases: readonly string[]): Tablet[] =>
      this.config.tablets.flatMap(({ tablet }) => (aliases.includes(tablet.alias) ? [tablet] : []));
    return {
      primary: primary === null ? null : this.#tabletOf(primary),
      noPrimaryBecause,
      replicas: tablets(replicas),
      rdonly: tablets(rdonly),
    };
  }
}

/** Whether the router would answer the same. */
function isSame(one: KeyspaceVerdict, other: KeyspaceVerdict): boolean {
  return (
    one.primary === other.primary &&
    one.noPrimaryBecause === other.noPrimaryBecause &&
    one.replicas.join() === other.replicas.join() &&
    one.rdonly.join() === other.rdonly.join()
  );
}

// From the conditions of a keyspace's tablets to who is its primary and who serves reads. What is in doubt is not
// written to: two tablets that take writes at once leave the keyspace without a primary. Pure.

import {
  type ConditionRules,
  galeraRefusal,
  hasMajority,
  readRefusal,
  type TabletCondition,
  takesWrites,
} from "./tablet-condition.ts";
import type { TabletObservation } from "./tablet-observation.ts";
import type { TabletType } from "./target.ts";

/** One tablet of the keyspace, in file order, and what is held of it. */
export interface JudgedTablet {
  readonly alias: string;
  /** The file's type. */
  readonly type: TabletType;
  readonly condition: TabletCondition;
}

/** What the keyspace's configuration says. */
export interface KeyspaceRules extends ConditionRules {
  /** The keyspace's name, for sentences. */
  readonly name: string;
  /**
   * Checks in a row in which an earlier node of the file could write, after which it becomes the writer again where
   * several can; 0: never, it is done by hand.
   */
  readonly failbackChecks: number;
}

/** Who is what. Aliases throughout. */
export interface KeyspaceVerdict {
  readonly primary: string | null;
  /** A sentence; null while there is a primary. */
  readonly noPrimaryBecause: string | null;
  /** Tablets that take writes at the same time, all confirmed: an operator must act. Empty: no conflict. */
  readonly rivals: readonly string[];
  readonly replicas: readonly string[];
  readonly rdonly: readonly string[];
  /** Whether every tablet has been asked at least once. */
  readonly complete: boolean;
  /** Why tablets serve neither, as predicates by alias, e.g. `lags 12s (max_replica_lag=10s)`. */
  readonly unusable: ReadonlyMap<string, string>;
  /** The primary, or while there is none the last one: sessions may still hold connections to it. */
  readonly lastPrimary: string | null;
  /** Whom another process of this gateway writes to, until this one has chosen; null: nobody has said. */
  readonly expected: string | null;
}

/** Before the first verdict. */
export const noVerdict: KeyspaceVerdict = {
  primary: null,
  noPrimaryBecause: "No tablet has been asked yet",
  rivals: [],
  replicas: [],
  rdonly: [],
  complete: false,
  unusable: new Map(),
  lastPrimary: null,
  expected: null,
};

/** Checks in which each of several writable tablets must have said so before that is called a conflict. */
const confirmedClaims = 2;

interface Choice {
  readonly primary: string | null;
  readonly because: string | null;
  readonly rivals?: readonly string[];
}

/** Judges anew after every check. `before` is the verdict so far: it decides where several could be the primary. */
export function judgeKeyspace(
  rules: KeyspaceRules,
  tablets: readonly JudgedTablet[],
  before: KeyspaceVerdict,
): KeyspaceVerdict {
  const choice = choosePrimary(rules, tablets, before);
  const replicas: string[] = [];
  const rdonly: string[] = [];
  const unusable = new Map<string, string>();
  for (const { alias, type, condition } of tablets) {
    if (alias === choice.primary) continue;
    const refusal = readRefusal(condition, rules);
    if (refusal !== null) unusable.set(alias, refusal);
    else if (rules.monitor === "read_only" && condition.claims > 0)
      unusable.set(alias, "takes writes itself");
    else if (type === "rdonly") rdonly.push(alias);
    // A primary of the file that may not be written to is no replica of anybody.
    else if (rules.monitor !== "none" || type === "replica") replicas.push(alias);
  }
  return {
    primary: choice.primary,
    noPrimaryBecause: choice.because,
    rivals: choice.rivals ?? [],
    replicas,
    rdonly,
    complete: tablets.every(({ condition }) => condition.asked),
    unusable,
    lastPrimary: choice.primary ?? before.lastPrimary,
    expected: choice.primary === null ? before.expected : null,
  };
}

function choosePrimary(
  rules: KeyspaceRules,
  tablets: readonly JudgedTablet[],
  before: KeyspaceVerdict,
): Choice {
  if (rules.monitor === "none") return primaryOfFile(rules, tablets);
  const unasked = tablets.find(({ condition }) => !condition.asked);
  // Whoever has not spoken yet could be the one.
  if (unasked !== undefined) return noPrimary(`Tablet '${unasked.alias}' has not been asked yet`);
  const claimants = tablets.filter(({ condition }) => claimsNow(condition, rules));
  if (claimants.length === 0) return noPrimary(`No tablet of keyspace '${rules.name}' takes writes`);
  if (severalMayWrite(rules, claimants)) return preferredWriter(rules, claimants, before);
  const [only] = claimants;
  if (claimants.length === 1 && only !== undefined) return loneClaimant(only, before);
  return rivalry(rules, claimants);
}

/** Whether it said, when last it could be asked, that it takes writes. Down: it does not count any more. */
function claimsNow(condition: TabletCondition, rules: KeyspaceRules): boolean {
  const { observation } = condition;
  if (observation === null || !takesWrites(observation, rules.monitor)) return false;
  // One that comes back counts before it is used: it could be written to by others.
  return condition.up || condition.failures === 0;
}

function primaryOfFile(rules: KeyspaceRules, tablets: readonly JudgedTablet[]): Choice {
  const primary = tablets.find(({ type }) => type === "primary");
  if (primary === undefined) return noPrimary(`Keyspace '${rules.name}' has no tablet of type primary`);
  const { alias, condition } = primary;
  if (condition.up) return { primary: alias, because: null };
  const why = condition.asked
    ? (condition.failedBecause ?? "has not proved stable yet")
    : "has not been asked yet";
  return noPrimary(`Primary tablet '${alias}' ${why}`);
}

function loneClaimant(only: JudgedTablet, before: KeyspaceVerdict): Choice {
  const { alias, condition } = only;
  if (alias === before.primary && condition.up) return { primary: alias, because: null };
  // A new primary is one that says so now.
  if (condition.failures > 0)
    return noPrimary(`Tablet '${alias}' ${condition.failedBecause ?? "does not answer"}`);
  if (!condition.up) return noPrimary(`Tablet '${alias}' has not proved stable yet`);
  return { primary: alias, because: null };
}

/** Galera nodes of one cluster, and a group with many primaries: each can write, one is chosen. */
function severalMayWrite(rules: KeyspaceRules, claimants: readonly JudgedTablet[]): boolean {
  const observations = claimants.map(({ condition }) => condition.observation);
  if (rules.monitor === "galera") {
    return new Set(observations.map((seen) => seen?.galera?.clusterUuid)).size === 1;
  }
  if (rules.monitor === "group_replication") {
    const isOneGroup = new Set(observations.map((seen) => seen?.group?.groupName)).size === 1;
    return isOneGroup && observations.every((seen) => seen?.group?.singlePrimary === false);
  }
  return false;
}

function preferredWriter(
  rules: KeyspaceRules,
  claimants: readonly JudgedTablet[],
  before: KeyspaceVerdict,
): Choice {
  const stable = claimants.filter(({ condition }) => condition.up);
  const current = stable.find(({ alias }) => alias === before.primary);
  const answering = stable.filter(({ condition }) => condition.failures === 0);
  const [first] = answering;
  if (current === undefined) {
    const chosen = answering.find(({ alias }) => alias === before.expected) ?? first;
    return chosen === undefined
      ? noPrimary(`No node of keyspace '${rules.name}' has proved stable yet`)
      : { primary: chosen.alias, because: null };
  }
  if (first === undefined || claimants.indexOf(first) >= claimants.indexOf(current)) {
    return { primary: current.alias, because: null };
  }
  const isDue = rules.failbackChecks > 0 && first.condition.claims >= rules.failbackChecks;
  return { primary: isDue ? first.alias : current.alias, because: null };
}

function rivalry(rules: KeyspaceRules, claimants: readonly JudgedTablet[]): Choice {
  const names = claimants.map(({ alias }) => alias);
  const list = names.map((alias) => `'${alias}'`).join(" and ");
  const doubtful = claimants.find(({ condition }) => condition.failures > 0);
  if (doubtful !== undefined) {
    return noPrimary(
      `Tablets ${list} of keyspace '${rules.name}' take writes, or did: '${doubtful.alias}' ${doubtful.condition.failedBecause ?? "does not answer"}`,
    );
  }
  const because = `Tablets ${list} of keyspace '${rules.name}' take writes at once: none is written to until one is read-only or gone`;
  const confirmed = claimants.every(({ condition }) => condition.claims >= confirmedClaims);
  return { primary: null, because, ...(confirmed ? { rivals: names } : {}) };
}

function noPrimary(because: string): Choice {
  return { primary: null, because };
}

/**
 * How sessions that hold a connection to a tablet lose it. `now`: at once. `after_statement`: a statement outside a
 * transaction may end, for its answer is the truth; everything else at once. `after_transaction`: transactions may end,
 * too: both servers can be written to.
 */
export type CutManner = "now" | "after_statement" | "after_transaction";

/** Whom sessions must leave after a verdict: tablets that went down, and whoever is the primary no more. */
export function tabletsToCut(
  rules: KeyspaceRules,
  tablets: readonly (JudgedTablet & { readonly wasUp: boolean })[],
  before: KeyspaceVerdict,
  after: KeyspaceVerdict,
): ReadonlyMap<string, CutManner> {
  const cuts = new Map<string, CutManner>();
  for (const { alias, condition, wasUp } of tablets) if (wasUp && !condition.up) cuts.set(alias, "now");
  const former = tablets.find(({ alias }) => alias === before.lastPrimary);
  if (former === undefined || former.alias === after.primary || cuts.has(former.alias)) return cuts;
  const manner = mannerFor(rules, former.condition, after);
  if (manner !== null) cuts.set(former.alias, manner);
  return cuts;
}

/** null: it is not decided yet that it is the primary no more. */
function mannerFor(
  rules: KeyspaceRules,
  { observation, failures }: TabletCondition,
  after: KeyspaceVerdict,
): CutManner | null {
  if (after.rivals.length > 0) return "now";
  const isHeard = failures === 0 && observation !== null;
  const writes = isHeard && takesWrites(observation, rules.monitor);
  if (after.primary === null && (writes || !isHeard)) return null;
  if (writes) return "after_transaction";
  if (!isHeard) return "now";
  if (rules.monitor === "galera") return mannerForNode(observation);
  // A member that hands its role over is secondary first and read-only a moment later.
  if (rules.monitor === "group_replication") return hasMajority(observation) ? "after_statement" : "now";
  return observation.readOnly ? "after_statement" : "now";
}

/** A donor still commits with the others, if late; one that is cut off says so to each statement. */
function mannerForNode(observation: TabletObservation): CutManner {
  const { galera } = observation;
  const lags = galera !== null && { ...observation, galera: { ...galera, localState: 4, desynced: false } };
  return lags && galeraRefusal(lags) === null ? "after_transaction" : "after_statement";
}

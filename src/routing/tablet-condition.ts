// What is held of one tablet after a row of health checks. One bad result changes nothing; what was seen for certain
// (a server that says of itself that it is read-only) counts at once. Pure: the time is a parameter.

import type { ProbeResult, TabletObservation } from "./tablet-observation.ts";
import type { MonitorKind } from "./topology.ts";

/** What the keyspace's configuration says about judging its tablets. */
export interface ConditionRules {
  readonly monitor: MonitorKind;
  /** Failed checks in a row after which a tablet is down, or results in a row after which it lags. */
  readonly healthFailures: number;
  /** Longest lag of a tablet that serves reads, in milliseconds; null: no limit. */
  readonly maxReplicaLagMs: number | null;
}

/** Good results in a row after which a tablet that was down or lagged is used again. */
const recoveryChecks = 2;

/** See the file's head. */
export interface TabletCondition {
  /** Whether it has been asked at all. */
  readonly asked: boolean;
  /** Reachable, after hysteresis. */
  readonly up: boolean;
  /** Failed checks in a row; 0: the last one succeeded. */
  readonly failures: number;
  /** Successful checks in a row. */
  readonly successes: number;
  /** Why the last check failed; null: it did not. */
  readonly failedBecause: string | null;
  /** The last successful check; null: none yet. */
  readonly observation: TabletObservation | null;
  /** Checks in a row in which it said that it takes writes; failed ones count for nothing until it is down. */
  readonly claims: number;
  /** Lag as far as it is known, in milliseconds; null: it replicates from nobody, or that is hidden. */
  readonly lagMs: number | null;
  /** When that was the server's own word: while it has none, its lag grows by the clock. Monotonic milliseconds. */
  readonly lagKnown: { readonly lagMs: number; readonly atMs: number } | null;
  /** Within the lag limit, after hysteresis. */
  readonly inTime: boolean;
  /** Results in a row that speak against `inTime` as it is. */
  readonly againstInTime: number;
}

/** Before the first check. */
export const unaskedTablet: TabletCondition = {
  asked: false,
  up: false,
  failures: 0,
  successes: 0,
  failedBecause: null,
  observation: null,
  claims: 0,
  lagMs: null,
  lagKnown: null,
  inTime: false,
  againstInTime: 0,
};

/** The condition after one more check. `nowMs` is monotonic. */
export function nextCondition(
  before: TabletCondition,
  result: ProbeResult,
  rules: ConditionRules,
  nowMs: number,
): TabletCondition {
  // What was known stays: a wrong password of the monitor must not take a keyspace down.
  if (result.kind === "blind" && before.observation !== null)
    return { ...before, failedBecause: result.reason };
  if (result.kind !== "seen") {
    const failures = before.failures + 1;
    const up = before.up && failures < rules.healthFailures;
    return {
      ...before,
      asked: true,
      up,
      claims: up ? before.claims : 0,
      failures,
      successes: 0,
      failedBecause: result.reason,
    };
  }
  const { observation } = result;
  const successes = before.successes + 1;
  // The first word about a server is believed: there is nothing that it could contradict.
  const up = before.up || !before.asked || successes >= recoveryChecks || rules.healthFailures === 1;
  const lag = nextLag(before, observation, nowMs);
  return {
    asked: true,
    up,
    failures: 0,
    successes,
    failedBecause: null,
    observation,
    claims: takesWrites(observation, rules.monitor) ? before.claims + 1 : 0,
    ...lag,
    ...nextInTime(before, lag.lagMs, rules),
  };
}

/** Whether a tablet says of itself that it takes writes. Where the file decides, nobody claims anything. */
export function takesWrites(observation: TabletObservation, monitor: MonitorKind): boolean {
  switch (monitor) {
    case "none":
      return false;
    case "read_only":
      return !observation.readOnly;
    case "galera":
      return galeraRefusal(observation) === null;
    case "group_replication":
      return groupRefusal(observation) === null && observation.group?.role === "PRIMARY";
  }
}

/** Why a node is no writer, as a predicate; null: it can be one. */
export function galeraRefusal({ galera, readOnly }: TabletObservation): string | null {
  if (galera === null) return "is no node of a Galera cluster";
  if (galera.clusterStatus !== "Primary") return "is cut off from its cluster";
  if (!galera.ready) return "is not ready (wsrep_ready)";
  if (galera.localState !== 4) return "is not synced with its cluster";
  if (galera.desynced) return "is desynced (wsrep_desync)";
  if (galera.rejectsQueries) return "rejects queries (wsrep_reject_queries)";
  return readOnly ? "is read-only" : null;
}

/** Why a member serves nothing, as a predicate; null: it does. */
function groupRefusal({ group, readOnly }: TabletObservation): string | null {
  const refusal = memberRefusal(group);
  if (refusal !== null) return refusal;
  return group?.role === "PRIMARY" && readOnly ? "is read-only" : null;
}

function memberRefusal(group: TabletObservation["group"]): string | null {
  if (group === null || group.state === "") return "is no member of a replication group";
  if (group.state !== "ONLINE") return `is ${group.state.toLowerCase()} in its group`;
  return hasMajority({ group }) ? null : "has lost the majority of its group";
}

/** A member that has lost the majority goes on saying ONLINE, and its commits hang. */
export function hasMajority({ group }: Pick<TabletObservation, "group">): boolean {
  return group !== null && (group.members - group.unreachable) * 2 > group.members;
}

/** Why a tablet serves no reads although it is up, as a predicate; null: it may. */
export function readRefusal(condition: TabletCondition, rules: ConditionRules): string | null {
  const { observation } = condition;
  if (!condition.asked) return "has not been asked yet";
  if (!condition.up || observation === null) return condition.failedBecause ?? "has not proved stable yet";
  if (rules.monitor === "galera") {
    // Being read-only is what replicas are for.
    const refusal = galeraRefusal({ ...observation, readOnly: false });
    if (refusal !== null) return refusal;
  } else if (rules.monitor === "group_replication") {
    const refusal = memberRefusal(observation.group);
    if (refusal !== null) return refusal;
  }
  return condition.inTime ? null : lagRefusal(condition, rules);
}

function lagRefusal({ lagMs, observation }: TabletCondition, rules: ConditionRules): string {
  const replication = observation?.replication;
  if (replication?.kind === "hidden") return `does not show its replication: ${replication.reason}`;
  if (replication?.kind === "none") return "replicates from nobody";
  const limit = `max_replica_lag=${seconds(rules.maxReplicaLagMs ?? 0)}`;
  const behind =
    lagMs === null || lagMs === Number.POSITIVE_INFINITY ? "does not know its lag" : `lags ${seconds(lagMs)}`;
  const stopped =
    replication?.kind === "replica" && !replication.applying
      ? ", replication has stopped"
      : replication?.kind === "replica" && !replication.receiving
        ? ", its source is not connected"
        : "";
  return `${behind} (${limit})${stopped}`;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10}s`;
}

type Lag = Pick<TabletCondition, "lagMs" | "lagKnown">;

function nextLag(before: TabletCondition, observation: TabletObservation, nowMs: number): Lag {
  const { group, replication } = observation;
  const told = group !== null && group.state !== "" ? group.lagMs : toldLag(replication);
  if (told !== "unknown") {
    return { lagMs: told, lagKnown: told === null ? null : { lagMs: told, atMs: nowMs } };
  }
  // Since it last knew, it can have missed everything.
  const known = before.lagKnown;
  return {
    lagMs: known === null ? Number.POSITIVE_INFINITY : known.lagMs + (nowMs - known.atMs),
    lagKnown: known,
  };
}

function toldLag(replication: TabletObservation["replication"]): number | null | "unknown" {
  if (replication.kind !== "replica") return null;
  return replication.receiving && replication.applying ? (replication.lagMs ?? "unknown") : "unknown";
}

function nextInTime(
  before: TabletCondition,
  lagMs: number | null,
  rules: ConditionRules,
): Pick<TabletCondition, "inTime" | "againstInTime"> {
  const inTime = isInTime(lagMs, rules);
  if (!before.asked || before.observation === null) return { inTime, againstInTime: 0 };
  if (inTime === before.inTime) return { inTime, againstInTime: 0 };
  const against = before.againstInTime + 1;
  const needed = inTime ? Math.min(recoveryChecks, rules.healthFailures) : rules.healthFailures;
  return against >= needed ? { inTime, againstInTime: 0 } : { inTime: before.inTime, againstInTime: against };
}

function isInTime(lagMs: number | null, { maxReplicaLagMs, monitor }: ConditionRules): boolean {
  if (maxReplicaLagMs === null) return true;
  if (lagMs !== null) return lagMs <= maxReplicaLagMs;
  // Without replication status: in a cluster lag is not what tells; of a lone server nothing is known.
  return monitor !== "read_only";
}

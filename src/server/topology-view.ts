// What is shown of a topology: whether clients should be sent here, what operators should know, the servers.

import type { TabletRow } from "../admin/admin-sources.ts";
import type { ConnectionPool } from "../backend/connection-pool.ts";
import type { KeyspaceJudge } from "../backend/keyspace-judge.ts";
import type { TopologyWatch } from "../backend/topology-watch.ts";
import type { Tablet } from "../routing/route.ts";
import type { KeyspaceConfig, Topology } from "../routing/topology.ts";
import { tabletRow } from "./tablet-row.ts";
import type { TopologySource } from "./topology-source.ts";

/** Why clients should not be sent here: of the default target; without one, any keyspace that is served will do. */
export function notReadyBecause({ keyspaces, defaultTarget }: Topology, watch: TopologyWatch): string | null {
  const reasons = [...keyspaces.values()].map((keyspace) => unservedBecause(keyspace, watch));
  if (defaultTarget === null) return reasons.includes(null) ? null : (reasons[0] ?? null);
  const keyspace = keyspaces.get(defaultTarget.keyspace);
  const state = watch.keyspace(defaultTarget.keyspace);
  const { tabletType } = defaultTarget;
  if (keyspace === undefined || state === null) return null;
  if (tabletType === null || tabletType === "primary") return unservedBecause(keyspace, watch);
  const serving = tabletType === "replica" ? state.replicas : state.rdonly;
  return serving.length > 0 ? null : `No tablet of '${keyspace.name}@${tabletType}' is ready`;
}

function unservedBecause({ name }: KeyspaceConfig, watch: TopologyWatch): string | null {
  const state = watch.keyspace(name);
  return state === null ? `Keyspace '${name}' is not watched yet` : state.noPrimaryBecause;
}

/** What an operator should know although the gateway may be ready. */
export function notesOn(source: TopologySource, watch: TopologyWatch): readonly string[] {
  const topology = source.current();
  const notes: string[] = [];
  for (const keyspace of topology.keyspaces.values()) {
    const why = unservedBecause(keyspace, watch);
    if (why !== null) notes.push(why);
    for (const [alias, predicate] of watch.judge(keyspace.name)?.verdict.unusable ?? [])
      notes.push(`Tablet '${alias}' of keyspace '${keyspace.name}' serves nothing: it ${predicate}`);
  }
  for (const { tablet } of tabletsOf(topology)) {
    const status = watch.statusOf(tablet);
    if (status?.reason != null) notes.push(status.reason);
  }
  if (source.stale())
    notes.push("The topology file on disk cannot be loaded: the last good content is in use");
  return notes;
}

/** Each server once. */
export function serversOf(topology: Topology): readonly Tablet[] {
  return tabletsOf(topology).map(({ tablet }) => tablet);
}

/** The rows of the status page. */
export function tabletRows(
  topology: Topology,
  watch: TopologyWatch,
  pool: ConnectionPool,
  poolSize: number,
): TabletRow[] {
  const pools = pool.snapshot();
  return tabletsOf(topology).map(({ tablet, keyspaces }) => {
    const status = watch.statusOf(tablet) ?? { ready: false, reason: null, server: null };
    const roles = keyspaces.flatMap(({ name }) => {
      const role = roleOf(tablet, watch.judge(name));
      return role === null ? [] : [`${name}: ${role}`];
    });
    return tabletRow(tablet, status, roles, pools, poolSize);
  });
}

/** e.g. `primary`, `replica, 3s behind`, `unused: lags 12s (max_replica_lag=10s)`. */
function roleOf({ alias }: Tablet, judge: KeyspaceJudge | null): string | null {
  if (judge === null) return null;
  const { primary, replicas, rdonly, rivals, unusable } = judge.verdict;
  if (primary === alias) return "primary";
  if (rivals.includes(alias)) return "takes writes beside another one";
  const why = unusable.get(alias);
  if (why !== undefined) return `unused: ${why}`;
  const role = replicas.includes(alias) ? "replica" : rdonly.includes(alias) ? "rdonly" : null;
  const tablet = judge.config.tablets.find((one) => one.tablet.alias === alias)?.tablet;
  const lagMs = tablet === undefined ? null : (judge.conditionOf(tablet)?.lagMs ?? null);
  if (role === null || lagMs === null || lagMs === 0) return role;
  return Number.isFinite(lagMs) ? `${role}, ${Math.round(lagMs / 1000)}s behind` : `${role}, lag unknown`;
}

/** Each server once, with the keyspaces that it stands in. */
function tabletsOf({ keyspaces }: Topology): { tablet: Tablet; keyspaces: KeyspaceConfig[] }[] {
  const rows = new Map<string, { tablet: Tablet; keyspaces: KeyspaceConfig[] }>();
  for (const keyspace of keyspaces.values()) {
    for (const { tablet } of keyspace.tablets) {
      const row = rows.get(tablet.alias) ?? { tablet, keyspaces: [] };
      row.keyspaces.push(keyspace);
      rows.set(tablet.alias, row);
    }
  }
  return [...rows.values()];
}

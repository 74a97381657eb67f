// What is shown of a topology: whether clients should be sent here, what operators should know, the servers.

import type { TabletRow } from "../admin/admin-sources.ts";
import type { ConnectionPool } from "../backend/connection-pool.ts";
import type { TopologyWatch } from "../backend/topology-watch.ts";
import type { KeyspaceState } from "../routing/keyspace-state.ts";
import type { Tablet } from "../routing/route.ts";
import { isSameAddress } from "../routing/tablet-address.ts";
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
  }
  for (const { tablet } of tabletsOf(topology)) {
    const status = watch.statusOf(tablet);
    if (status?.reason != null) notes.push(status.reason);
  }
  if (source.stale())
    notes.push("The topology file on disk cannot be loaded: the last good content is in use");
  return notes;
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
      const role = roleOf(tablet, watch.keyspace(name));
      return role === null ? [] : [`${name}: ${role}`];
    });
    return tabletRow(tablet, status, roles, pools, poolSize);
  });
}

function roleOf(tablet: Tablet, state: KeyspaceState | null): string | null {
  const isIt = ({ address }: Tablet): boolean => isSameAddress(address, tablet.address);
  if (state === null) return null;
  if (state.primary !== null && isIt(state.primary)) return "primary";
  if (state.replicas.some(isIt)) return "replica";
  return state.rdonly.some(isIt) ? "rdonly" : null;
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

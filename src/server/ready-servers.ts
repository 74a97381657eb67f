// Where connections are kept ready: the servers that serve anything of a topology now, with each account that sessions
// may use there.

import type { ReadyServers } from "../backend/pool-settings.ts";
import { unknownServer } from "../backend/single-backend.ts";
import type { TopologyWatch } from "../backend/topology-watch.ts";
import type { Tablet } from "../routing/route.ts";
import type { Topology } from "../routing/topology.ts";
import { announcedCapabilities } from "../wire/capabilities.ts";
import type { TopologySource } from "./topology-source.ts";

/** What is to be kept ready now; `localInfile`: whether clients are offered LOAD DATA LOCAL. */
export function readyServers(
  source: TopologySource,
  watch: TopologyWatch,
  localInfile: boolean,
): ReadyServers {
  const { accounts } = source.current();
  const names = new Set([accounts.default, ...accounts.byUserData.values()].map(({ name }) => name));
  return {
    servers: servingTablets(source.current(), watch).flatMap((tablet) =>
      [...names].map((name) => ({ tablet, account: source.account(name) })),
    ),
    announced: announcedCapabilities((watch.server ?? unknownServer).capabilities, localInfile),
  };
}

function servingTablets({ keyspaces }: Topology, watch: TopologyWatch): readonly Tablet[] {
  const tablets = new Map<string, Tablet>();
  for (const name of keyspaces.keys()) {
    const state = watch.keyspace(name);
    if (state === null) continue;
    const { primary, replicas, rdonly } = state;
    for (const tablet of [...(primary === null ? [] : [primary]), ...replicas, ...rdonly])
      tablets.set(tablet.alias, tablet);
  }
  return [...tablets.values()];
}

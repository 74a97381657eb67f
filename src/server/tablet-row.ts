// One database server as the status page shows it.

import type { TabletRow } from "../admin/admin-sources.ts";
import type { HealthStatus } from "../backend/health.ts";
import type { PoolSnapshot } from "../backend/pool-settings.ts";
import type { Tablet } from "../routing/route.ts";
import { formatTabletAddress } from "../routing/tablet-address.ts";

/** Makes the row. `roles`: what it is to keyspaces, e.g. `shop: primary`. */
export function tabletRow(
  tablet: Tablet,
  { ready, reason, server }: HealthStatus,
  roles: readonly string[],
  pools: readonly PoolSnapshot[],
  poolSize: number,
): TabletRow {
  return {
    alias: tablet.alias,
    address: formatTabletAddress(tablet.address),
    ready,
    reason,
    roles,
    version: server?.versionText ?? null,
    readOnly: server?.readOnly ?? null,
    poolSize,
    pools: pools.filter((pool) => pool.tablet === tablet.alias),
  };
}

// A gateway over one keyspace, `shop`, of several servers: its topology file and the passwords that it names.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseServer } from "./database-server.ts";
import { type GatewayProcess, startGateway } from "./gateway-process.ts";
import { appAccount, monitorAccount } from "./replicated-servers.ts";
import { removeFolder, scratchFolder } from "./scratch.ts";

/** What a test may ask for. */
export interface KeyspaceGatewayOptions {
  readonly monitor: "read_only" | "galera" | "group_replication" | "none";
  readonly servers: readonly DatabaseServer[];
  /** Further keys of the keyspace, e.g. `failback_checks`. */
  readonly keyspace?: Readonly<Record<string, unknown>>;
  /** Further keys of the file. */
  readonly topology?: Readonly<Record<string, unknown>>;
  readonly flags?: Readonly<Record<string, string | number | boolean>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts it. Tablets are `db1`, `db2`, ...; the first is of type primary. */
export async function startKeyspaceGateway(options: KeyspaceGatewayOptions): Promise<GatewayProcess> {
  const folder = scratchFolder("topology");
  const path = join(folder, "topology.json");
  const tablets = options.servers.map((server, index) => ({
    alias: `db${index + 1}`,
    type: index === 0 ? "primary" : "replica",
    address: `127.0.0.1:${server.port}`,
  }));
  const account = (user: string, variable: string) => ({ user, password_env: variable });
  const topology = {
    keyspaces: {
      shop: { monitor: options.monitor, health_interval: "200ms", ...options.keyspace, tablets },
    },
    accounts: {
      default: account(appAccount.user, "APP_PASSWORD"),
      monitor: account(monitorAccount.user, "MONITOR_PASSWORD"),
    },
    default_target: "shop",
    ...options.topology,
  };
  writeFileSync(path, JSON.stringify(topology, null, 2));
  const gateway = await startGateway({
    backend: null,
    flags: { topology_file: path, ...options.flags },
    env: { APP_PASSWORD: appAccount.password, MONITOR_PASSWORD: monitorAccount.password, ...options.env },
  });
  topologyFiles.set(gateway, path);
  void gateway.ended.then(() => removeFolder(folder));
  return gateway;
}

const topologyFiles = new WeakMap<GatewayProcess, string>();

/** Gives a running gateway other tablets for its keyspace: alias and server, in file order; the first is of type primary. */
export function setTablets(gateway: GatewayProcess, tablets: readonly [string, DatabaseServer][]): void {
  const path = topologyFiles.get(gateway);
  if (path === undefined) throw new Error("it has no topology");
  const topology = JSON.parse(readFileSync(path, "utf8")) as { keyspaces: { shop: { tablets: unknown } } };
  topology.keyspaces.shop.tablets = tablets.map(([alias, server], index) => ({
    alias,
    type: index === 0 ? "primary" : "replica",
    address: `127.0.0.1:${server.port}`,
  }));
  writeFileSync(path, JSON.stringify(topology));
}

// What a topology file says: keyspaces and their tablets, accounts, routing rules. Plain data; who is the primary now is
// not known here (keyspace-state).

import type { Tablet } from "./route.ts";
import type { TabletType, Target } from "./target.ts";

/** How a keyspace's tablets are told apart; `none`: by the file. */
export type MonitorKind = "read_only" | "galera" | "group_replication" | "none";

/** A tablet as the file has it. */
export interface TabletConfig {
  readonly tablet: Tablet;
  /** With a monitor other than `none`: the order of candidates only, and who is rdonly. */
  readonly type: TabletType;
}

/** One keyspace. */
export interface KeyspaceConfig {
  readonly name: string;
  /** The schema on its servers. */
  readonly database: string;
  readonly monitor: MonitorKind;
  /** Longest lag of a tablet that serves reads, in milliseconds; null: no limit. */
  readonly maxReplicaLagMs: number | null;
  /** Between two checks of a tablet, in milliseconds. */
  readonly healthIntervalMs: number;
  /** Failed checks in a row after which a tablet is down. */
  readonly healthFailures: number;
  /** Checks in a row after which an earlier node becomes a cluster's writer again; 0: never by itself. */
  readonly failbackChecks: number;
  /** In file order; at least one. */
  readonly tablets: readonly TabletConfig[];
}

/** Where an account's password stands. */
export type AccountSecret =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "env"; readonly variable: string };

/** An account of the servers that the gateway may use. */
export interface AccountConfig {
  /** `default`, `monitor`, or a key of `by_user_data`. */
  readonly name: string;
  readonly user: string;
  readonly secret: AccountSecret;
}

/** A routing rule. */
export interface RoutingRule {
  /** UserData values, `%` at the end of a prefix. */
  readonly userData: readonly string[];
  /** Groups, likewise. */
  readonly groups: readonly string[];
  readonly target: Target & { readonly keyspace: string };
  /** Whose tablets serve statements that are proven read-only; null: those of the target. */
  readonly reads: TabletType | null;
  /** Longest wait of a read on a replica for the session's own writes, in milliseconds; null: no wait. */
  readonly readYourWritesMs: number | null;
}

/** A valid file. */
export interface Topology {
  readonly keyspaces: ReadonlyMap<string, KeyspaceConfig>;
  readonly accounts: {
    readonly default: AccountConfig;
    /** null: health checks use the default account. */
    readonly monitor: AccountConfig | null;
    /** By UserData, or its beginning where the key ends with `%`. */
    readonly byUserData: ReadonlyMap<string, AccountConfig>;
  };
  readonly rules: readonly RoutingRule[];
  /** null: none; sessions that name no keyspace have none. */
  readonly defaultTarget: (Target & { readonly keyspace: string }) | null;
}

// The topology file as its schema lets it through, and what its readers need of their surroundings.

/** See schemas/topology.schema.json. */
export interface RawTopology {
  readonly keyspaces: Readonly<Record<string, RawKeyspace>>;
  readonly accounts: {
    readonly default: RawAccount;
    readonly monitor?: RawAccount;
    readonly by_user_data?: Readonly<Record<string, RawAccount>>;
  };
  readonly routing_rules?: readonly RawRule[];
  readonly default_target?: string;
}

/** One keyspace. */
export interface RawKeyspace {
  readonly database?: string;
  readonly monitor?: "read_only" | "galera" | "group_replication" | "none";
  readonly max_replica_lag?: string;
  readonly health_interval?: string;
  readonly health_failures?: number;
  readonly failback_checks?: number;
  readonly tablets: readonly RawTablet[];
}

/** One server. */
export interface RawTablet {
  readonly alias: string;
  readonly type: "primary" | "replica" | "rdonly";
  readonly address: string;
  readonly tls?: {
    readonly mode?: "DISABLED" | "REQUIRED" | "VERIFY_CA" | "VERIFY_IDENTITY";
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
  };
}

/** One account. */
export interface RawAccount {
  readonly user: string;
  readonly password_file?: string;
  readonly password_env?: string;
}

/** One routing rule. */
export interface RawRule {
  readonly user_data?: readonly string[];
  readonly groups?: readonly string[];
  readonly target: string;
  readonly reads?: string;
  readonly read_your_writes?: string;
}

/** Records something at a JSON pointer of the file. */
export type Remark = (pointer: string, message: string) => void;

/** What the readers of the file's parts share. */
export interface ReadingTools {
  readonly complain: Remark;
  readonly warn: Remark;
  /** A path as written, from the file's folder. */
  readonly pathOf: (written: string) => string;
  /** Milliseconds. */
  readonly durationOf: (text: string) => number;
}

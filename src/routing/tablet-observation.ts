// What one health check saw of a server, as far as roles and replication go. Pure data: backend/ fills it in, the
// judgement beside it reads it.

/** What the replica status says; of several channels the worst of each. */
export type ReplicationObservation =
  | { readonly kind: "none" }
  /** The monitor account may not see it, or the server does not know the statement. */
  | { readonly kind: "hidden"; readonly reason: string }
  | {
      readonly kind: "replica";
      /** Whether changes arrive from the source, e.g. MariaDB's `Slave_IO_Running: Yes`. */
      readonly receiving: boolean;
      /** Whether changes that arrived are applied. */
      readonly applying: boolean;
      /** `Seconds_Behind_Source` in milliseconds; null: the server does not know. */
      readonly lagMs: number | null;
    };

/** https://galeracluster.com/library/documentation/galera-status-variables.html */
export interface GaleraObservation {
  /** `wsrep_ready` */
  readonly ready: boolean;
  /** `wsrep_cluster_status`: `Primary` where the node is in the component that may write. */
  readonly clusterStatus: string;
  /** `wsrep_local_state`: 1 joining, 2 donor or desynced, 3 joined, 4 synced. */
  readonly localState: number;
  /** `wsrep_desync` */
  readonly desynced: boolean;
  /** `wsrep_reject_queries` is not NONE. */
  readonly rejectsQueries: boolean;
  /** `wsrep_cluster_state_uuid`: one for all nodes of a cluster. */
  readonly clusterUuid: string;
}

/** https://dev.mysql.com/doc/refman/8.4/en/performance-schema-replication-group-members-table.html */
export interface GroupObservation {
  /** `MEMBER_STATE` of the member itself: ONLINE, RECOVERING, OFFLINE, ERROR; empty: it is in no group. */
  readonly state: string;
  /** `MEMBER_ROLE` of the member itself: PRIMARY, SECONDARY. */
  readonly role: string;
  /** Members in its view, itself included. */
  readonly members: number;
  /** Of these, UNREACHABLE ones. */
  readonly unreachable: number;
  /** `group_replication_group_name` */
  readonly groupName: string;
  /** Whether the group has one primary at a time. */
  readonly singlePrimary: boolean;
  /** Age of the oldest change that is being applied, in milliseconds; null: it is not told. */
  readonly lagMs: number | null;
}

/** One successful health check. */
export interface TabletObservation {
  /** Tells servers apart: `server_uuid`, or where there is none host, port and server id; empty: unknown. */
  readonly serverId: string;
  /** `read_only` or `super_read_only`: it refuses writes of ordinary accounts. */
  readonly readOnly: boolean;
  readonly replication: ReplicationObservation;
  /** null: it is no Galera node, or nobody asked. */
  readonly galera: GaleraObservation | null;
  /** null: it has no Group Replication, or nobody asked. */
  readonly group: GroupObservation | null;
}

/**
 * The outcome of one health check; `reason` is a sentence's predicate, e.g. `cannot be reached`. `blind`: the server is
 * there, and does not let the monitor's account look.
 */
export type ProbeResult =
  | { readonly kind: "seen"; readonly observation: TabletObservation }
  | { readonly kind: "blind"; readonly reason: string }
  | { readonly kind: "failed"; readonly reason: string };

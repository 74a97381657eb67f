// The questions of a health check, by monitor, flavour and version, and what the answers mean. Pure: who asks, and how
// long it waits, is health's business. Where a node may be cut off from its cluster only SHOW is asked: it answers
// other statements with 1047. https://dev.mysql.com/doc/refman/8.4/en/show-replica-status.html

import type {
  GaleraObservation,
  GroupObservation,
  ReplicationObservation,
  TabletObservation,
} from "../routing/tablet-observation.ts";
import type { MonitorKind } from "../routing/topology.ts";
import type { ServerFacts } from "./backend-connection.ts";
import {
  columnNames,
  type HousekeepingCommand,
  type HousekeepingReply,
  queryCommand,
} from "./housekeeping.ts";
import { BackendLoginError, quoteServer } from "./login-error.ts";

/** The monitors that judge a server; empty: it is only asked whether it is there. */
export type ProbeScope = readonly MonitorKind[];

/** What a health check learns. */
export interface ProbeAnswer {
  /** 0: names of schemas and tables are case-sensitive; 1 and 2: they are not. */
  readonly lowerCaseTableNames: number;
  readonly observation: TabletObservation;
}

const ER_SPECIFIC_ACCESS_DENIED = 1227;
const MARIADB_GTID = 100_000;

const plainProbe = queryCommand("SELECT @@lower_case_table_names, @@global.read_only");
const variablesProbe = showNamed("VARIABLES", [
  "lower_case_table_names",
  "read_only",
  "super_read_only",
  "server_uuid",
  "server_id",
  "hostname",
  "port",
  "wsrep_desync",
  "wsrep_reject_queries",
  "group_replication_group_name",
  "group_replication_single_primary_mode",
]);
const galeraProbe = showNamed("STATUS", [
  "wsrep_ready",
  "wsrep_cluster_status",
  "wsrep_local_state",
  "wsrep_cluster_state_uuid",
]);
const membersProbe = queryCommand(
  "SELECT MEMBER_ID, MEMBER_STATE, MEMBER_ROLE FROM performance_schema.replication_group_members",
);
/** Age of what the member applies now, in microseconds; NULL: it applies nothing. */
const applierProbe = queryCommand(
  "SELECT MAX(TIMESTAMPDIFF(MICROSECOND, APPLYING_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP, NOW(6)))" +
    " FROM performance_schema.replication_applier_status_by_worker" +
    " WHERE CHANNEL_NAME = 'group_replication_applier' AND APPLYING_TRANSACTION <> ''",
);

type Question = "plain" | "variables" | "replication" | "galera" | "members" | "applier";

const questionsOf: Readonly<Record<MonitorKind, readonly Question[]>> = {
  none: ["replication"],
  read_only: ["variables", "replication"],
  galera: ["variables", "galera"],
  group_replication: ["variables", "members", "applier"],
};

/** The first one is answered whatever state a node is in. */
function questions(scope: ProbeScope): readonly Question[] {
  const all = new Set(scope.flatMap((monitor) => questionsOf[monitor]));
  const others = [...all].filter((question) => question !== "variables");
  return [all.has("variables") ? "variables" : "plain", ...others];
}

/** The commands of one check, to be sent together. */
export function probeCommands(scope: ProbeScope, server: ServerFacts): readonly HousekeepingCommand[] {
  return questions(scope).map((question) =>
    question === "replication" ? replicationProbe(server) : probes[question],
  );
}

/**
 * Reads the replies to {@link probeCommands}, in their order.
 * @throws BackendLoginError when the server refuses a question that matters, or tells nothing of use; WireError when a
 * reply is malformed.
 */
export function readProbe(scope: ProbeScope, replies: readonly HousekeepingReply[]): ProbeAnswer {
  const asked = questions(scope);
  const replyTo = (question: Question): HousekeepingReply | undefined => replies[asked.indexOf(question)];
  const has = (question: Question): boolean => asked.includes(question);
  const variables = has("variables") ? namedValues(replyTo("variables")) : plainValues(replyTo("plain"));
  const readOnly = variables.get("read_only");
  if (readOnly === undefined) throw untold();
  return {
    lowerCaseTableNames: Number(variables.get("lower_case_table_names")) || 0,
    observation: {
      serverId: serverIdOf(variables),
      // Any word but OFF: MariaDB 12 has several kinds of ON.
      readOnly: isOn(readOnly) || isOn(variables.get("super_read_only") ?? "OFF"),
      replication: has("replication") ? readReplication(replyTo("replication")) : { kind: "none" },
      galera: has("galera") ? readGalera(replyTo("galera"), variables) : null,
      group: has("members") ? readGroup(replyTo("members"), replyTo("applier"), variables) : null,
    },
  };
}

function plainValues(reply: HousekeepingReply | undefined): ReadonlyMap<string, string> {
  const [lowerCase, readOnly] = rowsOf(reply)[0] ?? [];
  if (lowerCase == null || readOnly == null) throw untold();
  return new Map([
    ["lower_case_table_names", lowerCase],
    ["read_only", readOnly],
  ]);
}

/** Rows of SHOW VARIABLES or STATUS. */
function namedValues(reply: HousekeepingReply | undefined): ReadonlyMap<string, string> {
  return new Map(rowsOf(reply).map(([name, value]) => [name?.toLowerCase() ?? "", value ?? ""]));
}

function replicationProbe({ flavour, versionNumber }: ServerFacts): HousekeepingCommand {
  // MariaDB's plain form shows one channel only.
  if (flavour === "mariadb" && versionNumber >= MARIADB_GTID) return allSlavesProbe;
  return versionNumber >= 80_022 && flavour === "mysql" ? replicaProbe : slaveProbe;
}

const probes: Readonly<Record<Exclude<Question, "replication">, HousekeepingCommand>> = {
  plain: plainProbe,
  variables: variablesProbe,
  galera: galeraProbe,
  members: membersProbe,
  applier: applierProbe,
};
const allSlavesProbe = queryCommand("SHOW ALL SLAVES STATUS");
const replicaProbe = queryCommand("SHOW REPLICA STATUS");
const slaveProbe = queryCommand("SHOW SLAVE STATUS");

function readReplication(reply: HousekeepingReply | undefined): ReplicationObservation {
  if (reply?.kind === "err") {
    const { code, message } = reply.error;
    const reason =
      code === ER_SPECIFIC_ACCESS_DENIED
        ? "the monitor account lacks the privilege (SLAVE MONITOR or REPLICATION CLIENT)"
        : `the server answered ${code}: ${quoteServer(message)}`;
    return { kind: "hidden", reason };
  }
  if (reply?.kind !== "rows") return { kind: "hidden", reason: "the server answered without a result" };
  if (reply.rows.length === 0) return { kind: "none" };
  const names = columnNames(reply);
  const at = (row: readonly (string | null)[], ...wanted: string[]): string | null =>
    row[names.findIndex((name) => wanted.includes(name))] ?? null;
  let receiving = true;
  let applying = true;
  let lagMs: number | null = 0;
  for (const row of reply.rows) {
    receiving &&= at(row, "Replica_IO_Running", "Slave_IO_Running") === "Yes";
    applying &&= at(row, "Replica_SQL_Running", "Slave_SQL_Running") === "Yes";
    const behind = at(row, "Seconds_Behind_Source", "Seconds_Behind_Master");
    lagMs = behind === null || lagMs === null ? null : Math.max(lagMs, Number(behind) * 1000 || 0);
  }
  return { kind: "replica", receiving, applying, lagMs };
}

function readGalera(
  reply: HousekeepingReply | undefined,
  variables: ReadonlyMap<string, string>,
): GaleraObservation | null {
  const status = namedValues(reply);
  const clusterStatus = status.get("wsrep_cluster_status");
  if (clusterStatus === undefined) return null;
  return {
    ready: isOn(status.get("wsrep_ready") ?? "OFF"),
    clusterStatus,
    localState: Number(status.get("wsrep_local_state")) || 0,
    desynced: isOn(variables.get("wsrep_desync") ?? "OFF"),
    rejectsQueries: (variables.get("wsrep_reject_queries") ?? "NONE").toUpperCase() !== "NONE",
    clusterUuid: status.get("wsrep_cluster_state_uuid") ?? "",
  };
}

function readGroup(
  members: HousekeepingReply | undefined,
  applier: HousekeepingReply | undefined,
  variables: ReadonlyMap<string, string>,
): GroupObservation {
  const rows = rowsOf(members);
  const own = rows.find(([id]) => id !== null && id !== "" && id === variables.get("server_uuid"));
  const micros = applier?.kind === "rows" ? (applier.rows[0]?.[0] ?? null) : undefined;
  return {
    // Without a group MySQL shows one row: OFFLINE, with an empty id.
    state: own?.[1] ?? "",
    role: own?.[2] ?? "",
    members: rows.length,
    unreachable: rows.filter(([, state]) => state === "UNREACHABLE").length,
    groupName: variables.get("group_replication_group_name") ?? "",
    singlePrimary: isOn(variables.get("group_replication_single_primary_mode") ?? "ON"),
    lagMs: micros === undefined ? null : Math.max(0, Number(micros ?? 0) / 1000 || 0),
  };
}

function serverIdOf(variables: ReadonlyMap<string, string>): string {
  const uuid = variables.get("server_uuid");
  if (uuid !== undefined && uuid !== "") return uuid;
  const parts = ["hostname", "port", "server_id"].map((name) => variables.get(name) ?? "");
  return parts.every((part) => part === "") ? "" : parts.join(":");
}

function rowsOf(reply: HousekeepingReply | undefined): readonly (readonly (string | null)[])[] {
  if (reply?.kind === "rows") return reply.rows;
  if (reply?.kind !== "err") throw untold();
  const { code, message } = reply.error;
  throw new BackendLoginError("refused", `The server answered ${code}: ${quoteServer(message)}`, { code });
}

function isOn(value: string): boolean {
  return value !== "0" && value !== "" && value.toUpperCase() !== "OFF";
}

function untold(): BackendLoginError {
  return new BackendLoginError("protocol", "The server does not tell its settings");
}

/** `names` are the gateway's own. */
function showNamed(what: "VARIABLES" | "STATUS", names: readonly string[]): HousekeepingCommand {
  const list = names.map((name) => `'${name}'`).join(", ");
  return queryCommand(`SHOW GLOBAL ${what} WHERE Variable_name IN (${list})`);
}

// Several MariaDB servers, one the source of the others by GTID, as an operator would run and fail them over. The first
// one begins as the primary; the others are read-only.
import type { DatabaseServer } from "./database-server.ts";
import { startMariadb } from "./mariadb-server.ts";
import { waitUntil } from "./scratch.ts";

/** Accounts without the privileges that get past read_only. */
export const appAccount = { user: "app", password: "app-secret" } as const;
export const monitorAccount = { user: "watch", password: "watch-secret" } as const;

/** Statements for a server's start that make the accounts of gateways under test. */
export const accountSql: readonly string[] = [
  `CREATE USER IF NOT EXISTS '${appAccount.user}'@'%' IDENTIFIED BY '${appAccount.password}';`,
  `GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, EXECUTE ON shop.* TO '${appAccount.user}'@'%';`,
  `CREATE USER IF NOT EXISTS '${monitorAccount.user}'@'%' IDENTIFIED BY '${monitorAccount.password}';`,
];

/** A running group of servers. */
export interface ReplicatedServers {
  readonly servers: readonly DatabaseServer[];
  /** Makes `replica` follow `source` from where it is. */
  follow(replica: DatabaseServer, source: DatabaseServer): Promise<void>;
  /** Ends the replication of a replica after it has applied what it has received, and lets it take writes. */
  promote(replica: DatabaseServer): Promise<void>;
  /** Resolves when `replica` has applied all that `source` has written. */
  caughtUp(replica: DatabaseServer, source: DatabaseServer): Promise<void>;
  stop(): Promise<void>;
}

/** Starts `count` servers. `semiSync`: a commit is acknowledged once a replica has it. */
export async function startReplicatedServers(
  count: number,
  options: { readonly semiSync?: boolean } = {},
): Promise<ReplicatedServers> {
  const semiSync = options.semiSync
    ? [
        "--rpl-semi-sync-slave-enabled=ON",
        "--rpl-semi-sync-master-wait-point=AFTER_SYNC",
        "--rpl-semi-sync-master-timeout=60000",
      ]
    : [];
  const start = (id: number): Promise<DatabaseServer> =>
    startMariadb({
      flags: [
        `--server-id=${id}`,
        "--log-bin=bin",
        "--log-slave-updates=ON",
        "--gtid-strict-mode=ON",
        "--read-only=ON",
        "--slave-net-timeout=5",
        ...semiSync,
      ],
      initSql: [...accountSql, `GRANT SLAVE MONITOR ON *.* TO '${monitorAccount.user}'@'%';`],
    });
  const servers = await Promise.all(Array.from({ length: count }, (_, index) => start(index + 1)));
  const follow = async (replica: DatabaseServer, source: DatabaseServer): Promise<void> => {
    await replica.admin(
      "SET GLOBAL read_only = 1",
      "STOP SLAVE",
      `CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=${source.port}, MASTER_USER='gatehouse', MASTER_PASSWORD='gatehouse-secret', MASTER_USE_GTID=current_pos, MASTER_CONNECT_RETRY=1`,
      "START SLAVE",
    );
  };
  for (const server of servers) await server.admin("RESET MASTER", "SET GLOBAL gtid_slave_pos = ''");
  const [primary, ...replicas] = servers;
  if (primary === undefined) throw new Error("no server was asked for");
  for (const replica of replicas) await follow(replica, primary);
  // Only there: a replica would wait for replicas of its own.
  if (options.semiSync) await primary.admin("SET GLOBAL rpl_semi_sync_master_enabled = 1");
  await primary.admin("SET GLOBAL read_only = 0");
  for (const replica of replicas) {
    await waitUntil(
      async () => (await replica.admin("SHOW SLAVE STATUS"))[0]?.Slave_IO_Running === "Yes",
      "the replica to follow",
    );
  }
  const caughtUp = async (replica: DatabaseServer, source: DatabaseServer): Promise<void> => {
    const [row] = await source.admin("SELECT @@gtid_binlog_pos AS position");
    const [waited] = await replica.admin(`SELECT MASTER_GTID_WAIT('${String(row?.position)}', 20) AS waited`);
    if (waited?.waited !== 0) throw new Error("the replica did not catch up");
  };
  return {
    servers,
    follow,
    caughtUp,
    async promote(replica) {
      await replica.admin("STOP SLAVE IO_THREAD");
      await waitUntil(async () => {
        const [status] = await replica.admin("SHOW SLAVE STATUS");
        if (status?.Last_SQL_Error) throw new Error(String(status.Last_SQL_Error));
        return String(status?.Slave_SQL_Running_State).includes("has read all relay log");
      }, "what was received to be applied");
      await replica.admin("STOP SLAVE", "RESET SLAVE ALL", "SET GLOBAL read_only = 0");
    },
    async stop() {
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

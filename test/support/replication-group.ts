// A MySQL replication group with one primary, on the loopback, where a real mysqld is at hand.
// https://dev.mysql.com/doc/refman/9.4/en/group-replication-deploying-locally.html
import type { DatabaseServer } from "./database-server.ts";
import { mysqldCommand, startMysql } from "./mysql-server.ts";
import { accountSql, monitorAccount } from "./replicated-servers.ts";
import { freePort, waitUntil } from "./scratch.ts";

/** Why there can be no group on this machine; null: there can. */
export function groupMissing(): string | null {
  return mysqldCommand === null ? "GATEHOUSE_TEST_MYSQLD is not set" : null;
}

/** A running group. */
export interface ReplicationGroup {
  readonly members: readonly DatabaseServer[];
  /** Makes a member join (again); resolves when it is ONLINE. */
  join(member: DatabaseServer): Promise<void>;
  /** The member that is the primary now, as one of them sees it. */
  primary(seenBy: DatabaseServer): Promise<number>;
  stop(): Promise<void>;
}

const recovery = { user: "recovery", password: "recovery-secret" } as const;

/** Starts `count` members; the first founds the group and is its primary. */
export async function startReplicationGroup(count: number): Promise<ReplicationGroup> {
  const ports: number[] = [];
  for (let index = 0; index < count; index++) ports.push(await freePort());
  const seeds = ports.map((port) => `127.0.0.1:${port}`).join(",");
  const members: DatabaseServer[] = [];
  for (const [index, port] of ports.entries()) {
    members.push(
      await startMysql({
        flags: [
          `--server-id=${index + 1}`,
          "--log-bin=bin",
          "--gtid-mode=ON",
          "--enforce-gtid-consistency=ON",
          "--report-host=127.0.0.1",
          "--plugin-load-add=group_replication.so",
          "--loose-group-replication-group-name=aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa",
          "--loose-group-replication-start-on-boot=OFF",
          `--loose-group-replication-local-address=127.0.0.1:${port}`,
          `--loose-group-replication-group-seeds=${seeds}`,
          "--loose-group-replication-member-expel-timeout=1",
          "--loose-group-replication-recovery-get-public-key=ON",
        ],
        initSql: [
          ...accountSql,
          `GRANT REPLICATION CLIENT ON *.* TO '${monitorAccount.user}'@'%';`,
          `GRANT SELECT ON performance_schema.* TO '${monitorAccount.user}'@'%';`,
          `CREATE USER IF NOT EXISTS '${recovery.user}'@'%' IDENTIFIED BY '${recovery.password}';`,
          `GRANT REPLICATION SLAVE, BACKUP_ADMIN, CONNECTION_ADMIN, GROUP_REPLICATION_STREAM ON *.* TO '${recovery.user}'@'%';`,
        ],
      }),
    );
  }
  const join = async (member: DatabaseServer): Promise<void> => {
    await member.admin(
      `CHANGE REPLICATION SOURCE TO SOURCE_USER='${recovery.user}', SOURCE_PASSWORD='${recovery.password}' FOR CHANNEL 'group_replication_recovery'`,
      "START GROUP_REPLICATION",
    );
    await waitUntil(
      async () => {
        const [own] = await member.admin(
          "SELECT MEMBER_STATE AS state FROM performance_schema.replication_group_members WHERE MEMBER_ID = @@server_uuid",
        );
        return own?.state === "ONLINE";
      },
      "the member to be ONLINE",
      60_000,
    );
  };
  for (const member of members) await member.admin("RESET BINARY LOGS AND GTIDS");
  await members[0]?.admin("SET GLOBAL group_replication_bootstrap_group = ON");
  for (const [index, member] of members.entries()) {
    await join(member);
    if (index === 0) await member.admin("SET GLOBAL group_replication_bootstrap_group = OFF");
  }
  return {
    members,
    join,
    async primary(seenBy) {
      const [row] = await seenBy.admin(
        "SELECT MEMBER_PORT AS port FROM performance_schema.replication_group_members WHERE MEMBER_ROLE = 'PRIMARY'",
      );
      return members.findIndex(({ port }) => port === Number(row?.port));
    },
    async stop() {
      await Promise.all(members.map((member) => member.stop()));
    },
  };
}

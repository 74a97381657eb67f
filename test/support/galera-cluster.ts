// A Galera cluster of MariaDB servers on the loopback, each with ports of its own.
// https://galeracluster.com/library/documentation/
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseServer } from "./database-server.ts";
import { startMariadb } from "./mariadb-server.ts";
import { findProgram } from "./processes.ts";
import { accountSql } from "./replicated-servers.ts";
import { freePort, removeFolder, scratchFolder, waitUntil } from "./scratch.ts";

const provider = "/usr/lib/galera/libgalera_smm.so";

/** Why there can be no cluster on this machine; null: there can. */
export function galeraMissing(): string | null {
  if (findProgram("mariadbd") === null) return "mariadbd is not installed";
  if (!existsSync(provider)) return `${provider} is missing: apt-get install galera-4`;
  for (const program of ["wsrep_sst_rsync", "rsync"]) {
    if (findProgram(program) === null) return `${program} is missing: apt-get install mariadb-server rsync`;
  }
  return null;
}

/**
 * Started by root, rsync's daemon becomes `nobody`, who may not write to a server's data: a function for the shell of the
 * state transfer's script, which looks for programs in the system's folders only.
 */
function rsyncAsRoot(folder: string): Readonly<Record<string, string>> {
  if (process.getuid?.() !== 0) return {};
  const path = join(folder, "functions");
  const body = `rsync() {
  case " $* " in
  *" --daemon "*) exec rsync --dparam=uid=0 --dparam=gid=0 "$@" ;;
  *) command rsync "$@" ;;
  esac
}
`;
  writeFileSync(path, body);
  return { BASH_ENV: path };
}

/** A running cluster. */
export interface GaleraCluster {
  readonly nodes: readonly DatabaseServer[];
  /** Resolves when a node is synced with the others. */
  synced(node: DatabaseServer): Promise<void>;
  /** What each node says of itself, for whoever reads why a test has failed. */
  states(): Promise<string[]>;
  stop(): Promise<void>;
}

/** Starts `count` nodes, one after the other: the first one founds the cluster. */
export async function startGaleraCluster(count: number): Promise<GaleraCluster> {
  const ports: { group: number; ist: number; sst: number }[] = [];
  for (let index = 0; index < count; index++)
    ports.push({ group: await freePort(), ist: await freePort(), sst: await freePort() });
  const address = `gcomm://${ports.map(({ group }) => `127.0.0.1:${group}`).join(",")}`;
  const folder = scratchFolder("galera");
  const env = rsyncAsRoot(folder);
  const nodes: DatabaseServer[] = [];
  for (const [index, { group, ist, sst }] of ports.entries()) {
    const options = [
      `gmcast.listen_addr=tcp://127.0.0.1:${group}`,
      `ist.recv_addr=127.0.0.1:${ist}`,
      // A node that is slow for some seconds, on a busy machine, is not dead.
      "evs.suspect_timeout=PT5S",
      "evs.inactive_timeout=PT15S",
      // Two nodes that lose each other while the third one is dead wait for it for ever: the second has the majority alone.
      `pc.weight=${index === 1 ? count : 1}`,
      "gcache.size=32M",
    ];
    nodes.push(
      await startMariadb({
        flags: [
          "--wsrep-on=ON",
          `--wsrep-provider=${provider}`,
          "--wsrep-cluster-name=gatehouse-test",
          `--wsrep-cluster-address=${address}`,
          `--wsrep-node-name=db${index + 1}`,
          `--wsrep-node-address=127.0.0.1:${group}`,
          `--wsrep-sst-receive-address=127.0.0.1:${sst}`,
          "--wsrep-sst-method=rsync",
          `--wsrep-provider-options=${options.join(";")}`,
          "--binlog-format=ROW",
          "--innodb-autoinc-lock-mode=2",
          `--server-id=${index + 1}`,
        ],
        ...(index === 0 ? { firstFlags: ["--wsrep-new-cluster"] } : {}),
        initSql: accountSql,
        env,
      }),
    );
  }
  const synced = (node: DatabaseServer): Promise<void> =>
    waitUntil(
      () =>
        node.admin("SHOW GLOBAL STATUS LIKE 'wsrep_local_state_comment'").then(
          ([state]) => state?.Value === "Synced",
          // A node that receives the whole state closes connections until it has it.
          () => false,
        ),
      "a synced node",
      30_000,
    ).then(() => {});
  for (const node of nodes) await synced(node);
  const stateOf = async (node: DatabaseServer): Promise<string> => {
    const rows = await node.admin(
      "SHOW GLOBAL STATUS WHERE Variable_name IN ('wsrep_cluster_status', 'wsrep_cluster_size', 'wsrep_local_state_comment')",
    );
    return rows.map(({ Variable_name, Value }) => `${Variable_name}=${Value}`).join(" ");
  };
  return {
    nodes,
    synced,
    states: () => Promise.all(nodes.map((node) => stateOf(node).catch((error) => String(error)))),
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()));
      removeFolder(folder);
    },
  };
}

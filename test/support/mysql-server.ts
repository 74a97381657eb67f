// A real MySQL server for tests, where one is installed: GATEHOUSE_TEST_MYSQLD holds the command that starts one, e.g.
// `mysqld` or `chroot /opt/mysql mysqld` (the temporary directory must then be the same inside), and
// GATEHOUSE_TEST_MYSQL the command line client of the same version.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { DatabaseServer, DatabaseServerOptions, ServerKind } from "./database-server.ts";
import { startDatabaseServer } from "./database-server.ts";
import { commandFrom, runProgram } from "./processes.ts";

/** The command that starts mysqld; null where the environment names none. */
export const mysqldCommand: readonly string[] | null = commandFrom("GATEHOUSE_TEST_MYSQLD");

/** The command that starts MySQL's own command line client; null where the environment names none. */
export const mysqlClientCommand: readonly string[] | null = commandFrom("GATEHOUSE_TEST_MYSQL");

if (mysqldCommand === null)
  console.warn("Skipping tests with a real mysqld: GATEHOUSE_TEST_MYSQLD is not set");
if (mysqlClientCommand === null) {
  console.warn("Skipping tests with MySQL's command line: GATEHOUSE_TEST_MYSQL is not set");
}

/** Starts a mysqld with small buffers, local_infile on, packets up to 64 MiB. */
export async function startMysql(options: DatabaseServerOptions = {}): Promise<DatabaseServer> {
  const command = mysqldCommand;
  if (command === null) throw new Error("GATEHOUSE_TEST_MYSQLD is not set");
  const [program = "", ...words] = command;
  const version = spawnSync(program, [...words, "--version"]).stdout.toString();
  const asRoot = process.getuid?.() === 0 ? ["--user=root"] : [];
  const kind: ServerKind = {
    flavour: "mysql",
    templateKey: `mysql-${createHash("sha256").update(version).digest("hex").slice(0, 12)}`,
    async initialise(datadir) {
      mkdirSync(dirname(datadir), { recursive: true });
      const result = await runProgram(
        [...command, "--no-defaults", "--initialize-insecure", `--datadir=${datadir}`, ...asRoot],
        { timeoutMs: 120_000 },
      );
      if (result.code !== 0)
        throw new Error(`mysqld --initialize failed:\n${result.stdout}\n${result.stderr}`);
    },
    command,
    flags: [
      "--innodb-buffer-pool-size=64M",
      // A slow statement sets a status flag: replies would differ by how busy the machine is.
      "--long-query-time=3600",
      "--innodb-redo-log-capacity=64M",
      "--innodb-flush-log-at-trx-commit=2",
      "--skip-log-bin",
      "--skip-name-resolve",
      "--max-allowed-packet=64M",
      "--max-connections=300",
      "--local-infile=ON",
      "--mysqlx=OFF",
      "--secure-file-priv=",
    ],
    ready: /ready for connections\. Version/,
  };
  return startDatabaseServer(kind, options);
}

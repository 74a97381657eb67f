// A real mariadbd for tests: the machine's own, and a second one of another version where GATEHOUSE_TEST_OTHER_MARIADBD holds
// the command that starts one, e.g. `chroot /opt/mariadb mariadbd` (the temporary directory must then be the same inside).
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import type { DatabaseServer, DatabaseServerOptions, ServerKind } from "./database-server.ts";
import { startDatabaseServer } from "./database-server.ts";
import { commandFrom, findProgram, runProgram } from "./processes.ts";

const small = ["--innodb-log-file-size=4M"];

/** The command that starts the other mariadbd; null where the environment names none. */
export const otherMariadbdCommand: readonly string[] | null = commandFrom("GATEHOUSE_TEST_OTHER_MARIADBD");

async function initialise(command: readonly string[], datadir: string): Promise<void> {
  const result = await runProgram([
    ...command,
    "--no-defaults",
    // Without it an installer wants to resolve the machine's own name.
    "--force",
    `--datadir=${datadir}`,
    "--auth-root-authentication-method=normal",
    "--skip-test-db",
    ...(process.getuid?.() === 0 ? ["--user=root"] : []),
    ...small,
  ]);
  if (result.code !== 0) throw new Error(`mariadb-install-db failed:\n${result.stdout}\n${result.stderr}`);
}

/** Whether this machine has a mariadbd; e2e tests need one. */
export function hasMariadb(): boolean {
  return findProgram("mariadbd") !== null;
}

/** Starts a mariadbd with small buffers, local_infile on, packets up to 64 MiB. */
export async function startMariadb(options: DatabaseServerOptions = {}): Promise<DatabaseServer> {
  const program = findProgram("mariadbd");
  if (program === null) throw new Error("mariadbd is not installed: apt-get install mariadb-server-core");
  return start([program], [findProgram("mariadb-install-db") ?? "mariadb-install-db"], options);
}

/** Starts the other one in the same way. */
export async function startOtherMariadb(options: DatabaseServerOptions = {}): Promise<DatabaseServer> {
  if (otherMariadbdCommand === null) throw new Error("GATEHOUSE_TEST_OTHER_MARIADBD is not set");
  const installer = otherMariadbdCommand.map((word) => word.replace(/mariadbd$/, "mariadb-install-db"));
  return start(otherMariadbdCommand, installer, options);
}

async function start(
  command: readonly string[],
  installer: readonly string[],
  options: DatabaseServerOptions,
): Promise<DatabaseServer> {
  const [program = "", ...words] = command;
  const version = spawnSync(program, [...words, "--version"]).stdout.toString();
  const kind: ServerKind = {
    flavour: "mariadb",
    templateKey: `mariadb-${createHash("sha256").update(version).digest("hex").slice(0, 12)}`,
    initialise: (datadir) => initialise(installer, datadir),
    command,
    flags: [
      ...small,
      "--innodb-buffer-pool-size=32M",
      // A slow statement sets a status flag: replies would differ by how busy the machine is.
      "--long-query-time=3600",
      "--innodb-flush-log-at-trx-commit=2",
      "--skip-name-resolve",
      "--max-allowed-packet=64M",
      "--max-connections=300",
      "--local-infile=ON",
    ],
    ready: /ready for connections/,
  };
  return startDatabaseServer(kind, options);
}

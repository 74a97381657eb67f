// A real mariadbd for tests.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import type { DatabaseServer, DatabaseServerOptions, ServerKind } from "./database-server.ts";
import { startDatabaseServer } from "./database-server.ts";
import { findProgram, runProgram } from "./processes.ts";

const small = ["--innodb-log-file-size=4M"];

async function initialise(datadir: string): Promise<void> {
  const result = await runProgram([
    findProgram("mariadb-install-db") ?? "mariadb-install-db",
    "--no-defaults",
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
  const version = spawnSync(program, ["--version"]).stdout.toString();
  const kind: ServerKind = {
    flavour: "mariadb",
    templateKey: `mariadb-${createHash("sha256").update(version).digest("hex").slice(0, 12)}`,
    initialise,
    command: [program],
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

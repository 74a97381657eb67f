// What the embedded database is told: flags, environment, and the statements of its init file. Pure text.

import { join } from "node:path";
import type { EmbeddedPrograms } from "./programs.ts";

/** The account that the gateway uses; its password is new with every start. */
export const embeddedAccountName = "gatehouse";
/** A schema for first steps. */
export const embeddedInitialDatabase = "test";

// No SUPER, FILE, SHUTDOWN, CREATE USER or GRANT OPTION, and no writing to the grant tables: whoever logs in at the
// gateway acts through this account, and the server may run as root. Of several grants on schemas the most specific
// one decides, so the one on `mysql` takes away what the one on `%` gives.
const globalPrivileges = "PROCESS, RELOAD, SHOW DATABASES";
const schemaPrivileges = [
  "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, CREATE TEMPORARY TABLES, LOCK TABLES",
  "EXECUTE, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, EVENT, TRIGGER",
].join(", ");

/** Statements that run at every start, before the first connection is accepted: one a line, as servers demand. */
export function initStatements(password: string): string {
  const account = `'${embeddedAccountName}'@'localhost'`;
  const lines = [
    `CREATE USER IF NOT EXISTS ${account};`,
    `ALTER USER ${account} IDENTIFIED BY '${password}';`,
    `GRANT ${globalPrivileges} ON *.* TO ${account};`,
    `GRANT ${schemaPrivileges} ON \`%\`.* TO ${account};`,
    `GRANT SELECT ON mysql.* TO ${account};`,
    `CREATE DATABASE IF NOT EXISTS ${embeddedInitialDatabase};`,
  ];
  return `${lines.join("\n")}\n`;
}

/** What the program that makes a data directory is called with, beside its --datadir. No white space in them. */
export function initializerFlags(programs: EmbeddedPrograms, isRoot: boolean): readonly string[] {
  if (programs.flavour === "mariadb") {
    // Not --user: with it the script changes owners of system files (auth_pam_tool); bootstrapping as root works without.
    // --force: no look-up of host names.
    return ["--no-defaults", "--force", "--skip-test-db", "--skip-name-resolve"];
  }
  return ["--no-defaults", "--initialize-insecure", ...(isRoot ? ["--user=root"] : [])];
}

/** Where a server keeps its things. */
export interface ServerPlaces {
  readonly directory: string;
  readonly runtimeDirectory: string;
  readonly socket: string;
  readonly initFile: string;
}

/** The command that runs the server in the foreground. */
export function serverCommand(
  programs: EmbeddedPrograms,
  places: ServerPlaces,
  isRoot: boolean,
): readonly string[] {
  const { directory } = places;
  return [
    programs.server,
    "--no-defaults",
    `--datadir=${join(directory, "data")}`,
    `--socket=${places.socket}`,
    `--pid-file=${join(places.runtimeDirectory, "server.pid")}`,
    `--init-file=${places.initFile}`,
    `--log-error=${join(directory, "server.log")}`,
    // Server-side file access of clients stays in here.
    `--secure-file-priv=${join(directory, "files")}`,
    "--skip-networking",
    "--skip-log-bin",
    // Before MariaDB 11.6 the default is latin1, which would lose most of the world's text.
    "--character-set-server=utf8mb4",
    "--max-connections=1000",
    ...(programs.flavour === "mysql" ? ["--loose-mysqlx=OFF"] : []),
    ...(isRoot ? ["--user=root"] : []),
  ];
}

/** Secrets of the gateway's environment are no business of the database server. */
export function childEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH"]) {
    const value = environment[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}

// Finds the database server that the embedded backend runs, and what initialises its data directory. Looks on PATH
// and in the folders where distributions put servers but shells of ordinary users do not look.

import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import type { ServerFlavour } from "../backend-connection.ts";

/** A database server that can be run, with full paths. */
export interface EmbeddedPrograms {
  readonly flavour: ServerFlavour;
  readonly server: string;
  /** Makes a data directory: mariadb-install-db, or the MySQL server itself. */
  readonly initializer: string;
}

/** Where servers live when PATH does not tell. */
export const usualFolders: readonly string[] = [
  "/usr/sbin",
  "/usr/local/sbin",
  "/sbin",
  "/usr/libexec",
  "/usr/bin",
  "/usr/local/bin",
  "/usr/local/mysql/bin",
  "/usr/local/mysql/scripts",
  "/opt/homebrew/bin",
  "/opt/homebrew/opt/mariadb/bin",
];

/**
 * mariadbd with its mariadb-install-db, else mysqld. A string: which piece is missing, and how to install all of
 * them, as the end of a sentence.
 */
export function findPrograms(
  path: string,
  folders: readonly string[] = usualFolders,
): EmbeddedPrograms | string {
  const places = [...path.split(delimiter).filter((folder) => isAbsolute(folder)), ...folders];
  const find = (...names: readonly string[]): string | null => findIn(places, names);
  const mariadbd = find("mariadbd");
  const installer = find("mariadb-install-db", "mysql_install_db");
  // mariadb-install-db calls it, and Debian ships it with the client: an initialisation would fail half-way.
  const printDefaults = find("my_print_defaults");
  if (mariadbd !== null && installer !== null && printDefaults !== null) {
    return { flavour: "mariadb", server: mariadbd, initializer: installer };
  }
  // Where MariaDB is installed, `mysqld` is a link to it and no initialiser of itself.
  const mysqld = mariadbd === null ? find("mysqld") : null;
  if (mysqld !== null) return { flavour: "mysql", server: mysqld, initializer: mysqld };
  const missing =
    mariadbd === null
      ? "neither mariadbd nor mysqld is installed"
      : `mariadbd is installed, but ${installer === null ? "mariadb-install-db" : "my_print_defaults"} is missing`;
  return `${missing}; ${installHint(find)}`;
}

function findIn(places: readonly string[], names: readonly string[]): string | null {
  for (const name of names) {
    for (const place of places) {
      const candidate = join(place, name);
      if (isProgram(candidate)) return candidate;
    }
  }
  return null;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Package managers and what to type, the first that is found. Debian's client package holds my_print_defaults. */
const installCommands: readonly (readonly [manager: string, command: string])[] = [
  ["apt-get", "apt-get install -y mariadb-server-core mariadb-client"],
  ["dnf", "dnf install -y mariadb-server mariadb"],
  ["apk", "apk add mariadb mariadb-client"],
  ["zypper", "zypper install -y mariadb mariadb-client"],
  ["pacman", "pacman -S mariadb"],
  ["brew", "brew install mariadb"],
];

function installHint(find: (name: string) => string | null): string {
  const known = installCommands.find(([manager]) => find(manager) !== null);
  const advice =
    known === undefined
      ? "install MariaDB's server and client programs"
      : `install what is needed with '${known[1]}'`;
  return `${advice}, or name a server with --backend=mysql://...`;
}

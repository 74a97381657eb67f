// The servers on which SQL is tried: the machine's MariaDB, and a MySQL and another MariaDB where the environment names them.
import type { Connection } from "mysql2/promise";
import { type Flavour, parseServerVersion } from "../../src/sql/dialect.ts";
import type { DatabaseServer, DatabaseServerOptions } from "./database-server.ts";
import { otherMariadbdCommand, startMariadb, startOtherMariadb } from "./mariadb-server.ts";
import { mysqldCommand, startMysql } from "./mysql-server.ts";

/** One of them. */
export interface SqlServer {
  readonly name: string;
  readonly flavour: Flavour;
  readonly present: boolean;
  start(options?: DatabaseServerOptions): Promise<DatabaseServer>;
}

export const sqlServers: readonly SqlServer[] = [
  { name: "mariadb", flavour: "mariadb", present: true, start: startMariadb },
  { name: "mysql", flavour: "mysql", present: mysqldCommand !== null, start: startMysql },
  {
    name: "another mariadb",
    flavour: "mariadb",
    present: otherMariadbdCommand !== null,
    start: startOtherMariadb,
  },
];

if (otherMariadbdCommand === null)
  console.warn("Skipping tests with another mariadbd: GATEHOUSE_TEST_OTHER_MARIADBD is not set");

/** What the server behind a connection is, as the analysis wants it. */
export async function versionOf(connection: Connection): Promise<{ flavour: Flavour; version: number }> {
  const [rows] = await connection.query<never>("SELECT VERSION() AS version");
  const read = parseServerVersion((rows as { version: string }[])[0]?.version ?? "");
  if (read === null) throw new Error("The server's version is not understood");
  return read;
}

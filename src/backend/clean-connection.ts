// What has to be said to a server so that nothing of a session is left on its connection, where that cannot be said in
// other words: a reset. Knows no pool.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_reset_connection.html

import { CLIENT_IGNORE_SPACE, CLIENT_MULTI_STATEMENTS, has } from "../wire/capabilities.ts";
import type { ReleaseNotes } from "./backend-pool.ts";
import {
  forgetDiagnostics,
  type HousekeepingCommand,
  queryCommand,
  resetCommand,
  setOptionCommand,
} from "./housekeeping.ts";
import { BackendLoginError, quoteServer } from "./login-error.ts";
import type { PooledConnection } from "./pooled-connection.ts";
import { nameAssignments } from "./session-names.ts";
import { noSettings } from "./session-settings.ts";

/**
 * Cleans a connection that a session has used.
 * @throws BackendLoginError when that fails: the connection is not to be used any more.
 */
export async function cleanConnection(
  connection: PooledConnection,
  notes: ReleaseNotes,
  sessionAssignments: string | null,
  timeoutMs: number,
): Promise<void> {
  const { database } = notes;
  // MySQL's reset stays in the schema but forgets its character set, by which LOAD DATA reads: it is to be entered anew.
  const forgets = connection.server.flavour === "mysql" && database !== null;
  connection.schema = database === undefined || forgets ? { known: false } : { known: true, name: database };
  const replies = await connection.converse(
    cleaningCommands(connection, notes, sessionAssignments),
    timeoutMs,
  );
  connection.prepared.clear();
  connection.settings = noSettings;
  connection.insertId = "0";
  connection.hasDiagnostics = false;
  connection.multiStatements = has(connection.capabilities, CLIENT_MULTI_STATEMENTS);
  const refused = replies.find(({ kind }) => kind !== "ok");
  if (refused === undefined) return;
  const why =
    refused.kind === "err" ? `${refused.error.code}: ${quoteServer(refused.error.message)}` : "rows";
  throw new BackendLoginError("refused", `The server answered the reset with ${why}`);
}

/** MariaDB's reset forgets that the login asked for IGNORE_SPACE; MySQL's does not. */
export function assignmentLostByReset({ server, capabilities }: PooledConnection): string | null {
  const isLost = server.flavour === "mariadb" && has(capabilities, CLIENT_IGNORE_SPACE);
  return isLost ? "sql_mode = CONCAT(@@sql_mode, ',IGNORE_SPACE')" : null;
}

/**
 * The commands that make a connection as a login left it, sent when a session gives it back. MySQL's reset leaves the
 * server's default character sets, MariaDB's those of the login; neither undoes COM_SET_OPTION nor leaves the schema.
 */
function cleaningCommands(
  connection: PooledConnection,
  notes: ReleaseNotes,
  sessionAssignments: string | null,
): HousekeepingCommand[] {
  const commands = [resetCommand];
  if (notes.optionToggled === true) {
    commands.push(setOptionCommand(has(connection.capabilities, CLIENT_MULTI_STATEMENTS)));
  }
  const assignments: string[] = sessionAssignments === null ? [] : [sessionAssignments];
  if (connection.server.flavour === "mysql" || connection.collation !== connection.loginCollation) {
    assignments.push(nameAssignments(connection.names));
  }
  const lost = assignmentLostByReset(connection);
  if (lost !== null) assignments.push(lost);
  if (assignments.length > 0) commands.push(queryCommand(`SET ${assignments.join(", ")}`));
  // MariaDB's reset does not.
  if (connection.server.flavour === "mariadb") commands.push(forgetDiagnostics);
  return commands;
}

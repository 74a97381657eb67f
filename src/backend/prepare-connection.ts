// What has to be said to a server so that a connection fits its next session, and so that nothing of the last one is
// left: commands to send, and what follows from the replies. Knows no pool.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_reset_connection.html

import { SqlError, sqlError } from "../errors/sql-error.ts";
import { CLIENT_MULTI_STATEMENTS, has } from "../wire/capabilities.ts";
import type { ReleaseNotes, SessionVariables } from "./backend-pool.ts";
import {
  databaseQuery,
  type HousekeepingCommand,
  type HousekeepingReply,
  initDbCommand,
  queryCommand,
  resetCommand,
  setOptionCommand,
} from "./housekeeping.ts";
import { BackendLoginError, quoteServer } from "./login-error.ts";
import type { PooledConnection } from "./pooled-connection.ts";
import { nameAssignments, type RestorableNames } from "./session-names.ts";

/** What the next session wants of a connection. */
export interface Wish {
  readonly database: string | null;
  readonly collation: number;
  /** The names of `collation` on this server; null: not known yet. */
  readonly names: RestorableNames | null;
}

/** How well a connection fits: 0 as it is, 1 after some words with the server, null not at all. */
export function fitness(connection: PooledConnection, wish: Wish): 0 | 1 | null {
  const sameNames = connection.collation === wish.collation;
  if (!sameNames && (wish.names === null || wish.names.resultsValue === null)) return null;
  const { schema } = connection;
  // No command leaves a schema without entering another.
  if (wish.database === null && schema.known && schema.name !== null) return null;
  const sameSchema = schema.known && schema.name === wish.database;
  return sameNames && sameSchema ? 0 : 1;
}

/**
 * Makes a connection fit, by as many words with the server as that takes. `unfit`: it is well, but in a schema that the
 * session must not be in. An SqlError is for the client; the connection is well.
 * @throws BackendLoginError when the connection is not to be used any more.
 */
export async function fitConnection(
  connection: PooledConnection,
  wish: Wish,
  timeoutMs: number,
): Promise<"fits" | "unfit" | SqlError> {
  const replies = await connection.converse(fittingCommands(connection, wish), timeoutMs);
  const verdict = judgeFitting(connection, wish, replies);
  if (verdict === "broken")
    throw new BackendLoginError("protocol", "The server refused to prepare the connection");
  return verdict;
}

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
  connection.schema = database === undefined ? { known: false } : { known: true, name: database };
  const replies = await connection.converse(
    cleaningCommands(connection, notes, sessionAssignments),
    timeoutMs,
  );
  connection.prepared.clear();
  const refused = replies.find(({ kind }) => kind !== "ok");
  if (refused === undefined) return;
  const why =
    refused.kind === "err" ? `${refused.error.code}: ${quoteServer(refused.error.message)}` : "rows";
  throw new BackendLoginError("refused", `The server answered the reset with ${why}`);
}

/** As hexadecimal digits of UTF-8: whatever character_set_results is, it says the same. */
const variablesQuery = queryCommand(
  `SELECT ${["@@sql_mode", "@@character_set_client", "DATABASE()"]
    .map((value) => `HEX(CONVERT(${value} USING utf8mb4))`)
    .join(", ")}`,
);

/**
 * Asks for what decides how the server reads a session's texts.
 * @throws BackendLoginError when the connection is not to be used any more.
 */
export async function readVariables(
  connection: PooledConnection,
  timeoutMs: number,
): Promise<SessionVariables> {
  const [reply] = await connection.converse([variablesQuery], timeoutMs);
  const row = reply?.kind === "rows" ? (reply.rows[0] ?? []) : [];
  const [sqlMode, characterSet, database] = row.map((value) => (value === null ? null : textOfHex(value)));
  if (sqlMode == null || characterSet == null || database === undefined) {
    throw new BackendLoginError("protocol", "The server does not tell its session variables");
  }
  return { sqlMode, characterSet, database };
}

/** 16 rows, and 16^4 of them by joining: more objects than any listing has. */
const sixteen = `(SELECT 1${" UNION ALL SELECT 1".repeat(15)})`;
const manyRows = ["a", "b", "c", "d"].map((alias) => `${sixteen} ${alias}`).join(", ");

/**
 * Takes warnings and FOUND_ROWS() of the last reply away: from now on it has had `rows` rows and no warning.
 * @throws BackendLoginError when the connection is not to be used any more.
 */
export async function hideLastReply(
  connection: PooledConnection,
  rows: number,
  timeoutMs: number,
): Promise<void> {
  const [reply] = await connection.converse(
    [queryCommand(`SELECT 1 FROM ${manyRows} LIMIT ${rows}`)],
    timeoutMs,
  );
  if (reply?.kind !== "rows" || reply.rows.length !== Math.min(rows, 16 ** 4))
    throw new BackendLoginError("protocol", "The server does not count rows");
}

const grantsQuery = queryCommand("SHOW GRANTS");

/**
 * Asks for what the account of the connection may do.
 * @throws BackendLoginError when the connection is not to be used any more.
 */
export async function readGrants(
  connection: PooledConnection,
  timeoutMs: number,
): Promise<readonly string[]> {
  const [reply] = await connection.converse([grantsQuery], timeoutMs);
  if (reply?.kind !== "rows")
    throw new BackendLoginError("protocol", "The server does not tell its account's grants");
  // Rows come in character_set_results, which may be a wide one.
  return reply.rows.map(([line]) => (line ?? "").replaceAll("\0", ""));
}

/** @throws BackendLoginError for anything but digits; those may be spread over wide characters. */
function textOfHex(value: string): string {
  const digits = value.replaceAll("\0", "");
  if (!/^(?:[0-9A-Fa-f]{2})*$/.test(digits))
    throw new BackendLoginError("protocol", "The server tells its session variables as something else");
  return Buffer.from(digits, "hex").toString("utf8");
}

/** The commands that make a connection fit; empty when it does. */
function fittingCommands(connection: PooledConnection, wish: Wish): HousekeepingCommand[] {
  const commands: HousekeepingCommand[] = [];
  if (connection.collation !== wish.collation && wish.names !== null) {
    commands.push(queryCommand(`SET ${nameAssignments(wish.names)}`));
  }
  const { schema } = connection;
  if (wish.database !== null) {
    if (!schema.known || schema.name !== wish.database) commands.push(initDbCommand(wish.database));
  } else if (!schema.known) {
    commands.push(databaseQuery);
  }
  return commands;
}

/** What the replies to {@link fittingCommands} mean; the connection's record is brought up to date. */
function judgeFitting(
  connection: PooledConnection,
  wish: Wish,
  replies: readonly HousekeepingReply[],
): "fits" | "unfit" | "broken" | SqlError {
  const rest = [...replies];
  if (connection.collation !== wish.collation && wish.names !== null) {
    if (rest.shift()?.kind !== "ok") return "broken";
    connection.collation = wish.collation;
    connection.names = wish.names;
  }
  const reply = rest.shift();
  if (reply === undefined) return "fits";
  if (wish.database === null) {
    const row = reply.kind === "rows" ? reply.rows[0] : undefined;
    if (row === undefined) return "broken";
    connection.schema = { known: true, name: row[0] ?? null };
    return connection.schema.name === null ? "fits" : "unfit";
  }
  if (reply.kind === "ok") {
    connection.schema = { known: true, name: wish.database };
    return "fits";
  }
  return reply.kind === "err" ? schemaError(reply.error, wish.database) : "broken";
}

const unknownDatabase = 1049;
const databaseAccessDenied = 1044;
const invalidNameCodes = new Set([1102, 1059]);

/** The server's words where they say nothing of the service account. */
function schemaError(
  error: { readonly code: number; readonly message: string },
  database: string,
): SqlError | "broken" {
  if (error.code === unknownDatabase) return new SqlError("ER_BAD_DB_ERROR", error.message);
  if (invalidNameCodes.has(error.code)) return sqlError("ER_BAD_DB_ERROR", { database });
  if (error.code !== databaseAccessDenied) return "broken";
  const reason = `the service account may not use the schema: ${quoteServer(error.message)}`;
  return new SqlError("ER_DBACCESS_DENIED_ERROR", `Access denied to database '${database}'`, { reason });
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
  if (assignments.length > 0) commands.push(queryCommand(`SET ${assignments.join(", ")}`));
  return commands;
}

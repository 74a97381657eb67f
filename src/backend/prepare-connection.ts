// What has to be said to a server so that a connection fits its next session, and so that nothing of the last one is
// left: commands to send, and what follows from the replies. Knows no pool.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_reset_connection.html

import { SqlError, sqlError } from "../errors/sql-error.ts";
import { CLIENT_IGNORE_SPACE, CLIENT_MULTI_STATEMENTS, has } from "../wire/capabilities.ts";
import type { AcquireRequest } from "./backend-pool.ts";
import { assignmentLostByReset } from "./clean-connection.ts";
import {
  databaseQuery,
  forgetDiagnostics,
  type HousekeepingCommand,
  type HousekeepingReply,
  initDbCommand,
  insertIdQuery,
  leftoversQuery,
  queryCommand,
  resetCommand,
  setOptionCommand,
} from "./housekeeping.ts";
import { BackendLoginError, quoteServer } from "./login-error.ts";
import type { PooledConnection } from "./pooled-connection.ts";
import { nameAssignments, type RestorableNames } from "./session-names.ts";
import { noSettings, type SessionSettings, setsAllNames, settingElements } from "./session-settings.ts";

/** What the next session wants of a connection. */
export interface Wish {
  readonly database: string | null;
  readonly collation: number;
  /** The names of `collation` on this server; null: not known yet. */
  readonly names: RestorableNames | null;
  readonly settings: SessionSettings;
  readonly multiStatements: boolean;
  readonly insertId: string;
}

/** How well a connection fits: 0 as it is, 1 after some words with the server, null not at all. */
export function fitness(connection: PooledConnection, wish: Wish): 0 | 1 | null {
  const { schema } = connection;
  // No command leaves a schema without entering another.
  if (wish.database === null && schema.known && schema.name !== null) return null;
  const way = wayToNames(connection, wish);
  if (way === null) return null;
  const isSame =
    way === "same" &&
    schema.known &&
    schema.name === wish.database &&
    connection.insertId === wish.insertId &&
    !connection.hasDiagnostics &&
    connection.owed === null &&
    connection.settings.key === wish.settings.key &&
    connection.multiStatements === wish.multiStatements;
  return isSame ? 0 : 1;
}

/**
 * How the character sets of the wish are reached: they are in force; by the session's own words; by those of its login
 * first; by a reset, which on MariaDB brings the login's back; null: not at all.
 */
function wayToNames(connection: PooledConnection, wish: Wish): "same" | "own" | "login" | "reset" | null {
  const sameLogin = connection.collation === wish.collation;
  if (sameLogin && connection.settings.namesKey === wish.settings.namesKey) return "same";
  if (sameLogin && connection.settings.namesKey === "") return "own";
  // Without them nobody could come back to the login's character sets later.
  if (wish.names === null) return null;
  if (setsAllNames(wish.settings)) return "own";
  if (wish.names.resultsValue !== null) return "login";
  return connection.server.flavour === "mariadb" && connection.loginCollation === wish.collation
    ? "reset"
    : null;
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
  const steps = fittingSteps(connection, wish);
  const replies = await connection.converse(
    steps.map(({ command }) => command),
    timeoutMs,
  );
  let verdict: "fits" | "unfit" | SqlError = "fits";
  for (const [index, step] of steps.entries()) {
    const reply = replies[index];
    const outcome = reply === undefined ? "broken" : step.take(reply);
    if (outcome === "broken") throw refusal(reply);
    if (outcome !== "fits") verdict = outcome;
  }
  // Our own words have left some.
  if (connection.hasDiagnostics) {
    const [reply] = await connection.converse([forgetDiagnostics], timeoutMs);
    if (reply?.kind !== "ok") throw refusal(reply);
    noteForgotten(connection);
  }
  return verdict;
}

function refusal(reply: HousekeepingReply | undefined): BackendLoginError {
  const words = "The server refused to prepare the connection";
  if (reply?.kind !== "err") return new BackendLoginError("protocol", words);
  const { code, message } = reply.error;
  return new BackendLoginError("refused", `${words}: ${code} ${quoteServer(message)}`, { code });
}

/**
 * Asks what is owed to the session that has left the connection, so that it can be idle.
 * @throws BackendLoginError when the connection is not to be used any more.
 */
export async function settleLeftovers(connection: PooledConnection, timeoutMs: number): Promise<void> {
  const [reply] = await connection.converse([owedQuery(connection)], timeoutMs);
  if (reply === undefined || takeLeftovers(connection, reply) === "broken")
    throw new BackendLoginError("protocol", "The server does not tell what its last statement left");
}

function owedQuery({ owed }: PooledConnection): HousekeepingCommand {
  return owed?.foundRows === true ? leftoversQuery : insertIdQuery;
}

/** One command of ours, and what its reply means; the connection's record is brought up to date. */
interface Step {
  readonly command: HousekeepingCommand;
  take(reply: HousekeepingReply): "fits" | "unfit" | "broken" | SqlError;
}

/** What makes a connection fit; empty when it does. */
function fittingSteps(connection: PooledConnection, wish: Wish): Step[] {
  const steps: Step[] = [];
  // First of all: what the session before is still to be told.
  if (connection.owed !== null)
    steps.push({ command: owedQuery(connection), take: (reply) => takeLeftovers(connection, reply) });
  const way = wayToNames(connection, wish);
  if (way === "reset") {
    steps.push({ command: resetCommand, take: (reply) => onOk(reply, () => noteReset(connection, wish)) });
    const lost = assignmentLostByReset(connection);
    if (lost !== null)
      steps.push({ command: queryCommand(`SET ${lost}`), take: (reply) => onOk(reply, () => undefined) });
  }
  if (connection.multiStatements !== wish.multiStatements) {
    const command = setOptionCommand(wish.multiStatements);
    // MySQL answers with an EOF, which is as good as an OK.
    const note = (): void => {
      connection.multiStatements = wish.multiStatements;
    };
    steps.push({ command, take: (reply) => onOk(reply, note) });
  }
  const elements = elementsFor(connection, wish, way);
  if (elements.length > 0) {
    const command = queryCommand(`SET ${elements.join(", ")}`);
    steps.push({ command, take: (reply) => onOk(reply, () => noteElements(connection, wish)) });
  }
  const schema = schemaStep(connection, wish.database);
  if (schema !== null) steps.push(schema);
  if (connection.hasDiagnostics)
    steps.push({ command: forgetDiagnostics, take: (reply) => onOk(reply, () => noteForgotten(connection)) });
  return steps;
}

function noteForgotten(connection: PooledConnection): void {
  connection.hasDiagnostics = false;
}

function takeLeftovers(connection: PooledConnection, reply: HousekeepingReply): "fits" | "broken" {
  const [insertId, foundRows] = (reply.kind === "rows" ? reply.rows[0] : null) ?? [];
  if (!isDigits(insertId)) return "broken";
  connection.tellLeftovers({ insertId, foundRows: isDigits(foundRows) ? Number(foundRows) : null });
  return "fits";
}

function isDigits(value: string | null | undefined): value is string {
  return typeof value === "string" && /^\d{1,20}$/.test(value);
}

function onOk(reply: HousekeepingReply, note: () => void): "fits" | "broken" {
  if (reply.kind !== "ok") return "broken";
  note();
  return "fits";
}

/** The elements of one SET: character sets, variables, the insert id. */
function elementsFor(
  connection: PooledConnection,
  wish: Wish,
  way: "same" | "own" | "login" | "reset" | null,
): string[] {
  const ignoreSpace = has(connection.capabilities, CLIENT_IGNORE_SPACE);
  const elements: string[] = [];
  if (way === "login" && wish.names !== null) elements.push(nameAssignments(wish.names));
  const from = way === "reset" ? noSettings : connection.settings;
  elements.push(...settingElements(from, wish.settings, { ...connection.server, ignoreSpace }));
  // A collation of another login, and the same words after it: they have to be said again.
  if (way !== "same" && way !== null && from.namesKey === wish.settings.namesKey)
    elements.push(...wish.settings.names);
  const insertId = way === "reset" ? "0" : connection.insertId;
  if (insertId !== wish.insertId) elements.push(`last_insert_id=${wish.insertId}`);
  return elements;
}

function noteElements(connection: PooledConnection, wish: Wish): void {
  connection.collation = wish.collation;
  if (wish.names !== null) connection.names = wish.names;
  connection.settings = wish.settings;
  connection.insertId = wish.insertId;
}

function schemaStep(connection: PooledConnection, database: string | null): Step | null {
  const { schema } = connection;
  if (database === null) {
    if (schema.known) return null;
    return { command: databaseQuery, take: (reply) => takeNoSchema(connection, reply) };
  }
  if (schema.known && schema.name === database) return null;
  return { command: initDbCommand(database), take: (reply) => takeSchema(connection, database, reply) };
}

function takeNoSchema(connection: PooledConnection, reply: HousekeepingReply): "fits" | "unfit" | "broken" {
  const row = reply.kind === "rows" ? reply.rows[0] : undefined;
  if (row === undefined) return "broken";
  connection.schema = { known: true, name: row[0] ?? null };
  return connection.schema.name === null ? "fits" : "unfit";
}

function takeSchema(
  connection: PooledConnection,
  database: string,
  reply: HousekeepingReply,
): "fits" | "broken" | SqlError {
  if (reply.kind === "err") return schemaError(reply.error, database);
  if (reply.kind !== "ok") return "broken";
  connection.schema = { known: true, name: database };
  return "fits";
}

/** What a reset leaves; its prepared statements are gone too. */
function noteReset(connection: PooledConnection, wish: Wish): void {
  connection.settings = noSettings;
  if (wish.names !== null) connection.names = wish.names;
  connection.collation = connection.loginCollation;
  connection.insertId = "0";
  connection.prepared.clear();
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

/** What a connection must be for `request`; `names`: the character sets that its collation stands for; null: not known. */
export function wishOf(request: AcquireRequest, names: RestorableNames | null): Wish {
  const { route, collation, capabilities, settings, multiStatements, insertId } = request;
  return {
    database: route.database,
    collation,
    names,
    settings: settings ?? noSettings,
    multiStatements: multiStatements ?? has(capabilities, CLIENT_MULTI_STATEMENTS),
    insertId: insertId ?? "0",
  };
}

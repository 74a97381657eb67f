// Questions of the gateway to a server on a session's own connection, between two of its commands: how it reads texts,
// what the account may do, what other connections are doing. Knows no pool.

import { assert } from "../base/assert.ts";
import type { RunningStatement, SessionVariables, ToldError } from "./backend-pool.ts";
import { type HousekeepingCommand, type HousekeepingReply, queryCommand } from "./housekeeping.ts";
import { BackendLoginError } from "./login-error.ts";
import type { PooledConnection } from "./pooled-connection.ts";
import { nameOn } from "./session-settings.ts";

/** MariaDB takes prepared texts through the connection's character set: swe7 has no backslash and no backtick, it loses them. */
const characterSetExpression = "IF(@@character_set_connection = 'swe7', 'swe7', @@character_set_client)";

/**
 * As hexadecimal digits of UTF-8: whatever character_set_results is, it says the same. The query takes ROW_COUNT() and
 * FOUND_ROWS() of the session's last statement away, so it tells them; warnings stay, since it has none and reads no
 * table. FOUND_ROWS() would have one on MySQL: it is asked for only where the session asks for it next.
 */
function variablesQuery(withFoundRows: boolean, names: readonly string[]): HousekeepingCommand {
  const values = ["@@sql_mode", characterSetExpression, "DATABASE()", "ROW_COUNT()"];
  values.push(withFoundRows ? "FOUND_ROWS()" : "NULL", ...names.map((name) => `@@SESSION.${name}`));
  return queryCommand(`SELECT ${values.map((value) => `HEX(CONVERT(${value} USING utf8mb4))`).join(", ")}`);
}

/**
 * Asks for what decides how the server reads a session's texts, for what the question itself takes away, and for `names`
 * among the variables that follow sessions.
 * @throws BackendLoginError when the connection is not to be used any more.
 */
export async function readVariables(
  connection: PooledConnection,
  withFoundRows: boolean,
  names: readonly string[],
  timeoutMs: number,
): Promise<SessionVariables> {
  const here = names.map((name) => nameOn(connection.server, name));
  const [reply] = await connection.converse([variablesQuery(withFoundRows, here)], timeoutMs);
  const row = reply?.kind === "rows" ? (reply.rows[0] ?? []) : [];
  const [sqlMode, characterSet, database, rowCount, foundRows, ...others] = row.map((value) =>
    value === null ? null : textOfHex(value),
  );
  if (sqlMode == null || characterSet == null || database === undefined || !isNumber(rowCount)) {
    throw new BackendLoginError("protocol", "The server does not tell its session variables");
  }
  const asked = new Map(names.map((name, index) => [name, others[index] ?? null]));
  const variables = { sqlMode, characterSet, database, rowCount: Number(rowCount), asked };
  return { ...variables, foundRows: isNumber(foundRows) ? Number(foundRows) : null };
}

const isNumber = (value: string | null | undefined): boolean => value != null && /^-?\d{1,20}$/.test(value);

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

/** Longest text of a condition in characters: what is longer, SIGNAL refuses. */
const conditionCharactersMax = { mysql: 128, mariadb: 512 } as const;

/**
 * Makes `error` the one that the last statement ended with.
 * @throws BackendLoginError when the connection is not to be used any more.
 */
export async function tellLastError(
  connection: PooledConnection,
  { code, sqlState, message }: ToldError,
  timeoutMs: number,
): Promise<void> {
  const { flavour } = connection.server;
  const text = Array.from(message).slice(0, conditionCharactersMax[flavour]).join("");
  const items = [
    ...(flavour === "mysql" ? ["CLASS_ORIGIN = 'ISO 9075'", "SUBCLASS_ORIGIN = 'ISO 9075'"] : []),
    `MYSQL_ERRNO = ${code}`,
    `MESSAGE_TEXT = _utf8mb4 x'${Buffer.from(text, "utf8").toString("hex")}'`,
  ];
  const state = /^[0-9A-Z]{5}$/.test(sqlState) ? sqlState : "HY000";
  const signal = queryCommand(`SIGNAL SQLSTATE '${state}' SET ${items.join(", ")}`);
  const [reply] = await connection.converse([signal], timeoutMs);
  if (reply?.kind !== "err" || reply.error.code !== code)
    throw new BackendLoginError("protocol", "The server does not end a statement with the error it is given");
}

/** Of a statement that runs, so many characters are told. */
const runningCharactersMax = 4096;
/** Threads that one question is about. */
const threadsMax = 1000;

/**
 * Asks what the server's threads with these ids are doing; of more than 1000, the first. Whoever is not there, or not
 * to be seen, is left out, and so is everybody where the server does not tell.
 * @throws BackendLoginError when the connection is not to be used any more.
 */
export async function readRunning(
  connection: PooledConnection,
  threadIds: readonly number[],
  timeoutMs: number,
): Promise<ReadonlyMap<number, RunningStatement>> {
  const told = ["STATE", `LEFT(INFO, ${runningCharactersMax})`].map(
    (value) => `HEX(CONVERT(${value} USING utf8mb4))`,
  );
  const ids = threadIds.slice(0, threadsMax).join(", ");
  const queryOf = (schema: string): HousekeepingCommand =>
    queryCommand(`SELECT ID, ${told.join(", ")} FROM ${schema}.PROCESSLIST WHERE ID IN (${ids})`);
  const inSchema = queryOf("information_schema");
  if (connection.server.flavour === "mariadb")
    return runningOf(await connection.converse([inSchema], timeoutMs));
  const running = runningOf(await connection.converse([queryOf("performance_schema")], timeoutMs));
  if (running.size > 0) return running;
  // Without the performance schema there is the other table; MySQL warns of it, which the session shall not see.
  return runningOf(await connection.converse([inSchema, queryCommand("SELECT 1")], timeoutMs));
}

function runningOf([reply]: readonly HousekeepingReply[]): ReadonlyMap<number, RunningStatement> {
  const running = new Map<number, RunningStatement>();
  for (const [id, state, info] of reply?.kind === "rows" ? reply.rows : []) {
    const text = info == null ? null : textOfHex(info);
    running.set(Number((id ?? "").replaceAll("\0", "")), { state: textOfHex(state ?? ""), text });
  }
  return running;
}

/**
 * Asks for the value of a user variable, as a whole number; null: it is none. `name`: with its `@`; letters, digits,
 * `_`, `$` and dots only.
 * @throws BackendLoginError when the connection is not to be used any more.
 */
export async function readUserVariable(
  connection: PooledConnection,
  name: string,
  timeoutMs: number,
): Promise<{ readonly value: number | null }> {
  assert(/^@[A-Za-z0-9_$.]+$/.test(name), "a user variable of a plain name");
  const [reply] = await connection.converse([queryCommand(`SELECT ${name}`)], timeoutMs);
  const written = reply?.kind === "rows" ? (reply.rows[0]?.[0] ?? "").replaceAll("\0", "") : "";
  return { value: /^[0-9]{1,15}$/.test(written) ? Number(written) : null };
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
  const lines = await readGrantsIfTold(connection, timeoutMs);
  if (lines === null)
    throw new BackendLoginError("protocol", "The server does not tell its account's grants");
  return lines;
}

/**
 * The same; null: the server does not know the question.
 * @throws BackendLoginError when the connection is not to be used any more.
 */
export async function readGrantsIfTold(
  connection: PooledConnection,
  timeoutMs: number,
): Promise<readonly string[] | null> {
  const [reply] = await connection.converse([grantsQuery], timeoutMs);
  if (reply?.kind !== "rows") return null;
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

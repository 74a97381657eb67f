// How far a server has written, and waiting on another one until it has the same: so that a session reads its own writes
// on a replica. Questions of the gateway between two commands of a session; knows no pool.
// https://mariadb.com/docs/server/reference/sql-functions/secondary-functions/miscellaneous-functions/master_gtid_wait
// https://dev.mysql.com/doc/refman/8.4/en/gtid-functions.html

import type { HousekeepingReply } from "./housekeeping.ts";
import { queryCommand } from "./housekeeping.ts";
import type { PooledConnection } from "./pooled-connection.ts";

/** A place in the order of writes. `none`: the server does not count them. */
export type WritePosition =
  | { readonly kind: "none" }
  /** GTIDs as the server's family writes them. */
  | { readonly kind: "gtids"; readonly text: string }
  /** Nodes of a Galera cluster wait for what the cluster has agreed on. */
  | { readonly kind: "galera" };

/** Longer sets of GTIDs are not sent around with every read, in characters. */
const gtidsMax = 16 * 1024;
const msPerSecond = 1000;
/** What a server may take for its answer beyond the wait itself, in milliseconds. */
const answerMs = 500;

const mariadbQuestions = [
  queryCommand("SELECT @@global.gtid_binlog_pos"),
  queryCommand("SHOW GLOBAL STATUS LIKE 'wsrep_ready'"),
];
/** With `gtid_mode` off there may be an old set, which no write adds to. */
const mysqlQuestions = [queryCommand("SELECT IF(@@global.gtid_mode LIKE 'ON%', @@global.gtid_executed, '')")];

/**
 * Asks how far the server has written; whatever it has answered to clients before is part of that.
 * @throws BackendLoginError when the connection is not to be used any more.
 */
export async function readWritePosition(
  connection: PooledConnection,
  timeoutMs: number,
): Promise<WritePosition> {
  const isMariadb = connection.server.flavour === "mariadb";
  const [gtids, wsrep] = await connection.converse(isMariadb ? mariadbQuestions : mysqlQuestions, timeoutMs);
  if (wsrep?.kind === "rows" && wsrep.rows.some((row) => plain(row[1]) === "ON")) return { kind: "galera" };
  const text = gtids?.kind === "rows" ? plain(gtids.rows[0]?.[0]).replace(/\s+/g, "") : "";
  const isUsable = text !== "" && text.length <= gtidsMax && /^[\w:,-]+$/.test(text);
  return isUsable ? { kind: "gtids", text } : { kind: "none" };
}

/**
 * Waits until the server has come to a position of another one, at most `withinMs`. False: it has not, or cannot tell.
 * @throws BackendLoginError when the connection is not to be used any more.
 */
export async function awaitWritePosition(
  connection: PooledConnection,
  position: WritePosition,
  withinMs: number,
): Promise<boolean> {
  if (position.kind === "none") return false;
  const [reply] = await connection.converse(
    [queryCommand(waitFor(connection, position, withinMs))],
    withinMs + answerMs,
  );
  return hasCome(reply);
}

function waitFor(
  { server }: PooledConnection,
  position: Exclude<WritePosition, { kind: "none" }>,
  withinMs: number,
): string {
  const seconds = (withinMs / msPerSecond).toFixed(3);
  // The read itself waits; beyond our deadline the connection is closed.
  if (position.kind === "galera") return "SET STATEMENT wsrep_sync_wait = 1 FOR SELECT 0";
  return server.flavour === "mariadb"
    ? `SELECT MASTER_GTID_WAIT('${position.text}', ${seconds})`
    : `SELECT WAIT_FOR_EXECUTED_GTID_SET('${position.text}', ${seconds})`;
}

/** Both functions answer 0 when all is there, something else or NULL when not. */
function hasCome(reply: HousekeepingReply | undefined): boolean {
  return reply?.kind === "rows" && plain(reply.rows[0]?.[0]) === "0";
}

/** Values come in character_set_results, which may be a wide one. */
function plain(value: string | null | undefined): string {
  return (value ?? "").replaceAll("\0", "");
}

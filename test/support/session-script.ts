// Random conversations of one client with a server, in steps whose answers tell what state the session is in. The same
// steps are given to a gateway and to the server itself; the answers have to be the same.
import type { Connection } from "mysql2/promise";

/** Numbers that follow from a seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Statements that make what the steps of one client use: schemas `name` and `name_b`. */
export function schemaOfScripts(name: string): string[] {
  return [
    `CREATE DATABASE ${name}`,
    `CREATE DATABASE ${name}_b`,
    `CREATE TABLE ${name}.rows_of (id INT AUTO_INCREMENT PRIMARY KEY, v INT)`,
    `CREATE TABLE ${name}_b.rows_of (id INT AUTO_INCREMENT PRIMARY KEY, v INT)`,
    `CREATE FUNCTION ${name}.counted(n INT) RETURNS INT DETERMINISTIC BEGIN SET @mark = n; RETURN n + 1; END`,
    `CREATE PROCEDURE ${name}.say() SET @mark = 'said'`,
    `INSERT INTO ${name}.rows_of (v) VALUES (1), (2), (3), (4)`,
    `INSERT INTO ${name}_b.rows_of (v) VALUES (5), (6), (7), (8)`,
  ];
}

/** One step: its texts, and how they are sent. */
export interface Step {
  readonly texts: readonly string[];
  readonly how: "text" | "prepared" | "change user";
  /** Leaves something that only this connection has: to be followed by a change of user soon. */
  readonly pins: boolean;
}

const told =
  `@@sql_mode @@time_zone @@foreign_key_checks @@group_concat_max_len @@lock_wait_timeout @@character_set_client
  @@character_set_results @@collation_connection @@autocommit @@sql_safe_updates @@lc_time_names DATABASE() @mark
  LAST_INSERT_ID()`.split(/\s+/);
const said = `SELECT ${told.map((value, index) => `${value} AS c${index}`).join(", ")}`;

const pick = <T>(random: () => number, of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;

const follows: readonly string[] = [
  "SET sql_mode = 'ANSI'",
  "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE'",
  "SET @@sql_mode = ''",
  "SET sql_mode = DEFAULT",
  "SET time_zone = '+05:30', foreign_key_checks = 0",
  "SET @@session.time_zone = SYSTEM",
  "SET LOCAL group_concat_max_len = 2048",
  "SET group_concat_max_len = DEFAULT, foreign_key_checks = ON",
  "SET lock_wait_timeout = 77",
  "SET SQL_SAFE_UPDATES = 1",
  "SET sql_safe_updates = FALSE",
  "SET lc_time_names = 'de_DE'",
  "SET NAMES latin1",
  "SET NAMES utf8mb4 COLLATE utf8mb4_bin",
  "SET NAMES utf8mb4",
  "SET character_set_results = NULL",
  "SET character_set_results = utf8mb4",
  "SET collation_connection = 'latin1_german1_ci'",
  "SET time_zone = 'no such zone', foreign_key_checks = 0",
];

const pinning: readonly (readonly string[])[] = [
  ["SET @mark = 7", "SELECT @mark + 1"],
  ["SET @mark := 'x', time_zone = '+03:00'"],
  ["CREATE TEMPORARY TABLE own (id INT)", "INSERT INTO own VALUES (1), (2)", "SELECT COUNT(*) FROM own"],
  ["SELECT GET_LOCK(CONCAT(DATABASE(), '.lock'), 0)", "SELECT IS_USED_LOCK(CONCAT(DATABASE(), '.lock')) > 0"],
  ["PREPARE s FROM 'SELECT 40 + 2'", "EXECUTE s"],
  ["SET sql_mode = CONCAT(@@sql_mode, ',NO_ZERO_IN_DATE')"],
  ["SET profiling = 1"],
  ["SELECT 5 INTO @mark"],
  ["CALL say()", "SELECT @mark"],
  ["SELECT counted(3)"],
  ["HANDLER rows_of OPEN", "HANDLER rows_of READ FIRST LIMIT 2", "HANDLER rows_of CLOSE"],
];

const plain: readonly (readonly string[])[] = [
  ["INSERT INTO rows_of (v) VALUES (1)", "SELECT LAST_INSERT_ID()"],
  ["INSERT INTO rows_of (v) VALUES (1), (2), (3)", "SELECT ROW_COUNT()"],
  ["INSERT INTO rows_of (id, v) VALUES (900000, 1) ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id)"],
  ["SELECT LAST_INSERT_ID(11)", "SELECT 1", "SELECT LAST_INSERT_ID()"],
  ["UPDATE rows_of SET v = v + 1 WHERE id < 3", "SELECT ROW_COUNT() AS n, ROW_COUNT() + 1"],
  ["SELECT id FROM rows_of ORDER BY id LIMIT 5", "SELECT FOUND_ROWS() AS found", "SELECT row_count()"],
  ["SELECT SQL_CALC_FOUND_ROWS id FROM rows_of ORDER BY id LIMIT 1", "SELECT FOUND_ROWS()"],
  ["DELETE FROM rows_of WHERE id > 40 ORDER BY id LIMIT 2", "SELECT ROW_COUNT()"],
  ["INSERT IGNORE INTO rows_of (id, v) VALUES (1, 1)", "SHOW WARNINGS"],
  ["INSERT INTO rows_of (id, v) VALUES (1, 1)", "SHOW ERRORS", "SHOW COUNT(*) WARNINGS"],
  ["SELECT 1/0, CAST('1x' AS SIGNED)", "SHOW WARNINGS"],
  ["SELECT nosuch FROM rows_of"],
  ["BEGIN", "INSERT INTO rows_of (v) VALUES (5)", "ROLLBACK", "SELECT COUNT(*) FROM rows_of"],
  [
    "START TRANSACTION",
    "UPDATE rows_of SET v = 9 WHERE id = 2",
    "COMMIT",
    "SELECT v FROM rows_of WHERE id = 2",
  ],
  ["SET autocommit = 0", "INSERT INTO rows_of (v) VALUES (6)", "COMMIT", "SET autocommit = 1"],
  ["SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "BEGIN", "SELECT 1", "COMMIT"],
  ["SET TRANSACTION READ ONLY", "BEGIN", "INSERT INTO rows_of (v) VALUES (5)", "ROLLBACK"],
  ["USE {other}"],
  ["USE {own}"],
  ["SELECT CONCAT('a', \"b\")"],
  ["SELECT 'x' || 'y'"],
  ["SHOW TABLES"],
  ["SELECT COUNT(*), SUM(v) IS NULL FROM rows_of WHERE id > 1000000"],
];

const prepared: readonly (readonly string[])[] = [
  ["SELECT v FROM {own}.rows_of WHERE id = 1"],
  ["INSERT INTO {own}.rows_of (v) VALUES (12)"],
  ["SELECT LAST_INSERT_ID()"],
  ["SELECT id FROM {own}.rows_of ORDER BY id LIMIT 3", "SELECT FOUND_ROWS()"],
  ["UPDATE {own}.rows_of SET v = v + 2 WHERE id = 3", "SELECT ROW_COUNT()"],
];

/** The next step; `mayPin`: the session is not pinned yet, and may be. */
export function nextStep(random: () => number, pinned: boolean, mayPin: boolean): Step {
  const kind = random();
  if (pinned && kind < 0.35) return { texts: [], how: "change user", pins: false };
  if ((pinned || mayPin) && kind > 0.85)
    return { texts: [...pick(random, pinning), said], how: "text", pins: true };
  if (kind < 0.5) return { texts: [pick(random, follows), said], how: "text", pins: false };
  if (kind < 0.65) return { texts: pick(random, prepared), how: "prepared", pins: false };
  return { texts: [...pick(random, plain), said], how: "text", pins: false };
}

/** Does a step; what the server said, in a form that can be compared. */
export async function doStep(connection: Connection, step: Step, schema: string): Promise<readonly string[]> {
  if (step.how === "change user") {
    await connection.changeUser({ database: schema });
    return ["changed"];
  }
  const answers: string[] = [];
  for (const text of step.texts) {
    const sql = text.replaceAll("{own}", schema).replaceAll("{other}", `${schema}_b`);
    answers.push(
      `${text === said ? "state" : text} -> ${(await answerOf(connection, sql, step.how)).replaceAll(schema, "{own}")}`,
    );
  }
  return answers;
}

async function answerOf(connection: Connection, sql: string, how: Step["how"]): Promise<string> {
  try {
    const [rows, fields] =
      how === "prepared" ? await connection.execute(sql) : await connection.query({ sql, rowsAsArray: true });
    if (fields === undefined) {
      const { affectedRows, insertId, warningStatus } = rows as unknown as Record<string, number>;
      return JSON.stringify({ affectedRows, insertId, warningStatus });
    }
    const names = Array.isArray(fields) ? fields.map((field) => (field as { name?: string }).name) : [];
    return JSON.stringify(sql === said ? rows : [names, rows]);
  } catch (error) {
    const { errno, sqlMessage } = error as { errno?: number; sqlMessage?: string };
    return errno === undefined ? String(error) : `${errno} ${sqlMessage}`;
  }
}

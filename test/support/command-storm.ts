// Random commands of one client, byte by byte: every kind of session state, in any order, so that what a gateway makes of
// them can be compared with what the server itself does. Unlike session-script, whose steps belong together.
import {
  encodeClose,
  encodeExecute,
  encodeFetch,
  encodeLongData,
  encodePrepare,
  encodeReset,
  parameter,
} from "./raw/prepared.ts";
import type { RawClient, Reply } from "./raw/raw-client.ts";

/** One command; texts hold `{own}` and `{other}` for the client's schemas. */
export type StormCommand =
  | { readonly kind: "query"; readonly sql: string }
  | { readonly kind: "prepare"; readonly sql: string }
  /** `index` picks among the statements prepared so far. */
  | {
      readonly kind: "execute";
      readonly index: number;
      readonly values: readonly (number | string | null)[];
      readonly cursor: boolean;
    }
  | { readonly kind: "close"; readonly index: number }
  | { readonly kind: "reset statement"; readonly index: number }
  | { readonly kind: "long data"; readonly index: number; readonly text: string }
  | { readonly kind: "schema"; readonly other: boolean }
  | { readonly kind: "option"; readonly multi: boolean }
  | { readonly kind: "ping" | "reset" };

/** A client's command, and what it does to its hold on a connection. */
export interface StormStep {
  readonly command: StormCommand;
  /** Keeps its connection until a reset, or until the transaction ends. */
  readonly holds: "reset" | "transaction" | null;
}

const settings = [
  "SET sql_mode = 'ANSI'",
  "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE'",
  "SET @@sql_mode = ''",
  "SET sql_mode = DEFAULT",
  "SET sql_mode = 'NO_BACKSLASH_ESCAPES'",
  "SET time_zone = '+05:30', foreign_key_checks = 0",
  "SET @@session.time_zone = SYSTEM",
  "SET LOCAL group_concat_max_len = 2048",
  "SET group_concat_max_len = DEFAULT, foreign_key_checks = ON",
  "SET lock_wait_timeout = 77",
  "SET SQL_SAFE_UPDATES = 0",
  "SET lc_time_names = 'de_DE'",
  "SET div_precision_increment = 7",
  "SET NAMES latin1",
  "SET NAMES utf8mb4 COLLATE utf8mb4_bin",
  "SET NAMES utf8mb4",
  "SET NAMES DEFAULT",
  "SET character_set_results = NULL",
  "SET character_set_results = utf8mb4",
  "SET collation_connection = 'latin1_german1_ci'",
  "SET sql_select_limit = 3",
  "SET sql_select_limit = DEFAULT",
  "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
  "SET SESSION TRANSACTION READ WRITE",
  "SET max_error_count = 5",
  "SET max_error_count = DEFAULT",
  "SET sql_notes = 0",
  "SET sql_notes = 1",
  "SET default_week_format = 3",
  "SET time_zone = 'no such zone', foreign_key_checks = 0",
  "SET LAST_INSERT_ID = 77",
  "SET timestamp = 1",
  "SET timestamp = DEFAULT",
  "SET insert_id = 5000",
  "SET nosuch = 1",
  "SET time_zone = '+01:00'; SELECT @@time_zone; SET time_zone = '+02:00'",
  "SET foreign_key_checks = 0; SELECT nosuch; SET foreign_key_checks = 1",
];

const leftovers = [
  "SELECT LAST_INSERT_ID()",
  "SELECT FOUND_ROWS()",
  "SELECT ROW_COUNT()",
  "SELECT ROW_COUNT(), FOUND_ROWS(), LAST_INSERT_ID()",
  "SHOW WARNINGS",
  "SHOW ERRORS",
  "SHOW COUNT(*) WARNINGS",
  "SHOW WARNINGS LIMIT 1",
  "SELECT @@warning_count, @@error_count",
  "SELECT @@last_insert_id, @@identity",
  "SELECT v, LAST_INSERT_ID() FROM rows_of WHERE id = 1",
  "INSERT INTO rows_of (v) VALUES (LAST_INSERT_ID())",
  "UPDATE rows_of SET v = ROW_COUNT() WHERE id = 4",
];

const data = [
  "INSERT INTO rows_of (v) VALUES (1)",
  "INSERT INTO rows_of (v) VALUES (1), (2), (3)",
  "INSERT INTO rows_of (v) SELECT v FROM rows_of WHERE id < 3",
  "INSERT INTO rows_of (id, v) VALUES (900000, 1) ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id)",
  "INSERT IGNORE INTO rows_of (id, v) VALUES (1, 1)",
  "INSERT INTO rows_of (id, v) VALUES (1, 1)",
  "REPLACE INTO rows_of (id, v) VALUES (2, 5)",
  "UPDATE rows_of SET v = v + 1 WHERE id < 3",
  "UPDATE rows_of SET v = v WHERE id < 3",
  "UPDATE IGNORE rows_of SET v = 'abc' WHERE id = 3",
  "DELETE FROM rows_of WHERE id > 40 ORDER BY id LIMIT 2",
  "SELECT LAST_INSERT_ID(11)",
  "SELECT id FROM rows_of ORDER BY id LIMIT 5",
  "SELECT SQL_CALC_FOUND_ROWS id FROM rows_of ORDER BY id LIMIT 1",
  "SELECT 1/0, CAST('1x' AS SIGNED)",
  "SELECT nosuch FROM rows_of",
  "SELECT * FROM nosuch",
  "SELECT",
  "SELECT COUNT(*), SUM(v) FROM rows_of",
  "SELECT 'ä', CHARSET('x'), COLLATION('x')",
  "SELECT \"a\", 'b\\'c'",
  "SELECT 'x' || 'y'",
  "SELECT 1; SELECT 2, 3",
  "INSERT INTO rows_of (v) VALUES (8); SELECT LAST_INSERT_ID()",
  "INSERT INTO rows_of (v) VALUES (8), (9); SELECT ROW_COUNT()",
  "SELECT 1; SELECT nosuch; SELECT 3",
  "UPDATE rows_of SET v = 3 WHERE id = 2; INSERT IGNORE INTO rows_of (id) VALUES (1)",
  "SHOW TABLES",
  "SHOW CREATE TABLE rows_of",
  "DESCRIBE rows_of",
  "SHOW VARIABLES LIKE 'time_zone'",
  "DO 1",
  "DO 1/0",
  "DO LAST_INSERT_ID(33)",
  "(SELECT id FROM rows_of WHERE id = 1) UNION (SELECT 2)",
  "CREATE TABLE IF NOT EXISTS rows_of (id INT)",
  "CREATE TABLE more (id INT AUTO_INCREMENT PRIMARY KEY)",
  "DROP TABLE IF EXISTS more",
  "TRUNCATE TABLE more",
  "ALTER TABLE rows_of COMMENT = 'x'",
  "ANALYZE TABLE rows_of",
  "USE {own}",
  "USE {other}",
  "USE nosuch",
  "SELECT DATABASE()",
  "COMMIT",
  "ROLLBACK",
  "UNLOCK TABLES",
  "SELECT IS_FREE_LOCK('{own}.free')",
  "SELECT RELEASE_LOCK('{own}.free')",
];

const transactions = [
  "BEGIN",
  "START TRANSACTION",
  "START TRANSACTION READ ONLY",
  "START TRANSACTION WITH CONSISTENT SNAPSHOT",
  "SET autocommit = 0",
  "SET TRANSACTION READ ONLY",
  "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
];

const inTransaction = [
  "SAVEPOINT a",
  "ROLLBACK TO SAVEPOINT a",
  "RELEASE SAVEPOINT a",
  "COMMIT",
  "COMMIT AND CHAIN",
  "ROLLBACK",
  "SET autocommit = 1",
];

const pinning = [
  "SET @mark = 7",
  "SELECT @mark := 3",
  "SELECT @mark",
  "SET @mark = 'x', time_zone = '+03:00'",
  "SELECT 5 INTO @mark",
  "CREATE TEMPORARY TABLE own (id INT)",
  "INSERT INTO own VALUES (1), (2)",
  "SELECT COUNT(*) FROM own",
  "DROP TEMPORARY TABLE own",
  "SELECT GET_LOCK('{own}.lock', 0)",
  "SELECT GET_LOCK('{own}.lock', 0), GET_LOCK('{own}.more', 0)",
  "DO GET_LOCK('{own}.lock', 0)",
  "SELECT IS_USED_LOCK('{own}.lock') IS NULL",
  "SELECT RELEASE_LOCK('{own}.lock')",
  "SELECT RELEASE_ALL_LOCKS() > 0",
  "LOCK TABLES rows_of WRITE",
  "LOCK TABLES rows_of READ",
  "UNLOCK TABLES",
  "PREPARE s FROM 'SELECT 40 + 2'",
  "EXECUTE s",
  "DEALLOCATE PREPARE s",
  "SET sql_mode = CONCAT(@@sql_mode, ',NO_ZERO_IN_DATE')",
  "SET time_zone = @@global.time_zone",
  "SET group_concat_max_len = 1000 + 24",
  "CALL say()",
  "SELECT counted(3)",
  "HANDLER rows_of OPEN",
  "HANDLER rows_of READ FIRST LIMIT 2",
  "HANDLER rows_of CLOSE",
  "SET character_set_client = @@character_set_results",
  "FLUSH TABLES rows_of WITH READ LOCK",
];

const preparable = [
  "SELECT v FROM {own}.rows_of WHERE id = ?",
  "SELECT id FROM {own}.rows_of WHERE id > ? ORDER BY id LIMIT 4",
  "INSERT INTO {own}.rows_of (v) VALUES (?)",
  "UPDATE {own}.rows_of SET v = ? WHERE id = 3",
  "SELECT ?, CHARSET(?)",
  "SELECT ?, ROW_COUNT()",
  "SELECT LAST_INSERT_ID()",
  "SELECT ROW_COUNT(), FOUND_ROWS()",
  "SELECT 'a' || ?",
  "SELECT COUNT(*) + ? FROM rows_of",
  "SET time_zone = ?",
  "SELECT nosuch",
  "SELECT 1; SELECT 2",
  "DO ? / 0",
];

/** The state of the session, asked now and then. */
const told =
  `SELECT @@sql_mode, @@time_zone, @@foreign_key_checks, @@group_concat_max_len, @@lock_wait_timeout,
  @@character_set_client, @@character_set_results, @@collation_connection, @@autocommit, @@lc_time_names, @@sql_select_limit,
  @@max_error_count, @@sql_notes, @@div_precision_increment, DATABASE(), LAST_INSERT_ID()`.replaceAll(
    /\s+/g,
    " ",
  );

/** Makes commands; it knows whether its client holds a connection. */
export class Storm {
  readonly #random: () => number;
  readonly #flavour: "mariadb" | "mysql";
  #prepared = 0;

  constructor(random: () => number, flavour: "mariadb" | "mysql") {
    this.#random = random;
    this.#flavour = flavour;
  }

  /** `held`: it holds a connection already; `mayHold`: it may do what makes it hold one. */
  next(held: StormStep["holds"], mayHold: boolean): StormStep {
    const chance = this.#random();
    if (held !== null && chance < 0.12) return { command: { kind: "reset" }, holds: null };
    if (held === "transaction" && chance < 0.3) return this.#query(inTransaction, "transaction");
    if ((held === "reset" || mayHold) && chance > 0.85) return this.#query(pinning, "reset");
    if ((held !== null || mayHold) && chance > 0.75) return this.#query(transactions, "transaction");
    if (chance < 0.2) return this.#query([told], null);
    if (chance < 0.35) return this.#query(settings, null);
    if (chance < 0.55) return this.#query(leftovers, null);
    if (chance < 0.63) return { command: this.#onStatement(), holds: null };
    if ((held !== null || mayHold) && this.#prepared > 0 && chance < 0.65) {
      const index = Math.floor(this.#random() * this.#prepared);
      // MariaDB 10.11 and 11.8 tell an address where a parameter was a number before its long data.
      if (index % 6 === 4) return { command: { kind: "long data", index, text: "12" }, holds: "transaction" };
    }
    if (chance < 0.66) return { command: this.#other(), holds: null };
    return this.#query(data, null);
  }

  #query(from: readonly string[], holds: StormStep["holds"]): StormStep {
    return { command: { kind: "query", sql: this.#speak(this.#pick(from)) }, holds };
  }

  /**
   * MySQL warns that FOUND_ROWS() is deprecated, which a number in its place does not. What it derives of a parameter
   * depends on all executions on a connection.
   */
  #speak(sql: string): string {
    if (this.#flavour === "mariadb") return sql;
    return sql
      .replaceAll("FOUND_ROWS()", "ROW_COUNT()")
      .replace("SELECT ?,", "SELECT CAST(? AS CHAR),")
      .replace("CHARSET(?)", "CHARSET('x')");
  }

  #onStatement(): StormCommand {
    if (this.#prepared === 0 || this.#random() < 0.3) {
      this.#prepared += 1;
      return { kind: "prepare", sql: this.#speak(this.#pick(preparable)) };
    }
    const index = Math.floor(this.#random() * this.#prepared);
    // MySQL 9.7 ends a reply in the wrong way where a statement was executed with a cursor before, and is not now.
    const cursor = index % 6 === 3;
    const chance = this.#random();
    if (chance < 0.08) return { kind: "close", index };
    if (chance < 0.12) return { kind: "reset statement", index };
    return { kind: "execute", index, values: [this.#value(index), this.#value(index)], cursor };
  }

  #value(index: number): number | string | null {
    if (index % 6 === 4) return this.#pick(["x", "+04:00"]);
    if (this.#flavour === "mariadb") return this.#pick([1, 2, 3, "x", "+04:00", null]);
    // On MySQL 9.7 a parameter is for good what it was bound as first: on a connection, that is.
    return index % 2 === 0 ? this.#pick(["x", "+04:00"]) : this.#pick([1, 2, 3]);
  }

  #other(): StormCommand {
    const chance = this.#random();
    if (chance < 0.4) return { kind: "schema", other: this.#random() < 0.5 };
    if (chance < 0.6) return { kind: "option", multi: this.#random() < 0.7 };
    return { kind: "ping" };
  }

  #pick<T>(of: readonly T[]): T {
    return of[Math.floor(this.#random() * of.length)] as T;
  }
}

/** Plays commands to one connection and tells what came back, in a form that can be compared. */
export class StormPlayer {
  readonly #client: RawClient;
  readonly #schema: string;
  /** Prepared statements by their number; null: the PREPARE has failed, or it was closed. */
  readonly #statements: ({ readonly id: number; readonly parameters: number; isLong: boolean } | null)[] = [];

  /** Whether the server derives parameters from all executions on a connection, as MySQL does since 8.0.22. */
  readonly #derives: boolean;

  /** `schema`: of the client; another one ends with `_b`. */
  constructor(client: RawClient, schema: string, flavour: "mariadb" | "mysql") {
    this.#client = client;
    this.#schema = schema;
    this.#derives = flavour === "mysql";
  }

  async play(command: StormCommand): Promise<string> {
    const bytes = this.#encode(command);
    if (bytes === null) return "nothing";
    const reply = await this.#client.command(bytes, { timeoutMs: 20_000 });
    const fetched =
      command.kind === "execute" && command.cursor ? await this.#fetch(command.index, reply) : "";
    if (command.kind === "prepare") this.#notePrepared(reply);
    if (command.kind === "close") this.#statements[command.index] = null;
    if (command.kind === "reset") {
      this.#statements.fill(null);
      // A reset leaves FOUND_ROWS() as it was.
      await this.#client.query("SELECT 1", { timeoutMs: 20_000 });
    }
    // An EOF that says how many warnings the statement before has had, whoever sent that.
    if (command.kind === "option") return reply.packets.map((packet) => packet[0]).join(" ");
    const isPrepare = command.kind === "prepare";
    const isDerived = this.#derives && command.kind === "execute" && reply.error === null;
    const told = isDerived
      ? reply.packets.filter((packet) => !isDefinition(packet)).slice(0, -1)
      : reply.packets;
    const shown = told.map((packet, index) => this.#show(packet, isPrepare && index === 0));
    return [...shown, fetched].join("\n");
  }

  /** Rows behind a cursor, where one was opened; it is closed again. */
  async #fetch(index: number, { error, packets }: Reply): Promise<string> {
    const id = this.#statements[index]?.id;
    const last = packets.at(-1);
    if (error !== null || last === undefined || id === undefined) return "";
    // Of an EOF, or of an OK of no affected rows and no insert id.
    const hasCursor = (last[0] === 0xfe || last[0] === 0) && (last.readUInt16LE(3) & 0x40) !== 0;
    if (!hasCursor) return "no cursor";
    const rows = await this.#client.command(encodeFetch(id, 2), { timeoutMs: 20_000 });
    await this.#client.command(encodeReset(id), { timeoutMs: 20_000 });
    return rows.packets.map((packet) => this.#show(packet, false)).join("\n");
  }

  #encode(command: StormCommand): Buffer | null {
    switch (command.kind) {
      case "query":
        return Buffer.concat([Buffer.of(3), Buffer.from(this.#fill(command.sql))]);
      case "prepare":
        return encodePrepare(this.#fill(command.sql));
      case "schema":
        return Buffer.concat([Buffer.of(2), Buffer.from(this.#schema + (command.other ? "_b" : ""))]);
      case "option":
        return Buffer.of(0x1b, command.multi ? 0 : 1, 0);
      case "ping":
        return Buffer.of(0x0e);
      case "reset":
        return Buffer.of(0x1f);
      default:
        return this.#encodePrepared(command);
    }
  }

  #encodePrepared(command: Extract<StormCommand, { index: number }>): Buffer | null {
    const statement = this.#statements[command.index] ?? null;
    if (statement === null) return null;
    const { id, parameters } = statement;
    if (command.kind === "close") return encodeClose(id);
    if (command.kind === "long data") {
      if (parameters === 0) return null;
      statement.isLong = true;
      return encodeLongData(id, 0, Buffer.from(command.text));
    }
    const { isLong } = statement;
    statement.isLong = false;
    if (command.kind === "reset statement") return encodeReset(id);
    const bound = command.values.slice(0, parameters).map((value, index) => {
      if (isLong && index === 0) return parameter.longData();
      if (value === null) return parameter.nothing();
      return typeof value === "number" ? parameter.long(value) : parameter.text(value);
    });
    return encodeExecute(id, bound, { cursor: command.cursor ? 1 : 0 });
  }

  #notePrepared({ error, packets: [first] }: Reply): void {
    if (error !== null || first === undefined) this.#statements.push(null);
    else
      this.#statements.push({ id: first.readUInt32LE(1), parameters: first.readUInt16LE(7), isLong: false });
  }

  #fill(sql: string): string {
    return sql.replaceAll("{own}", this.#schema).replaceAll("{other}", `${this.#schema}_b`);
  }

  /** As characters; statement ids are each side's own. */
  #show(packet: Buffer, hasId: boolean): string {
    const shown =
      hasId && packet[0] === 0 ? Buffer.concat([packet.subarray(0, 1), packet.subarray(5)]) : packet;
    return JSON.stringify(shown.toString("latin1").replaceAll(this.#schema, "{own}"));
  }
}

function isDefinition(packet: Buffer): boolean {
  return packet.subarray(0, 4).toString("latin1") === "\u0003def";
}

// Commands whose replies have every shape that servers know, played to a server by a raw client. What comes back is the
// measure of where replies end; recorded, it is the fixtures of test/unit/wire.
import { capability, usualCapabilities } from "./raw/capabilities.ts";
import {
  encodeClose,
  encodeExecute,
  encodeFetch,
  encodeLongData,
  encodePrepare,
  encodeReset,
  parameter,
} from "./raw/prepared.ts";
import type { CommandOptions, RawClient } from "./raw/raw-client.ts";

/** A command and what it was answered with. */
export interface RecordedReply {
  readonly label: string;
  /** The command byte. */
  readonly command: number;
  readonly capabilities: number;
  /** Frames, headers included. */
  readonly reply: Buffer;
}

const { DEPRECATE_EOF, SESSION_TRACK } = capability;

/** The ways to end and decorate a reply. */
export const replyModes: readonly { readonly name: string; readonly capabilities: number }[] = [
  { name: "classic", capabilities: usualCapabilities },
  { name: "modern", capabilities: usualCapabilities | DEPRECATE_EOF },
  { name: "classic-tracking", capabilities: usualCapabilities | SESSION_TRACK },
  { name: "modern-tracking", capabilities: usualCapabilities | DEPRECATE_EOF | SESSION_TRACK },
];

/** Fills schema `shop`. */
export const corpusSetUp: readonly string[] = [
  "DROP DATABASE IF EXISTS shop",
  "CREATE DATABASE shop CHARACTER SET utf8mb4",
  "USE shop",
  "CREATE TABLE t (a INT AUTO_INCREMENT PRIMARY KEY, b VARCHAR(50) NOT NULL DEFAULT 'x', UNIQUE (b))",
  "INSERT INTO t (b) VALUES ('one'), ('two'), ('three')",
  "CREATE TABLE loaded (a INT)",
  "CREATE PROCEDURE nothing() BEGIN END",
  "CREATE PROCEDURE three() BEGIN SELECT 1; SELECT 2, 3 FROM DUAL WHERE 1 = 0; SELECT b FROM t ORDER BY a; END",
  "CREATE PROCEDURE failing() BEGIN SELECT 1; SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'as planned'; END",
  "CREATE PROCEDURE outs(IN a INT, OUT b INT) BEGIN SELECT a; SET b = a * 2; END",
];

const wide = Array.from({ length: 260 }, (_, index) => index).join(", ");

const texts: readonly string[] = [
  "SELECT 1",
  "SELECT NULL, '', 'a'",
  "SELECT b FROM t WHERE 1 = 0",
  "SELECT a, b FROM t ORDER BY a",
  `SELECT ${wide}`,
  "DO 1",
  "INSERT INTO t (b) VALUES ('four'), ('five')",
  "INSERT INTO t (a, b) VALUES (70000, 'far')",
  "INSERT INTO t (b) VALUES ('behind')",
  "UPDATE t SET b = CONCAT(b, '!')",
  "INSERT IGNORE INTO t (b) VALUES ('one!')",
  "SHOW WARNINGS",
  "SELEC 1",
  "SELECT * FROM nosuch",
  "SELECT IF(a < 3, a, (SELECT x.a FROM t x WHERE x.a < 3 OR t.a < 0)) FROM t ORDER BY a",
  "SELECT 1; DO 1; SELECT 2, 3; DO 2",
  "SELECT 1; SELECT nosuch; SELECT 2",
  "SELECT 1; SELEC 2",
  "",
  ";",
  "CALL nothing()",
  "CALL three()",
  "CALL failing()",
  "CALL three(); SELECT 9",
  "BEGIN",
  "INSERT INTO t (b) VALUES ('gone')",
  "ROLLBACK",
  "START TRANSACTION READ ONLY",
  "COMMIT",
  "SET NAMES latin1",
  "SET NAMES utf8mb4",
  "SET time_zone = '+01:00', sql_mode = 'ANSI_QUOTES'",
  "SET sql_mode = DEFAULT",
  "SET @a = 1",
  "USE mysql",
  "USE shop",
  "ALTER TABLE t ADD COLUMN c INT",
  "ALTER TABLE t DROP COLUMN c",
  "ANALYZE TABLE t",
  "SHOW STATUS LIKE 'nosuch'",
];

const tracking = [
  "SET SESSION session_track_schema = 1, session_track_state_change = 1",
  "SET SESSION session_track_transaction_info = 'CHARACTERISTICS'",
  "SET SESSION session_track_system_variables = 'time_zone,autocommit,sql_mode,character_set_client'",
];

/** Plays everything; every reply in order. */
export async function playCorpus(client: RawClient, mode: number): Promise<RecordedReply[]> {
  const recorded: RecordedReply[] = [];
  const capabilities = mode >>> 0;
  const command = async (label: string, payload: Buffer, options: CommandOptions = {}): Promise<Buffer> => {
    const { frames } = await client.command(payload, options);
    const reply = Buffer.concat(
      frames.map((frame) => {
        const header = Buffer.alloc(4);
        header.writeUIntLE(frame.length, 0, 3);
        header[3] = frame.sequence;
        return Buffer.concat([header, frame.payload]);
      }),
    );
    recorded.push({ label, command: payload[0] ?? -1, capabilities, reply });
    return frames[0]?.payload ?? Buffer.alloc(0);
  };
  const query = (sql: string, options: CommandOptions = {}): Promise<Buffer> =>
    command(
      sql.length > 60 ? `${sql.slice(0, 60)}...` : sql,
      Buffer.concat([Buffer.from([3]), Buffer.from(sql)]),
      options,
    );

  if ((capabilities & SESSION_TRACK) !== 0) for (const sql of tracking) await query(sql);
  for (const sql of texts) await query(sql);
  await playFiles(query);
  await playPrepared(command);
  await query("SELECT 'behind a cursor'");
  await playPlainCommands(command);
  return recorded;
}

type Command = (label: string, payload: Buffer, options?: CommandOptions) => Promise<Buffer>;

async function playFiles(query: (sql: string, options?: CommandOptions) => Promise<Buffer>): Promise<void> {
  const load = "LOAD DATA LOCAL INFILE '/nosuch/file' INTO TABLE loaded";
  await query(load, { infile: () => [Buffer.from("1\n2\n")] });
  await query(load, { infile: () => [] });
  await query(load, { infile: () => [Buffer.from("nonsense\n")] });
  await query("LOAD DATA LOCAL INFILE 'x' INTO TABLE nosuch", { infile: () => [] });
  await query(`SELECT 1; ${load}; SELECT 2`, { infile: () => [Buffer.from("3\n")] });
}

async function playPrepared(command: Command): Promise<void> {
  const prepare = async (sql: string): Promise<number> => {
    const ok = await command(`PREPARE ${sql}`, encodePrepare(sql));
    return ok[0] === 0 ? ok.readUInt32LE(1) : 0;
  };
  await prepare("SELEC");
  const plain = await prepare("SELECT a, b FROM t ORDER BY a");
  await command("EXECUTE without parameters", encodeExecute(plain, []));
  await command("EXECUTE with a cursor", encodeExecute(plain, [], { cursor: 1 }));
  await command("FETCH 2", encodeFetch(plain, 2));
  await command("FETCH 100", encodeFetch(plain, 100));
  await command("FETCH behind the end", encodeFetch(plain, 1));
  await command("RESET", encodeReset(plain));
  await command("FETCH without a cursor", encodeFetch(plain, 1));
  await command("EXECUTE with a cursor again", encodeExecute(plain, [], { cursor: 1 }));
  await command("CLOSE", encodeClose(plain));
  await command("EXECUTE of a closed statement", encodeExecute(plain, []));
  const empty = await prepare("SELECT a FROM t WHERE 1 = 0");
  await command("EXECUTE with a cursor over nothing", encodeExecute(empty, [], { cursor: 1 }));
  await command("FETCH of nothing", encodeFetch(empty, 1));
  const insert = await prepare("INSERT INTO t (b) VALUES (?)");
  await command("LONG DATA", encodeLongData(insert, 0, Buffer.from("long")));
  await command("EXECUTE with long data", encodeExecute(insert, [parameter.longData()]));
  await command("EXECUTE with a duplicate", encodeExecute(insert, [parameter.text("long")]));
  await prepare("SELECT ?, ? FROM t WHERE a = ?");
  await prepare("DO 1");
  const three = await prepare("CALL three()");
  await command("EXECUTE of CALL", encodeExecute(three, []));
  await command("EXECUTE of CALL with a cursor", encodeExecute(three, [], { cursor: 1 }));
  const outs = await prepare("CALL outs(?, ?)");
  const bound = [parameter.longlong(21), parameter.nothing()];
  await command("EXECUTE of CALL with OUT parameters", encodeExecute(outs, bound));
  const failing = await prepare("CALL failing()");
  await command("EXECUTE of a failing CALL", encodeExecute(failing, []));
}

async function playPlainCommands(command: Command): Promise<void> {
  const bytes = (...parts: (number | string)[]): Buffer =>
    Buffer.concat(parts.map((part) => (typeof part === "number" ? Buffer.from([part]) : Buffer.from(part))));
  await command("INIT_DB", bytes(2, "shop"));
  await command("INIT_DB of nothing", bytes(2, "nosuch"));
  await command("FIELD_LIST", bytes(4, "t", 0));
  await command("FIELD_LIST of nothing", bytes(4, "nosuch", 0));
  await command("STATISTICS", bytes(9));
  await command("DEBUG", bytes(0x0d));
  await command("PING", bytes(0x0e));
  await command("SET_OPTION off", bytes(0x1b, 1, 0));
  await command("SET_OPTION on", bytes(0x1b, 0, 0));
  await command("SET_OPTION of nothing", bytes(0x1b, 9, 9));
  await command("an unknown command", bytes(0x77));
  await command("RESET_CONNECTION", bytes(0x1f));
  await command("PING behind a reset", bytes(0x0e));
}

// The gateway's own commands on a backend connection between two sessions, and their replies. Each carries the permit
// that every send demands (ARCHITECTURE.md, invariant 1). Knows packets, no sockets and no pool.

import { housekeepingPermit, type Permit } from "../acl/permit.ts";
import { type Capabilities, CLIENT_DEPRECATE_EOF, has } from "../wire/capabilities.ts";
import {
  COM_INIT_DB,
  COM_PING,
  COM_QUERY,
  COM_QUIT,
  COM_RESET_CONNECTION,
  COM_SET_OPTION,
  COM_STMT_PREPARE,
} from "../wire/commands.ts";
import { decodeColumnDefinition } from "../wire/packets/column-definition.ts";
import { decodeEof } from "../wire/packets/eof.ts";
import { decodeErr, type ErrPacket, isErr } from "../wire/packets/err.ts";
import { decodeOk } from "../wire/packets/ok.ts";
import { decodePrepareOk } from "../wire/packets/prepare-ok.ts";
import { Reader } from "../wire/reader.ts";
import { BackendLoginError } from "./login-error.ts";
import type { PacketStream } from "./packet-stream.ts";

/** One command of our own. */
export interface HousekeepingCommand {
  readonly permit: Permit;
  readonly payload: Uint8Array;
}

/** What came back. Values of rows are texts as the server sent them; `warnings`: how many the command has left. */
export type HousekeepingReply =
  | { readonly kind: "ok"; readonly warnings: number }
  | {
      readonly kind: "rows";
      readonly warnings: number;
      readonly rows: readonly (readonly (string | null)[])[];
      /** Packets that define the columns; see {@link columnNames}. */
      readonly definitions: readonly Uint8Array[];
    }
  | {
      readonly kind: "prepared";
      readonly id: number;
      readonly columnCount: number;
      readonly parameterCount: number;
    }
  /** `payload`: the ERR as it came, in the connection's character set. */
  | { readonly kind: "err"; readonly error: ErrPacket; readonly payload: Buffer };

const permits = {
  reset: housekeepingPermit("reset between two sessions"),
  schema: housekeepingPermit("enter the schema of a session"),
  option: housekeepingPermit("undo COM_SET_OPTION"),
  query: housekeepingPermit("set or read session variables"),
  kill: housekeepingPermit("kill a statement"),
  probe: housekeepingPermit("health check"),
  quit: housekeepingPermit("end a connection"),
};

export const resetCommand: HousekeepingCommand = {
  permit: permits.reset,
  payload: Buffer.of(COM_RESET_CONNECTION),
};

export const quitCommand: HousekeepingCommand = { permit: permits.quit, payload: Buffer.of(COM_QUIT) };

export const pingCommand: HousekeepingCommand = { permit: permits.probe, payload: Buffer.of(COM_PING) };

/** Reads the schema that the connection is in. */
export const databaseQuery: HousekeepingCommand = queryCommand("SELECT DATABASE()");

/** Reads what LAST_INSERT_ID() says; to be sent before anything else. */
export const insertIdQuery: HousekeepingCommand = queryCommand("SELECT LAST_INSERT_ID()");

/** The same with FOUND_ROWS(), of which MySQL warns that it is deprecated. */
export const leftoversQuery: HousekeepingCommand = queryCommand("SELECT LAST_INSERT_ID(), FOUND_ROWS()");

/** MariaDB keeps warnings and errors, with values of the statements before, until a statement reads a table. */
export const forgetDiagnostics: HousekeepingCommand = queryCommand("DO (SELECT 1 FROM (SELECT 1) t)");

/** Enters a schema: the name that a session asked for, as bytes of UTF-8. */
export function initDbCommand(database: string): HousekeepingCommand {
  return { permit: permits.schema, payload: Buffer.concat([Buffer.of(COM_INIT_DB), Buffer.from(database)]) };
}

/** `sql` is the gateway's own text: it never holds anything of a client. */
export function queryCommand(sql: string): HousekeepingCommand {
  return { permit: permits.query, payload: Buffer.concat([Buffer.of(COM_QUERY), Buffer.from(sql)]) };
}

/** Ends the statement that a thread runs, not its connection. */
export function killQueryCommand(threadId: number): HousekeepingCommand {
  return {
    permit: permits.kill,
    payload: Buffer.from(`${String.fromCharCode(COM_QUERY)}KILL QUERY ${threadId}`),
  };
}

/** Multi-statements on or off. */
export function setOptionCommand(multiStatements: boolean): HousekeepingCommand {
  return { permit: permits.option, payload: Buffer.of(COM_SET_OPTION, multiStatements ? 0 : 1, 0) };
}

/** Most columns and rows that one of our own queries returns; more is no answer to it. */
const columnsMax = 256;
const rowsMax = 1024;

/**
 * Reads one whole reply.
 * @throws BackendLoginError when the connection is lost or the reply makes no sense; WireError for malformed packets.
 */
export async function readReply(
  stream: PacketStream,
  command: HousekeepingCommand,
  capabilities: Capabilities,
): Promise<HousekeepingReply> {
  stream.expectReply();
  const first = await stream.read();
  if (isErr(first)) return { kind: "err", error: decodeErr(first), payload: first };
  if (command.payload[0] === COM_STMT_PREPARE) return readPrepared(stream, first, capabilities);
  if (first[0] === 0x00 || isEnd(first)) return { kind: "ok", warnings: warningsIn(first, capabilities) };
  if (command.payload[0] !== COM_QUERY || first[0] === 0xfb) throw unexpected();
  const columns = new Reader(first).lenencNumber("column count");
  if (columns > columnsMax) throw unexpected();
  return readRows(stream, columns, capabilities);
}

/** The definitions of parameters and columns are read over: the client has them from the first time. */
async function readPrepared(
  stream: PacketStream,
  first: Uint8Array,
  capabilities: Capabilities,
): Promise<HousekeepingReply> {
  const { statementId: id, columnCount, parameterCount } = decodePrepareOk(first);
  const endings = has(capabilities, CLIENT_DEPRECATE_EOF) ? 0 : 1;
  for (const count of [parameterCount, columnCount]) {
    if (count === 0) continue;
    for (let index = 0; index < count + endings; index += 1) await stream.read();
  }
  return { kind: "prepared", id, columnCount, parameterCount };
}

async function readRows(
  stream: PacketStream,
  columns: number,
  capabilities: Capabilities,
): Promise<HousekeepingReply> {
  const definitions: Uint8Array[] = [];
  for (let index = 0; index < columns; index += 1) definitions.push(await stream.read());
  if (!has(capabilities, CLIENT_DEPRECATE_EOF)) await stream.read();
  const rows: (string | null)[][] = [];
  for (;;) {
    const payload = await stream.read();
    if (isErr(payload)) return { kind: "err", error: decodeErr(payload), payload };
    if (isEnd(payload))
      return { kind: "rows", rows, definitions, warnings: warningsIn(payload, capabilities) };
    if (rows.length === rowsMax) throw unexpected();
    const reader = new Reader(payload);
    rows.push(Array.from({ length: columns }, () => readText(reader, payload)));
  }
}

/** Names of a reply's columns. @throws WireError when a definition is malformed. */
export function columnNames(reply: HousekeepingReply & { kind: "rows" }): readonly string[] {
  return reply.definitions.map((definition) => decodeColumnDefinition(definition).name);
}

/** EOF, or the OK that ends rows under DEPRECATE_EOF; our rows never begin with a length of eight bytes. */
function isEnd(payload: Uint8Array): boolean {
  return payload[0] === 0xfe;
}

/** What an OK or an EOF says of warnings. */
function warningsIn(payload: Uint8Array, capabilities: Capabilities): number {
  const isEof = isEnd(payload) && payload.length <= EOF_BYTES_MAX;
  return isEof ? decodeEof(payload).warnings : decodeOk(payload, capabilities).warnings;
}

/** An OK is longer. */
const EOF_BYTES_MAX = 5;

function readText(reader: Reader, payload: Uint8Array): string | null {
  if (payload[reader.offset] === 0xfb) {
    reader.skip(1, "NULL");
    return null;
  }
  return reader.lenencBytes("value").toString("utf8");
}

function unexpected(): BackendLoginError {
  return new BackendLoginError("protocol", "The server's reply is none to what was asked");
}

// ColumnDefinition41: a column of a result, or a parameter of a prepared statement.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_column_definition.html

import { Reader } from "../reader.ts";
import { lenencBytesSize, Writer } from "../writer.ts";

/** One definition. `type` is a number of MYSQL_TYPE. */
export interface ColumnDefinition {
  readonly name: string;
  /** A collation's id; 63 for binary. */
  readonly collation: number;
  /** Most bytes of a value. */
  readonly length: number;
  readonly type: number;
  readonly flags: number;
  readonly decimals: number;
  /** Where the column comes from; left out (empty) in results that the gateway makes itself. */
  readonly origin?: ColumnOrigin;
}

/** Names as the statement spells them, and as they are. */
export interface ColumnOrigin {
  readonly database: string;
  readonly table: string;
  readonly originalTable: string;
  readonly originalName: string;
}

const CATALOG = Buffer.from("def");
/** Bytes of the fields of fixed length. */
const FIXED_BYTES = 12;
const nowhere: ColumnOrigin = { database: "", table: "", originalTable: "", originalName: "" };

/** MYSQL_TYPE number of integers of eight bytes. */
export const MYSQL_TYPE_LONGLONG = 0x08;

/** MYSQL_TYPE number of strings. */
export const MYSQL_TYPE_VAR_STRING = 0xfd;

/** The collation id of binary strings and numbers. */
export const COLLATION_BINARY = 63;

/** What servers send for a `?`: binary, of a string's type. */
export const parameterDefinition: ColumnDefinition = {
  name: "?",
  collation: COLLATION_BINARY,
  length: 0,
  type: MYSQL_TYPE_VAR_STRING,
  flags: 0x80,
  decimals: 0,
};

/** Encodes a definition. */
export function encodeColumnDefinition(column: ColumnDefinition): Buffer {
  const origin = column.origin ?? nowhere;
  const texts = [origin.database, origin.table, origin.originalTable, column.name, origin.originalName];
  const strings = [CATALOG, ...texts.map((text) => Buffer.from(text, "utf8"))];
  const size = strings.reduce((sum, bytes) => sum + lenencBytesSize(bytes.length), 1 + FIXED_BYTES);
  const writer = new Writer(size);
  for (const bytes of strings) writer.lenencBytes(bytes);
  return writer
    .lenenc(FIXED_BYTES)
    .u16(column.collation)
    .u32(column.length)
    .u8(column.type)
    .u16(column.flags)
    .u8(column.decimals)
    .zeros(2)
    .finish();
}

/**
 * Decodes a definition. The default value that COM_FIELD_LIST adds is ignored.
 * @throws WireError when it is malformed.
 */
export function decodeColumnDefinition(payload: Uint8Array): ColumnDefinition {
  const reader = new Reader(payload);
  const text = (field: string): string => reader.lenencText(field);
  reader.lenencBytes("catalog");
  const database = text("schema");
  const table = text("table");
  const originalTable = text("original table");
  const name = text("name");
  const originalName = text("original name");
  reader.lenencNumber("length of fixed fields");
  const collation = reader.u16("collation");
  const length = reader.u32("column length");
  const type = reader.u8("type");
  const flags = reader.u16("flags");
  const decimals = reader.u8("decimals");
  reader.skip(2, "filler");
  const origin = { database, table, originalTable, originalName };
  return { name, collation, length, type, flags, decimals, origin };
}

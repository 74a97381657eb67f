// Results that the gateway makes itself, in the three forms in which clients get them: rows of text, rows of the binary
// protocol, and a SELECT of literals for the server to answer among other statements.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset.html

import { integerLiteral, textInPlaceOf } from "../sql/literals.ts";
import { CLIENT_DEPRECATE_EOF } from "../wire/capabilities.ts";
import {
  COLLATION_BINARY,
  encodeColumnDefinition,
  MYSQL_TYPE_LONGLONG,
  MYSQL_TYPE_VAR_STRING,
} from "../wire/packets/column-definition.ts";
import { encodeEof } from "../wire/packets/eof.ts";
import { encodeOk, plainOk, RESULT_END_HEADER } from "../wire/packets/ok.ts";
import { encodePrepareOk } from "../wire/packets/prepare-ok.ts";
import { lenencBytesSize, lenencSize, Writer } from "../wire/writer.ts";

/** One column; `characters`: the longest text. */
export interface OwnColumn {
  readonly name: string;
  readonly type: "text" | "number";
  readonly characters: number;
}

/** A result. Numbers are whole and not negative. */
export interface OwnResult {
  readonly columns: readonly OwnColumn[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}

/** What of a session the packets depend on. */
export interface ResultFormat {
  readonly capabilities: number;
  readonly statusFlags: number;
}

const COLLATION_UTF8MB4 = 45;
const BYTES_PER_CHARACTER = 4;
const NOT_NULL = 1;
const UNSIGNED = 0x20;
const BINARY = 0x80;
const NULL_TEXT = 0xfb;
const DECIMALS_NONE = 31;

/** The packets of the answer to COM_QUERY. */
export function textReply(result: OwnResult, format: ResultFormat): Uint8Array[] {
  return reply(result, format, textRow);
}

/** The packets of the answer to COM_STMT_EXECUTE. */
export function binaryReply(result: OwnResult, format: ResultFormat): Uint8Array[] {
  return reply(result, format, (row) => binaryRow(row, result.columns));
}

/** The packets of the answer to COM_STMT_PREPARE of a statement with such a result and without parameters. */
export function prepareReply(
  statementId: number,
  columns: readonly OwnColumn[],
  { capabilities, statusFlags }: ResultFormat,
): Uint8Array[] {
  const first = encodePrepareOk({
    statementId,
    columnCount: columns.length,
    parameterCount: 0,
    warnings: 0,
  });
  const end = (capabilities & CLIENT_DEPRECATE_EOF) === 0 ? [encodeEof({ warnings: 0, statusFlags })] : [];
  return [first, ...columns.map(definition), ...end];
}

/** A SELECT with this result, of one line, without parameters, that means the same in every sql_mode. */
export function selectOf({ columns, rows }: OwnResult): string {
  const literal = (value: string | number | null, { type }: OwnColumn): string => {
    if (typeof value === "number") return integerLiteral(value);
    // A NULL by itself would have a type of its own.
    if (value === null && type === "number") return "NULLIF(CAST(0 AS UNSIGNED), 0)";
    // Servers' own lists have the character set of that function.
    return textInPlaceOf("USER()", value);
  };
  const nothing = columns.map((column) => (column.type === "number" ? 0 : ""));
  const selects = (rows.length === 0 ? [nothing] : rows).map((row, index) => {
    const items = columns.map((column, at) => {
      const value = literal(row[at] ?? null, column);
      return index === 0 ? `${value} AS \`${column.name.replaceAll("`", "``")}\`` : value;
    });
    return `SELECT ${items.join(", ")}`;
  });
  return `${selects.join(" UNION ALL ")}${rows.length === 0 ? " LIMIT 0" : ""}`;
}

function reply(
  { columns, rows }: OwnResult,
  { capabilities, statusFlags }: ResultFormat,
  encode: (row: OwnResult["rows"][number]) => Uint8Array,
): Uint8Array[] {
  const count = new Writer(lenencSize(columns.length)).lenenc(columns.length).finish();
  const head = [count, ...columns.map(definition)];
  const body = rows.map(encode);
  if ((capabilities & CLIENT_DEPRECATE_EOF) === 0) {
    const eof = encodeEof({ warnings: 0, statusFlags });
    return [...head, eof, ...body, eof];
  }
  return [...head, ...body, encodeOk(plainOk(statusFlags), capabilities, RESULT_END_HEADER)];
}

function definition({ name, type, characters }: OwnColumn): Buffer {
  return type === "number"
    ? encodeColumnDefinition({
        name,
        collation: COLLATION_BINARY,
        length: characters,
        type: MYSQL_TYPE_LONGLONG,
        flags: NOT_NULL | UNSIGNED | BINARY,
        decimals: 0,
      })
    : encodeColumnDefinition({
        name,
        collation: COLLATION_UTF8MB4,
        length: characters * BYTES_PER_CHARACTER,
        type: MYSQL_TYPE_VAR_STRING,
        flags: 0,
        decimals: DECIMALS_NONE,
      });
}

function textRow(row: OwnResult["rows"][number]): Uint8Array {
  const parts = row.map((value) => {
    if (value === null) return Buffer.of(NULL_TEXT);
    const bytes = Buffer.from(String(value), "utf8");
    return new Writer(lenencBytesSize(bytes.length)).lenencBytes(bytes).finish();
  });
  return Buffer.concat(parts);
}

/** Header 0, a bitmap of NULLs that begins with two unused bits, then the values that are not NULL. */
function binaryRow(row: OwnResult["rows"][number], columns: readonly OwnColumn[]): Uint8Array {
  const head = Buffer.alloc(1 + ((columns.length + 9) >> 3));
  const parts: Uint8Array[] = [head];
  row.forEach((value, index) => {
    const bit = index + 2;
    if (value === null) {
      const at = 1 + (bit >> 3);
      head[at] = (head[at] ?? 0) | (1 << (bit & 7));
    } else if (columns[index]?.type === "number") {
      parts.push(new Writer(8).u64(BigInt(value)).finish());
    } else {
      const bytes = Buffer.from(String(value), "utf8");
      parts.push(new Writer(lenencBytesSize(bytes.length)).lenencBytes(bytes).finish());
    }
  });
  return Buffer.concat(parts);
}

// The first packet of the reply to COM_STMT_PREPARE.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_prepare.html

import { Reader } from "../reader.ts";
import { Writer } from "../writer.ts";

const HEADER = 0x00;
/** Bytes of the packet. */
export const PREPARE_OK_BYTES = 12;

/** What was prepared. */
export interface PrepareOk {
  readonly statementId: number;
  readonly columnCount: number;
  readonly parameterCount: number;
  readonly warnings: number;
}

/** Encodes `00 id columns parameters 00 warnings`. */
export function encodePrepareOk(packet: PrepareOk): Buffer {
  return new Writer(PREPARE_OK_BYTES)
    .u8(HEADER)
    .u32(packet.statementId)
    .u16(packet.columnCount)
    .u16(packet.parameterCount)
    .u8(0)
    .u16(packet.warnings)
    .finish();
}

/** @throws WireError when it is not exactly 12 bytes, or the header byte is another. */
export function decodePrepareOk(payload: Uint8Array): PrepareOk {
  const reader = new Reader(payload);
  reader.header(HEADER, "header");
  const statementId = reader.u32("statement id");
  const columnCount = reader.u16("columns");
  const parameterCount = reader.u16("parameters");
  reader.skip(1, "filler");
  const warnings = reader.u16("warnings");
  reader.end();
  return { statementId, columnCount, parameterCount, warnings };
}

/** A copy of a PREPARE_OK under another statement id; everything else stays, byte for byte. */
export function withStatementId(payload: Uint8Array, statementId: number): Buffer {
  const copy = Buffer.from(payload);
  copy.writeUInt32LE(statementId, 1);
  return copy;
}

// EOF: the end of definitions and rows where DEPRECATE_EOF is off.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_eof_packet.html

import { Reader } from "../reader.ts";
import { Writer } from "../writer.ts";

const HEADER = 0xfe;

/** An end. */
export interface EofPacket {
  readonly warnings: number;
  readonly statusFlags: number;
}

/** Encodes `fe warnings status`. */
export function encodeEof(packet: EofPacket): Buffer {
  return new Writer(5).u8(HEADER).u16(packet.warnings).u16(packet.statusFlags).finish();
}

/** @throws WireError when it is not exactly five bytes, or the header byte is another. */
export function decodeEof(payload: Uint8Array): EofPacket {
  const reader = new Reader(payload);
  reader.header(HEADER, "header");
  const warnings = reader.u16("warnings");
  const statusFlags = reader.u16("status flags");
  reader.end();
  return { warnings, statusFlags };
}

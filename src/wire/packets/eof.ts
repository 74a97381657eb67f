// EOF, the classic terminator.

import { Writer } from "../writer.ts";

/** Ends definitions and rows where CLIENT_DEPRECATE_EOF is off. */
export interface EofPacket {
  readonly warnings: number;
  readonly statusFlags: number;
}

/** Encodes `fe warnings status`. */
export function encodeEof(packet: EofPacket): Buffer {
  return new Writer(5).u8(0xfe).u16(packet.warnings).u16(packet.statusFlags).finish();
}

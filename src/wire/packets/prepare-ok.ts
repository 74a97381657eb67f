// The first packet of the reply to COM_STMT_PREPARE.

import { Writer } from "../writer.ts";

/** What was prepared. */
export interface PrepareOk {
  readonly statementId: number;
  readonly columnCount: number;
  readonly parameterCount: number;
  readonly warnings: number;
}

/** Encodes `00 id columns parameters 00 warnings`. */
export function encodePrepareOk(packet: PrepareOk): Buffer {
  return new Writer(12)
    .u8(0)
    .u32(packet.statementId)
    .u16(packet.columnCount)
    .u16(packet.parameterCount)
    .u8(0)
    .u16(packet.warnings)
    .finish();
}

// The parameters of COM_STMT_EXECUTE, as far as the gateway reads them itself: integers, for a prepared KILL.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_execute.html

import { Reader, WireError } from "../reader.ts";

const TYPE_NULL = 6;
const integerBytes: Readonly<Record<number, number>> = { 1: 1, 2: 2, 3: 4, 8: 8 };
const textTypes = new Set([15, 246, 252, 253, 254]);

/**
 * Reads the values of all parameters; null for NULL and for what is not an unsigned integer.
 * `payload` begins with the command byte. Returns nulls where types were not sent (they are sent at the first execute).
 */
export function decodeIntegerParameters(payload: Uint8Array, count: number): (number | null)[] {
  try {
    const reader = new Reader(payload);
    reader.skip(10, "header");
    const nulls = reader.bytes((count + 7) >> 3, "null bitmap");
    if (reader.u8("new parameters bound") !== 1) return new Array<null>(count).fill(null);
    const types = Array.from({ length: count }, () => reader.u16("type") & 0xff);
    return types.map((type, index) => {
      const isNull = type === TYPE_NULL || ((nulls[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
      return isNull ? null : readInteger(reader, type);
    });
  } catch (error) {
    if (error instanceof WireError) return new Array<null>(count).fill(null);
    throw error;
  }
}

function readInteger(reader: Reader, type: number): number | null {
  const bytes = integerBytes[type];
  if (bytes !== undefined) {
    const value =
      bytes === 8 ? Number(reader.u64("value")) : reader.bytes(bytes, "value").readUIntLE(0, bytes);
    return Number.isSafeInteger(value) ? value : null;
  }
  if (!textTypes.has(type)) return null;
  const text = reader.lenencBytes("value").toString("latin1");
  return /^\d{1,10}$/.test(text) ? Number(text) : null;
}

// The commands on prepared statements: the id that all of them begin with, and the head of COM_STMT_EXECUTE. Values are
// read only as far as the gateway needs them itself: integers, for a prepared KILL.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_execute.html

import { COM_STMT_EXECUTE } from "../commands.ts";
import { Reader, WireError } from "../reader.ts";

/** What COM_STMT_EXECUTE says before the values of its parameters. */
export interface StmtExecute {
  readonly statementId: number;
  /** Bits of CURSOR_TYPE: 1 asks for a read-only cursor. */
  readonly flags: number;
  readonly iterations: number;
  /** One bit a parameter, set for NULL; empty without parameters. Aliases the payload. */
  readonly nullBitmap: Uint8Array;
  /**
   * Two bytes a parameter: type, and 80 for unsigned. null: not sent, the types of the statement's last execution hold.
   * Aliases the payload.
   */
  readonly parameterTypes: Uint8Array | null;
  /** Where the values begin, in bytes of the payload. */
  readonly valuesOffset: number;
}

const ID_OFFSET = 1;
const TYPE_NULL = 6;
const integerBytes: Readonly<Record<number, number>> = { 1: 1, 2: 2, 3: 4, 8: 8 };
const textTypes = new Set([15, 246, 252, 253, 254]);

/** The statement id of any command on a prepared statement; null where the payload is too short for one. */
export function statementIdOf(payload: Uint8Array): number | null {
  return payload.length < ID_OFFSET + 4 ? null : new Reader(payload, ID_OFFSET).u32("statement id");
}

/**
 * Decodes the head. `parameterCount` as PREPARE_OK told it: the packet itself does not say.
 * @throws WireError when it is cut short before the values, or is another command.
 */
export function decodeStmtExecute(payload: Uint8Array, parameterCount: number): StmtExecute {
  const reader = new Reader(payload);
  reader.header(COM_STMT_EXECUTE, "command");
  const statementId = reader.u32("statement id");
  const flags = reader.u8("flags");
  const iterations = reader.u32("iterations");
  const nullBitmap = reader.bytes((parameterCount + 7) >> 3, "null bitmap");
  const hasTypes = parameterCount > 0 && reader.u8("new parameters bound") === 1;
  const parameterTypes = hasTypes ? reader.bytes(2 * parameterCount, "parameter types") : null;
  return { statementId, flags, iterations, nullBitmap, parameterTypes, valuesOffset: reader.offset };
}

/**
 * Reads the values of all parameters; null for NULL, for what is no unsigned integer up to 2^53, and where the packet
 * is malformed or carries no types (they come with the first execution).
 */
export function decodeIntegerParameters(payload: Uint8Array, count: number): (number | null)[] {
  const values = new Array<number | null>(count).fill(null);
  try {
    const { nullBitmap, parameterTypes, valuesOffset } = decodeStmtExecute(payload, count);
    if (parameterTypes === null) return values;
    const reader = new Reader(payload, valuesOffset);
    for (let index = 0; index < count; index += 1) {
      const type = parameterTypes[2 * index] ?? TYPE_NULL;
      const isNull = ((nullBitmap[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
      if (isNull || type === TYPE_NULL) continue;
      const isUnsigned = ((parameterTypes[2 * index + 1] ?? 0) & 0x80) !== 0;
      const value = readInteger(reader, type, isUnsigned);
      // The length of a value of another type is not known here: nothing behind it can be read.
      if (value === undefined) return values;
      values[index] = value;
    }
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
  return values;
}

/** null: a value, but no unsigned integer; undefined: a type that is not read here. */
function readInteger(reader: Reader, type: number, isUnsigned: boolean): number | null | undefined {
  const bytes = integerBytes[type];
  if (bytes !== undefined) {
    const raw = Buffer.alloc(8);
    raw.set(reader.bytes(bytes, "value"));
    const bits = 8 * bytes;
    const unsigned = raw.readBigUInt64LE(0);
    const value = isUnsigned ? unsigned : BigInt.asIntN(bits, unsigned);
    return value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : null;
  }
  if (!textTypes.has(type)) return undefined;
  const text = reader.lenencBytes("value").toString("latin1");
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

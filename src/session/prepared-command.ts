// The commands of a client on its prepared statement, as the backend connection at hand understands them: under the id
// of that connection's copy, and with the parameter types that the copy has not been told. Bytes in, bytes out.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_execute.html

import type { PreparedCopy } from "../backend/prepared-copies.ts";
import { payloadOf } from "../wire/command-boundary.ts";
import { COM_STMT_CLOSE } from "../wire/commands.ts";
import { encodeFrames } from "../wire/frames.ts";
import { FRAME_HEADER_BYTES } from "../wire/limits.ts";
import type { PreparedStatement } from "./prepared-statements.ts";

const ID_OFFSET = FRAME_HEADER_BYTES + 1;
/** Of COM_STMT_EXECUTE's payload: command, id, flags, iterations. */
const EXECUTE_HEAD_BYTES = 10;

/** Writes the copy's id over the client's, in place: `frames` is a whole command of at least five bytes. */
export function addressTo(frames: Uint8Array, copyId: number): void {
  frames[ID_OFFSET] = copyId & 0xff;
  frames[ID_OFFSET + 1] = (copyId >>> 8) & 0xff;
  frames[ID_OFFSET + 2] = (copyId >>> 16) & 0xff;
  frames[ID_OFFSET + 3] = copyId >>> 24;
}

/** Of COM_STMT_EXECUTE: where it says whether, and how, a cursor is opened. */
export const CURSOR_OFFSET = 5;

/** Whether a COM_STMT_EXECUTE asks for a cursor. */
export function opensCursor(frames: Uint8Array): boolean {
  return (frames[FRAME_HEADER_BYTES + CURSOR_OFFSET] ?? 0) !== 0;
}

/**
 * COM_STMT_EXECUTE for this copy: the id is written in place; frames with the types put in are new ones. What is too
 * short for its parameters goes as it is: the server says so.
 */
export function executeOn(copy: PreparedCopy, statement: PreparedStatement, frames: Uint8Array): Uint8Array {
  addressTo(frames, copy.id);
  const { parameterCount } = statement;
  if (parameterCount === 0) return frames;
  const flagAt = EXECUTE_HEAD_BYTES + ((parameterCount + 7) >> 3);
  const typesAt = flagAt + 1;
  const hasTypes = frames[FRAME_HEADER_BYTES + flagAt];
  if (hasTypes === undefined) return frames;
  if (hasTypes === 1) {
    const types = frames.subarray(
      FRAME_HEADER_BYTES + typesAt,
      FRAME_HEADER_BYTES + typesAt + 2 * parameterCount,
    );
    if (types.length < 2 * parameterCount) return frames;
    if (!isSame(statement.parameterTypes, types)) statement.parameterTypes = types.slice();
    copy.parameterTypes = statement.parameterTypes;
    return frames;
  }
  const types = statement.parameterTypes;
  if (types === null || isSame(copy.parameterTypes, types)) return frames;
  copy.parameterTypes = types;
  const payload = payloadOf(frames);
  const whole = [payload.subarray(0, flagAt), Buffer.of(1), types, payload.subarray(typesAt)];
  return encodeFrames(Buffer.concat(whole), 0);
}

/** COM_STMT_CLOSE of each, one frame behind the other. They have no replies. */
export function closingFrames(copyIds: readonly number[]): Buffer {
  return Buffer.concat(
    copyIds.map((id) => {
      const frames = encodeFrames(Buffer.of(COM_STMT_CLOSE, 0, 0, 0, 0), 0);
      addressTo(frames, id);
      return frames;
    }),
  );
}

function isSame(left: Uint8Array | null, right: Uint8Array): boolean {
  return left === right || (left !== null && Buffer.compare(left, right) === 0);
}

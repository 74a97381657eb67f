// The gateway's own replies. Every function here returns a value that the caller must return in turn: `Replied` when
// the session goes on, `SessionEnd` when it does not.

import type { ByteChannel } from "../base/byte-channel.ts";
import { mysqlErrors } from "../errors/mysql-errors.ts";
import { type SqlError, sqlError } from "../errors/sql-error.ts";
import { CLIENT_SESSION_TRACK, has } from "../wire/capabilities.ts";
import { storedFrame } from "../wire/compressed-frame.ts";
import { encodeErr } from "../wire/packets/err.ts";
import { encodeOk, plainOk } from "../wire/packets/ok.ts";
import { encodeSchemaChange } from "../wire/session-state.ts";
import type { Replied, SessionEnd, SessionEndCode } from "./session-end.ts";
import { replied, sessionEnd } from "./session-end.ts";
import type { SessionMetrics } from "./session-metrics.ts";
import { countUp } from "./session-metrics.ts";

const HEADER_BYTES = 4;

/** Where replies go. `sequence` is the number of the next packet. */
export interface ReplyTo {
  readonly channel: ByteChannel;
  readonly capabilities: number;
  readonly statusFlags: number;
  readonly sequence: number;
  readonly metrics: SessionMetrics;
  /** Learns the error that is sent. @default nobody wants to know */
  readonly note?: { errorCode: number | null } | null;
  /** Learns what ROW_COUNT() is to say after an OK or an error of ours. @default nobody wants to know */
  readonly leaves?: (rowCount: number) => void;
  /** Packets of a login that wait to leave with this reply. */
  readonly before?: () => Buffer | null;
  /** Whether the client reads frames of the compressed protocol, though it was not offered. @default it does not */
  readonly compressed?: boolean;
}

/** Sends OK with nothing affected. */
export function replyOk(to: ReplyTo): Replied {
  to.leaves?.(0);
  writePacket(to, encodeOk(plainOk(to.statusFlags), to.capabilities));
  return replied;
}

/** Sends the OK of a login, which tells clients that track their session the schema that it entered (`null`: none). */
export function replyLoginOk(to: ReplyTo, schema: string | null): Replied {
  to.leaves?.(0);
  const isTold = schema !== null && has(to.capabilities, CLIENT_SESSION_TRACK);
  const sessionState = isTold ? encodeSchemaChange(schema) : null;
  writePacket(to, encodeOk({ ...plainOk(to.statusFlags), sessionState }, to.capabilities));
  return replied;
}

/** Sends an error; the session goes on. */
export function replyError(to: ReplyTo, error: SqlError): Replied {
  writeError(to, error);
  return replied;
}

/** Sends an error and ends the session. */
export function endWithError(to: ReplyTo, error: SqlError, code: SessionEndCode): SessionEnd {
  writeError(to, error);
  return sessionEnd(code, error.reason ?? error.symbol);
}

/** Sends any packet as a whole reply. */
export function replyPackets(to: ReplyTo, payloads: readonly Uint8Array[]): Replied {
  payloads.forEach((payload, index) => {
    writePacket({ ...to, sequence: (to.sequence + index) & 0xff }, payload);
  });
  return replied;
}

/** An error for what went wrong inside the gateway: the client learns nothing of it. */
export function internalError(): SqlError {
  return sqlError("ER_UNKNOWN_ERROR", { detail: "The gateway met an internal error; the session was ended" });
}

function writeError(to: ReplyTo, error: SqlError): void {
  countUp(to.metrics.errorsSent, mysqlErrors[error.symbol].kind);
  to.leaves?.(-1);
  if (to.note) to.note.errorCode = error.code;
  writePacket(
    to,
    encodeErr({ code: error.code, sqlState: error.sqlState, message: error.message }, to.capabilities),
  );
}

function writePacket(to: ReplyTo, payload: Uint8Array): void {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  frame.writeUIntLE(payload.length, 0, 3);
  frame[3] = to.sequence;
  frame.set(payload, HEADER_BYTES);
  const before = to.before?.() ?? null;
  if (to.compressed) to.channel.write(storedFrame(frame, to.sequence));
  else to.channel.write(before === null ? frame : Buffer.concat([before, frame]));
}

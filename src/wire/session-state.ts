// Session state in OK packets: blocks that tell what a command changed (SESSION_TRACK), and what becomes of OK and ERR
// packets that may not reach the client as they are. Payload in, payload out.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_ok_packet.html#sect_protocol_basic_ok_packet_sessinfo

import { CLIENT_SESSION_TRACK } from "./capabilities.ts";
import { decodeErrBytes, type ErrPacket, encodeErrBytes } from "./packets/err.ts";
import { decodeOk, encodeOk, OK_HEADER, RESULT_END_HEADER } from "./packets/ok.ts";
import { Reader } from "./reader.ts";
import { lenencBytesSize, Writer } from "./writer.ts";

/** One thing that changed. Texts are read as UTF-8. */
export type SessionChange =
  | { readonly kind: "variable"; readonly name: string; readonly value: string }
  | { readonly kind: "schema"; readonly name: string }
  /** `1`: some part of the session's state changed (session_track_state_change). */
  | { readonly kind: "state"; readonly changed: boolean }
  | { readonly kind: "gtids"; readonly gtids: string }
  /** The statements that would start the transaction anew (session_track_transaction_info). */
  | { readonly kind: "transaction characteristics"; readonly statements: string }
  /** Eight characters, e.g. `T_______` (https://dev.mysql.com/doc/refman/8.4/en/session-state-tracking.html). */
  | { readonly kind: "transaction state"; readonly flags: string }
  /** A block of a type that this version does not know: passed over, never an error. */
  | { readonly kind: "unknown"; readonly type: number };

const TRACK_VARIABLE = 0;
const TRACK_SCHEMA = 1;
const TRACK_STATE = 2;
const TRACK_GTIDS = 3;
const TRACK_CHARACTERISTICS = 4;
const TRACK_TRANSACTION_STATE = 5;
const DIGIT_ONE = 0x31;

/**
 * Reads the blocks of an OK's `sessionState`, in the order of the server.
 * @throws WireError when a block is malformed.
 */
export function decodeSessionState(sessionState: Uint8Array): SessionChange[] {
  const reader = new Reader(sessionState);
  const changes: SessionChange[] = [];
  while (reader.remaining > 0) {
    const type = reader.u8("type of state");
    readBlock(type, new Reader(reader.lenencBytes("state")), changes);
  }
  return changes;
}

function readBlock(type: number, block: Reader, changes: SessionChange[]): void {
  const text = (field: string): string => block.lenencText(field);
  switch (type) {
    case TRACK_VARIABLE:
      // MySQL sends one pair a block; MariaDB may send several in one.
      do {
        const name = text("variable name");
        changes.push({ kind: "variable", name, value: text("variable value") });
      } while (block.remaining > 0);
      return;
    case TRACK_SCHEMA:
      changes.push({ kind: "schema", name: text("schema") });
      return;
    case TRACK_STATE:
      changes.push({ kind: "state", changed: block.u8("state change") === DIGIT_ONE });
      return;
    case TRACK_GTIDS:
      block.skip(1, "GTID encoding");
      changes.push({ kind: "gtids", gtids: text("GTIDs") });
      return;
    case TRACK_CHARACTERISTICS:
      changes.push({ kind: "transaction characteristics", statements: text("transaction characteristics") });
      return;
    case TRACK_TRANSACTION_STATE:
      changes.push({ kind: "transaction state", flags: text("transaction state") });
      return;
    default:
      changes.push({ kind: "unknown", type });
  }
}

/** The session state of an OK that tells one thing: the default schema is `name` from now on. */
export function encodeSchemaChange(name: string): Buffer {
  const bytes = Buffer.from(name);
  const size = lenencBytesSize(bytes.length);
  return new Writer(1 + lenencBytesSize(size))
    .u8(TRACK_SCHEMA)
    .lenencBytes(new Writer(size).lenencBytes(bytes).finish())
    .finish();
}

/**
 * An OK of a backend connection with SESSION_TRACK as a client without it would have got it: no session state, no flag
 * for it. Header, counts, warnings and text stay.
 * @throws WireError when the OK is malformed.
 */
export function withoutSessionState(payload: Uint8Array): Buffer {
  const ok = decodeOk(payload, CLIENT_SESSION_TRACK);
  return encodeOk(
    { ...ok, sessionState: null },
    0,
    payload[0] === RESULT_END_HEADER ? RESULT_END_HEADER : OK_HEADER,
  );
}

/** What {@link rewriteErr} may change: the message as bytes, in the connection's character set. */
export type RewriteMessage = (message: Buffer, err: Omit<ErrPacket, "message">) => Buffer;

/**
 * An ERR with another message; the same payload where `rewrite` returns the message it was given. Number and SQLSTATE
 * (or its absence) stay.
 * @throws WireError when the ERR is malformed.
 */
export function rewriteErr(payload: Uint8Array, rewrite: RewriteMessage): Uint8Array {
  const { message, ...err } = decodeErrBytes(payload);
  const rewritten = rewrite(message, err);
  return rewritten === message ? payload : encodeErrBytes(err, rewritten);
}

// ERR: an error. Its SQLSTATE is left out before the client's capabilities are known.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_err_packet.html

import { type Capabilities, CLIENT_PROTOCOL_41, has } from "../capabilities.ts";
import { Reader } from "../reader.ts";
import { Writer } from "../writer.ts";

/** The header byte of an ERR. */
export const ERR_HEADER = 0xff;
const SQLSTATE_MARKER = 0x23;
const SQLSTATE_BYTES = 5;
/** What servers send as SQLSTATE where an error has none of its own. */
const SQLSTATE_UNKNOWN = "HY000";

/** An error. */
export interface ErrPacket {
  readonly code: number;
  /** Five characters; empty where the packet carries none. */
  readonly sqlState: string;
  readonly message: string;
}

/** Whether `payload` is an ERR, in places where an ERR may stand. */
export function isErr(payload: Uint8Array): boolean {
  return payload[0] === ERR_HEADER;
}

/** Encodes `ff code # sqlstate message`; without `# sqlstate` for peers that are not known to have PROTOCOL_41. */
export function encodeErr(packet: ErrPacket, capabilities: Capabilities): Buffer {
  const known = packet.sqlState.length === SQLSTATE_BYTES ? packet.sqlState : SQLSTATE_UNKNOWN;
  const sqlState = has(capabilities, CLIENT_PROTOCOL_41) ? known : "";
  return encodeErrBytes({ code: packet.code, sqlState }, Buffer.from(packet.message, "utf8"));
}

/** Encodes an ERR with its message as bytes; without `# sqlstate` where `sqlState` is empty. */
export function encodeErrBytes(err: Omit<ErrPacket, "message">, message: Uint8Array): Buffer {
  const hasState = err.sqlState !== "";
  const writer = new Writer(3 + (hasState ? 1 + SQLSTATE_BYTES : 0) + message.length)
    .u8(ERR_HEADER)
    .u16(err.code);
  if (hasState) writer.u8(SQLSTATE_MARKER).bytes(Buffer.from(err.sqlState, "latin1"));
  return writer.bytes(message).finish();
}

/**
 * Decodes an ERR. The SQLSTATE is told by its `#`, not by capabilities: servers leave it out of early errors.
 * @throws WireError when it is cut short before the message, or the header byte is another.
 */
export function decodeErr(payload: Uint8Array): ErrPacket {
  const { code, sqlState, message } = decodeErrBytes(payload);
  return { code, sqlState, message: message.toString("utf8") };
}

/**
 * An ERR with its message as bytes: they are in the connection's character set, which need not be UTF-8. `message`
 * aliases `payload`.
 * @throws WireError as {@link decodeErr}.
 */
export function decodeErrBytes(payload: Uint8Array): Omit<ErrPacket, "message"> & { message: Buffer } {
  const reader = new Reader(payload);
  reader.header(ERR_HEADER, "header");
  const code = reader.u16("code");
  const rest = reader.rest();
  if (rest[0] !== SQLSTATE_MARKER || rest.length < 1 + SQLSTATE_BYTES)
    return { code, sqlState: "", message: rest };
  return {
    code,
    sqlState: rest.toString("latin1", 1, 1 + SQLSTATE_BYTES),
    message: rest.subarray(1 + SQLSTATE_BYTES),
  };
}

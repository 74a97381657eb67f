// OK: success, with header 00, or fe where it ends a result under DEPRECATE_EOF.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_ok_packet.html
// The page says that without SESSION_TRACK the text goes to the end of the packet. MySQL 9.7 and MariaDB 10.11 put its
// length before it in both cases, clients read it so, and an empty text is left out.

import { type Capabilities, CLIENT_SESSION_TRACK, has } from "../capabilities.ts";
import { Reader, WireError } from "../reader.ts";
import { STATUS_SESSION_STATE_CHANGED } from "../status-flags.ts";
import { lenencBytesSize, lenencSize, Writer } from "../writer.ts";

/** The header byte of an OK: 00, or fe at the end of a result under DEPRECATE_EOF. */
export const OK_HEADER = 0x00;
export const RESULT_END_HEADER = 0xfe;

/** An OK. */
export interface OkPacket {
  readonly affectedRows: bigint;
  readonly lastInsertId: bigint;
  readonly statusFlags: number;
  readonly warnings: number;
  /** Text for people, in the connection's character set; mostly empty. */
  readonly info: Uint8Array;
  /** The blocks of session state, undecoded (see session-state); null: none. Only with SESSION_TRACK. */
  readonly sessionState: Uint8Array | null;
}

/** What an OK of the gateway's own says: nothing but the status. */
export function plainOk(statusFlags: number): OkPacket {
  return {
    affectedRows: 0n,
    lastInsertId: 0n,
    statusFlags,
    warnings: 0,
    info: new Uint8Array(0),
    sessionState: null,
  };
}

/**
 * Encodes an OK for a peer with `capabilities`. Without SESSION_TRACK the session state is left out, with its flag.
 * With it, the flag is set exactly when there is state, since readers rely on it.
 */
export function encodeOk(
  packet: OkPacket,
  capabilities: Capabilities,
  header: typeof OK_HEADER | typeof RESULT_END_HEADER = OK_HEADER,
): Buffer {
  const state = has(capabilities, CLIENT_SESSION_TRACK) ? packet.sessionState : null;
  const changed = state === null ? 0 : STATUS_SESSION_STATE_CHANGED;
  const hasInfo = packet.info.length > 0 || state !== null;
  const size =
    1 +
    lenencSize(packet.affectedRows) +
    lenencSize(packet.lastInsertId) +
    4 +
    (hasInfo ? lenencBytesSize(packet.info.length) : 0) +
    (state === null ? 0 : lenencBytesSize(state.length));
  const writer = new Writer(size)
    .u8(header)
    .lenenc(packet.affectedRows)
    .lenenc(packet.lastInsertId)
    .u16((packet.statusFlags & ~STATUS_SESSION_STATE_CHANGED) | changed)
    .u16(packet.warnings);
  if (hasInfo) writer.lenencBytes(packet.info);
  if (state !== null) writer.lenencBytes(state);
  return writer.finish();
}

/**
 * Decodes an OK of either header; `info` and `sessionState` alias `payload`.
 * @throws WireError when it is malformed.
 */
export function decodeOk(payload: Uint8Array, capabilities: Capabilities): OkPacket {
  const reader = new Reader(payload);
  const header = reader.u8("header");
  if (header !== OK_HEADER && header !== RESULT_END_HEADER)
    throw new WireError("header", 0, "00 or fe wanted");
  const affectedRows = reader.lenenc("affected rows");
  const lastInsertId = reader.lenenc("last insert id");
  const statusFlags = reader.u16("status flags");
  const warnings = reader.u16("warnings");
  const fixed = { affectedRows, lastInsertId, statusFlags, warnings };
  // An OK that has nothing to say ends here.
  if (reader.remaining === 0) return { ...fixed, info: new Uint8Array(0), sessionState: null };
  const info = reader.lenencBytes("info");
  const tracks = has(capabilities, CLIENT_SESSION_TRACK);
  const hasState = tracks && (statusFlags & STATUS_SESSION_STATE_CHANGED) !== 0;
  const sessionState = hasState ? reader.lenencBytes("session state") : null;
  reader.end();
  return { ...fixed, info, sessionState };
}

// OK: the plain success.

import { CLIENT_SESSION_TRACK } from "../capabilities.ts";
import { Reader } from "../reader.ts";
import { STATUS_SESSION_STATE_CHANGED } from "../status-flags.ts";
import { Writer } from "../writer.ts";

/** `sessionTrack`: the raw block of state changes; null where there is none. */
export interface OkPacket {
  readonly affectedRows: bigint;
  readonly lastInsertId: bigint;
  readonly statusFlags: number;
  readonly warnings: number;
  readonly info: Uint8Array;
  readonly sessionTrack: Uint8Array | null;
}

/** Encodes an OK with header `00` (or `fe` for the end of a result under DEPRECATE_EOF). */
export function encodeOk(packet: OkPacket, capabilities: number, header = 0x00): Buffer {
  const writer = new Writer(32 + packet.info.length)
    .u8(header)
    .lenenc(packet.affectedRows)
    .lenenc(packet.lastInsertId)
    .u16(packet.statusFlags)
    .u16(packet.warnings);
  if ((capabilities & CLIENT_SESSION_TRACK) === 0) return writer.bytes(packet.info).finish();
  if (packet.info.length > 0 || packet.sessionTrack !== null) writer.lenencBytes(packet.info);
  if (packet.sessionTrack !== null) writer.lenencBytes(packet.sessionTrack);
  return writer.finish();
}

/** @throws WireError when the packet is cut short. */
export function decodeOk(payload: Uint8Array, capabilities: number): OkPacket {
  const reader = new Reader(payload);
  reader.u8("header");
  const affectedRows = reader.lenencBig("affected rows");
  const lastInsertId = reader.lenencBig("last insert id");
  const statusFlags = reader.u16("status flags");
  const warnings = reader.u16("warnings");
  const fixed = { affectedRows, lastInsertId, statusFlags, warnings };
  if ((capabilities & CLIENT_SESSION_TRACK) === 0)
    return { ...fixed, info: reader.rest(), sessionTrack: null };
  if (reader.remaining === 0) return { ...fixed, info: Buffer.alloc(0), sessionTrack: null };
  const info = reader.lenencBytes("info");
  const changed = (statusFlags & STATUS_SESSION_STATE_CHANGED) !== 0 && reader.remaining > 0;
  return { ...fixed, info, sessionTrack: changed ? reader.lenencBytes("session state") : null };
}

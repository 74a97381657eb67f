// ERR: an error, with its SQLSTATE once the client is known to speak protocol 4.1.

import { CLIENT_PROTOCOL_41 } from "../capabilities.ts";
import { Reader } from "../reader.ts";
import { Writer } from "../writer.ts";

/** An error packet. `sqlState` is empty where the packet carries none. */
export interface ErrPacket {
  readonly code: number;
  readonly sqlState: string;
  readonly message: string;
}

/** Encodes `ff code ['#' sqlstate] message`. */
export function encodeErr(packet: ErrPacket, capabilities: number): Buffer {
  const writer = new Writer(16 + packet.message.length).u8(0xff).u16(packet.code);
  if ((capabilities & CLIENT_PROTOCOL_41) !== 0)
    writer.text(`#${packet.sqlState.padEnd(5, "0").slice(0, 5)}`);
  return writer.text(packet.message).finish();
}

/** @throws WireError when the packet is cut short. */
export function decodeErr(payload: Uint8Array): ErrPacket {
  const reader = new Reader(payload);
  reader.u8("header");
  const code = reader.u16("code");
  const rest = reader.rest();
  if (rest.length < 6 || rest[0] !== 0x23) return { code, sqlState: "", message: rest.toString("utf8") };
  return { code, sqlState: rest.toString("latin1", 1, 6), message: rest.toString("utf8", 6) };
}

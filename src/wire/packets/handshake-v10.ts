// HandshakeV10: the server's greeting, written by the gateway to clients and read from backends.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_v10.html

import { Reader, WireError } from "../reader.ts";
import { Writer } from "../writer.ts";

/** The greeting. `scramble` is 20 bytes. */
export interface HandshakeV10 {
  readonly serverVersion: string;
  readonly connectionId: number;
  readonly scramble: Uint8Array;
  readonly capabilities: number;
  readonly collation: number;
  readonly statusFlags: number;
  readonly authPlugin: string;
}

const PROTOCOL_VERSION = 0x0a;
const SCRAMBLE_HEAD_BYTES = 8;
const SCRAMBLE_BYTES = 20;

/** Encodes the greeting. */
export function encodeHandshakeV10(packet: HandshakeV10): Buffer {
  return new Writer(128)
    .u8(PROTOCOL_VERSION)
    .nulTerminated(packet.serverVersion)
    .u32(packet.connectionId)
    .bytes(packet.scramble.subarray(0, SCRAMBLE_HEAD_BYTES))
    .u8(0)
    .u16(packet.capabilities & 0xffff)
    .u8(packet.collation & 0xff)
    .u16(packet.statusFlags)
    .u16(packet.capabilities >>> 16)
    .u8(SCRAMBLE_BYTES + 1)
    .zeros(10)
    .bytes(packet.scramble.subarray(SCRAMBLE_HEAD_BYTES, SCRAMBLE_BYTES))
    .u8(0)
    .nulTerminated(packet.authPlugin)
    .finish();
}

/** @throws WireError when the packet is cut short or of another protocol version. */
export function decodeHandshakeV10(payload: Uint8Array): HandshakeV10 {
  const reader = new Reader(payload);
  const version = reader.u8("protocol version");
  if (version !== PROTOCOL_VERSION)
    throw new WireError(`Cannot read a greeting of protocol version ${version}`);
  const serverVersion = reader.nulTerminated("server version").toString("latin1");
  const connectionId = reader.u32("connection id");
  const head = reader.bytes(SCRAMBLE_HEAD_BYTES, "scramble");
  reader.skip(1, "filler");
  const low = reader.u16("capabilities");
  const collation = reader.u8("collation");
  const statusFlags = reader.u16("status flags");
  const high = reader.u16("capabilities");
  const authBytes = reader.u8("auth data length");
  reader.skip(10, "reserved");
  const tail = reader.bytes(Math.max(13, authBytes - SCRAMBLE_HEAD_BYTES), "scramble");
  const authPlugin = reader.remaining > 0 ? reader.nulOrEnd().toString("latin1") : "mysql_native_password";
  return {
    serverVersion,
    connectionId,
    scramble: Buffer.concat([head, tail.subarray(0, SCRAMBLE_BYTES - SCRAMBLE_HEAD_BYTES)]),
    capabilities: (low | (high << 16)) >>> 0,
    collation,
    statusFlags,
    authPlugin,
  };
}

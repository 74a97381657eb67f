// HandshakeV10: a server's greeting, written by the gateway to clients and read from MySQL and MariaDB servers.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_v10.html
// MariaDB: https://mariadb.com/kb/en/connection/#initial-handshake-packet

import { assert } from "../../base/assert.ts";
import { type Capabilities, CLIENT_LONG_PASSWORD, CLIENT_PLUGIN_AUTH, has } from "../capabilities.ts";
import { SCRAMBLE_BYTES } from "../limits.ts";
import { Reader, WireError } from "../reader.ts";
import { Writer } from "../writer.ts";

/** A greeting. */
export interface HandshakeV10 {
  /** As sent, e.g. `8.0.36` or `5.5.5-10.11.19-MariaDB`. */
  readonly serverVersion: string;
  readonly connectionId: number;
  /** 20 bytes; none of them may be 0, since clients read it as a string. */
  readonly scramble: Uint8Array;
  readonly capabilities: Capabilities;
  /** MariaDB's further 32 bits, in what is reserved elsewhere; 0 where the server is not MariaDB. */
  readonly extendedCapabilities: number;
  /** The collation's id, 0..255. */
  readonly collation: number;
  readonly statusFlags: number;
  /** Empty where the server has no PLUGIN_AUTH. */
  readonly authPlugin: string;
}

const PROTOCOL_VERSION = 0x0a;
const SCRAMBLE_HEAD_BYTES = 8;
/** The second part of the scramble has at least this length, its closing NUL included. */
const SCRAMBLE_TAIL_BYTES_MIN = 13;
const RESERVED_BYTES = 6;
const FIXED_BYTES = 1 + 4 + SCRAMBLE_HEAD_BYTES + 1 + 2 + 1 + 2 + 2 + 1 + RESERVED_BYTES + 4;

function encodeWhole(packet: HandshakeV10): Buffer {
  const { scramble, capabilities } = packet;
  assert(scramble.length === SCRAMBLE_BYTES && scramble.indexOf(0) < 0, "a scramble is 20 bytes without NUL");
  const version = Buffer.from(packet.serverVersion, "utf8");
  const hasPlugin = has(capabilities, CLIENT_PLUGIN_AUTH);
  const plugin = Buffer.from(packet.authPlugin, "utf8");
  const writer = new Writer(
    FIXED_BYTES + version.length + 1 + SCRAMBLE_TAIL_BYTES_MIN + (hasPlugin ? plugin.length + 1 : 0),
  )
    .u8(PROTOCOL_VERSION)
    .nulTerminated(version)
    .u32(packet.connectionId)
    .bytes(scramble.subarray(0, SCRAMBLE_HEAD_BYTES))
    .u8(0)
    .u16(capabilities & 0xffff)
    .u8(packet.collation)
    .u16(packet.statusFlags)
    .u16(capabilities >>> 16)
    .u8(hasPlugin ? SCRAMBLE_BYTES + 1 : 0)
    .zeros(RESERVED_BYTES)
    .u32(packet.extendedCapabilities)
    .bytes(scramble.subarray(SCRAMBLE_HEAD_BYTES))
    .u8(0);
  if (hasPlugin) writer.nulTerminated(plugin);
  return writer.finish();
}

/** Where a greeting differs from another one of the same server. */
export interface GreetingOfClient {
  readonly connectionId: number;
  readonly scramble: Uint8Array;
}

/**
 * Encodes greetings that differ in nothing else: a copy of the first with two fields written anew.
 * `scramble`: 20 bytes without NUL.
 */
export function greetingEncoder(
  common: Omit<HandshakeV10, keyof GreetingOfClient>,
): (client: GreetingOfClient) => Buffer {
  const first = encodeWhole({
    ...common,
    connectionId: 0,
    scramble: new Uint8Array(SCRAMBLE_BYTES).fill(1),
  });
  const idAt = 1 + Buffer.byteLength(common.serverVersion) + 1;
  const headAt = idAt + 4;
  const tailAt = headAt + SCRAMBLE_HEAD_BYTES + 1 + 2 + 1 + 2 + 2 + 1 + RESERVED_BYTES + 4;
  return ({ connectionId, scramble }) => {
    assert(
      scramble.length === SCRAMBLE_BYTES && scramble.indexOf(0) < 0,
      "a scramble is 20 bytes without NUL",
    );
    const greeting = Buffer.allocUnsafe(first.length);
    greeting.set(first);
    greeting.writeUInt32LE(connectionId, idAt);
    for (let index = 0; index < SCRAMBLE_BYTES; index += 1) {
      const at = index < SCRAMBLE_HEAD_BYTES ? headAt + index : tailAt + index - SCRAMBLE_HEAD_BYTES;
      greeting[at] = scramble[index] ?? 0;
    }
    return greeting;
  };
}

/**
 * Decodes a greeting. What follows the plugin's name is ignored.
 * @throws WireError when it is cut short, of another protocol version, or without a scramble of 20 bytes.
 */
export function decodeHandshakeV10(payload: Uint8Array): HandshakeV10 {
  const reader = new Reader(payload);
  reader.header(PROTOCOL_VERSION, "protocol version");
  const serverVersion = reader.nulTerminated("server version").toString("utf8");
  const connectionId = reader.u32("connection id");
  const scrambleHead = reader.bytes(SCRAMBLE_HEAD_BYTES, "scramble");
  reader.skip(1, "filler");
  const capabilitiesLow = reader.u16("capabilities");
  const collation = reader.u8("collation");
  const statusFlags = reader.u16("status flags");
  const capabilitiesHigh = reader.u16("capabilities");
  const authDataBytes = reader.u8("auth data length");
  reader.skip(RESERVED_BYTES, "reserved");
  const extended = reader.u32("extended capabilities");
  const tailAt = reader.offset;
  const tailBytes = Math.max(SCRAMBLE_TAIL_BYTES_MIN, authDataBytes - SCRAMBLE_HEAD_BYTES);
  const scrambleTail = reader.bytes(tailBytes, "scramble").subarray(0, SCRAMBLE_BYTES - SCRAMBLE_HEAD_BYTES);
  const capabilities = (capabilitiesLow | (capabilitiesHigh << 16)) >>> 0;
  const authPlugin = has(capabilities, CLIENT_PLUGIN_AUTH)
    ? reader.nulTerminatedOrRest().toString("utf8")
    : "";
  const scramble = Buffer.concat([scrambleHead, scrambleTail]);
  if (scramble.indexOf(0) >= 0) throw new WireError("scramble", tailAt, "it holds a NUL");
  return {
    serverVersion,
    connectionId,
    scramble,
    capabilities,
    extendedCapabilities: has(capabilities, CLIENT_LONG_PASSWORD) ? 0 : extended,
    collation,
    statusFlags,
    authPlugin,
  };
}

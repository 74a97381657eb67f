// HandshakeResponse41: a client's answer to the greeting; read from clients, written to backends.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_response.html
// MariaDB's layout of the filler: https://mariadb.com/kb/en/connection/#client-handshake-response

import { assert } from "../../base/assert.ts";
import {
  type Capabilities,
  CLIENT_CONNECT_ATTRS,
  CLIENT_CONNECT_WITH_DB,
  CLIENT_LONG_PASSWORD,
  CLIENT_PLUGIN_AUTH,
  CLIENT_PLUGIN_AUTH_LENENC,
  CLIENT_PROTOCOL_41,
  CLIENT_SECURE_CONNECTION,
  has,
} from "../capabilities.ts";
import { Reader, WireError } from "../reader.ts";
import { lenencBytesSize, Writer } from "../writer.ts";
import type { ConnectAttributes } from "./connect-attributes.ts";
import {
  connectAttributesSize,
  readConnectAttributes,
  writeConnectAttributes,
} from "./connect-attributes.ts";

/** A login. Fields that `capabilities` leaves out are null (or empty, for attributes). */
export interface HandshakeResponse {
  readonly capabilities: Capabilities;
  readonly packetBytesMax: number;
  /** The collation's id, 0..255. */
  readonly collation: number;
  /** MariaDB's further 32 bits; 0 unless the client cleared LONG_PASSWORD. */
  readonly extendedCapabilities: number;
  readonly user: string;
  /** A scramble, a clear password, or empty. Secret. When decoded, a copy of its own. */
  readonly authResponse: Uint8Array;
  /** null also where CONNECT_WITH_DB names an empty schema: it means none. */
  readonly database: string | null;
  /** null also where PLUGIN_AUTH is set and the name is missing or empty, as some clients send it. */
  readonly authPlugin: string | null;
  readonly attributes: ConnectAttributes;
}

const FILLER_BYTES = 19;
const FIXED_BYTES = 4 + 4 + 1 + FILLER_BYTES + 4;
const APOSTROPHE = 0x27;
const noAttributes: ConnectAttributes = new Map();

/**
 * Decodes a login. Strict where servers are: everything up to the plugin's name must be there and whole, and attributes
 * where they were announced. Tolerant where servers are: a plugin's name may be missing or lack its NUL, and bytes
 * behind the attributes (ZSTD's level) are ignored.
 * `sslRequestCapabilities`: those of the SSLRequest before, which hold on, whatever this packet says; null without TLS.
 * @throws WireError when it is malformed (the session answers 1043), also for clients without PROTOCOL_41.
 */
export function decodeHandshakeResponse(
  payload: Uint8Array,
  sslRequestCapabilities: Capabilities | null = null,
): HandshakeResponse {
  const reader = new Reader(payload);
  const capabilities = sslRequestCapabilities ?? reader.u32("capabilities");
  if (sslRequestCapabilities !== null) reader.skip(4, "capabilities");
  if (!has(capabilities, CLIENT_PROTOCOL_41))
    throw new WireError("capabilities", 0, "PROTOCOL_41 is not set");
  const packetBytesMax = reader.u32("max packet size");
  const collation = reader.u8("collation");
  reader.skip(FILLER_BYTES, "filler");
  const extended = reader.u32("extended capabilities");
  const user = unquoted(reader.nulTerminated("user")).toString("utf8");
  const authResponse = Buffer.from(readAuthResponse(reader, capabilities));
  const hasDatabase = has(capabilities, CLIENT_CONNECT_WITH_DB);
  const database = hasDatabase ? reader.nulTerminated("database").toString("utf8") : "";
  const hasPlugin = has(capabilities, CLIENT_PLUGIN_AUTH);
  const authPlugin = hasPlugin ? reader.nulTerminatedOrRest().toString("utf8") : "";
  const attributes = has(capabilities, CLIENT_CONNECT_ATTRS) ? readConnectAttributes(reader) : noAttributes;
  return {
    capabilities,
    packetBytesMax,
    collation,
    extendedCapabilities: has(capabilities, CLIENT_LONG_PASSWORD) ? 0 : extended,
    user,
    authResponse,
    database: database === "" ? null : database,
    authPlugin: authPlugin === "" ? null : authPlugin,
    attributes,
  };
}

/**
 * Encodes a login. Of the fields only those are written that `capabilities` has.
 * The auth response is below 256 bytes where the client has SECURE_CONNECTION without PLUGIN_AUTH_LENENC.
 */
export function encodeHandshakeResponse(packet: HandshakeResponse): Buffer {
  const { capabilities, authResponse } = packet;
  const user = Buffer.from(packet.user, "utf8");
  const database = Buffer.from(packet.database ?? "", "utf8");
  const plugin = Buffer.from(packet.authPlugin ?? "", "utf8");
  const hasDatabase = has(capabilities, CLIENT_CONNECT_WITH_DB);
  const hasPlugin = has(capabilities, CLIENT_PLUGIN_AUTH);
  const hasAttributes = has(capabilities, CLIENT_CONNECT_ATTRS);
  const size =
    FIXED_BYTES +
    (user.length + 1) +
    authResponseSize(authResponse, capabilities) +
    (hasDatabase ? database.length + 1 : 0) +
    (hasPlugin ? plugin.length + 1 : 0) +
    (hasAttributes ? connectAttributesSize(packet.attributes) : 0);
  const writer = new Writer(size)
    .u32(capabilities)
    .u32(packet.packetBytesMax)
    .u8(packet.collation)
    .zeros(FILLER_BYTES)
    .u32(packet.extendedCapabilities)
    .nulTerminated(user);
  writeAuthResponse(writer, authResponse, capabilities);
  if (hasDatabase) writer.nulTerminated(database);
  if (hasPlugin) writer.nulTerminated(plugin);
  if (hasAttributes) writeConnectAttributes(writer, packet.attributes);
  return writer.finish();
}

function readAuthResponse(reader: Reader, capabilities: Capabilities): Buffer {
  if (has(capabilities, CLIENT_PLUGIN_AUTH_LENENC)) return reader.lenencBytes("auth response");
  if (has(capabilities, CLIENT_SECURE_CONNECTION))
    return reader.bytes(reader.u8("auth response"), "auth response");
  return reader.nulTerminated("auth response");
}

function authResponseSize(authResponse: Uint8Array, capabilities: Capabilities): number {
  if (has(capabilities, CLIENT_PLUGIN_AUTH_LENENC)) return lenencBytesSize(authResponse.length);
  return 1 + authResponse.length;
}

function writeAuthResponse(writer: Writer, authResponse: Uint8Array, capabilities: Capabilities): void {
  if (has(capabilities, CLIENT_PLUGIN_AUTH_LENENC)) {
    writer.lenencBytes(authResponse);
  } else if (has(capabilities, CLIENT_SECURE_CONNECTION)) {
    assert(authResponse.length < 256, "an auth response of more than 255 bytes needs PLUGIN_AUTH_LENENC");
    writer.u8(authResponse.length).bytes(authResponse);
  } else {
    writer.nulTerminated(authResponse);
  }
}

/** Servers cut the apostrophes off a user name that is wrapped in them; what is left may be empty. */
export function unquoted(user: Buffer): Buffer {
  const isQuoted = user.length > 1 && user[0] === APOSTROPHE && user[user.length - 1] === APOSTROPHE;
  return isQuoted ? user.subarray(1, -1) : user;
}

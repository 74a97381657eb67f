// HandshakeResponse41: what a client answers to the greeting.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_response.html

import {
  CLIENT_CONNECT_ATTRS,
  CLIENT_CONNECT_WITH_DB,
  CLIENT_PLUGIN_AUTH,
  CLIENT_PLUGIN_AUTH_LENENC,
  CLIENT_PROTOCOL_41,
  CLIENT_SECURE_CONNECTION,
} from "../capabilities.ts";
import { Reader, WireError } from "../reader.ts";
import { Writer } from "../writer.ts";

/** A login request. `database` and `authPlugin` are null where the client sent none. */
export interface HandshakeResponse {
  readonly capabilities: number;
  readonly packetBytesMax: number;
  readonly collation: number;
  readonly user: string;
  readonly authResponse: Uint8Array;
  readonly database: string | null;
  readonly authPlugin: string | null;
  readonly attributes: ReadonlyMap<string, string>;
}

/** All attributes together; beyond: a bad handshake. */
const ATTRIBUTES_BYTES_MAX = 64 * 1024;

/** @throws WireError for anything malformed, and for clients older than protocol 4.1. */
export function decodeHandshakeResponse(payload: Uint8Array): HandshakeResponse {
  const reader = new Reader(payload);
  const capabilities = reader.u32("capabilities");
  if ((capabilities & CLIENT_PROTOCOL_41) === 0)
    throw new WireError("Cannot serve a client without protocol 4.1");
  const packetBytesMax = reader.u32("max packet size");
  const collation = reader.u8("collation");
  reader.skip(23, "filler");
  const user = unquote(reader.nulTerminated("user").toString("utf8"));
  const authResponse = Buffer.from(decodeAuthResponse(reader, capabilities));
  const database = (capabilities & CLIENT_CONNECT_WITH_DB) !== 0 ? reader.nulOrEnd().toString("utf8") : "";
  const hasPlugin = (capabilities & CLIENT_PLUGIN_AUTH) !== 0;
  const authPlugin = hasPlugin ? reader.nulOrEnd().toString("latin1") : null;
  const hasAttributes = (capabilities & CLIENT_CONNECT_ATTRS) !== 0 && reader.remaining > 0;
  return {
    capabilities,
    packetBytesMax,
    collation,
    user,
    authResponse,
    database: database === "" ? null : database,
    authPlugin: authPlugin === "" ? null : authPlugin,
    attributes: hasAttributes ? decodeAttributes(reader) : new Map(),
  };
}

function decodeAuthResponse(reader: Reader, capabilities: number): Uint8Array {
  if ((capabilities & CLIENT_PLUGIN_AUTH_LENENC) !== 0) return reader.lenencBytes("auth response");
  if ((capabilities & CLIENT_SECURE_CONNECTION) !== 0)
    return reader.bytes(reader.u8("auth response"), "auth response");
  return reader.nulTerminated("auth response");
}

/** Key-value pairs, each length-encoded, behind their total length. */
export function decodeAttributes(reader: Reader): Map<string, string> {
  const totalBytes = reader.lenenc("attributes");
  if (totalBytes > ATTRIBUTES_BYTES_MAX)
    throw new WireError("Cannot take connection attributes beyond 64 KiB");
  const inner = new Reader(reader.bytes(totalBytes, "attributes"));
  const attributes = new Map<string, string>();
  while (inner.remaining > 0) {
    const key = inner.lenencBytes("attribute name").toString("utf8");
    attributes.set(key, inner.lenencBytes("attribute value").toString("utf8"));
  }
  return attributes;
}

/** Servers cut the quotes off a user name that is wrapped in them. */
function unquote(user: string): string {
  return user.length > 1 && user.startsWith("'") && user.endsWith("'") ? user.slice(1, -1) : user;
}

/** Encodes a login request; the auth response is below 251 bytes. */
export function encodeHandshakeResponse(packet: HandshakeResponse): Buffer {
  const { capabilities } = packet;
  const writer = new Writer(256)
    .u32(capabilities)
    .u32(packet.packetBytesMax)
    .u8(packet.collation)
    .zeros(23)
    .nulTerminated(packet.user);
  if ((capabilities & CLIENT_PLUGIN_AUTH_LENENC) !== 0) writer.lenencBytes(packet.authResponse);
  else if ((capabilities & CLIENT_SECURE_CONNECTION) !== 0)
    writer.u8(packet.authResponse.length).bytes(packet.authResponse);
  else writer.nulTerminated(packet.authResponse);
  if ((capabilities & CLIENT_CONNECT_WITH_DB) !== 0) writer.nulTerminated(packet.database ?? "");
  if ((capabilities & CLIENT_PLUGIN_AUTH) !== 0) writer.nulTerminated(packet.authPlugin ?? "");
  if ((capabilities & CLIENT_CONNECT_ATTRS) !== 0) writer.lenencBytes(encodeAttributes(packet.attributes));
  return writer.finish();
}

function encodeAttributes(attributes: ReadonlyMap<string, string>): Buffer {
  const writer = new Writer(128);
  for (const [key, value] of attributes) writer.lenencBytes(Buffer.from(key)).lenencBytes(Buffer.from(value));
  return writer.finish();
}

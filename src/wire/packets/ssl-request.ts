// SSLRequest: the beginning of a HandshakeResponse41 with CLIENT_SSL set and nothing behind it. What follows on the
// connection is TLS, never this protocol.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_ssl_request.html

import { type Capabilities, CLIENT_LONG_PASSWORD, CLIENT_SSL, has } from "../capabilities.ts";
import { Reader } from "../reader.ts";
import { Writer } from "../writer.ts";

/** The wish for TLS. Servers hold on to these capabilities: those of the response behind it do not count. */
export interface SslRequest {
  readonly capabilities: Capabilities;
  readonly packetBytesMax: number;
  /** The collation's id, 0..255; 0 in the short form. */
  readonly collation: number;
  /** MariaDB's further 32 bits; 0 where the client is not MariaDB's. */
  readonly extendedCapabilities: number;
}

const FULL_BYTES = 32;
/** The bare capabilities: older Connector/J. */
const SHORT_BYTES = 4;
const FILLER_BYTES = 19;

/** Whether a client's first packet asks for TLS. */
export function isSslRequest(payload: Uint8Array): boolean {
  if (payload.length !== FULL_BYTES && payload.length !== SHORT_BYTES) return false;
  return has(new Reader(payload).u32("capabilities"), CLIENT_SSL);
}

/** Encodes the 32-byte form; CLIENT_SSL must be among the capabilities. */
export function encodeSslRequest(packet: SslRequest): Buffer {
  return new Writer(FULL_BYTES)
    .u32(packet.capabilities)
    .u32(packet.packetBytesMax)
    .u8(packet.collation)
    .zeros(FILLER_BYTES)
    .u32(packet.extendedCapabilities)
    .finish();
}

/**
 * Decodes either form.
 * @throws WireError when the packet is neither 32 nor 4 bytes long.
 */
export function decodeSslRequest(payload: Uint8Array): SslRequest {
  const reader = new Reader(payload);
  const capabilities = reader.u32("capabilities");
  if (reader.remaining === 0)
    return { capabilities, packetBytesMax: 0, collation: 0, extendedCapabilities: 0 };
  const packetBytesMax = reader.u32("max packet size");
  const collation = reader.u8("collation");
  reader.skip(FILLER_BYTES, "filler");
  const extended = reader.u32("extended capabilities");
  reader.end();
  const extendedCapabilities = has(capabilities, CLIENT_LONG_PASSWORD) ? 0 : extended;
  return { capabilities, packetBytesMax, collation, extendedCapabilities };
}

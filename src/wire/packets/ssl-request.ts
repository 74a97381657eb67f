// SSLRequest: the first 32 bytes of a HandshakeResponse41 with CLIENT_SSL set, and nothing behind them.

import { CLIENT_SSL } from "../capabilities.ts";

/** Connector/J may send just the four bytes of capabilities. */
const LENGTHS = [32, 4];

/** Whether a client's first packet asks for TLS. */
export function isSslRequest(payload: Uint8Array): boolean {
  if (!LENGTHS.includes(payload.length)) return false;
  return (Buffer.from(payload.buffer, payload.byteOffset, 4).readUInt32LE(0) & CLIENT_SSL) !== 0;
}

// AuthMoreData: what a plugin of the server says beside its scramble, e.g. `01 04` of caching_sha2_password.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_auth_more_data.html

import { Reader } from "../reader.ts";
import { Writer } from "../writer.ts";

const HEADER = 0x01;

/** The plugin's data, without the header byte. */
export interface AuthMoreData {
  readonly data: Uint8Array;
}

/** Encodes `01 data`. */
export function encodeAuthMoreData(packet: AuthMoreData): Buffer {
  return new Writer(1 + packet.data.length).u8(HEADER).bytes(packet.data).finish();
}

/**
 * Decodes `01 data`; `data` aliases `payload`.
 * @throws WireError when the header byte is another.
 */
export function decodeAuthMoreData(payload: Uint8Array): AuthMoreData {
  const reader = new Reader(payload);
  reader.header(HEADER, "header");
  return { data: reader.rest() };
}

// AuthSwitchRequest: the server wants the login carried on with another authentication plugin.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_auth_switch_request.html

import { Reader } from "../reader.ts";
import { Writer } from "../writer.ts";

/** The header byte, `fe`: on its own it means the plugin of before 4.1, which is not supported. */
const HEADER = 0xfe;

/** Which plugin, and what it starts with. */
export interface AuthSwitchRequest {
  readonly plugin: string;
  /** For the plugins with a scramble: its 20 bytes and a NUL. */
  readonly data: Uint8Array;
}

/** Encodes `fe plugin NUL data`. */
export function encodeAuthSwitchRequest(packet: AuthSwitchRequest): Buffer {
  const plugin = Buffer.from(packet.plugin, "utf8");
  return new Writer(1 + plugin.length + 1 + packet.data.length)
    .u8(HEADER)
    .nulTerminated(plugin)
    .bytes(packet.data)
    .finish();
}

/**
 * Decodes `fe plugin NUL data`; `data` aliases `payload`.
 * @throws WireError when the name is missing or cut short.
 */
export function decodeAuthSwitchRequest(payload: Uint8Array): AuthSwitchRequest {
  const reader = new Reader(payload);
  reader.header(HEADER, "header");
  const plugin = reader.nulTerminated("plugin").toString("utf8");
  return { plugin, data: reader.rest() };
}

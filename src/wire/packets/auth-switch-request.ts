// AuthSwitchRequest: the server wants another authentication plugin.

import { Reader } from "../reader.ts";
import { Writer } from "../writer.ts";

/** `data` is the scramble with its closing NUL, for plugins that have one. */
export interface AuthSwitchRequest {
  readonly plugin: string;
  readonly data: Uint8Array;
}

/** Encodes `fe plugin NUL data`. */
export function encodeAuthSwitchRequest(packet: AuthSwitchRequest): Buffer {
  return new Writer(64).u8(0xfe).nulTerminated(packet.plugin).bytes(packet.data).finish();
}

/** @throws WireError when the plugin's name is cut short. */
export function decodeAuthSwitchRequest(payload: Uint8Array): AuthSwitchRequest {
  const reader = new Reader(payload);
  reader.u8("header");
  const plugin = reader.nulTerminated("plugin").toString("latin1");
  return { plugin, data: reader.rest() };
}

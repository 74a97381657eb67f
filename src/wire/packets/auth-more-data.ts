// AuthMoreData: `01`, then data of the authentication plugin.

/** Data of the plugin toward the client. */
export interface AuthMoreData {
  readonly data: Uint8Array;
}

/** Encodes `01 data`. */
export function encodeAuthMoreData(packet: AuthMoreData): Buffer {
  return Buffer.concat([Buffer.of(0x01), packet.data]);
}

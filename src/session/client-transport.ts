// The client's end as the listener hands it over: a channel of bytes, where it comes from, and the way to TLS. The
// session knows no sockets.

import type { ByteChannel } from "../base/byte-channel.ts";
import type { Peer, TlsFacts } from "../identity/peer.ts";

/** The result of a TLS handshake. */
export interface TlsUpgrade {
  readonly channel: ByteChannel;
  readonly tls: TlsFacts;
}

/** An accepted client connection. */
export interface ClientTransport {
  readonly channel: ByteChannel;
  readonly peer: Peer;
  /** null: TLS is not configured, so the greeting does not offer it. */
  readonly tls: ClientTlsUpgrader | null;
}

/** Does the TLS handshake on a connection. */
export interface ClientTlsUpgrader {
  /**
   * Starts TLS on the channel; `leftover` is what was read behind the SSLRequest and belongs to TLS.
   * Rejects when the handshake fails. The old channel must not be used afterwards.
   */
  upgrade(leftover: Uint8Array): Promise<TlsUpgrade>;
}

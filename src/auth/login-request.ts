// What a client said when it asked to log in, decoded and bounded; the input of authenticate().

import type { Peer } from "../identity/peer.ts";
import type { ConnectAttributes } from "../wire/packets/connect-attributes.ts";

/** A decoded HandshakeResponse41 or COM_CHANGE_USER, with what the gateway knows about the connection. */
export interface LoginRequest {
  /** `connect` for the first login, `change_user` for COM_CHANGE_USER. */
  readonly origin: "connect" | "change_user";
  readonly user: string;
  /** The bytes of the auth response as sent: a scramble, a clear password, or empty. */
  readonly authResponse: Uint8Array;
  /** The plugin that the client says it used; null when it did not name one (no PLUGIN_AUTH). */
  readonly clientPlugin: string | null;
  /** 20 bytes: the scramble that the client's response answers. */
  readonly scramble: Uint8Array;
  /** The default schema asked for; null: none. */
  readonly database: string | null;
  /** The collation id that the client sent. */
  readonly collation: number;
  /** The capability bits that both sides have. */
  readonly capabilities: number;
  /** Connection attributes; empty when not sent. */
  readonly attributes: ConnectAttributes;
  readonly peer: Peer;
}

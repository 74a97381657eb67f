// COM_CHANGE_USER: a login inside a session.

import { CLIENT_CONNECT_ATTRS, CLIENT_PLUGIN_AUTH } from "../capabilities.ts";
import { Reader } from "../reader.ts";
import { decodeAttributes } from "./handshake-response.ts";

/** The wish to be another user. `collation` and `authPlugin` are null where the client sent none. */
export interface ChangeUser {
  readonly user: string;
  readonly authResponse: Uint8Array;
  readonly database: string | null;
  readonly collation: number | null;
  readonly authPlugin: string | null;
  readonly attributes: ReadonlyMap<string, string>;
}

/** `payload` begins with the command byte. @throws WireError for anything malformed. */
export function decodeChangeUser(payload: Uint8Array, capabilities: number): ChangeUser {
  const reader = new Reader(payload);
  reader.u8("command");
  const user = reader.nulTerminated("user").toString("utf8");
  const authResponse = Buffer.from(reader.bytes(reader.u8("auth response"), "auth response"));
  const database = reader.nulTerminated("database").toString("utf8");
  const collation = reader.remaining >= 2 ? reader.u16("collation") : null;
  const hasPlugin = (capabilities & CLIENT_PLUGIN_AUTH) !== 0 && reader.remaining > 0;
  const authPlugin = hasPlugin ? reader.nulOrEnd().toString("latin1") : null;
  const hasAttributes = (capabilities & CLIENT_CONNECT_ATTRS) !== 0 && reader.remaining > 0;
  return {
    user,
    authResponse,
    database: database === "" ? null : database,
    collation,
    authPlugin,
    attributes: hasAttributes ? decodeAttributes(reader) : new Map(),
  };
}

// COM_CHANGE_USER: a login inside a session.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_change_user.html

import { assert } from "../../base/assert.ts";
import {
  type Capabilities,
  CLIENT_CONNECT_ATTRS,
  CLIENT_PLUGIN_AUTH,
  CLIENT_SECURE_CONNECTION,
  has,
} from "../capabilities.ts";
import { COM_CHANGE_USER } from "../commands.ts";
import { Reader } from "../reader.ts";
import { Writer } from "../writer.ts";
import type { ConnectAttributes } from "./connect-attributes.ts";
import {
  connectAttributesSize,
  readConnectAttributes,
  writeConnectAttributes,
} from "./connect-attributes.ts";
import { unquoted } from "./handshake-response.ts";

/** The wish to be another user. */
export interface ChangeUser {
  readonly user: string;
  /** As in a login. Secret. When decoded, a copy of its own. */
  readonly authResponse: Uint8Array;
  /** null: none, which the packet spells as an empty name. */
  readonly database: string | null;
  /** The collation's id, u16; null where the packet ends before: the session's own stays. */
  readonly collation: number | null;
  /** null where the packet ends before, or the client has no PLUGIN_AUTH. */
  readonly authPlugin: string | null;
  readonly attributes: ConnectAttributes;
}

const noAttributes: ConnectAttributes = new Map();

/**
 * Decodes a command, its command byte included. Everything from the collation on may be missing.
 * @throws WireError when it is malformed: servers answer 1047 and close.
 */
export function decodeChangeUser(payload: Uint8Array, capabilities: Capabilities): ChangeUser {
  const reader = new Reader(payload);
  reader.header(COM_CHANGE_USER, "command");
  const user = unquoted(reader.nulTerminated("user")).toString("utf8");
  const authResponse = Buffer.from(
    has(capabilities, CLIENT_SECURE_CONNECTION)
      ? reader.bytes(reader.u8("auth response"), "auth response")
      : reader.nulTerminated("auth response"),
  );
  const database = reader.nulTerminated("database").toString("utf8");
  const collation = reader.remaining > 0 ? reader.u16("collation") : null;
  const hasPlugin = has(capabilities, CLIENT_PLUGIN_AUTH) && reader.remaining > 0;
  const authPlugin = hasPlugin ? reader.nulTerminatedOrRest().toString("utf8") : "";
  const hasAttributes = has(capabilities, CLIENT_CONNECT_ATTRS) && reader.remaining > 0;
  const attributes = hasAttributes ? readConnectAttributes(reader) : noAttributes;
  return {
    user,
    authResponse,
    database: database === "" ? null : database,
    collation,
    authPlugin: authPlugin === "" ? null : authPlugin,
    attributes,
  };
}

/** Encodes a command. The collation, and what follows it, is left out when it is null. */
export function encodeChangeUser(packet: ChangeUser, capabilities: Capabilities): Buffer {
  const user = Buffer.from(packet.user, "utf8");
  const database = Buffer.from(packet.database ?? "", "utf8");
  const plugin = Buffer.from(packet.authPlugin ?? "", "utf8");
  const isLong = packet.collation !== null;
  const hasPlugin = isLong && has(capabilities, CLIENT_PLUGIN_AUTH);
  const hasAttributes = hasPlugin && has(capabilities, CLIENT_CONNECT_ATTRS);
  const size =
    1 +
    (user.length + 1) +
    (1 + packet.authResponse.length) +
    (database.length + 1) +
    (isLong ? 2 : 0) +
    (hasPlugin ? plugin.length + 1 : 0) +
    (hasAttributes ? connectAttributesSize(packet.attributes) : 0);
  const writer = new Writer(size).u8(COM_CHANGE_USER).nulTerminated(user);
  if (has(capabilities, CLIENT_SECURE_CONNECTION)) {
    assert(packet.authResponse.length < 256, "an auth response of COM_CHANGE_USER is below 256 bytes");
    writer.u8(packet.authResponse.length).bytes(packet.authResponse);
  } else {
    writer.nulTerminated(packet.authResponse);
  }
  writer.nulTerminated(database);
  if (packet.collation !== null) writer.u16(packet.collation);
  if (hasPlugin) writer.nulTerminated(plugin);
  if (hasAttributes) writeConnectAttributes(writer, packet.attributes);
  return writer.finish();
}

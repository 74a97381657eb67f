// The part of a backend login in which we prove who we are: plugin by plugin, as the server asks for them. Never sends
// the password in a form that the transport does not protect.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_authentication_methods.html

import { SCRAMBLE_BYTES } from "../wire/limits.ts";
import { decodeAuthMoreData } from "../wire/packets/auth-more-data.ts";
import { decodeAuthSwitchRequest } from "../wire/packets/auth-switch-request.ts";
import { decodeErr } from "../wire/packets/err.ts";
import type { HandshakeV10 } from "../wire/packets/handshake-v10.ts";
import { BackendLoginError, quoteServer, refusedByServer } from "./login-error.ts";
import {
  cachingSha2Response,
  clearResponse,
  type LoginPlugin,
  loginPlugin,
  nativeResponse,
  rsaResponse,
} from "./login-plugins.ts";
import type { PacketStream } from "./packet-stream.ts";

/** Where an exchange stands. */
export interface CredentialState {
  readonly plugin: LoginPlugin;
  /** 20 bytes, of the greeting or of the last switch. */
  readonly scramble: Uint8Array;
  readonly password: string;
  readonly transport: LoginTransport;
}

/** Where the password may go in clear: over TLS and, for plugins that agree, over a unix socket. */
export type LoginTransport = "tls" | "unix" | "plain";

const okHeader = 0x00;
const moreDataHeader = 0x01;
const switchHeader = 0xfe;
const errHeader = 0xff;

/** MariaDB accounts with several plugins ask for one after the other; more than this is no server's doing. */
const switchesMax = 4;
/** Packets of the server within one plugin; caching_sha2_password takes three at most. */
const packetsMax = 16;

const fastAuthSucceeded = 0x03;
const fullAuthWanted = 0x04;
const cachingSha2KeyRequest = 0x02;
const sha256KeyRequest = 0x01;

const nothing = new Uint8Array(0);

/** What goes into the login packet: an answer by the greeting's plugin, or by one that the server switches away from. */
export function firstResponse(
  greeting: Pick<HandshakeV10, "authPlugin" | "scramble">,
  password: string,
  transport: LoginTransport,
): { readonly plugin: LoginPlugin; readonly response: Uint8Array } {
  const plugin = loginPlugin(greeting.authPlugin);
  // A password in clear is sent only when this account really asks for it, by a switch.
  if (plugin === null || plugin === "mysql_clear_password") {
    return { plugin: "mysql_native_password", response: nothing };
  }
  return { plugin, response: answer({ plugin, scramble: greeting.scramble, password, transport }) };
}

/**
 * Answers the server until it accepts.
 * @throws BackendLoginError when it refuses, or asks for something that we do not do; WireError for malformed packets.
 */
export async function exchangeCredentials(stream: PacketStream, start: CredentialState): Promise<void> {
  let state = start;
  let switches = 0;
  for (let packets = 0; packets < packetsMax; packets += 1) {
    const payload = await stream.read();
    switch (payload[0]) {
      case okHeader:
        return;
      case errHeader: {
        const { code, message } = decodeErr(payload);
        throw refusedByServer(code, message);
      }
      case switchHeader:
        switches += 1;
        if (switches > switchesMax)
          throw new BackendLoginError("protocol", "The server switches plugins endlessly");
        state = switchTo(payload, state);
        stream.write(answer(state));
        break;
      case moreDataHeader: {
        const reply = answerMoreData(decodeAuthMoreData(payload).data, state);
        if (reply !== null) stream.write(reply);
        break;
      }
      default:
        throw new BackendLoginError(
          "protocol",
          "The server sent something that does not belong into a login",
        );
    }
  }
  throw new BackendLoginError("protocol", "The server asks for more and more data");
}

function switchTo(payload: Uint8Array, before: CredentialState): CredentialState {
  if (payload.length === 1) {
    throw new BackendLoginError("access_denied", "The account has a password of before MySQL 4.1");
  }
  const { plugin: name, data } = decodeAuthSwitchRequest(payload);
  const plugin = loginPlugin(name);
  if (plugin === null) {
    throw new BackendLoginError(
      "access_denied",
      `The account uses the plugin "${quoteServer(name)}", which is not supported`,
    );
  }
  if (plugin === "mysql_clear_password") return { ...before, plugin };
  const scramble = data.subarray(0, SCRAMBLE_BYTES);
  if (scramble.length < SCRAMBLE_BYTES)
    throw new BackendLoginError("protocol", "The server sent a short scramble");
  return { ...before, plugin, scramble };
}

/** The first thing that a plugin says. */
function answer(state: CredentialState): Uint8Array {
  const { plugin, scramble, password, transport } = state;
  switch (plugin) {
    case "mysql_native_password":
      return nativeResponse(password, scramble);
    case "caching_sha2_password":
      return cachingSha2Response(password, scramble);
    case "sha256_password":
      if (password === "") return Buffer.of(0);
      // This plugin does not take a unix socket for secure.
      return transport === "tls" ? clearResponse(password) : Buffer.of(sha256KeyRequest);
    case "mysql_clear_password":
      if (transport !== "plain") return clearResponse(password);
      throw new BackendLoginError(
        "tls",
        "The server asks for the password in clear on a connection without TLS",
      );
  }
}

/** Answers data of the plugin; null: nothing is to be said. */
function answerMoreData(data: Uint8Array, state: CredentialState): Uint8Array | null {
  const { plugin, scramble, password, transport } = state;
  if (plugin === "caching_sha2_password" && data.length === 1) {
    if (data[0] === fastAuthSucceeded) return null;
    if (data[0] === fullAuthWanted) {
      return transport === "plain" ? Buffer.of(cachingSha2KeyRequest) : clearResponse(password);
    }
  } else if (plugin === "caching_sha2_password" && transport === "plain") {
    return rsaResponse(password, scramble, data);
  } else if (plugin === "sha256_password" && transport !== "tls") {
    return rsaResponse(password, scramble, data);
  }
  throw new BackendLoginError("protocol", "The server sent data that its plugin does not send");
}

// Logs in to a database server: connect, greeting, TLS where demanded, then the exchange of the authentication plugin.
// Whatever the server sends is bounded in size, number and time; the password leaves in clear over TLS or a unix socket
// only. https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html

import net from "node:net";
import type { ByteChannel } from "../base/byte-channel.ts";
import { DuplexChannel } from "../base/duplex-channel.ts";
import { SocketChannel } from "../base/socket-channel.ts";
import type { BackendAccount, BackendAddress, Tablet } from "../routing/route.ts";
import {
  backendLoginCapabilities,
  type Capabilities,
  CLIENT_PLUGIN_AUTH,
  CLIENT_PROTOCOL_41,
  CLIENT_SECURE_CONNECTION,
  CLIENT_SSL,
  has,
  poolKeyOf,
} from "../wire/capabilities.ts";
import { BACKEND_LOGIN_PAYLOAD_BYTES_MAX } from "../wire/limits.ts";
import type { ConnectAttributes } from "../wire/packets/connect-attributes.ts";
import { decodeErr, isErr } from "../wire/packets/err.ts";
import { encodeHandshakeResponse, type HandshakeResponse } from "../wire/packets/handshake-response.ts";
import { decodeHandshakeV10, type HandshakeV10 } from "../wire/packets/handshake-v10.ts";
import { encodeSslRequest } from "../wire/packets/ssl-request.ts";
import { WireError } from "../wire/reader.ts";
import type { BackendConnectionId, ServerFacts } from "./backend-connection.ts";
import { type BackendTlsContexts, upgradeToTls } from "./backend-tls.ts";
import { BackendLoginError, refusedByServer } from "./login-error.ts";
import { exchangeCredentials, firstResponse } from "./login-exchange.ts";
import { PacketStream } from "./packet-stream.ts";
import { serverFactsOf } from "./server-facts.ts";

/** What a login is to give. */
export interface BackendLoginRequest {
  readonly tablet: Tablet;
  readonly account: BackendAccount;
  /** The client's capability bits: of those that change bytes or meaning, the connection has exactly the same. */
  readonly clientCapabilities: Capabilities;
  /** The collation id that goes into the login, 0..255; null: the server's own default. */
  readonly collation: number | null;
  /** From connect to logged in, in milliseconds. */
  readonly timeoutMs: number;
  /** Ends the login when the pool closes. */
  readonly signal?: AbortSignal;
}

/** What all logins of a process share. */
export interface BackendLoginTools {
  readonly tlsContexts: BackendTlsContexts;
  /** What the server's administrator sees of us in performance_schema.session_connect_attrs. */
  readonly attributes: ConnectAttributes;
}

/** A connection between login and first command: paused, without a receiver. */
export interface LoggedIn {
  readonly channel: ByteChannel;
  readonly id: BackendConnectionId;
  readonly server: ServerFacts;
  readonly capabilities: Capabilities;
  /** The collation id that was sent. */
  readonly collation: number;
}

/** Read buffer of a connection in plain, in bytes; untouched pages of it cost nothing. */
const readBufferBytes = 16 * 1024;
/** The largest the protocol knows: the server's own limit is to decide. */
const packetBytesMax = 0x4000_0000;

/**
 * Connects and logs in.
 * @throws BackendLoginError for whatever goes wrong.
 */
export async function logIn(request: BackendLoginRequest, tools: BackendLoginTools): Promise<LoggedIn> {
  const attempt = new LoginAttempt(request, tools);
  try {
    return await attempt.run();
  } catch (error) {
    attempt.abandon();
    if (error instanceof BackendLoginError) throw error;
    if (error instanceof WireError) throw new BackendLoginError("protocol", error.message, { cause: error });
    throw error;
  }
}

class LoginAttempt {
  readonly #request: BackendLoginRequest;
  readonly #tools: BackendLoginTools;
  /** What is to be destroyed if the login fails. */
  #channel: ByteChannel | null = null;
  #stream: PacketStream | null = null;
  #failure: BackendLoginError | null = null;

  constructor(request: BackendLoginRequest, tools: BackendLoginTools) {
    this.#request = request;
    this.#tools = tools;
  }

  async run(): Promise<LoggedIn> {
    const { timeoutMs, signal } = this.#request;
    const timer = setTimeout(
      () => this.#fail(new BackendLoginError("timeout", `No login within ${timeoutMs} ms`)),
      timeoutMs,
    );
    const abort = (): void => this.#fail(new BackendLoginError("unreachable", "The pool was closed"));
    signal?.addEventListener("abort", abort);
    if (signal?.aborted) abort();
    try {
      return await this.#stages();
    } catch (error) {
      // A deadline closes the connection; what the stages then report is only its consequence.
      throw this.#failure ?? error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  }

  abandon(): void {
    this.#channel?.destroy();
  }

  #fail(error: BackendLoginError): void {
    this.#failure ??= error;
    this.#stream?.fail(error);
    this.#channel?.destroy();
  }

  async #stages(): Promise<LoggedIn> {
    const { tablet, account, collation: wantedCollation } = this.#request;
    const wantsTls = tablet.tls.mode !== "DISABLED";
    const socket = wantsTls ? net.connect(connectOptions(tablet.address)) : null;
    const plain =
      socket === null
        ? SocketChannel.connect(connectOptions(tablet.address), readBufferBytes)
        : new DuplexChannel(socket);
    let stream = this.#use(plain);
    const greeting = await readGreeting(stream);
    const server = serverFactsOf(greeting);
    const capabilities = this.#negotiate(greeting, wantsTls);
    const collation = wantedCollation ?? greeting.collation;
    if (socket !== null) {
      stream.write(encodeSslRequest({ capabilities, packetBytesMax, collation, extendedCapabilities: 0 }));
      plain.pause();
      // Bytes behind the greeting were sent before TLS by whoever is on the way: they must not count as the server's.
      if (!stream.detach()) throw new BackendLoginError("protocol", "The server sent more than its greeting");
      const sequence = stream.sequence;
      plain.setReceiver({ onBytes: () => {}, onClosed: () => {} });
      const secured = await upgradeToTls(socket, tablet, hostOf(tablet.address), this.#tools.tlsContexts);
      stream = this.#use(new DuplexChannel(secured));
      stream.sequence = sequence;
    }
    const transport = wantsTls ? "tls" : tablet.address.kind === "unix" ? "unix" : "plain";
    const password = account.password();
    const first = firstResponse(greeting, password, transport);
    const response: HandshakeResponse = {
      capabilities,
      packetBytesMax,
      collation,
      extendedCapabilities: 0,
      user: account.user,
      authResponse: first.response,
      database: null,
      authPlugin: first.plugin,
      attributes: this.#tools.attributes,
    };
    stream.write(encodeHandshakeResponse(response));
    await exchangeCredentials(stream, {
      plugin: first.plugin,
      scramble: greeting.scramble,
      password,
      transport,
    });
    this.#channel?.pause();
    if (!stream.detach() || this.#channel === null) {
      throw new BackendLoginError("protocol", "The server sent bytes behind the end of the login");
    }
    return {
      channel: this.#channel,
      id: greeting.connectionId as BackendConnectionId,
      server,
      capabilities: (capabilities & ~CLIENT_SSL) >>> 0,
      collation,
    };
  }

  /** Goes on over this channel. */
  #use(channel: ByteChannel): PacketStream {
    if (this.#failure !== null) {
      channel.destroy();
      throw this.#failure;
    }
    this.#channel = channel;
    this.#stream = new PacketStream(channel, BACKEND_LOGIN_PAYLOAD_BYTES_MAX);
    return this.#stream;
  }

  /** Our capability bits for this server. */
  #negotiate(greeting: HandshakeV10, wantsTls: boolean): Capabilities {
    const { clientCapabilities } = this.#request;
    const capabilities = backendLoginCapabilities(clientCapabilities, greeting.capabilities);
    if (!has(capabilities, CLIENT_PROTOCOL_41 | CLIENT_SECURE_CONNECTION)) {
      throw new BackendLoginError("unsuitable", "The server speaks a protocol older than 4.1");
    }
    if (poolKeyOf(capabilities) !== poolKeyOf(clientCapabilities)) {
      const missing = (poolKeyOf(clientCapabilities) & ~capabilities) >>> 0;
      throw new BackendLoginError(
        "unsuitable",
        `The server lacks capabilities that its clients use: 0x${missing.toString(16)}`,
      );
    }
    if (!wantsTls) return capabilities;
    if (!has(greeting.capabilities, CLIENT_SSL)) {
      throw new BackendLoginError("tls", "The server offers no TLS, but ssl-mode demands it");
    }
    return (capabilities | CLIENT_SSL) >>> 0;
  }
}

/** The greeting, or the error that some servers send in its place. */
async function readGreeting(stream: PacketStream): Promise<HandshakeV10> {
  const payload = await stream.read();
  if (isErr(payload)) {
    const { code, message } = decodeErr(payload);
    throw refusedByServer(code, message);
  }
  const greeting = decodeHandshakeV10(payload);
  return has(greeting.capabilities, CLIENT_PLUGIN_AUTH)
    ? greeting
    : { ...greeting, authPlugin: "mysql_native_password" };
}

function connectOptions(address: BackendAddress): net.NetConnectOpts {
  if (address.kind === "unix") return { path: address.path };
  return { host: address.host, port: address.port, noDelay: true, keepAlive: true };
}

/** Who the certificate must name; a unix socket is this machine. */
function hostOf(address: BackendAddress): string {
  return address.kind === "unix" ? "localhost" : address.host;
}

// handshake(): greets the client, does the TLS upgrade, decodes what it asks for. Everything here happens before the
// client is authenticated: bounded memory, one deadline, and the first thing that is wrong ends the session.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html

import type { LoginRequest } from "../auth/login-request.ts";
import type { ByteChannel } from "../base/byte-channel.ts";
import type { SqlError } from "../errors/sql-error.ts";
import { sqlError } from "../errors/sql-error.ts";
import { hasSecureTransport } from "../identity/peer.ts";
import { announcedCapabilities, CLIENT_COMPRESS, CLIENT_SSL } from "../wire/capabilities.ts";
import { LOGIN_PAYLOAD_BYTES_MAX } from "../wire/limits.ts";
import { decodeHandshakeResponse } from "../wire/packets/handshake-response.ts";
import { greetingEncoder } from "../wire/packets/handshake-v10.ts";
import { decodeSslRequest, isSslRequest } from "../wire/packets/ssl-request.ts";
import { WireError } from "../wire/reader.ts";
import { STATUS_AUTOCOMMIT } from "../wire/status-flags.ts";
import type { ClientTransport } from "./client-transport.ts";
import { refusedCollation } from "./login-collation.ts";
import type { ExchangeFailure } from "./packet-exchange.ts";
import { PacketExchange } from "./packet-exchange.ts";
import { endWithError, type ReplyTo } from "./reply.ts";
import type { SessionState } from "./session.ts";
import { auditRefused } from "./session-audit.ts";
import type { SessionEnd } from "./session-end.ts";
import { sessionEnd } from "./session-end.ts";
import { countUp } from "./session-metrics.ts";
import type { GreetingFacts, SessionServices } from "./session-services.ts";

/** The connection phase so far: where packets go now, and what the client asked for. */
export interface Handshake {
  readonly exchange: PacketExchange;
  readonly channel: ByteChannel;
  readonly request: LoginRequest;
}

/** What the handshake hands on while it runs, so that a deadline can end it. */
export interface LoginPhase {
  exchange: PacketExchange | null;
  channel: ByteChannel;
}

/** Greets and reads the login request. */
export async function handshake(
  transport: ClientTransport,
  state: SessionState,
  services: SessionServices,
  phase: LoginPhase,
): Promise<Handshake | SessionEnd> {
  const scramble = services.authenticator.newScramble();
  state.scramble = scramble;
  const greeting = services.greeting();
  const offered = offeredCapabilities(transport, services, greeting.backendCapabilities);
  const plain = new PacketExchange(transport.channel, LOGIN_PAYLOAD_BYTES_MAX);
  phase.exchange = plain;
  const encode = encoderFor(greeting, offered, services.authenticator.greetingPlugin);
  plain.write(encode({ connectionId: state.id, scramble }));
  const first = await plain.read();
  if (first.kind === "failure")
    return endOfExchange(first.failure, loginReplyTo(plain, transport.channel, services));
  if (!isSslRequest(first.payload)) {
    return finish(
      first.payload,
      { exchange: plain, channel: transport.channel },
      state,
      services,
      scramble,
      offered,
    );
  }
  if (transport.tls === null)
    return badHandshake(plain, transport.channel, services, "TLS was asked for but not offered");
  const secured = await upgrade(transport, plain, state, services, phase);
  if ("kind" in secured) return secured;
  const second = await secured.exchange.read();
  if (second.kind === "failure")
    return endOfExchange(second.failure, loginReplyTo(secured.exchange, secured.channel, services));
  const { capabilities } = decodeSslRequest(first.payload);
  return finish(second.payload, secured, state, services, scramble, offered, capabilities);
}

/** The encoder of the last greeting: the next one is nearly always of the same kind. */
let lastEncoder: {
  readonly of: GreetingFacts;
  readonly capabilities: number;
  readonly authPlugin: string;
  readonly encode: ReturnType<typeof greetingEncoder>;
} | null = null;

function encoderFor(
  of: GreetingFacts,
  capabilities: number,
  authPlugin: string,
): ReturnType<typeof greetingEncoder> {
  const last = lastEncoder;
  const isSame =
    last !== null &&
    last.capabilities === capabilities &&
    last.of.versionText === of.versionText &&
    last.of.collation === of.collation &&
    last.authPlugin === authPlugin;
  if (isSame) return last.encode;
  const encode = greetingEncoder({
    serverVersion: of.versionText,
    capabilities,
    collation: of.collation,
    extendedCapabilities: 0,
    statusFlags: STATUS_AUTOCOMMIT,
    authPlugin,
  });
  lastEncoder = { of, capabilities, authPlugin, encode };
  return encode;
}

interface Secured {
  readonly exchange: PacketExchange;
  readonly channel: ByteChannel;
}

async function upgrade(
  transport: ClientTransport,
  plain: PacketExchange,
  state: SessionState,
  services: SessionServices,
  phase: LoginPhase,
): Promise<Secured | SessionEnd> {
  const sequence = plain.sequence;
  // Nobody reads packets until TLS is up: a deadline ends the connection itself.
  phase.exchange = null;
  transport.channel.pause();
  try {
    const upgraded = await transport.tls?.upgrade(plain.detach());
    if (upgraded === undefined) return sessionEnd("protocol_error", "TLS is not configured");
    state.peer = { ...state.peer, tls: upgraded.tls };
    const exchange = new PacketExchange(upgraded.channel, LOGIN_PAYLOAD_BYTES_MAX, sequence);
    phase.exchange = exchange;
    phase.channel = upgraded.channel;
    return { exchange, channel: upgraded.channel };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    countUp(services.metrics.connectionsRefused, "tls_handshake");
    services.logger.info("A TLS handshake failed", { connection_id: state.id, detail });
    return sessionEnd("protocol_error", `TLS handshake: ${detail}`);
  }
}

function finish(
  payload: Buffer,
  at: Secured,
  state: SessionState,
  services: SessionServices,
  scramble: Uint8Array,
  offered: number,
  sslRequestCapabilities: number | null = null,
): Handshake | SessionEnd {
  try {
    const response = decodeHandshakeResponse(payload, sslRequestCapabilities);
    state.capabilities = (response.capabilities & offered) >>> 0;
    state.mayCompress = (response.capabilities & ~offered & CLIENT_COMPRESS) !== 0;
    state.collation = response.collation;
    state.attributes = response.attributes;
    const request: LoginRequest = {
      origin: "connect",
      user: response.user,
      authResponse: response.authResponse,
      clientPlugin: response.authPlugin,
      scramble,
      database: response.database,
      collation: response.collation,
      capabilities: state.capabilities,
      attributes: response.attributes,
      peer: state.peer,
    };
    const to = loginReplyTo(at.exchange, at.channel, services);
    if (services.requireSecureTransport && !hasSecureTransport(state.peer)) {
      const error = sqlError("ER_SECURE_TRANSPORT_REQUIRED");
      auditRefused(services, state, request, { error, reason: "insecure_transport", plugin: "" });
      return endWithError({ ...to, capabilities: state.capabilities }, error, "login_refused");
    }
    const wide = refusedCollation(response.collation);
    if (wide !== null) {
      auditRefused(services, state, request, { error: wide, reason: "character_set", plugin: "" });
      return endWithError({ ...to, capabilities: state.capabilities }, wide, "login_refused");
    }
    return { exchange: at.exchange, channel: at.channel, request };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return badHandshake(at.exchange, at.channel, services, error.message);
  }
}

function offeredCapabilities(
  transport: ClientTransport,
  services: SessionServices,
  backendCapabilities: number,
): number {
  const offered = announcedCapabilities(backendCapabilities, services.localInfile);
  return (transport.tls === null ? offered : offered | CLIENT_SSL) >>> 0;
}

function badHandshake(
  exchange: PacketExchange,
  channel: ByteChannel,
  services: SessionServices,
  reason: string,
): SessionEnd {
  return endWithError(
    loginReplyTo(exchange, channel, services),
    sqlError("ER_HANDSHAKE_ERROR", {}, { reason }),
    "protocol_error",
  );
}

/** Where errors of the connection phase go. While the client's capabilities are not known, they carry no SQLSTATE, as MySQL's. */
export function loginReplyTo(
  exchange: PacketExchange,
  channel: ByteChannel,
  services: SessionServices,
): ReplyTo {
  return {
    channel,
    capabilities: 0,
    statusFlags: STATUS_AUTOCOMMIT,
    sequence: exchange.sequence,
    metrics: services.metrics,
    before: () => exchange.takeHeld(),
  };
}

/** What a client is told when its next packet did not come. */
export function endOfExchange(failure: ExchangeFailure, to: ReplyTo): SessionEnd {
  switch (failure) {
    case "closed":
      return sessionEnd("client_gone", "during the login");
    case "aborted":
      return endWithError({ ...to, sequence: 1 }, sqlError("ER_NET_READ_INTERRUPTED"), "login_timeout");
    case "out_of_order":
      return endWithError({ ...to, sequence: 1 }, packetsOutOfOrder(), "protocol_error");
    case "too_large":
      return endWithError(
        to,
        sqlError("ER_HANDSHAKE_ERROR", {}, { reason: "a login packet is too large" }),
        "protocol_error",
      );
  }
}

function packetsOutOfOrder(): SqlError {
  return sqlError("ER_NET_PACKETS_OUT_OF_ORDER");
}

// COM_CHANGE_USER: a full login inside a session. The old identity, its prepared statements and its backend connection
// are gone before the new one is judged; any failure ends the session, as MySQL does.

import type { LoginRequest } from "../../auth/login-request.ts";
import { sqlError } from "../../errors/sql-error.ts";
import { payloadOf, replySequenceOf } from "../../wire/command-boundary.ts";
import { LOGIN_PAYLOAD_BYTES_MAX } from "../../wire/limits.ts";
import { type ChangeUser, decodeChangeUser } from "../../wire/packets/change-user.ts";
import { WireError } from "../../wire/reader.ts";
import { admit, forgetIdentity as forgetAdmitted, isRefusal } from "../admit.ts";
import { authenticate } from "../authenticate.ts";
import type { CommandLoop } from "../command-loop.ts";
import { enteredSchema, enterSchemaFor } from "../enter-schema.ts";
import { endOfExchange } from "../handshake.ts";
import { loginCollation, refusedCollation } from "../login-collation.ts";
import { PacketExchange } from "../packet-exchange.ts";
import { endWithError, replyLoginOk } from "../reply.ts";
import { auditAccepted, auditRefused } from "../session-audit.ts";
import type { HandlerResult, SessionEnd } from "../session-end.ts";
import { isSessionEnd, sessionEnd } from "../session-end.ts";

/** Answers COM_CHANGE_USER. */
export async function handleChangeUser(loop: CommandLoop, frames: Uint8Array): Promise<HandlerResult> {
  const sequence = replySequenceOf(frames);
  const wish = decode(Buffer.from(payloadOf(frames)), loop);
  if (isSessionEnd(wish)) return wish;
  const wasSpiffe = loop.state.identity !== null && loop.state.identity.spiffeId !== null;
  const request = requestOf(wish, loop);
  forgetIdentity(loop);
  const exchange = new PacketExchange(loop.channel, LOGIN_PAYLOAD_BYTES_MAX, sequence);
  if (wasSpiffe) return refuseFromSpiffe(loop, request);
  const wide = refusedCollation(request.collation);
  if (wide !== null) {
    auditRefused(loop.services, loop.state, request, { error: wide, reason: "character_set", plugin: "" });
    return endWithError(loop.replyTo, wide, "login_refused");
  }
  loop.beginLogin(exchange);
  const result = await judge(loop, request, exchange);
  loop.endLogin(exchange);
  return result;
}

function decode(payload: Buffer, loop: CommandLoop): ChangeUser | SessionEnd {
  try {
    return decodeChangeUser(payload, loop.state.capabilities);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return endWithError(
      loop.replyTo,
      sqlError("ER_UNKNOWN_COM_ERROR", {}, { reason: error.message }),
      "protocol_error",
    );
  }
}

function requestOf(wish: ChangeUser, loop: CommandLoop): LoginRequest {
  const { state, services } = loop;
  const flavour = services.readingServer()?.flavour ?? "mysql";
  return {
    origin: "change_user",
    user: wish.user,
    authResponse: wish.authResponse,
    clientPlugin: wish.authPlugin,
    scramble: state.scramble,
    database: wish.database,
    collation: wish.collation === null ? state.collation : loginCollation(wish.collation, flavour),
    capabilities: state.capabilities,
    attributes: wish.attributes,
    peer: state.peer,
  };
}

/** Whoever the session was is over, whatever comes of the new login. */
function forgetIdentity(loop: CommandLoop): void {
  const { state, services } = loop;
  if (state.identity !== null) forgetAdmitted(services, state.identity);
  state.identity = null;
  // Before it is forgotten what lives on it.
  loop.backend.release(false);
  state.prepared.clear();
  state.sqlPrepared.clear();
  state.ownWrites.clear();
  state.reading = null;
  state.following.reset(state.capabilities);
}

async function judge(
  loop: CommandLoop,
  request: LoginRequest,
  exchange: PacketExchange,
): Promise<HandlerResult> {
  const { services, state } = loop;
  const conversation = await authenticate(exchange, services.authenticator.authenticate(request), state);
  const replyTo = () => ({
    ...loop.replyTo,
    sequence: exchange.sequence,
    before: () => exchange.takeHeld(),
  });
  if (conversation.kind === "failure") return endOfExchange(conversation.failure, replyTo());
  const { outcome } = conversation;
  if (outcome.kind === "refused") {
    auditRefused(services, state, request, outcome);
    return endWithError(replyTo(), outcome.error, "login_refused");
  }
  const { plugin } = outcome.user;
  const identity = await admit(outcome.user, request, services);
  if (isRefusal(identity)) {
    auditRefused(services, state, request, { ...identity, plugin });
    return endWithError(replyTo(), identity.error, "login_refused");
  }
  services.registry.addIdentity(identity);
  state.identity = identity;
  state.collation = request.collation;
  state.attributes = request.attributes;
  const refused = await enterSchemaFor(exchange, loop, request.database);
  if (loop.channel.closed) return sessionEnd("client_gone", "during COM_CHANGE_USER");
  if (refused !== null) {
    auditRefused(services, state, request, { error: refused, reason: "schema", plugin });
    return endWithError(replyTo(), refused, "login_refused");
  }
  auditAccepted(services, state, request, identity);
  services.onLogin(identity);
  return replyLoginOk(replyTo(), enteredSchema(loop));
}

/** A certificate proves one identity for the connection's whole life (design of SPIFFE logins). */
function refuseFromSpiffe(loop: CommandLoop, request: LoginRequest): SessionEnd {
  const { services, state } = loop;
  const error = sqlError("ER_ACCESS_DENIED_ERROR", {
    user: request.user,
    host: request.peer.host,
    usingPassword: request.authResponse.length > 0 ? "YES" : "NO",
  });
  auditRefused(services, state, request, {
    error,
    reason: "change_user_from_spiffe",
    plugin: request.clientPlugin ?? "",
  });
  return endWithError(loop.replyTo, error, "login_refused");
}

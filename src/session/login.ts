// login(): from a decoded login request to a session that may send commands: authenticate, admit, enter the schema, OK.

import { sqlError } from "../errors/sql-error.ts";
import { admit, isRefusal } from "./admit.ts";
import { authenticate } from "./authenticate.ts";
import { CommandLoop } from "./command-loop.ts";
import { enteredSchema, enterSchemaFor } from "./enter-schema.ts";
import { endOfExchange, type Handshake, loginReplyTo } from "./handshake.ts";
import type { PacketExchange } from "./packet-exchange.ts";
import { endWithError, type ReplyTo, replyLoginOk } from "./reply.ts";
import type { SessionState } from "./session.ts";
import { auditAccepted, auditRefused } from "./session-audit.ts";
import type { SessionEnd } from "./session-end.ts";
import { sessionEnd } from "./session-end.ts";
import type { SessionServices } from "./session-services.ts";

/** A session whose login has succeeded. */
export interface Entered {
  readonly loop: CommandLoop;
  /** Whose packets the client's bytes were so far. */
  readonly exchange: PacketExchange;
}

/** Judges a login and answers it. */
export async function login(
  shaken: Handshake,
  state: SessionState,
  services: SessionServices,
): Promise<Entered | SessionEnd> {
  const { exchange, channel, request } = shaken;
  const replyTo = (): ReplyTo => ({
    ...loginReplyTo(exchange, channel, services),
    capabilities: state.capabilities,
  });
  const conversation = await authenticate(exchange, services.authenticator.authenticate(request), state);
  if (conversation.kind === "failure") return endOfExchange(conversation.failure, replyTo());
  const { outcome } = conversation;
  if (outcome.kind === "refused") {
    auditRefused(services, state, request, outcome);
    return endWithError(replyTo(), outcome.error, "login_refused");
  }
  const { plugin } = outcome.user;
  const admitted = admit(outcome.user, request, services);
  const identity = admitted instanceof Promise ? await admitted : admitted;
  if (isRefusal(identity)) {
    auditRefused(services, state, request, { ...identity, plugin });
    return endWithError(replyTo(), identity.error, "login_refused");
  }
  services.registry.addIdentity(identity);
  state.identity = identity;
  state.following.reset(state.capabilities);
  if (channel.closed) return sessionEnd("client_gone", "during the login");
  const loop = new CommandLoop(state, services, channel);
  const refused = await enterSchemaFor(exchange, loop, request.database);
  if (channel.closed) {
    loop.end(sessionEnd("client_gone"));
    return sessionEnd("client_gone", "during the login");
  }
  if (refused !== null) {
    auditRefused(services, state, request, { error: refused, reason: "schema", plugin });
    loop.end(endWithError(replyTo(), refused, "login_refused"));
    return sessionEnd("login_refused", "schema");
  }
  if (services.refusesLogins()) {
    loop.end(endWithError(replyTo(), sqlError("ER_SERVER_SHUTDOWN"), "shutdown"));
    return sessionEnd("shutdown");
  }
  auditAccepted(services, state, request, identity);
  services.onLogin(identity);
  replyLoginOk(replyTo(), enteredSchema(loop));
  return { loop, exchange };
}

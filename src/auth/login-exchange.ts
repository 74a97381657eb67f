// The conversation of one login, from its first answer to its outcome: at most one switch of the method, as the first
// thing that is said, then at most one conversation of the method.

import { type SqlError, sqlError } from "../errors/sql-error.ts";
import { hasSecureTransport } from "../identity/peer.ts";
import {
  type AuthExchange,
  type AuthOutcome,
  type AuthStep,
  continueWith,
  decided,
  decidedAfter,
} from "./auth-exchange.ts";
import type { AuthPlugin, AuthTurn } from "./auth-plugin.ts";
import { authPlugins, findPlugin } from "./auth-plugins.ts";
import { isEmptyAnswer, type LoginAttempt, type Match } from "./login-attempt.ts";
import type { LoginRequest } from "./login-request.ts";
import {
  type AuthPluginName,
  asksForPassword,
  pluginAfterMismatch,
  pluginToAskFor,
  type Surroundings,
} from "./negotiate.ts";

/** The method that the greeting names. */
export const greetingPlugin: AuthPluginName = "caching_sha2_password";

type AuthGenerator = AsyncGenerator<AuthStep, AuthOutcome, Uint8Array>;

/** The settings that a conversation depends on. */
export interface ExchangeOptions {
  readonly allowClearTextWithoutTls: boolean;
}

/** Holds the conversation. `newScramble` gives the one of a switch. */
export function converse(
  attempt: LoginAttempt,
  options: ExchangeOptions,
  newScramble: () => Uint8Array,
): AuthExchange {
  const { request, directory } = attempt;
  const isSecure = hasSecureTransport(request.peer);
  const allowsClearText = isSecure || options.allowClearTextWithoutTls;
  const surroundings: Surroundings = { isSecure, allowsClearText, shape: directory.shape };
  if (request.clientPlugin === null) return decided(judgeOldClient(attempt));

  const named = findPlugin(request.clientPlugin);
  const ask = pluginToAskFor(named?.name ?? null, surroundings);
  let next: AuthPluginName | null;
  if (request.origin === "change_user") {
    next = ask;
  } else if (named?.name === "mysql_clear_password" && !allowsClearText) {
    return decided(refuse(attempt, named.name, "clear_text_without_tls"));
  } else if (named === null || isEmptyAnswer(request.authResponse)) {
    const isSaidInWords = named !== null && request.authResponse.length > 0;
    // An empty answer by another method than the greeting's: the client waits for a switch before it says anything.
    const isWholeAnswer = isSaidInWords || named?.name === greetingPlugin;
    const match = isWholeAnswer ? attempt.withoutPassword() : null;
    if (match !== null) return decided(conclude(attempt, request.clientPlugin, match));
    if (isSaidInWords) return decided(refuse(attempt, named.name, "empty_password"));
    next = ask;
  } else {
    const turn: AuthTurn = { attempt, response: request.authResponse, scramble: request.scramble };
    const match = named.check(turn);
    next = match.kind === "none" ? pluginAfterMismatch(named.name, surroundings) : null;
    if (next === null) return finish(named, turn, match, surroundings);
  }
  return switched(attempt, authPlugins[next], scrambleFor(next, request, newScramble), surroundings);
}

/**
 * COM_CHANGE_USER by mysql_native_password: MariaDB's client library answers the scramble that it knows already, whatever
 * the switch says, since MariaDB's servers send the same one again.
 */
function scrambleFor(
  next: AuthPluginName,
  { origin, clientPlugin, scramble }: LoginRequest,
  newScramble: () => Uint8Array,
): Uint8Array {
  const isKnown = origin === "change_user" && next === "mysql_native_password" && clientPlugin === next;
  return isKnown && scramble.length > 0 ? scramble : newScramble();
}

/** The client is told another method, and answers by it. */
async function* switched(
  attempt: LoginAttempt,
  plugin: AuthPlugin,
  scramble: Uint8Array,
  surroundings: Surroundings,
): AuthGenerator {
  const response = yield* attended(attempt, switchTo(plugin, scramble));
  const turn: AuthTurn = { attempt, response, scramble };
  if (isEmptyAnswer(response)) {
    const match = attempt.withoutPassword();
    return match === null
      ? refuse(attempt, plugin.name, "empty_password")
      : conclude(attempt, plugin.name, match);
  }
  return yield* continueWith(finish(plugin, turn, plugin.check(turn), surroundings));
}

/** From what the first answer of the last method proved to the outcome. */
function finish(plugin: AuthPlugin, turn: AuthTurn, first: Match, surroundings: Surroundings): AuthExchange {
  if (first.kind === "none" && asksForPassword(plugin.name, surroundings) && plugin.converse !== null)
    return askedFurther(plugin.name, turn.attempt, plugin.converse(turn));
  const outcome = conclude(turn.attempt, plugin.name, first);
  const isToBeTold = first.kind === "accepted" && plugin.accepted !== null;
  return isToBeTold ? decidedAfter(plugin.accepted, outcome) : decided(outcome);
}

async function* askedFurther(
  plugin: AuthPluginName,
  attempt: LoginAttempt,
  conversation: AsyncGenerator<AuthStep, Match, Uint8Array>,
): AuthGenerator {
  let step = await conversation.next();
  while (step.done !== true) {
    const answer = yield* attended(attempt, step.value);
    step = await conversation.next(answer);
  }
  return conclude(attempt, plugin, step.value);
}

/** Says something and takes note of whether the answer holds a password. */
async function* attended(
  attempt: LoginAttempt,
  step: AuthStep,
): AsyncGenerator<AuthStep, Uint8Array, Uint8Array> {
  const answer = yield step;
  attempt.usingPassword = !isEmptyAnswer(answer);
  return answer;
}

/** A client from before methods had names (no PLUGIN_AUTH): native, and no switch is possible. */
function judgeOldClient(attempt: LoginAttempt): AuthOutcome {
  const plugin = authPlugins.mysql_native_password;
  const { authResponse: response, scramble } = attempt.request;
  if (isEmptyAnswer(response)) {
    const match = attempt.withoutPassword();
    return match === null
      ? refuse(attempt, plugin.name, "empty_password")
      : conclude(attempt, plugin.name, match);
  }
  const match = plugin.check({ attempt, response, scramble });
  if (match.kind === "none" && attempt.directory.shape.hasEntriesBeyondNative) {
    const error = sqlError("ER_NOT_SUPPORTED_AUTH_MODE");
    return { kind: "refused", error, reason: "client_without_plugins", plugin: plugin.name };
  }
  return conclude(attempt, plugin.name, match);
}

function switchTo(plugin: AuthPlugin, scramble: Uint8Array): AuthStep {
  // Clients want the scramble with a NUL behind it.
  const data = plugin.usesScramble ? Uint8Array.of(...scramble, 0) : new Uint8Array(0);
  return { kind: "switch", plugin: plugin.name, data };
}

function conclude(attempt: LoginAttempt, plugin: string, match: Match): AuthOutcome {
  const { request, directory } = attempt;
  switch (match.kind) {
    case "accepted": {
      const { entry } = match;
      const spiffeId = entry.spiffeId !== null && attempt.spiffeId.ok ? attempt.spiffeId.value : null;
      return { kind: "accepted", user: { loginUser: entry.user, entry, directory, plugin, spiffeId } };
    }
    case "locked": {
      const error = sqlError("ER_ACCOUNT_HAS_BEEN_LOCKED", userAndHost(request));
      return { kind: "refused", error, reason: "account_locked", plugin };
    }
    case "none":
      return refuse(attempt, plugin, "wrong_password");
    case "hopeless":
      return refuse(attempt, plugin, match.reason);
  }
}

/** 1045 for everything, so that clients learn nothing from it; `reason` is for the audit log. */
function refuse(attempt: LoginAttempt, plugin: string, reason: string): AuthOutcome {
  const error = accessDenied(attempt.request, attempt.usingPassword);
  return { kind: "refused", error, reason: attempt.obstacle ?? reason, plugin };
}

/** `Access denied for user 'u'@'h' (using password: YES)`. */
export function accessDenied(request: LoginRequest, usingPassword: boolean): SqlError {
  const values = { ...userAndHost(request), usingPassword: usingPassword ? "YES" : "NO" };
  return sqlError("ER_ACCESS_DENIED_ERROR", values);
}

/** Longest user name in an error text, in characters; MySQL's names have 32. */
const shownUserLengthMax = 96;

function userAndHost(request: LoginRequest): { user: string; host: string } {
  return { user: request.user.slice(0, shownUserLengthMax), host: request.peer.host };
}

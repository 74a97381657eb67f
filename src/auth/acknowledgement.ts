// Lets a client's method come to its end where no password is asked for: clients wait for certain words before OK.

import { hasSecureTransport } from "../identity/peer.ts";
import type { AuthStep } from "./auth-exchange.ts";
import { authPlugins } from "./auth-plugins.ts";
import { isEmptyAnswer } from "./login-attempt.ts";
import type { LoginRequest } from "./login-request.ts";
import type { AuthPluginName } from "./negotiate.ts";

/** Says what the client's method needs to hear. `greetingPlugin`: what the greeting named. */
export async function* acknowledge(
  request: LoginRequest,
  greetingPlugin: string,
  newScramble: () => Uint8Array,
): AsyncGenerator<AuthStep, void, Uint8Array> {
  const { clientPlugin: named, authResponse } = request;
  if (named === null) return;
  if (named === "caching_sha2_password" && request.origin === "connect") {
    if (!isEmptyAnswer(authResponse)) yield* successOf("caching_sha2_password");
    if (authResponse.length > 0 || greetingPlugin === named) return;
  }
  const isDone = ["mysql_native_password", "mysql_clear_password", "dialog"].includes(named);
  if (request.origin === "connect" && isDone && authResponse.length > 0) return;
  const plugin = methodFor(named, hasSecureTransport(request.peer));
  const data = authPlugins[plugin].usesScramble ? Uint8Array.of(...newScramble(), 0) : new Uint8Array(0);
  const answer = yield { kind: "switch", plugin, data };
  if (!isEmptyAnswer(answer)) yield* successOf(plugin);
}

function methodFor(named: string, isSecure: boolean): AuthPluginName {
  if (named === "mysql_native_password") return named;
  return named === "mysql_clear_password" && isSecure ? named : "caching_sha2_password";
}

function* successOf(plugin: AuthPluginName): Generator<AuthStep, void, Uint8Array> {
  const { accepted } = authPlugins[plugin];
  if (accepted !== null) yield accepted;
}

// Lets a client's method come to its end where no password is asked for: clients wait for certain words before OK.

import { hasSecureTransport } from "../identity/peer.ts";
import type { AuthStep } from "./auth-exchange.ts";
import { findPlugin } from "./auth-plugins.ts";
import { isEmptyAnswer } from "./login-attempt.ts";
import type { LoginRequest } from "./login-request.ts";

/** How the words are chosen. */
export interface AcknowledgementOptions {
  /** What the greeting named. */
  readonly greetingPlugin: string;
  /** The method that a client is switched to when it waits to be told one; null: its own, as far as that is wise. */
  readonly switchTo: string | null;
  readonly newScramble: () => Uint8Array;
}

/** Says what the client's method needs to hear. */
export async function* acknowledge(
  request: LoginRequest,
  options: AcknowledgementOptions,
): AsyncGenerator<AuthStep, void, Uint8Array> {
  const { clientPlugin: named, authResponse } = request;
  if (named === null) return;
  if (named === "caching_sha2_password" && request.origin === "connect") {
    if (!isEmptyAnswer(authResponse)) yield* successOf("caching_sha2_password");
    if (authResponse.length > 0 || options.greetingPlugin === named) return;
  }
  const isDone = ["mysql_native_password", "mysql_clear_password", "dialog"].includes(named);
  if (request.origin === "connect" && isDone && authResponse.length > 0) return;
  const plugin = options.switchTo ?? methodFor(named, hasSecureTransport(request.peer));
  const answer = yield { kind: "switch", plugin, data: firstWordsOf(plugin, options) };
  if (!isEmptyAnswer(answer)) yield* successOf(plugin);
}

/** 05: a last question whose answer is not shown; the text is the one that PyMySQL answers by itself. */
const dialogQuestion = Buffer.from("\x05Password: ", "latin1");

function firstWordsOf(plugin: string, { newScramble }: AcknowledgementOptions): Uint8Array {
  if (plugin === "dialog") return dialogQuestion;
  return findPlugin(plugin)?.usesScramble ? Uint8Array.of(...newScramble(), 0) : new Uint8Array(0);
}

function methodFor(named: string, isSecure: boolean): string {
  if (named === "mysql_native_password") return named;
  return named === "mysql_clear_password" && isSecure ? named : "caching_sha2_password";
}

function* successOf(plugin: string): Generator<AuthStep, void, Uint8Array> {
  const accepted = findPlugin(plugin)?.accepted ?? null;
  if (accepted !== null) yield accepted;
}

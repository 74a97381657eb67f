// Receives a password itself, as caching_sha2_password (full) and sha256_password do: in clear where nobody can read
// it on the way, by RSA on plain TCP:
//   ciphertext = RSA-OAEP-SHA1((password NUL) XOR scramble), the scramble repeated

import type { AuthStep } from "./auth-exchange.ts";
import type { AuthTurn } from "./auth-plugin.ts";
import { queueFull } from "./fair-queue.ts";
import { addressOf, type Match } from "./login-attempt.ts";
import { xorBytes } from "./scramble.ts";

/**
 * Judges `payload`, which holds the password, or asks for the key by the single byte `keyRequest` (then the next
 * payload is the ciphertext). On a unix socket both ways are known: some clients look at TLS only.
 */
export async function* receivePassword(
  turn: AuthTurn,
  payload: Uint8Array,
  keyRequest: number,
): AsyncGenerator<AuthStep, Match, Uint8Array> {
  const { attempt, scramble } = turn;
  const { peer } = attempt.request;
  const { rsaKey } = attempt.tools;
  let ciphertext = payload;
  let isEncrypted = peer.transport === "tcp" && peer.tls === null;
  if (peer.tls === null && payload.length === 1 && payload[0] === keyRequest) {
    ciphertext = yield { kind: "more", data: Buffer.from(rsaKey.publicKeyPem), expectsReply: true };
    isEncrypted = true;
  } else if (peer.transport === "unix" && payload.length === rsaKey.bytes && !isClearText(payload)) {
    isEncrypted = true;
  }
  if (!isEncrypted) return attempt.matchPassword(withoutNul(payload));
  if (ciphertext.length !== rsaKey.bytes) {
    return attempt.withoutPassword() ?? { kind: "hopeless", reason: "wrong_length" };
  }
  const masked = await attempt.tools.rsaQueue.run(addressOf(attempt.request), () =>
    rsaKey.decrypt(ciphertext),
  );
  if (masked === queueFull) return { kind: "hopeless", reason: "rsa_queue_full" };
  const password = masked === null ? null : xorBytes(masked, scramble);
  if (password === null || password.at(-1) !== 0) {
    return attempt.withoutPassword() ?? { kind: "hopeless", reason: "wrong_ciphertext" };
  }
  return attempt.matchPassword(withoutNul(password));
}

/** Without one NUL at its end, which not every client sends. */
export function withoutNul(bytes: Uint8Array): Uint8Array {
  return bytes.at(-1) === 0 ? bytes.subarray(0, -1) : bytes;
}

/** Text and one NUL at its end: no ciphertext looks like that but by a chance of far less than one in a billion. */
function isClearText(payload: Uint8Array): boolean {
  if (payload.indexOf(0) !== payload.length - 1) return false;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(payload);
    return true;
  } catch {
    return false;
  }
}

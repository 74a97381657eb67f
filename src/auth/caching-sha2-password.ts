// caching_sha2_password: an answer of 32 bytes is enough where a digest is known (fast), else the password itself is
// asked for (full).
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_caching_sha2_authentication_exchanges.html

import type { AuthStep } from "./auth-exchange.ts";
import type { AuthPlugin, AuthTurn } from "./auth-plugin.ts";
import type { Match } from "./login-attempt.ts";
import { receivePassword } from "./password-exchange.ts";

const fastAuthSuccess = Uint8Array.of(3);
const performFullAuthentication = Uint8Array.of(4);
/** The client's question for the RSA key. */
const keyRequest = 2;

/** The default method since MySQL 8.0. */
export const cachingSha2Password: AuthPlugin = {
  name: "caching_sha2_password",
  usesScramble: true,
  check: ({ attempt, response, scramble }) => attempt.matchSha2(response, scramble),
  accepted: { kind: "more", data: fastAuthSuccess, expectsReply: false },
  converse,
};

async function* converse(turn: AuthTurn): AsyncGenerator<AuthStep, Match, Uint8Array> {
  const payload = yield { kind: "more", data: performFullAuthentication, expectsReply: true };
  return yield* receivePassword(turn, payload, keyRequest);
}

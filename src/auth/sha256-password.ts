// sha256_password: the password itself, at once over TLS, by RSA elsewhere.
// https://dev.mysql.com/doc/refman/8.4/en/sha256-pluggable-authentication.html

import type { AuthPlugin } from "./auth-plugin.ts";
import { receivePassword } from "./password-exchange.ts";

/** The client's question for the RSA key. */
const keyRequest = 1;

/** The method between native and caching_sha2; every client that has it asks for the RSA key by itself. */
export const sha256Password: AuthPlugin = {
  name: "sha256_password",
  usesScramble: true,
  check: () => ({ kind: "none" }),
  accepted: null,
  converse: (turn) => receivePassword(turn, turn.response, keyRequest),
};

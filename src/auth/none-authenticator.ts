// `mysql_auth_server_impl=none`: every name logs in, with any password or none. For trying things out, and for networks
// that decide by themselves who gets here.

import { noProxyUsers } from "../users/proxy-users.ts";
import { createUserDirectory } from "../users/user-directory.ts";
import { acknowledge } from "./acknowledgement.ts";
import type { AuthExchange } from "./auth-exchange.ts";
import type { Authenticator } from "./authenticator.ts";
import { identifyUser } from "./identify.ts";
import type { LoginRequest } from "./login-request.ts";
import { openEntry } from "./open-entry.ts";
import { createScramble } from "./scramble.ts";

const greetingPlugin = "caching_sha2_password";

/** Makes a judge that accepts everybody: UserData is the name. */
export function createNoneAuthenticator(parts: {
  readonly randomBytes: (count: number) => Uint8Array;
}): Authenticator {
  const directory = createUserDirectory(new Map(), 0);
  const newScramble = (): Uint8Array => createScramble(parts.randomBytes);
  return {
    greetingPlugin,
    newScramble,
    authenticate: (request) => acceptAnybody(request, newScramble),
    identify: (user, request) => identifyUser(user, request, directory, noProxyUsers, 0),
    close: () => {},
  };
}

async function* acceptAnybody(request: LoginRequest, newScramble: () => Uint8Array): AuthExchange {
  yield* acknowledge(request, greetingPlugin, newScramble);
  const entry = openEntry(request.user, []);
  return {
    kind: "accepted",
    user: { loginUser: request.user, entry, generation: 0, plugin: "none", spiffeId: null },
  };
}

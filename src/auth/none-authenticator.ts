// `mysql_auth_server_impl=none`: every name logs in, with any password or none. For trying things out, and for networks
// that decide by themselves who gets here.

import type { Clock } from "../base/clock.ts";
import { noProxyUsers } from "../users/proxy-users.ts";
import { emptyUserDirectory } from "../users/user-directory.ts";
import { acknowledge } from "./acknowledgement.ts";
import type { AuthOutcome, AuthStep } from "./auth-exchange.ts";
import type { Authenticator } from "./authenticator.ts";
import { type GateVerdict, judgeCertificate } from "./certificate-gate.ts";
import { identifyUser } from "./identify.ts";
import type { LoginRequest } from "./login-request.ts";
import { openEntry } from "./open-entry.ts";
import { createScramble } from "./scramble.ts";

const greetingPlugin = "caching_sha2_password";

/** Makes a judge that accepts everybody: UserData is the name. Certificates are verified all the same. */
export function createNoneAuthenticator(parts: {
  readonly randomBytes: (count: number) => Uint8Array;
  readonly clock: Clock;
  /** Whether every TCP client must present a certificate. */
  readonly requireClientCertificate: boolean;
}): Authenticator {
  const newScramble = (): Uint8Array => createScramble(parts.randomBytes);
  return {
    greetingPlugin,
    newScramble,
    authenticate: (request) =>
      acceptAnybody(
        request,
        judgeCertificate(request, parts.requireClientCertificate, parts.clock.wallMs()),
        newScramble,
      ),
    identify: (user, request) => identifyUser(user, request, noProxyUsers, 0),
    close: () => {},
  };
}

async function* acceptAnybody(
  request: LoginRequest,
  gate: GateVerdict,
  newScramble: () => Uint8Array,
): AsyncGenerator<AuthStep, AuthOutcome, Uint8Array> {
  if (gate.kind === "stop") return gate.outcome;
  yield* acknowledge(request, { greetingPlugin, switchTo: null, newScramble });
  const entry = openEntry(request.user, []);
  return {
    kind: "accepted",
    user: { loginUser: request.user, entry, directory: emptyUserDirectory, plugin: "none", spiffeId: null },
  };
}

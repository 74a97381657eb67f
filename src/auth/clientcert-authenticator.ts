// `mysql_auth_server_impl=clientcert`, as Vitess has it (go/mysql/auth_server_clientcert.go): the client's certificate
// is the credential, its common name is the user, its DNS names are the groups. What is sent as password is ignored.

import { judgeClientCertificate } from "../identity/client-certificate.ts";
import { noProxyUsers } from "../users/proxy-users.ts";
import { createUserDirectory } from "../users/user-directory.ts";
import { acknowledge } from "./acknowledgement.ts";
import type { AuthExchange, AuthOutcome } from "./auth-exchange.ts";
import type { Authenticator } from "./authenticator.ts";
import { identifyUser } from "./identify.ts";
import { isEmptyAnswer } from "./login-attempt.ts";
import { accessDenied } from "./login-exchange.ts";
import type { LoginRequest } from "./login-request.ts";
import { openEntry } from "./open-entry.ts";
import { createScramble } from "./scramble.ts";

/** Makes a judge of certificates. `greetingPlugin`: the method that the greeting names. */
export function createClientCertAuthenticator(parts: {
  readonly randomBytes: (count: number) => Uint8Array;
  readonly greetingPlugin: string;
}): Authenticator {
  const directory = createUserDirectory(new Map(), 0);
  const newScramble = (): Uint8Array => createScramble(parts.randomBytes);
  return {
    greetingPlugin: parts.greetingPlugin,
    newScramble,
    authenticate: (request) => judgeByCertificate(request, parts.greetingPlugin, newScramble),
    identify: (user, request) => identifyUser(user, request, directory, noProxyUsers, 0),
    close: () => {},
  };
}

async function* judgeByCertificate(
  request: LoginRequest,
  greetingPlugin: string,
  newScramble: () => Uint8Array,
): AuthExchange {
  const certificate = judgeClientCertificate(request.peer);
  // A unix socket carries no certificate, so nobody can log in there.
  if (certificate.kind === "absent") return refuse(request, "certificate_missing");
  if (certificate.kind === "refused") return refuse(request, certificate.reason);
  const { name } = certificate;
  if (!name.ok) return refuse(request, name.reason);
  if (name.value.commonName !== request.user) return refuse(request, "certificate_of_another_user");
  yield* acknowledge(request, greetingPlugin, newScramble);
  const entry = openEntry(request.user, name.value.dnsNames);
  return {
    kind: "accepted",
    user: { loginUser: request.user, entry, generation: 0, plugin: "clientcert", spiffeId: null },
  };
}

function refuse(request: LoginRequest, reason: string): AuthOutcome {
  const error = accessDenied(request, !isEmptyAnswer(request.authResponse));
  return { kind: "refused", error, reason, plugin: "clientcert" };
}

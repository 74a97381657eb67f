// `mysql_auth_server_impl=clientcert`, as Vitess has it (go/mysql/auth_server_clientcert.go): the client's certificate
// is the credential, its common name is the user, its DNS names are the groups. What is sent as password is ignored.

import type { Clock } from "../base/clock.ts";
import { judgeClientCertificate } from "../identity/client-certificate.ts";
import { noProxyUsers } from "../users/proxy-users.ts";
import { emptyUserDirectory } from "../users/user-directory.ts";
import { acknowledge } from "./acknowledgement.ts";
import type { AuthOutcome, AuthStep } from "./auth-exchange.ts";
import type { Authenticator } from "./authenticator.ts";
import { judgeCertificate } from "./certificate-gate.ts";
import { identifyUser } from "./identify.ts";
import { isEmptyAnswer } from "./login-attempt.ts";
import { accessDenied } from "./login-exchange.ts";
import type { LoginRequest } from "./login-request.ts";
import { openEntry } from "./open-entry.ts";
import { createScramble } from "./scramble.ts";

/**
 * The methods by which a client may be talked to: as Vitess's flag of the same name has them, and the one that clients
 * speak without being configured for it.
 */
export type ClientCertMethod = "mysql_clear_password" | "dialog" | "caching_sha2_password";

/** Makes a judge of certificates. `method`: what the greeting names, and what clients are switched to. */
export function createClientCertAuthenticator(parts: {
  readonly randomBytes: (count: number) => Uint8Array;
  readonly clock: Clock;
  readonly method: ClientCertMethod;
}): Authenticator {
  const newScramble = (): Uint8Array => createScramble(parts.randomBytes);
  return {
    greetingPlugin: parts.method,
    newScramble: parts.method === "dialog" ? () => dialogGreeting : newScramble,
    authenticate: (request) => judgeByCertificate(request, parts.method, parts.clock.wallMs(), newScramble),
    identify: (user, request) => identifyUser(user, request, noProxyUsers, 0),
    close: () => {},
  };
}

/** Clients that are greeted with `dialog` take what stands in the scramble's place (20 bytes) for the first question. */
const dialogGreeting: Uint8Array = Buffer.from("\x05Password (ignored):", "latin1");

async function* judgeByCertificate(
  request: LoginRequest,
  method: ClientCertMethod,
  nowMs: number,
  newScramble: () => Uint8Array,
): AsyncGenerator<AuthStep, AuthOutcome, Uint8Array> {
  const gate = judgeCertificate(request, true, nowMs);
  if (gate.kind === "stop") return { ...gate.outcome, plugin: "clientcert" };
  const certificate = judgeClientCertificate(request.peer);
  // A unix socket carries no certificate, so nobody can log in there.
  if (certificate.kind !== "verified") return refuse(request, "certificate_missing");
  const { name } = certificate;
  if (!name.ok) return refuse(request, name.reason);
  if (name.value.commonName !== request.user) return refuse(request, "certificate_of_another_user");
  yield* acknowledge(request, { greetingPlugin: method, switchTo: method, newScramble });
  const entry = openEntry(request.user, name.value.dnsNames);
  return {
    kind: "accepted",
    user: {
      loginUser: request.user,
      entry,
      directory: emptyUserDirectory,
      plugin: "clientcert",
      spiffeId: null,
    },
  };
}

function refuse(request: LoginRequest, reason: string): AuthOutcome {
  const error = accessDenied(request, !isEmptyAnswer(request.authResponse));
  return { kind: "refused", error, reason, plugin: "clientcert" };
}

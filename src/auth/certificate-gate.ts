// What a client's certificate says about a login, whoever wants to log in: a bad one ends it, a good one may prove a
// SPIFFE id.

import { sqlError } from "../errors/sql-error.ts";
import { judgeClientCertificate, type Proven } from "../identity/client-certificate.ts";
import type { AuthOutcome } from "./auth-exchange.ts";
import { isEmptyAnswer } from "./login-attempt.ts";
import { accessDenied } from "./login-exchange.ts";
import type { LoginRequest } from "./login-request.ts";

/** A login may go on, with the SPIFFE id that its certificate proves or the reason why it proves none; or it ends here. */
export type GateVerdict =
  | { readonly kind: "pass"; readonly spiffeId: Proven<string> }
  | { readonly kind: "stop"; readonly outcome: AuthOutcome & { readonly kind: "refused" } };

/**
 * Judges the certificate of whoever logs in. `isRequired`: every TCP client must present one; unix sockets have none.
 * The first step of a login: so it is told in a packet, whatever the user's entries are.
 */
export function judgeCertificate(request: LoginRequest, isRequired: boolean, nowMs: number): GateVerdict {
  const { peer } = request;
  // TLS verified it when the connection began; at COM_CHANGE_USER that may be days ago.
  const notAfterMs = peer.tls?.certificate?.notAfterMs ?? Number.POSITIVE_INFINITY;
  if (request.origin === "change_user" && nowMs > notAfterMs) {
    return { kind: "stop", outcome: refuse(request, "certificate_cert_has_expired") };
  }
  const certificate = judgeClientCertificate(peer);
  switch (certificate.kind) {
    case "verified":
      return { kind: "pass", spiffeId: certificate.spiffeId };
    case "refused":
      return { kind: "stop", outcome: refuse(request, certificate.reason) };
    case "absent": {
      if (!isRequired || peer.transport === "unix") {
        return { kind: "pass", spiffeId: { ok: false, reason: "certificate_missing" } };
      }
      const outcome = refuse(request, "certificate_missing");
      // Without TLS no certificate could be sent: the client is told what to do, as by require_secure_transport.
      const error = sqlError("ER_SECURE_TRANSPORT_REQUIRED");
      return { kind: "stop", outcome: peer.tls === null ? { ...outcome, error } : outcome };
    }
  }
}

function refuse(request: LoginRequest, reason: string): AuthOutcome & { kind: "refused" } {
  const error = accessDenied(request, !isEmptyAnswer(request.authResponse));
  return { kind: "refused", error, reason, plugin: request.clientPlugin ?? "" };
}

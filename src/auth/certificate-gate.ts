// What a client's certificate says about a login, whoever wants to log in: a bad one ends it, a good one may prove a
// SPIFFE id.

import { readCertificateFacts } from "../identity/certificate-facts.ts";
import type { Peer } from "../identity/peer.ts";

/** A login may go on, with the SPIFFE id that its certificate proves; or it ends here for a reason. */
export type GateVerdict =
  | { readonly kind: "pass"; readonly spiffeId: string | null }
  | { readonly kind: "stop"; readonly reason: string };

/**
 * Judges the certificate of a peer. `isRequired`: every TCP client must present one; unix sockets have none.
 * Beside chain, validity and CRL (judged by TLS), a leaf that is a CA or not made for clients is refused.
 */
export function judgeCertificate(peer: Peer, isRequired: boolean): GateVerdict {
  const certificate = peer.tls?.certificate ?? null;
  if (certificate === null) {
    return isRequired && peer.transport === "tcp"
      ? { kind: "stop", reason: "certificate_missing" }
      : { kind: "pass", spiffeId: null };
  }
  if (certificate.verifyError !== null) {
    return { kind: "stop", reason: `certificate_${certificate.verifyError.toLowerCase()}` };
  }
  const facts = readCertificateFacts(certificate.raw);
  if (facts === null) return { kind: "stop", reason: "certificate_unreadable" };
  if (facts.isAuthority) return { kind: "stop", reason: "certificate_is_ca" };
  if (!facts.allowsClientAuth) return { kind: "stop", reason: "certificate_not_for_clients" };
  return { kind: "pass", spiffeId: facts.spiffeId };
}

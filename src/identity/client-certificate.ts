// What a client's certificate proves: nothing, or a SPIFFE id, or a name. Stricter than ProxySQL, which takes the last
// URI that begins with "spiffe" (X.509-SVID, https://github.com/spiffe/spiffe/blob/main/standards/X509-SVID.md).
// The reasons are codes for the audit log; a client is never told.

import { type CertificateFacts, readCertificate } from "./certificate.ts";
import { DerError } from "./der.ts";
import type { Peer } from "./peer.ts";
import { spiffeIdFault } from "./spiffe-id.ts";

/** What was proven, or why not. */
export type Proven<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string };

/** The name in a certificate, for logins by certificate alone. */
export interface CertificateName {
  /** The subject's only CN. */
  readonly commonName: string;
  /** The DNS names, in their order. */
  readonly dnsNames: readonly string[];
}

/** A client's certificate, judged. */
export type ClientCertificate =
  /** None was presented, or there is no TLS. */
  | { readonly kind: "absent" }
  /** Ends the login, whoever the user is. The codes of OpenSSL come as `certificate_cert_has_expired`. */
  | { readonly kind: "refused"; readonly reason: string }
  /** Genuine. */
  | {
      readonly kind: "verified";
      readonly spiffeId: Proven<string>;
      readonly name: Proven<CertificateName>;
    };

/** Judges the certificate of `peer`. Never throws, whatever the certificate holds. */
export function judgeClientCertificate(peer: Peer): ClientCertificate {
  const certificate = peer.tls?.certificate ?? null;
  if (certificate === null) return { kind: "absent" };
  if (certificate.verifyError !== null) {
    return { kind: "refused", reason: `certificate_${certificate.verifyError.toLowerCase()}` };
  }
  const facts = read(certificate.raw);
  if (facts === null) return { kind: "refused", reason: "certificate_unreadable" };
  if (facts.isAuthority) return { kind: "refused", reason: "certificate_of_an_authority" };
  if (!facts.maySignIn) return { kind: "refused", reason: "certificate_not_for_clients" };
  return { kind: "verified", spiffeId: proveSpiffeId(facts), name: proveName(facts) };
}

function read(der: Uint8Array): CertificateFacts | null {
  try {
    return readCertificate(der);
  } catch (error) {
    if (error instanceof DerError) return null;
    throw error;
  }
}

function proveSpiffeId(facts: CertificateFacts): Proven<string> {
  const [uri] = facts.uriNames;
  if (uri === undefined) return { ok: false, reason: "certificate_without_uri" };
  if (facts.uriNames.length > 1) return { ok: false, reason: "certificate_with_several_uris" };
  if (uri.includes("\0")) return { ok: false, reason: "certificate_uri_with_nul" };
  if (!uri.startsWith("spiffe://")) return { ok: false, reason: "certificate_uri_not_spiffe" };
  if (spiffeIdFault(uri) !== null) return { ok: false, reason: "certificate_spiffe_id_malformed" };
  if (facts.maySignCertificates) return { ok: false, reason: "certificate_may_sign_certificates" };
  return { ok: true, value: uri };
}

function proveName(facts: CertificateFacts): Proven<CertificateName> {
  const [commonName] = facts.commonNames;
  if (facts.commonNames.length === 0) return { ok: false, reason: "certificate_without_common_name" };
  if (facts.commonNames.length > 1) return { ok: false, reason: "certificate_with_several_common_names" };
  if (commonName === undefined || commonName === null || !isPlainName(commonName)) {
    return { ok: false, reason: "certificate_common_name_malformed" };
  }
  // A DNS name is a principal of the table ACL: one that could be read as something else spoils the certificate.
  if (!facts.dnsNames.every((name) => /^[\x21-\x7e]+$/.test(name))) {
    return { ok: false, reason: "certificate_dns_name_malformed" };
  }
  return { ok: true, value: { commonName, dnsNames: facts.dnsNames } };
}

function isPlainName(name: string): boolean {
  return name !== "" && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(name);
}

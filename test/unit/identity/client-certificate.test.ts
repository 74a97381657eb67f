import { X509Certificate } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readCertificate } from "../../../src/identity/certificate.ts";
import { judgeClientCertificate } from "../../../src/identity/client-certificate.ts";
import { DerError, readDerElements } from "../../../src/identity/der.ts";
import type { Peer } from "../../../src/identity/peer.ts";
import { certificateOf, leaf, rawUriName } from "./self-signed.ts";

function peerWith(raw: Uint8Array, verifyError: string | null = null): Peer {
  const certificate = { verifyError, raw, serialNumber: "01", issuer: "", notAfterMs: 0 };
  const tls = { version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384", certificate };
  return { transport: "tcp", address: "192.0.2.7", port: 1, host: "192.0.2.7", tls };
}

const judged = (raw: Uint8Array) => judgeClientCertificate(peerWith(raw));

function spiffeOf(raw: Uint8Array): string {
  const verdict = judged(raw);
  if (verdict.kind !== "verified") throw new Error(JSON.stringify(verdict));
  return verdict.spiffeId.ok ? verdict.spiffeId.value : verdict.spiffeId.reason;
}

function nameOf(raw: Uint8Array): unknown {
  const verdict = judged(raw);
  if (verdict.kind !== "verified") throw new Error(JSON.stringify(verdict));
  return verdict.name.ok ? verdict.name.value : verdict.name.reason;
}

const id = "spiffe://example.org/app/x";
const uri = (...values: string[]): string =>
  `subjectAltName=${values.map((value) => `URI:${value}`).join(",")}`;

describe("judgeClientCertificate()", () => {
  it("finds nothing without TLS or without a certificate", () => {
    const peer = peerWith(new Uint8Array(0));
    expect(judgeClientCertificate({ ...peer, tls: null })).toEqual({ kind: "absent" });
    const tls = { version: "TLSv1.3", cipher: "c", certificate: null };
    expect(judgeClientCertificate({ ...peer, tls })).toEqual({ kind: "absent" });
  });

  it("refuses what TLS did not verify, with OpenSSL's reason, whatever it says about itself", () => {
    const raw = certificateOf("/CN=app", ...leaf, uri(id));
    expect(judgeClientCertificate(peerWith(raw, "CERT_HAS_EXPIRED"))).toEqual({
      kind: "refused",
      reason: "certificate_cert_has_expired",
    });
  });

  it("refuses a CA as leaf, and a certificate that is not for clients", () => {
    const refusals = [
      [["basicConstraints=critical,CA:TRUE", uri(id)], "certificate_of_an_authority"],
      [
        ["basicConstraints=critical,CA:FALSE", "extendedKeyUsage=serverAuth", uri(id)],
        "certificate_not_for_clients",
      ],
      [["extendedKeyUsage=codeSigning", uri(id)], "certificate_not_for_clients"],
    ] as const;
    for (const [extensions, reason] of refusals) {
      expect(judged(certificateOf("/CN=app", ...extensions))).toEqual({ kind: "refused", reason });
    }
    expect(spiffeOf(certificateOf("/CN=app", uri(id)))).toBe(id); // neither extension: nothing is ruled out
  });

  it("takes the SPIFFE id of the only URI name", () => {
    expect(spiffeOf(certificateOf("/CN=app", ...leaf, uri(id)))).toBe(id);
    expect(spiffeOf(certificateOf("/O=no name", ...leaf, `${uri(id)},DNS:app.example.org`))).toBe(id);
    expect(spiffeOf(certificateOf("/CN=app", ...leaf, uri("spiffe://example.org")))).toBe(
      "spiffe://example.org",
    );
  });

  it.each<[string, string[], string]>([
    ["no subject alternative name", [], "certificate_without_uri"],
    ["DNS names only", ["subjectAltName=DNS:spiffe.example.org"], "certificate_without_uri"],
    ["a URI inside a DNS name", [`subjectAltName=DNS:${id}`], "certificate_without_uri"],
    ["two ids", [uri(id, "spiffe://example.org/b")], "certificate_with_several_uris"],
    ["two ids, the other order", [uri("spiffe://example.org/b", id)], "certificate_with_several_uris"],
    ["the same id twice", [uri(id, id)], "certificate_with_several_uris"],
    ["an id and another URI", [uri(id, "https://example.org/")], "certificate_with_several_uris"],
    ["https", [uri("https://example.org/app/x")], "certificate_uri_not_spiffe"],
    ["a scheme that begins alike", [uri("spiffexyz:app/x")], "certificate_uri_not_spiffe"],
    ["capitals in the scheme", [uri("SPIFFE://example.org/app/x")], "certificate_uri_not_spiffe"],
    ["capitals in the trust domain", [uri("spiffe://Example.org/app/x")], "certificate_spiffe_id_malformed"],
    ["a query", [uri("spiffe://example.org/app?x")], "certificate_spiffe_id_malformed"],
    ["a percent sign", [uri("spiffe://example.org/%61pp")], "certificate_spiffe_id_malformed"],
    ["a path that climbs", [uri("spiffe://example.org/a/../b")], "certificate_spiffe_id_malformed"],
    ["a slash at the end", [uri("spiffe://example.org/a/")], "certificate_spiffe_id_malformed"],
    ["a port", [uri("spiffe://example.org:1/a")], "certificate_spiffe_id_malformed"],
    ["NUL behind the id", [rawUriName(`${id}\0.evil`)], "certificate_uri_with_nul"],
    ["NUL at the end", [rawUriName(`${id}\0`)], "certificate_uri_with_nul"],
    [
      "a comma and a second name in the text",
      [rawUriName(`${id}, URI:b`)],
      "certificate_spiffe_id_malformed",
    ],
    ["a line break", [rawUriName(`${id}\n`)], "certificate_spiffe_id_malformed"],
    ["bytes beyond ASCII", [rawUriName(`${id}\xe4`)], "certificate_spiffe_id_malformed"],
    ["nothing in it", [rawUriName("")], "certificate_uri_not_spiffe"],
    ["an empty list of names", ["subjectAltName=DER:30:00"], "certificate_without_uri"],
    ["keyCertSign", [uri(id), "keyUsage=keyCertSign"], "certificate_may_sign_certificates"],
    ["cRLSign", [uri(id), "keyUsage=digitalSignature,cRLSign"], "certificate_may_sign_certificates"],
  ])("finds no SPIFFE id: %s", (_what, extensions, reason) => {
    expect(spiffeOf(certificateOf("/CN=app", ...leaf, ...extensions))).toBe(reason);
  });

  it("takes the only CN and the DNS names in their order", () => {
    const names = "subjectAltName=DNS:b.example.org,URI:spiffe://example.org/a,DNS:a.example.org";
    expect(nameOf(certificateOf("/O=org/CN=user 1", ...leaf, names))).toEqual({
      commonName: "user 1",
      dnsNames: ["b.example.org", "a.example.org"],
    });
    expect(nameOf(certificateOf("/CN=jörg €", ...leaf))).toEqual({ commonName: "jörg €", dnsNames: [] });
  });

  it.each<[string, string, string[], string]>([
    ["no CN", "/O=org", [], "certificate_without_common_name"],
    ["two CNs", "/CN=a/CN=b", [], "certificate_with_several_common_names"],
    ["two CNs in one set", "/CN=a+CN=b", [], "certificate_with_several_common_names"],
    ["a line break in the CN", "/CN=a\nb", [], "certificate_common_name_malformed"],
    ["a control character in the CN", "/CN=a\u0085b", [], "certificate_common_name_malformed"],
    ["a space in a DNS name", "/CN=a", ["subjectAltName=DNS:a b"], "certificate_dns_name_malformed"],
  ])("finds no name: %s", (_what, subject, extensions, reason) => {
    expect(nameOf(certificateOf(subject, ...leaf, ...extensions))).toBe(reason);
  });

  it("agrees with Node's own reading of ordinary certificates", () => {
    for (const names of [
      [],
      ["DNS:a.example.org"],
      ["URI:spiffe://a/b", "DNS:c", "IP:127.0.0.1", "email:a@b.c"],
    ]) {
      const raw = certificateOf(
        "/CN=app",
        ...leaf,
        ...(names.length === 0 ? [] : [`subjectAltName=${names.join(",")}`]),
      );
      const facts = readCertificate(raw);
      const text = new X509Certificate(raw).subjectAltName ?? "";
      const expected = (kind: string): string[] =>
        text
          .split(", ")
          .filter((name) => name.startsWith(kind))
          .map((name) => name.slice(kind.length));
      expect(facts.uriNames).toEqual(expected("URI:"));
      expect(facts.dnsNames).toEqual(expected("DNS:"));
    }
  });
});

describe("hostile bytes", () => {
  const raw = certificateOf("/CN=app", ...leaf, uri(id));

  it("cut short anywhere are unreadable", () => {
    for (let length = 0; length < raw.length; length++) {
      expect(judged(raw.subarray(0, length)), `${length} bytes`).toEqual({
        kind: "refused",
        reason: "certificate_unreadable",
      });
    }
    expect(judged(Buffer.concat([raw, Buffer.of(0)]))).toMatchObject({ reason: "certificate_unreadable" });
  });

  it("changed anywhere never throw", () => {
    fc.assert(
      fc.property(fc.nat(raw.length - 1), fc.integer({ min: 1, max: 255 }), (offset, change) => {
        const changed = Uint8Array.from(raw);
        changed[offset] = (changed[offset] ?? 0) ^ change;
        expect(["verified", "refused"]).toContain(judged(changed).kind);
      }),
      { numRuns: 3000 },
    );
  });

  it("that are random give elements or DerError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(["verified", "refused"]).toContain(judged(bytes).kind);
        try {
          readDerElements(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DerError);
        }
      }),
    );
  });

  it.each<[string, number[]]>([
    ["an indefinite length", [0x30, 0x80, 0, 0]],
    ["a length in more bytes than it needs", [0x30, 0x81, 0x01, 0]],
    ["a length with a leading zero", [0x30, 0x82, 0x00, 0x80]],
    ["a length of five bytes", [0x30, 0x85, 1, 0, 0, 0, 0]],
    ["a length beyond the end", [0x30, 0x84, 0xff, 0xff, 0xff, 0xff]],
    ["a length without a length", [0x30]],
    ["a length cut short", [0x30, 0x82, 0x01]],
    ["a tag of several bytes", [0x1f, 0x81, 0x00]],
  ])("are refused: %s", (_what, bytes) => {
    expect(() => readDerElements(Uint8Array.from(bytes))).toThrow(DerError);
  });

  it("with an extension twice are refused", () => {
    // The id of the second extension (extendedKeyUsage) becomes that of basicConstraints.
    const changed = Buffer.from(raw);
    const at = changed.indexOf(Buffer.from("0603551d25", "hex"));
    expect(at).toBeGreaterThan(0);
    changed[at + 4] = 0x13;
    expect(judged(changed)).toEqual({ kind: "refused", reason: "certificate_unreadable" });
  });
});

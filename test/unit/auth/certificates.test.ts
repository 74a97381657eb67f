// Logins with certificates: the table of SPIFFE cases, and logins by certificate alone. The certificates are real; what
// TLS says about them is given.
import { randomBytes } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { createClientCertAuthenticator } from "../../../src/auth/clientcert-authenticator.ts";
import { systemClock } from "../../../src/base/clock.ts";
import type { Peer } from "../../../src/identity/peer.ts";
import { certificateOf, leaf, rawUriName } from "../identity/self-signed.ts";
import { tcpPeer, tlsPeer, unixPeer } from "../users/support.ts";
import { type Bench, benchOf, type ClientBehaviour, logIn, verdictOf } from "./support.ts";

const id = "spiffe://example.org/app/x";
const withUri = (uri: string): string => `subjectAltName=URI:${uri}`;

function presenting(
  raw: Uint8Array,
  verifyError: string | null = null,
  notAfterMs = Number.MAX_SAFE_INTEGER,
): Peer {
  const certificate = { verifyError, raw, serialNumber: "01", issuer: "CN=Test", notAfterMs };
  return { ...tcpPeer(), tls: { version: "TLSv1.3", cipher: "c", certificate } };
}

const good = presenting(certificateOf("/CN=app", ...leaf, withUri(id)));
const withoutId = presenting(certificateOf("/CN=app", ...leaf));
const users = {
  both: [{ Password: "right", Attributes: { spiffe_id: id } }],
  cert: [{ Attributes: { spiffe_id: id } }],
  pattern: [{ Attributes: { spiffe_id: "!spiffe://example\\.org/app/.*" } }],
  anything: [{ Attributes: { spiffe_id: "!.*" } }],
  plain: [{ Password: "right" }],
  mixed: [
    { Attributes: { spiffe_id: id }, UserData: "by_certificate" },
    { Password: "right", UserData: "by_password" },
  ],
  reversed: [
    { Password: "right", UserData: "by_password" },
    { Attributes: { spiffe_id: id }, UserData: "by_certificate" },
  ],
  locked: [{ Attributes: { spiffe_id: id }, AccountLocked: true }],
};
const plugins = ["caching_sha2_password", "mysql_native_password", "sha256_password", "mysql_clear_password"];

let bench: Bench;
afterEach(() => bench.authenticator.close());
const verdict = async (client: ClientBehaviour): Promise<string> => verdictOf(await logIn(bench, client));

describe("a spiffe_id entry", () => {
  it.each<[string, string, Peer, string, string]>([
    ["1: plain TCP, right password", "both", tcpPeer(), "right", "1045 certificate_missing"],
    ["2: unix socket, right password", "both", unixPeer, "right", "1045 certificate_missing"],
    ["3: TLS without a certificate, right password", "both", tlsPeer(), "right", "1045 certificate_missing"],
    ["4: no URI name", "both", withoutId, "right", "1045 certificate_without_uri"],
    [
      "5: another id",
      "both",
      presenting(certificateOf("/CN=app", ...leaf, withUri("spiffe://example.org/app/y"))),
      "right",
      "1045 spiffe_id_mismatch",
    ],
    ["6: matching id, wrong password", "both", good, "wrong", "1045 wrong_password"],
    ["6: matching id, no password", "both", good, "", "1045 empty_password"],
    ["7: matching id, right password", "both", good, "right", "ok both"],
    ["8: no password in the entry, none sent", "cert", good, "", "ok cert"],
    ["8: no password in the entry, any sent", "cert", good, "anything", "ok cert"],
    [
      "9: no certificate, no password in the entry, none sent",
      "cert",
      tlsPeer(),
      "",
      "1045 certificate_missing",
    ],
    [
      "10: expired",
      "cert",
      { ...good, tls: presenting(certificateOf("/CN=a", ...leaf, withUri(id)), "CERT_HAS_EXPIRED").tls },
      "",
      "1045 certificate_cert_has_expired",
    ],
    [
      "11: revoked, and another user who has a password",
      "plain",
      presenting(certificateOf("/CN=app", ...leaf), "CERT_REVOKED"),
      "right",
      "1045 certificate_cert_revoked",
    ],
    ["12: a certificate without id, a user with a password", "plain", withoutId, "right", "ok plain"],
    [
      "13: two ids",
      "cert",
      presenting(certificateOf("/CN=app", ...leaf, `${withUri(id)},URI:spiffe://example.org/b`)),
      "",
      "1045 certificate_with_several_uris",
    ],
    [
      "13: two ids, a user with a password",
      "plain",
      presenting(certificateOf("/CN=app", ...leaf, `${withUri(id)},URI:spiffe://example.org/b`)),
      "right",
      "ok plain",
    ],
    [
      "14: https",
      "cert",
      presenting(certificateOf("/CN=app", ...leaf, withUri("https://example.org/app/x"))),
      "",
      "1045 certificate_uri_not_spiffe",
    ],
    [
      "15: NUL",
      "cert",
      presenting(certificateOf("/CN=app", ...leaf, rawUriName(`${id}\0.evil`))),
      "",
      "1045 certificate_uri_with_nul",
    ],
    [
      "16: another case in the path",
      "cert",
      presenting(certificateOf("/CN=app", ...leaf, withUri("spiffe://example.org/App/x"))),
      "",
      "1045 spiffe_id_mismatch",
    ],
    ["19: a pattern that matches", "pattern", good, "", "ok pattern"],
    [
      "20: a pattern that matches the beginning only",
      "pattern",
      presenting(certificateOf("/CN=app", ...leaf, withUri("spiffe://example.org/app"))),
      "",
      "1045 spiffe_id_mismatch",
    ],
    [
      "20: a pattern that matches in the middle",
      "pattern",
      presenting(certificateOf("/CN=app", ...leaf, withUri("spiffe://a.example.org/app/x"))),
      "",
      "1045 spiffe_id_mismatch",
    ],
    [
      "23: a pattern for everything, another scheme",
      "anything",
      presenting(certificateOf("/CN=app", ...leaf, withUri("spiffexyz:app/x"))),
      "",
      "1045 certificate_uri_not_spiffe",
    ],
    ["27: mixed entries, no certificate, right password", "mixed", tlsPeer(), "right", "ok by_password"],
    [
      "27: mixed entries, a certificate without id, right password",
      "mixed",
      withoutId,
      "right",
      "ok by_password",
    ],
    ["27: mixed entries, plain TCP, right password", "mixed", tcpPeer(), "right", "ok by_password"],
    ["27: mixed entries, wrong password", "mixed", tlsPeer(), "wrong", "1045 wrong_password"],
    ["mixed entries, the certificate's first", "mixed", good, "right", "ok by_certificate"],
    ["mixed entries, the password's first and right", "reversed", good, "right", "ok by_password"],
    ["mixed entries, the password's first and wrong", "reversed", good, "wrong", "ok by_certificate"],
    ["locked", "locked", good, "", "3118 account_locked"],
    ["unknown user with a good certificate", "nobody", good, "", "1045 unknown_user"],
  ])("%s", async (_what, user, peer, password, expected) => {
    bench = await benchOf(users);
    for (const plugin of plugins) {
      if (plugin === "mysql_clear_password" && peer.tls === null) continue;
      const result = await verdict({ user, peer, password, plugin });
      // Why a login without a password is refused may be told by any of two reasons; that it is refused, not.
      if (password === "" && expected === "1045 empty_password") expect(result).toMatch(/^1045 /);
      else expect(result, plugin).toBe(expected);
    }
  });

  it("names the id in the outcome where it was needed, and only there", async () => {
    bench = await benchOf(users);
    for (const [user, password, spiffeId] of [
      ["both", "right", id],
      ["cert", "", id],
      ["plain", "right", null],
      ["reversed", "right", null],
    ] as const) {
      const { outcome } = await logIn(bench, { user, password, peer: good });
      expect(outcome).toMatchObject({ kind: "accepted", user: { spiffeId } });
    }
  });

  it("lets the client's method come to its end: 01 03 after a token, nothing after an empty answer", async () => {
    bench = await benchOf(users);
    expect((await logIn(bench, { user: "cert", password: "x", peer: good })).trace).toEqual(["more 03"]);
    expect((await logIn(bench, { user: "cert", password: "", peer: good })).trace).toEqual([]);
  });

  it("24, 25: cannot be reached by COM_CHANGE_USER, with its certificate or its password", async () => {
    bench = await benchOf(users);
    const origin = "change_user";
    for (const plugin of plugins) {
      const of = (user: string, password: string) => verdict({ user, password, peer: good, origin, plugin });
      expect(await of("both", "right")).toBe("1045 change_user_to_spiffe");
      expect(await of("cert", "")).toBe("1045 change_user_to_spiffe");
      expect(await of("mixed", "right")).toBe("ok by_password");
    }
  });

  it("does not count at COM_CHANGE_USER when it has ended since the connection began", async () => {
    bench = await benchOf(users);
    const peer = presenting(certificateOf("/CN=app", ...leaf), null, 1);
    const client = { user: "plain", password: "right", peer };
    expect(await verdict(client)).toBe("ok plain");
    const again = await verdict({ ...client, origin: "change_user" });
    expect(again).toBe("1045 certificate_cert_has_expired");
  });

  it("30: where certificates are required, nobody logs in over TCP without one; 3159 without TLS", async () => {
    bench = await benchOf(users, { requireClientCertificate: true });
    const of = (peer: Peer) => verdict({ user: "plain", password: "right", peer });
    expect(await of(tlsPeer())).toBe("1045 certificate_missing");
    expect(await of(tcpPeer())).toBe("3159 certificate_missing");
    expect(await of(withoutId)).toBe("ok plain");
    expect(await of(unixPeer)).toBe("ok plain");
  });
});

describe("clientcert", () => {
  const authenticator = createClientCertAuthenticator({
    randomBytes,
    clock: systemClock,
    method: "mysql_clear_password",
  });
  const named = (subject: string, ...extensions: string[]): Peer =>
    presenting(certificateOf(subject, ...leaf, ...extensions));
  const verdictFor = async (client: ClientBehaviour): Promise<string> => {
    bench = await benchOf({ u: [{ Password: "p" }] });
    return verdictOf(await logIn({ ...bench, authenticator }, client));
  };

  it("lets in whose name the certificate has, whatever the password; its DNS names are the groups", async () => {
    const peer = named("/CN=app", "subjectAltName=DNS:a.example.org,DNS:b.example.org");
    for (const plugin of [...plugins, "dialog"]) {
      for (const password of ["", "anything"]) {
        expect(await verdictFor({ user: "app", password, peer, plugin })).toBe("ok app");
      }
    }
    const { outcome, request } = await logIn(
      { ...bench, authenticator },
      { user: "app", password: "x", peer },
    );
    if (outcome?.kind !== "accepted") throw new Error("refused");
    expect(authenticator.identify(outcome.user, request)).toMatchObject({
      base: null,
      identity: {
        callerId: { username: "app", groups: ["a.example.org", "b.example.org"] },
        plugin: "clientcert",
      },
    });
  });

  it.each<[string, Peer, string]>([
    ["another name", named("/CN=other"), "1045 certificate_of_another_user"],
    ["another case", named("/CN=App"), "1045 certificate_of_another_user"],
    ["two names", named("/CN=app/CN=app"), "1045 certificate_with_several_common_names"],
    ["no name", named("/O=app"), "1045 certificate_without_common_name"],
    [
      "the name in the DNS names only",
      named("/O=app", "subjectAltName=DNS:app"),
      "1045 certificate_without_common_name",
    ],
    ["no certificate", tlsPeer(), "1045 certificate_missing"],
    ["no TLS", tcpPeer(), "3159 certificate_missing"],
    ["a unix socket", unixPeer, "1045 certificate_missing"],
    [
      "a certificate that was not verified",
      presenting(certificateOf("/CN=app", ...leaf), "CERT_HAS_EXPIRED"),
      "1045 certificate_cert_has_expired",
    ],
    [
      "a CA",
      presenting(certificateOf("/CN=app", "basicConstraints=critical,CA:TRUE")),
      "1045 certificate_of_an_authority",
    ],
  ])("refuses %s", async (_what, peer, expected) => {
    for (const plugin of plugins) {
      for (const origin of ["connect", "change_user"] as const) {
        expect(await verdictFor({ user: "app", password: "x", peer, plugin, origin })).toBe(expected);
      }
    }
  });
});

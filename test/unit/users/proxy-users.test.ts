import { describe, expect, it } from "vitest";
import type { Peer } from "../../../src/identity/peer.ts";
import { mapProxyUser } from "../../../src/users/proxy-users.ts";
import { directoryOf, entryOf, tcpPeer, tlsPeer, unixPeer } from "./support.ts";

const now = Date.parse("2026-06-01T12:00:00Z");

const nativeOnly = {
  checkProxyUsers: true,
  mysqlNativePasswordProxyUsers: true,
  cachingSha2PasswordProxyUsers: false,
  sha256PasswordProxyUsers: false,
};

function baseOf(users: Record<string, object[]>, peer: Peer = tcpPeer()): string {
  const directory = directoryOf(users);
  const entry = entryOf(directory, "proxy");
  const mapping = mapProxyUser(entry, "mysql_native_password", peer, directory, nativeOnly, now);
  return mapping.kind === "base" ? `${mapping.entry.user}[${mapping.entry.index}]` : mapping.kind;
}

const proxyFor = (...names: string[]): object[] => [{ Password: "p", ProxyFor: names }];

describe("mapProxyUser()", () => {
  it("takes the first user of the written order that exists", () => {
    expect(baseOf({ proxy: proxyFor("b", "a"), a: [{}], b: [{}] })).toBe("b[0]");
    expect(baseOf({ proxy: proxyFor("gone", "a"), a: [{}] })).toBe("a[0]");
    expect(baseOf({ proxy: [{ Password: "p", ProxyFor: "a" }], a: [{}] })).toBe("a[0]");
  });

  it("leaves the user itself where none exists", () => {
    expect(baseOf({ proxy: [{ Password: "p" }] })).toBe("itself");
    expect(baseOf({ proxy: proxyFor("gone", "gone too") })).toBe("itself");
    expect(baseOf({ proxy: proxyFor("a"), a: [] })).toBe("itself");
  });

  it("takes names exactly: no letter case, no pattern", () => {
    expect(baseOf({ proxy: proxyFor("A"), a: [{}] })).toBe("itself");
    expect(baseOf({ proxy: proxyFor("a_"), ab: [{}] })).toBe("itself");
  });

  it("never chains", () => {
    const users = { proxy: proxyFor("a"), a: [{ Password: "x", ProxyFor: "b" }], b: [{}] };
    expect(baseOf(users)).toBe("a[0]");
  });

  it("takes a locked base, and one whose spiffe_id the client does not have", () => {
    expect(baseOf({ proxy: proxyFor("a"), a: [{ AccountLocked: true }] })).toBe("a[0]");
    expect(baseOf({ proxy: proxyFor("a"), a: [{ Attributes: { spiffe_id: "spiffe://x/y" } }] })).toBe("a[0]");
  });

  it("takes the base's first entry that admits the client by host", () => {
    const hosts = { proxy: proxyFor("a", "c"), a: [{ SourceHost: "10.0.0.0/8" }, {}], c: [{}] };
    expect(baseOf(hosts)).toBe("a[1]");
    expect(baseOf(hosts, tcpPeer("10.1.2.3"))).toBe("a[0]");
    const socketOnly = { proxy: proxyFor("a", "c"), a: [{ SourceHost: "localhost" }], c: [{}] };
    expect(baseOf(socketOnly)).toBe("c[0]");
    expect(baseOf(socketOnly, unixPeer)).toBe("a[0]");
  });

  it("takes a base within its time only", () => {
    const of = (window: object): string => baseOf({ proxy: proxyFor("a", "c"), a: [window], c: [{}] });
    expect(of({ NotBefore: "2026-06-01T12:00:00Z" })).toBe("a[0]");
    expect(of({ NotBefore: "2026-06-01T12:00:01Z" })).toBe("c[0]");
    expect(of({ NotAfter: "2026-06-01T12:00:00Z" })).toBe("a[0]");
    expect(of({ NotAfter: "2026-06-01T11:59:59Z" })).toBe("c[0]");
  });

  it("holds the demand of an existing base for a secure transport", () => {
    const users = { proxy: proxyFor("a", "c"), a: [{ RequireSecureTransport: true }], c: [{}] };
    expect(baseOf(users)).toBe("insecure");
    expect(baseOf(users, tlsPeer())).toBe("a[0]");
    expect(baseOf(users, unixPeer)).toBe("a[0]");
    const second = { proxy: proxyFor("a"), a: [{ RequireSecureTransport: true }, { UserData: "plain" }] };
    expect(baseOf(second)).toBe("a[1]");
    expect(baseOf(second, tlsPeer())).toBe("a[0]");
  });
});

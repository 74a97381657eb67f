import { describe, expect, it } from "vitest";
import { parseRfc3339 } from "../../../src/users/rfc3339-time.ts";
import { parseSourceHost, type SourceHostRule } from "../../../src/users/source-host.ts";
import { tcpPeer, unixPeer } from "./support.ts";

function ruleOf(...values: string[]): SourceHostRule {
  const rule = parseSourceHost(values);
  if ("wrong" in rule) throw new Error(`wrong ${rule.wrong}`);
  return rule;
}

describe("parseSourceHost()", () => {
  it.each([
    ["", "192.0.2.7", true],
    ["localhost", "127.0.0.1", false],
    ["127.0.0.1", "127.0.0.1", true],
    ["10.0.0.0/8", "10.255.0.1", true],
    ["10.0.0.0/8", "11.0.0.1", false],
    ["10.0.0.1", "::ffff:10.0.0.1", true],
    ["::ffff:10.0.0.1", "10.0.0.1", true],
    ["2001:db8::/32", "2001:db8:1::5", true],
    ["2001:db8::/32", "2001:db9::5", false],
    ["0.0.0.0/0", "2001:db8::1", false],
  ])("'%s' and a client at %s: %s", (value, address, admitted) => {
    expect(ruleOf(value).admits(tcpPeer(address))).toBe(admitted);
  });

  it("admits the unix socket by 'localhost' and by nothing else", () => {
    expect(ruleOf("localhost").admits(unixPeer)).toBe(true);
    expect(ruleOf("").admits(unixPeer)).toBe(true);
    expect(ruleOf("127.0.0.1", "::1").admits(unixPeer)).toBe(false);
    expect(ruleOf("127.0.0.1", "localhost").admits(unixPeer)).toBe(true);
  });

  it("shows what was written", () => {
    expect(ruleOf("10.0.0.0/8", "localhost").text).toBe("10.0.0.0/8,localhost");
    expect(ruleOf("").text).toBe("%");
  });
});

describe("parseRfc3339()", () => {
  it.each([
    ["1970-01-01T00:00:00Z", 0],
    ["1970-01-01T01:00:00.5+01:00", 500],
    ["2026-01-31t08:00:00z", Date.UTC(2026, 0, 31, 8)],
    ["2024-02-29T23:59:60Z", Date.UTC(2024, 2, 1)],
    ["0099-01-01T00:00:00Z", new Date("0099-01-01T00:00:00Z").getTime()],
    ["2026-02-29T00:00:00Z", null],
    ["2026-13-01T00:00:00Z", null],
    ["2026-01-01T24:00:00Z", null],
    ["2026-01-01 00:00:00Z", null],
    ["2026-01-01", null],
    ["2026-01-01T00:00:00", null],
    ["", null],
  ])("%s", (text, expected) => {
    expect(parseRfc3339(text)).toBe(expected);
  });
});

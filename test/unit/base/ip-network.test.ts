import { describe, expect, it } from "vitest";
import { canonicalAddress, parseIpNetwork } from "../../../src/base/ip-network.ts";

describe("parseIpNetwork()", () => {
  it.each([
    ["10.0.0.0/8", "10.255.0.1", true],
    ["10.0.0.0/8", "11.0.0.1", false],
    ["10.0.0.7", "10.0.0.7", true],
    ["10.0.0.7", "10.0.0.8", false],
    ["0.0.0.0/0", "203.0.113.9", true],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["10.0.0.0/8", "::ffff:10.1.2.3", true],
    ["::ffff:10.0.0.0/104", "10.1.2.3", true],
    ["::ffff:10.0.0.0/104", "11.1.2.3", false],
    ["2001:db8::/32", "2001:db8:1::5", true],
    ["2001:db8::/32", "2001:db9::5", false],
    ["::/0", "2001:db8::1", true],
    ["::/0", "10.0.0.1", false],
    ["fe80::/10", "fe80::1%eth0", true],
    ["::1", "0:0:0:0:0:0:0:1", true],
    ["::1", "localhost", false],
    ["::1", "", false],
  ])("%s contains %s: %s", (network, address, expected) => {
    expect(parseIpNetwork(network)?.contains(address)).toBe(expected);
  });

  it.each([
    "",
    "10.0.0",
    "10.0.0.0/33",
    "10.0.0.0/",
    "10.0.0.0/-1",
    "::/129",
    "localhost",
    "10.0.0.0/8/8",
    "1.2.3.4 ",
    "::ffff:10.0.0.0/8",
    "010.0.0.1",
    "%",
  ])("refuses %j", (text) => {
    expect(parseIpNetwork(text)).toBeNull();
  });
});

describe("canonicalAddress()", () => {
  it.each([
    ["::ffff:10.1.2.3", "10.1.2.3"],
    ["::FFFF:0a01:203", "10.1.2.3"],
    ["0:0:0:0:0:ffff:10.1.2.3", "10.1.2.3"],
    ["fe80::1%eth0", "fe80::1"],
    ["2001:db8::ffff:1:2", "2001:db8::ffff:1:2"],
    ["10.1.2.3", "10.1.2.3"],
    ["", ""],
  ])("of %s is %s", (address, expected) => {
    expect(canonicalAddress(address)).toBe(expected);
  });
});

// PROXY protocol headers, whole and at every truncated length.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseProxyHeader } from "../../../src/server/proxy-header.ts";

const v2 = (command: number, family: number, addresses: Buffer): Buffer => {
  const head = Buffer.from("0d0a0d0a000d0a515549540a", "hex");
  const length = Buffer.alloc(2);
  length.writeUInt16BE(addresses.length);
  return Buffer.concat([head, Buffer.of(0x20 | command, family), length, addresses]);
};
const ipv4 = Buffer.from("c0000201c6336402d4310ce8", "hex");
const ipv6 = Buffer.concat([
  Buffer.from(`20010db8${"00".repeat(11)}01`, "hex"),
  Buffer.alloc(16),
  Buffer.from("d4310ce8", "hex"),
]);

describe("parseProxyHeader()", () => {
  it.each([
    [
      "v1 TCP4",
      Buffer.from("PROXY TCP4 192.0.2.1 198.51.100.2 54321 3306\r\n"),
      { address: "192.0.2.1", port: 54321 },
    ],
    [
      "v1 TCP6",
      Buffer.from("PROXY TCP6 2001:db8::1 2001:db8::2 54321 3306\r\n"),
      { address: "2001:db8::1", port: 54321 },
    ],
    ["v1 UNKNOWN", Buffer.from("PROXY UNKNOWN\r\n"), null],
    ["v1 UNKNOWN with text", Buffer.from("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"), null],
    ["v2 TCP4", v2(1, 0x11, ipv4), { address: "192.0.2.1", port: 54321 }],
    [
      "v2 TCP4 with TLVs",
      v2(1, 0x11, Buffer.concat([ipv4, Buffer.from([4, 0, 1, 0])])),
      { address: "192.0.2.1", port: 54321 },
    ],
    ["v2 TCP6", v2(1, 0x21, ipv6), { address: "2001:db8:0:0:0:0:0:1", port: 54321 }],
    ["v2 LOCAL", v2(0, 0, Buffer.alloc(0)), null],
    ["v2 unix names nobody", v2(1, 0x31, Buffer.alloc(216)), null],
  ])("reads %s, and waits at every truncated length", (_name, bytes, source) => {
    expect(parseProxyHeader(bytes)).toEqual({ kind: "header", headerBytes: bytes.length, source });
    for (let length = 0; length < bytes.length; length += 1) {
      expect(parseProxyHeader(bytes.subarray(0, length)).kind).toBe("more");
    }
    const behind = parseProxyHeader(Buffer.concat([bytes, Buffer.from("x")]));
    expect(behind).toEqual({ kind: "header", headerBytes: bytes.length, source });
  });

  it.each([
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\n")],
    ["a MySQL packet", Buffer.from("2000000185a6ff01", "hex")],
    ["a bad address", Buffer.from("PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n")],
    ["the wrong family", Buffer.from("PROXY TCP4 ::1 ::1 1 2\r\n")],
    ["a bad port", Buffer.from("PROXY TCP4 1.2.3.4 1.2.3.4 70000 2\r\n")],
    ["a missing field", Buffer.from("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n")],
    ["a line without end", Buffer.from(`PROXY TCP4 ${"1".repeat(300)}`)],
    ["an unknown command", v2(2, 0x11, ipv4)],
    ["addresses cut short", v2(1, 0x11, ipv4.subarray(0, 8))],
    ["an unknown family", v2(1, 0x41, ipv4)],
    ["more than 4 KiB", v2(1, 0x11, Buffer.alloc(5000))],
  ])("refuses %s", (_name, bytes) => expect(parseProxyHeader(bytes).kind).toBe("invalid"));

  it("never throws and never asks for more than 4 KiB", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(["more", "invalid", "header"]).toContain(parseProxyHeader(Buffer.from(bytes)).kind);
      }),
    );
    expect(parseProxyHeader(Buffer.concat([Buffer.from("PROXY "), Buffer.alloc(5000)])).kind).toBe("invalid");
  });
});

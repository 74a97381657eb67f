// The PROXY protocol's header, versions 1 and 2 (https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt). A pure
// function over the first bytes of a connection; who may send one is the listener's affair.

import { isIP } from "node:net";

/** The longest header of version 1, in bytes, CRLF included: 107 by the specification, twice that to be lenient. */
const V1_BYTES_MAX = 216;
/** The longest header of version 2 that is taken, in bytes; beyond: refused. */
const V2_BYTES_MAX = 4096;
const V2_SIGNATURE = Buffer.from("0d0a0d0a000d0a515549540a", "hex");
const V2_HEADER_BYTES = 16;

/** What the first bytes hold. `address: null`: the header says LOCAL or UNKNOWN, the socket's own address holds. */
export type ProxyHeader =
  | { readonly kind: "more" }
  | { readonly kind: "invalid"; readonly reason: string }
  | { readonly kind: "header"; readonly headerBytes: number; readonly source: ProxySource | null };

/** The client as the balancer saw it. */
export interface ProxySource {
  readonly address: string;
  readonly port: number;
}

/** Reads a header at the start of `bytes`. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (bytes.length === 0) return { kind: "more" };
  const compared = Math.min(bytes.length, V2_SIGNATURE.length);
  if (bytes.subarray(0, compared).equals(V2_SIGNATURE.subarray(0, compared))) return parseV2(bytes);
  return parseV1(bytes);
}

function parseV1(bytes: Buffer): ProxyHeader {
  const prefix = "PROXY ";
  const seen = bytes.toString("latin1", 0, Math.min(bytes.length, prefix.length));
  if (!prefix.startsWith(seen)) return { kind: "invalid", reason: "no PROXY header" };
  const end = bytes.indexOf("\r\n");
  if (end < 0) {
    return bytes.length >= V1_BYTES_MAX
      ? { kind: "invalid", reason: "the PROXY header is too long" }
      : { kind: "more" };
  }
  if (end + 2 > V1_BYTES_MAX) return { kind: "invalid", reason: "the PROXY header is too long" };
  const headerBytes = end + 2;
  const words = bytes.toString("latin1", 0, end).split(" ");
  if (words[1] === "UNKNOWN") return { kind: "header", headerBytes, source: null };
  const [, family, address, , port] = words;
  const source = checkedSource(
    family === "TCP4" ? 4 : family === "TCP6" ? 6 : 0,
    address ?? "",
    Number(port),
  );
  if (words.length !== 6 || source === null)
    return { kind: "invalid", reason: "the PROXY header is malformed" };
  return { kind: "header", headerBytes, source };
}

function parseV2(bytes: Buffer): ProxyHeader {
  if (bytes.length < V2_HEADER_BYTES) return { kind: "more" };
  const headerBytes = V2_HEADER_BYTES + bytes.readUInt16BE(14);
  if (headerBytes > V2_BYTES_MAX) return { kind: "invalid", reason: "the PROXY header is too long" };
  const version = bytes.readUInt8(12) >> 4;
  const command = bytes.readUInt8(12) & 15;
  if (version !== 2 || command > 1)
    return { kind: "invalid", reason: "the PROXY header has an unknown version or command" };
  if (bytes.length < headerBytes) return { kind: "more" };
  if (command === 0) return { kind: "header", headerBytes, source: null };
  return v2Source(bytes.readUInt8(13), bytes.subarray(V2_HEADER_BYTES, headerBytes), headerBytes);
}

function v2Source(familyAndTransport: number, addresses: Buffer, headerBytes: number): ProxyHeader {
  const family = familyAndTransport >> 4;
  // AF_UNSPEC and AF_UNIX name no address that could be believed; a header never makes a session "unix socket".
  if (family === 0 || family === 3) return { kind: "header", headerBytes, source: null };
  const addressBytes = family === 1 ? 4 : family === 2 ? 16 : 0;
  if (addressBytes === 0 || addresses.length < addressBytes * 2 + 4) {
    return { kind: "invalid", reason: "the PROXY header is malformed" };
  }
  const address = addressBytes === 4 ? [...addresses.subarray(0, 4)].join(".") : ipv6Text(addresses);
  return { kind: "header", headerBytes, source: { address, port: addresses.readUInt16BE(addressBytes * 2) } };
}

function ipv6Text(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_unused, index) => bytes.readUInt16BE(index * 2).toString(16));
  return groups.join(":");
}

function checkedSource(family: 0 | 4 | 6, address: string, port: number): ProxySource | null {
  if (family === 0 || isIP(address) !== family) return null;
  return Number.isInteger(port) && port >= 0 && port <= 65535 ? { address, port } : null;
}

// IP addresses and networks (CIDR) as settings name them. No look-ups: names are not addresses.

import { BlockList, isIP } from "node:net";

/** An address or a network. */
export interface IpNetwork {
  /** As written. */
  readonly text: string;
  /** Whether `address` (as {@link canonicalAddress} gives it) lies in the network; false for what is no address. */
  contains(address: string): boolean;
}

/**
 * The address without zone (`fe80::1%eth0` -> `fe80::1`), and IPv4-mapped IPv6 as IPv4 (`::ffff:10.0.0.1` ->
 * `10.0.0.1`, also in its hexadecimal form).
 */
export function canonicalAddress(address: string): string {
  const bare = address.split("%", 1)[0] ?? "";
  if (isIP(bare) !== 6) return bare;
  const dotted = /^(?:0{0,4}:){2,5}ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1];
  if (dotted !== undefined && isIP(dotted) === 4) return dotted;
  const hex = /^(?:0{0,4}:){2,5}ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(bare);
  if (hex === null) return bare;
  const high = Number.parseInt(hex[1] ?? "", 16);
  const low = Number.parseInt(hex[2] ?? "", 16);
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".");
}

/** Reads `10.0.0.0/8`, `2001:db8::/32` or a single address; null when `text` is neither. */
export function parseIpNetwork(text: string): IpNetwork | null {
  const match = /^([0-9a-fA-F:.]+)(?:\/(\d{1,3}))?$/.exec(text);
  const address = canonicalAddress(match?.[1] ?? "");
  const family = isIP(address);
  if (match === null || family === 0) return null;
  const mapped = family === 4 && (match[1] ?? "").includes(":");
  const bitsMax = family === 4 ? 32 : 128;
  const written = match[2] === undefined ? null : Number(match[2]);
  // The prefix of an IPv4-mapped network counts from the start of the 128 bits.
  const bits = written === null ? bitsMax : mapped ? written - 96 : written;
  if (bits < 0 || bits > bitsMax) return null;
  const list = new BlockList();
  const type = family === 4 ? "ipv4" : "ipv6";
  list.addSubnet(address, bits, type);
  return {
    text,
    contains: (candidate) => {
      const canonical = canonicalAddress(candidate);
      return isIP(canonical) === family && list.check(canonical, type);
    },
  };
}

// Where a server listens, as people write it: `db1:3306`, `[2001:db8::1]:3306`, `/run/mysqld/mysqld.sock`.

import type { BackendAddress, Tablet } from "./route.ts";

/** Longest path of a unix socket that systems allow, in bytes. */
const socketPathBytesMax = 107;

/** Reads an address. A string is the predicate of a sentence about what is wrong. */
export function parseTabletAddress(text: string): BackendAddress | string {
  if (text.startsWith("/")) {
    if (Buffer.byteLength(text) > socketPathBytesMax)
      return `must have at most ${socketPathBytesMax} bytes where it is the path of a unix socket`;
    return { kind: "unix", path: text };
  }
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/@[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3] ?? 0);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || port < 1 || port > 65535)
    return 'must be "host:port", "[ipv6]:port" or the path of a unix socket';
  return { kind: "tcp", host, port };
}

/** As {@link parseTabletAddress} reads it. */
export function formatTabletAddress(address: BackendAddress): string {
  if (address.kind === "unix") return address.path;
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** Whether both are one place. */
export function isSameAddress(a: BackendAddress, b: BackendAddress): boolean {
  if (a.kind === "unix" || b.kind === "unix")
    return a.kind === "unix" && b.kind === "unix" && a.path === b.path;
  return a.port === b.port && a.host === b.host;
}

/** Tablets are immutable and few: their keys are made once. */
const tabletKeys = new WeakMap<Tablet, string>();

/** Equal for the same server. A tablet that moved to another address or other TLS settings is another one. */
export function tabletKey(tablet: Tablet): string {
  let key = tabletKeys.get(tablet);
  if (key === undefined) {
    key = `${JSON.stringify([tablet.alias, tablet.address, tablet.tls])} `;
    tabletKeys.set(tablet, key);
  }
  return key;
}

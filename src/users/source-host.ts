// SourceHost of an entry: which peers it admits. Addresses and networks only, as nothing here asks the DNS.

import { type IpNetwork, parseIpNetwork } from "../base/ip-network.ts";
import type { Peer } from "../identity/peer.ts";

/** A compiled SourceHost. */
export interface SourceHostRule {
  /** As written, `%` when absent; several values joined by a comma. Shown by CURRENT_USER(). */
  readonly text: string;
  admits(peer: Peer): boolean;
}

/** Admits everybody. */
export const anySourceHost: SourceHostRule = { text: "%", admits: () => true };

/**
 * Compiles one value or a list of them: `localhost` (the unix socket and nothing else, as Vitess has it), an IP
 * address, a CIDR. The empty string admits everybody, as absence does. Returns the index of the first value that is
 * none of these.
 */
export function parseSourceHost(values: readonly string[]): SourceHostRule | { readonly wrong: number } {
  if (values.includes("")) return values.length === 1 ? anySourceHost : { wrong: values.indexOf("") };
  const networks: IpNetwork[] = [];
  for (const [index, value] of values.entries()) {
    if (value === "localhost") continue;
    const network = parseIpNetwork(value);
    if (network === null) return { wrong: index };
    networks.push(network);
  }
  const admitsSocket = values.includes("localhost");
  return {
    text: values.join(","),
    admits: (peer) =>
      peer.transport === "unix" ? admitsSocket : networks.some((network) => network.contains(peer.address)),
  };
}

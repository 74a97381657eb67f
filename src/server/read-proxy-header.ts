// Reads the PROXY header that a trusted balancer must send before the greeting. What follows the header in the same
// chunk cannot be a client's: MySQL's server speaks first.

import type { ByteChannel } from "../base/byte-channel.ts";
import { type ProxySource, parseProxyHeader } from "./proxy-header.ts";

/** A trusted balancer sends its header at once; one that does not within this time is closed. */
const HEADER_TIMEOUT_MS = 1000;

/**
 * Waits for the header on a channel that nobody has read yet; afterwards the channel is paused again.
 * Resolves to null for LOCAL and UNKNOWN. Rejects when the header is missing, malformed, late or too long.
 */
export function readProxyHeader(channel: ByteChannel): Promise<ProxySource | null> {
  return new Promise((resolve, reject) => {
    let seen: Buffer = Buffer.alloc(0);
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      channel.pause();
      settle();
    };
    const fail = (reason: string): void => finish(() => reject(new Error(reason)));
    const timer = setTimeout(() => fail("no PROXY header in time"), HEADER_TIMEOUT_MS);
    channel.setReceiver({
      onBytes: (chunk) => {
        seen = Buffer.concat([seen, chunk]);
        const header = parseProxyHeader(seen);
        if (header.kind === "invalid") fail(header.reason);
        if (header.kind !== "header") return;
        if (seen.length > header.headerBytes) fail("bytes before the greeting behind the PROXY header");
        else finish(() => resolve(header.source));
      },
      onClosed: () => fail("closed before a PROXY header"),
    });
    channel.resume();
  });
}

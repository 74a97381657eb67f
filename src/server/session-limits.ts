// From a gateway's options to the limits of its sessions: 0 in an option means "no limit", which here is Infinity.

import type { SessionLimits } from "../session/session-services.ts";
import type { GatewayOptions } from "./gateway-options.ts";

/** The limits that every session of the gateway keeps. */
export function sessionLimitsOf({ limits, timeouts }: GatewayOptions): SessionLimits {
  return {
    connectTimeoutMs: timeouts.connectMs,
    idleTimeoutMs: orNone(timeouts.idleMs),
    readTimeoutMs: orNone(timeouts.readMs),
    writeTimeoutMs: orNone(timeouts.writeMs),
    queryTimeoutMs: orNone(timeouts.queryMs),
    allowedPacketBytesMax: limits.packetBytesMax,
    connectionsMax: limits.connectionsMax,
    connectionsPerUserMax: limits.connectionsPerUserMax,
    preparedStatementsMax: limits.preparedStatementsMax,
  };
}

function orNone(ms: number): number {
  return ms === 0 ? Number.POSITIVE_INFINITY : ms;
}

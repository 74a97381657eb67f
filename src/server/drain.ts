// The end of a gateway's service, in VTGate's two ways: let running statements end, or let clients finish and leave.

import type { Clock } from "../base/clock.ts";
import type { SessionRegistry } from "../session/session-registry.ts";
import type { ShutdownOptions } from "./gateway-options.ts";

/** After the deadline, sessions have this long to flush their last packet before the process goes on, in milliseconds. */
const FAREWELL_MS = 500;

/**
 * Ends all sessions; the listeners are closed already. Resolves when none is left or the time is over. `hurry` aborts
 * the waiting: whatever is left then ends at once.
 */
export async function drainSessions(
  registry: SessionRegistry,
  options: ShutdownOptions,
  clock: Clock,
  hurry: AbortSignal,
): Promise<void> {
  const deadlineMs = clock.monotonicMs() + options.timeoutMs;
  // Without drainOnTerm idle sessions end now, and every other one after its present command. With it, a client is
  // left alone until it goes by itself or begins a command outside a transaction.
  for (const session of [...registry.all()]) session.requestEnd(options.drainOnTerm ? "drain" : "shutdown");
  await emptyOr(registry, Math.max(0, deadlineMs - clock.monotonicMs()), hurry);
  for (const session of [...registry.all()]) session.forceEnd("shutdown");
  await emptyOr(registry, FAREWELL_MS, hurry);
}

function emptyOr(registry: SessionRegistry, timeoutMs: number, hurry: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, timeoutMs);
    const finish = (): void => {
      clearTimeout(timer);
      resolve();
    };
    hurry.addEventListener("abort", finish, { once: true });
    void registry.whenEmpty().then(finish);
  });
}

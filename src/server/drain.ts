// The end of a gateway's service, in VTGate's two ways: let running statements end, or let clients finish and leave by
// themselves (--mysql_server_drain_onterm of Vitess 21: no new connections, no error for those that are there).

import type { Clock } from "../base/clock.ts";
import type { SessionRegistry } from "../session/session-registry.ts";
import type { ShutdownOptions } from "./gateway-options.ts";

/** After the deadline, sessions have this long to flush their last packet before the process goes on, in milliseconds. */
const FAREWELL_MS = 500;

/** Clients that are left alone and do not leave are sent away in the last part of the time, in milliseconds; or its last quarter. */
const LAST_CALL_MS = 5000;

/** Waits while balancers take notice; `hurry` ends it. */
export function lameduck({ lameduckMs }: ShutdownOptions, hurry: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, lameduckMs);
    hurry.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/**
 * Ends all sessions; the listeners are closed already. Resolves when none is left or the time is over. `hurry` aborts
 * the waiting: whatever is left then ends at once.
 */
export async function drainSessions(
  registry: SessionRegistry,
  options: Pick<ShutdownOptions, "drainOnTerm" | "timeoutMs">,
  clock: Clock,
  hurry: AbortSignal,
): Promise<void> {
  const deadlineMs = clock.monotonicMs() + options.timeoutMs;
  const untilDeadlineMs = (): number => Math.max(0, deadlineMs - clock.monotonicMs());
  // A client that is told at the start of a command knows that it was not done; one that is cut off does not.
  const lastCallMs = options.drainOnTerm ? Math.min(LAST_CALL_MS, options.timeoutMs / 4) : 0;
  if (options.drainOnTerm) await emptyOr(registry, untilDeadlineMs() - lastCallMs, hurry);
  for (const session of [...registry.all()]) session.requestEnd(options.drainOnTerm ? "drain" : "shutdown");
  await emptyOr(registry, untilDeadlineMs(), hurry);
  for (const session of [...registry.all()]) session.forceEnd("shutdown");
  await emptyOr(registry, FAREWELL_MS, hurry);
}

function emptyOr(registry: SessionRegistry, timeoutMs: number, hurry: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, Math.max(0, timeoutMs));
    const finish = (): void => {
      clearTimeout(timer);
      resolve();
    };
    if (hurry.aborted) finish();
    hurry.addEventListener("abort", finish, { once: true });
    void registry.whenEmpty().then(finish);
  });
}

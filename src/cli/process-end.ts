// The end of the process, which is bounded whatever hangs: a part that does not stop, a log that nobody reads, a socket
// that nobody has closed. A service manager that has said SIGTERM must not have to kill.

import type { GatewayOptions } from "../server/gateway-options.ts";

/** What is ended. */
export interface EndingProcess {
  /** Ends the process at once; it waits for lines that are being written. */
  readonly exitNow: (code: number) => void;
  /** Ends the process as SIGKILL does. */
  readonly killNow: () => void;
}

/** Beside the time that sessions have, the whole stop may take so long, in milliseconds: kills, logs, admin HTTP. */
const STOP_GRACE_MS = 15_000;
/** And so long more for an embedded database, which is killed after a minute, in milliseconds. */
const EMBEDDED_GRACE_MS = 60_000;
/** Lines that wait have so long to be written, in milliseconds. */
const FLUSH_MS = 10_000;
/** The same for somebody who has asked three times. */
const IMPATIENT_FLUSH_MS = 500;
/** When all is done and the process is still there, it ends after this time, in milliseconds: last replies linger for 5 s. */
const LEFTOVERS_MS = 7000;

/** How long a stop may take, in milliseconds. */
export function stopLimitMs({ shutdown, backend }: Pick<GatewayOptions, "shutdown" | "backend">): number {
  const graceMs = STOP_GRACE_MS + (backend.kind === "embedded" ? EMBEDDED_GRACE_MS : 0);
  return shutdown.lameduckMs + shutdown.timeoutMs + graceMs;
}

/** Writes what waits to be written, and ends the process now. */
export async function endProcess(
  ending: EndingProcess,
  closeLogs: () => Promise<void>,
  code: number,
): Promise<void> {
  if (await closed(closeLogs, IMPATIENT_FLUSH_MS)) ending.exitNow(code);
  else ending.killNow();
}

/**
 * Writes what waits to be written; the process then ends by itself, when nothing is left in it. `complain` is told what
 * keeps one that does not.
 */
export async function letProcessEnd(
  ending: EndingProcess,
  closeLogs: () => Promise<void>,
  code: number,
  complain: (text: string) => void,
): Promise<void> {
  if (!(await closed(closeLogs, FLUSH_MS))) {
    ending.killNow();
    return;
  }
  setTimeout(() => {
    const left = process.getActiveResourcesInfo().join(", ");
    complain(`gatehouse: stopped, but something is left (${left}): the process ends now`);
    ending.exitNow(code);
  }, LEFTOVERS_MS).unref();
}

/** False: a log takes no lines. Not even process.exit() ends a process whose write hangs. */
function closed(closeLogs: () => Promise<void>, withinMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timeout = setTimeout(() => resolve(false), withinMs);
    void closeLogs().then(() => {
      clearTimeout(timeout);
      resolve(true);
    });
  });
}

// Signals and uncaught errors of the process: reload, reopen, drain. One session's failure never ends the process.

import type { Gateway } from "../server/gateway-seam.ts";
import type { ProcessTelemetry } from "./process-telemetry.ts";

/** The part of `process` that is needed; a test passes an EventEmitter. */
export interface EventSource {
  on(event: string, listener: (...values: unknown[]) => void): unknown;
  off(event: string, listener: (...values: unknown[]) => void): unknown;
}

/** What a stop may take, and what happens then. */
export interface StopLimit {
  /** From the first signal on, in milliseconds. */
  readonly withinMs: number;
  /** Ends the process now. */
  readonly endNow: () => void;
}

/** The first stops the gateway, the second ends what is left, this one ends the process at once. */
const impatientSignalsMax = 3;

/**
 * Listens from now on until the gateway, which may still be `starting`, was stopped by SIGTERM or SIGINT; resolves then with the signal's name.
 * SIGHUP: reopen logs, reload files. SIGUSR2: reopen logs. SIGUSR1 does nothing: without a listener Node would open
 * its inspector, which lets any local user run code in this process.
 */
export function runUntilStopped(
  gateway: Gateway,
  starting: Promise<void>,
  telemetry: ProcessTelemetry,
  source: EventSource,
  limit: StopLimit,
): Promise<string> {
  const { logger } = telemetry;
  let stopSignals = 0;
  let late: NodeJS.Timeout | null = null;
  const onLate = (): void => {
    logger.error("Stopping takes too long: the process ends now", { within_ms: limit.withinMs });
    limit.endNow();
  };
  return new Promise((resolve) => {
    const stop = (signal: string) => (): void => {
      stopSignals += 1;
      if (stopSignals >= impatientSignalsMax) limit.endNow();
      late ??= setTimeout(onLate, limit.withinMs);
      logger.info(stopSignals === 1 ? "Stopping" : "Ending what is left", { signal });
      // A failed start is told by the one who started.
      const started = starting.catch(() => {});
      void started
        .then(() => gateway.stop(signal))
        .then(() => {
          if (late !== null) clearTimeout(late);
          for (const [event, listener] of listeners) source.off(event, listener);
          resolve(signal);
        });
    };
    const listeners: [string, (...values: unknown[]) => void][] = [
      ["SIGTERM", stop("SIGTERM")],
      ["SIGINT", stop("SIGINT")],
      [
        "SIGHUP",
        () => {
          telemetry.reopen();
          logger.info("Reopened logs, reloading files", { signal: "SIGHUP" });
          void gateway.reload("SIGHUP");
        },
      ],
      [
        "SIGUSR2",
        () => {
          telemetry.reopen();
          logger.info("Reopened logs", { signal: "SIGUSR2" });
        },
      ],
    ];
    for (const [event, listener] of listeners) source.on(event, listener);
  });
}

/** Keeps the process alive through errors that nothing caught: logged with stack and counted. */
export function surviveUncaughtErrors(telemetry: ProcessTelemetry, source: EventSource): void {
  const counter = telemetry.metrics.counter("uncaught_errors_total");
  const survive = (kind: string) => (error: unknown) => {
    counter.add();
    telemetry.logger.error("Uncaught failure (a bug): the process goes on", { kind, error });
  };
  source.on("uncaughtException", survive("exception"));
  source.on("unhandledRejection", survive("rejection"));
}

// Opens the log, the audit log, the query log and the metrics of the process, and reopens the files on demand.

import type { Clock } from "../base/clock.ts";
import { writeFailure } from "../base/file-content.ts";
import { type AuditLog, createAuditLog } from "../telemetry/audit.ts";
import { type LineSink, openFileLines, openStderrLines } from "../telemetry/line-sink.ts";
import { createLogger, type Logger } from "../telemetry/logger.ts";
import { createMetrics, type Metrics } from "../telemetry/metrics.ts";
import { createQueryLog, type QueryLog } from "../telemetry/query-log.ts";
import { UsageError } from "./arguments.ts";
import type { ProcessOptions } from "./options.ts";

/** What the process tells, and where. */
export interface ProcessTelemetry {
  readonly logger: Logger;
  readonly audit: AuditLog;
  readonly metrics: Metrics;
  /** null: statements are not recorded. */
  readonly queryLog: QueryLog | null;
  /** Opens the files anew, after a log rotation. */
  reopen(): void;
  /** `listener` is called whenever that happens: other processes have the same files. */
  onReopen(listener: () => void): void;
  /** Resolves when all lines are written. */
  close(): Promise<void>;
}

/**
 * Opens everything.
 * @throws UsageError when a file cannot be opened.
 */
export function openTelemetry(options: ProcessOptions, clock: Clock): ProcessTelemetry {
  const metrics = createMetrics({ processMetrics: true });
  const auditFailures = metrics.counter("audit_write_failures_total");
  const logSink =
    options.logFile === null
      ? openStderrLines()
      : openFile(
          options.logFile,
          "log_file",
          () => {},
        ); /* A log cannot tell of its own trouble; drops are counted. */
  const auditSink =
    options.auditLogFile === null
      ? logSink
      : openFile(options.auditLogFile, "audit_log_file", (code) => {
          auditFailures.add();
          logger.error("Cannot write the audit log", { path: options.auditLogFile, code });
        });
  const logger = createLogger({ level: options.logLevel, format: options.logFormat, sink: logSink });
  const wanted = options.queryLog;
  const querySink =
    wanted === null
      ? null
      : openFile(wanted.path, "log_queries_to_file", (code) =>
          logger.error("Cannot write the query log", { path: wanted.path, code }),
        );
  metrics.onRead(() => {
    if (querySink !== null)
      metrics.counter("dropped_lines_total", { output: "queries" }).raiseTo(querySink.droppedLines);
    metrics.counter("dropped_lines_total", { output: "log" }).raiseTo(logSink.droppedLines);
    metrics.counter("dropped_lines_total", { output: "audit" }).raiseTo(auditSink.droppedLines);
  });
  const listeners: (() => void)[] = [];
  return {
    logger,
    audit: createAuditLog(auditSink, clock),
    metrics,
    queryLog:
      wanted === null || querySink === null ? null : createQueryLog(wanted, querySink, clock, Math.random),
    onReopen: (listener) => listeners.push(listener),
    reopen: () => {
      for (const listener of listeners) listener();
      querySink?.reopen();
      logSink.reopen();
      if (auditSink !== logSink) auditSink.reopen();
    },
    close: async () => {
      await Promise.all([logSink.close(), auditSink.close(), querySink?.close()]);
    },
  };
}

function openFile(path: string, flag: string, onFailure: (code: string) => void): LineSink {
  try {
    return openFileLines(path, { onFailure });
  } catch (error) {
    throw new UsageError(`Cannot open --${flag} ${path}: ${writeFailure(error)}`);
  }
}

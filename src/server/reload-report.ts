// Tells the log, the audit log and the metrics what became of a watched file. One place, so that every file is
// reported alike.

import { formatProblem } from "../base/problem.ts";
import type { ReloadEvent } from "../base/reloadable.ts";
import type { AuditLog } from "../telemetry/audit.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** What changed between two values, names only. */
export interface ChangedNames {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

/** A watched file, as far as it is reported. */
export interface ReportedFile {
  readonly name: string;
  readonly path: string;
}

/** Where reports go. */
export interface ReportTools {
  readonly logger: Logger;
  readonly audit: AuditLog;
  readonly metrics: Metrics;
}

/** Reports the reloads of one file. */
export class ReloadReport {
  readonly #file: ReportedFile;
  readonly #tools: ReportTools;
  #generation = 1;

  constructor(file: ReportedFile, tools: ReportTools) {
    this.#file = file;
    this.#tools = tools;
    const label = { file: file.name };
    tools.metrics.gauge("file_generation", label).set(1);
    tools.metrics.gauge("file_stale", label).set(0);
    tools.metrics.gauge("file_loaded_timestamp_seconds", label).set(Date.now() / 1000);
  }

  /** Handles one event of the file's Reloadable. */
  handle<T>(event: ReloadEvent<T>, describe: (previous: T, value: T) => ChangedNames): void {
    const { logger, audit, metrics } = this.#tools;
    const { name, path } = this.#file;
    const label = { file: name };
    const base = { file: name, path, trigger: event.trigger };
    if (event.kind === "restored") {
      metrics.gauge("file_stale", label).set(0);
      logger.info("A file that could not be loaded is again as it was", base);
      return;
    }
    if (event.kind === "failed") {
      const problems = event.problems.map(formatProblem);
      metrics.counter("file_reloads_total", { ...label, outcome: "failed" }).add();
      metrics.gauge("file_stale", label).set(1);
      logger.error("Cannot load a changed file: the last good content stays in use", { ...base, problems });
      const nothing = { added: [], removed: [], changed: [] };
      audit.record("reload", {
        ...base,
        ...nothing,
        outcome: "failed",
        generation: this.#generation,
        problems,
      });
      return;
    }
    const names = describe(event.previous, event.value);
    this.#generation = event.generation;
    metrics.counter("file_reloads_total", { ...label, outcome: "reloaded" }).add();
    metrics.gauge("file_stale", label).set(0);
    metrics.gauge("file_generation", label).set(event.generation);
    metrics.gauge("file_loaded_timestamp_seconds", label).set(Date.now() / 1000);
    logger.info("A file was reloaded", { ...base, ...names, generation: event.generation });
    audit.record("reload", {
      ...base,
      ...names,
      outcome: "reloaded",
      generation: event.generation,
      problems: [],
    });
  }
}

/** Files whose changes have no names. */
export const nothingNamed = (): ChangedNames => ({ added: [], removed: [], changed: [] });

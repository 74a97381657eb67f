// Tells the log, the audit log and the metrics what became of a watched file. One place, so that every file is
// reported alike.

import type { Clock } from "../base/clock.ts";
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

/** What may be shown of a watched file. */
export interface WatchedFile extends ReportedFile {
  /** 1 at start, one more with every reload. */
  readonly generation: number;
  /** Milliseconds since the epoch. */
  readonly loadedAtMs: number;
  /** null: what is on disk is in use. */
  readonly failure: { readonly atMs: number; readonly problems: readonly string[] } | null;
}

/** Where reports go. */
export interface ReportTools {
  readonly clock: Clock;
  /** Every file that is reported adds itself. */
  readonly watchedFiles?: WatchedFile[];
  readonly logger: Logger;
  readonly audit: AuditLog;
  readonly metrics: Metrics;
}

/** Reports the reloads of one file. */
export class ReloadReport implements WatchedFile {
  readonly #file: ReportedFile;
  readonly #tools: ReportTools;
  generation = 1;
  loadedAtMs: number;
  failure: WatchedFile["failure"] = null;

  constructor(file: ReportedFile, tools: ReportTools) {
    this.#file = file;
    this.#tools = tools;
    this.loadedAtMs = tools.clock.wallMs();
    tools.watchedFiles?.push(this);
    const label = { file: file.name };
    for (const outcome of ["reloaded", "failed"] as const)
      tools.metrics.counter("file_reloads_total", { ...label, outcome }).add(0);
    tools.metrics.gauge("file_generation", label).set(1);
    tools.metrics.gauge("file_stale", label).set(0);
    tools.metrics.gauge("file_loaded_timestamp_seconds", label).set(this.loadedAtMs / 1000);
  }

  get name(): string {
    return this.#file.name;
  }

  get path(): string {
    return this.#file.path;
  }

  /** The file plays no part any more. */
  forget(): void {
    const { watchedFiles, metrics } = this.#tools;
    const index = watchedFiles?.indexOf(this) ?? -1;
    if (index >= 0) watchedFiles?.splice(index, 1);
    metrics.gauge("file_stale", { file: this.name }).set(0);
  }

  /** Handles one event of the file's Reloadable. */
  handle<T>(event: ReloadEvent<T>, describe: (previous: T, value: T) => ChangedNames): void {
    const { logger, audit, metrics } = this.#tools;
    const { name, path } = this.#file;
    const label = { file: name };
    const base = { file: name, path, trigger: event.trigger };
    if (event.kind === "restored") {
      this.failure = null;
      metrics.gauge("file_stale", label).set(0);
      logger.info("A file that could not be loaded is again as it was", base);
      return;
    }
    if (event.kind === "failed") {
      const problems = event.problems.slice(0, problemsMax).map(formatProblem);
      const more = event.problems.length - problems.length;
      if (more > 0) problems.push(`and ${more} more: gatehouse check lists them`);
      this.failure = { atMs: this.#tools.clock.wallMs(), problems };
      metrics.counter("file_reloads_total", { ...label, outcome: "failed" }).add();
      metrics.gauge("file_stale", label).set(1);
      logger.error("Cannot load a changed file: the last good content stays in use", { ...base, problems });
      const nothing = { added: [], removed: [], changed: [] };
      audit.record("reload", {
        ...base,
        ...nothing,
        outcome: "failed",
        generation: this.generation,
        problems,
      });
      return;
    }
    const names = shortened(describe(event.previous, event.value));
    this.generation = event.generation;
    this.loadedAtMs = this.#tools.clock.wallMs();
    this.failure = null;
    metrics.counter("file_reloads_total", { ...label, outcome: "reloaded" }).add();
    metrics.gauge("file_stale", label).set(0);
    metrics.gauge("file_generation", label).set(event.generation);
    metrics.gauge("file_loaded_timestamp_seconds", label).set(this.loadedAtMs / 1000);
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

/** Problems that a record lists. */
const problemsMax = 50;

/** Names of one kind that a record lists; the rest is counted. A record has to stay a line that tools can read. */
const namesMax = 500;

function shortened({ added, removed, changed }: ChangedNames): ChangedNames {
  const cut = (names: readonly string[]): readonly string[] =>
    names.length <= namesMax ? names : [...names.slice(0, namesMax), `and ${names.length - namesMax} more`];
  return { added: cut(added), removed: cut(removed), changed: cut(changed) };
}

/** Files whose changes have no names. */
export const nothingNamed = (): ChangedNames => ({ added: [], removed: [], changed: [] });

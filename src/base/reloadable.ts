// A value that is made from files and made anew when they change: swapped whole or not at all (ARCHITECTURE.md,
// invariant 4). It knows neither the format (its loader does) nor logs (its owner gets events).

import { createHash } from "node:crypto";
import type { Clock } from "./clock.ts";
import { type FileContent, isFileContent, readFileContent } from "./file-content.ts";
import { jsonFileBytesMax } from "./json-file.ts";
import { formatProblem, type Problem } from "./problem.ts";
import { breathe } from "./steps.ts";
import { type FileWatch, watchFiles } from "./watched-file.ts";

/** A file that never comes to rest is judged as it is after this many looks. */
const settleRoundsMax = 100;
const settleMsDefault = 50;

/** What a loader makes of the files' content. */
export type Loaded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** What happened at a reload; told once per distinct content. */
export type ReloadEvent<T> =
  | {
      readonly kind: "reloaded";
      readonly value: T;
      readonly previous: T;
      readonly generation: number;
      readonly trigger: string;
    }
  | { readonly kind: "failed"; readonly problems: readonly Problem[]; readonly trigger: string }
  /** After a failure the files are again what is in use: nothing was swapped. */
  | { readonly kind: "restored"; readonly trigger: string };

/** How a {@link Reloadable} is made. */
export interface ReloadableOptions<T> {
  /** For people: `users file`. */
  readonly name: string;
  readonly paths: readonly string[];
  /** Makes the value; must not keep the bytes. Never called twice at a time. */
  readonly load: (contents: readonly FileContent[], generation: number) => Loaded<T> | Promise<Loaded<T>>;
  readonly onEvent?: (event: ReloadEvent<T>) => void;
  readonly clock: Clock;
  /** Per file. @default 64 MiB */
  readonly bytesMax?: number;
  /** Milliseconds; see {@link watchFiles}. */
  readonly settleMs?: number;
  readonly pollMs?: number;
  /** Whether `load` reads more than the files: what failed is then tried again at every reload. @default false */
  readonly loadsMore?: boolean;
  /** Whether changes are noticed without {@link Reloadable.reload}. @default true */
  readonly watch?: boolean;
}

/** Why the files on disk are not what is in use. */
export interface ReloadFailure {
  readonly atMs: number;
  readonly problems: readonly Problem[];
}

/** Files that cannot be loaded at start; `message` has one line per problem. */
export class FileProblemsError extends Error {
  override readonly name = "FileProblemsError";
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(formatProblem).join("\n"));
    this.problems = problems;
  }
}

interface Snapshot {
  /** Digest of all content, or of what prevented reading it. */
  readonly digest: string;
  readonly contents: readonly FileContent[];
  readonly problems: readonly Problem[];
}

/** The value in use, and how it came to be. */
export class Reloadable<T> {
  readonly name: string;
  readonly paths: readonly string[];
  private readonly options: ReloadableOptions<T>;
  private readonly listeners = new Set<(value: T, previous: T) => void>();
  private value: T;
  private digest: string;
  private generationNow = 1;
  private loadedAt: number;
  private failure: ReloadFailure | null = null;
  private failedDigest: string | null = null;
  private watcher: FileWatch | null = null;
  private running: Promise<unknown> = Promise.resolve();
  private queued: Promise<"unchanged" | "reloaded" | "failed"> | null = null;

  private constructor(options: ReloadableOptions<T>, value: T, digest: string) {
    this.name = options.name;
    this.paths = options.paths;
    this.options = options;
    this.value = value;
    this.digest = digest;
    this.loadedAt = options.clock.wallMs();
  }

  /**
   * Loads for the first time and begins to watch.
   * @throws FileProblemsError when the files cannot be read or are not valid.
   */
  static async start<T>(options: ReloadableOptions<T>): Promise<Reloadable<T>> {
    const first = await snapshot(options);
    if (first.problems.length > 0) throw new FileProblemsError(first.problems);
    const loaded = await options.load(first.contents, 1);
    if (!loaded.ok) throw new FileProblemsError(loaded.problems);
    const reloadable = new Reloadable(options, loaded.value, first.digest);
    if (options.watch !== false) {
      reloadable.watcher = watchFiles({
        paths: options.paths,
        ...(options.settleMs === undefined ? {} : { settleMs: options.settleMs }),
        ...(options.pollMs === undefined ? {} : { pollMs: options.pollMs }),
        onSettled: async () => {
          await reloadable.reload("file watch");
        },
      });
      // What changed between reading and watching would otherwise stay unnoticed.
      void reloadable.reload("file watch");
    }
    return reloadable;
  }

  current(): T {
    return this.value;
  }

  /** 1 for the first value; grows by one with every swap. */
  get generation(): number {
    return this.generationNow;
  }

  /** When the value in use was loaded, in milliseconds since the epoch. */
  get loadedAtMs(): number {
    return this.loadedAt;
  }

  /** null: what is on disk is in use. */
  get lastFailure(): ReloadFailure | null {
    return this.failure;
  }

  /**
   * Reads the files again, after the reload that is under way, if any; calls that wait share one. Never rejects.
   * `trigger` names the cause for the log: `SIGHUP`, `interval`, `file watch`.
   */
  reload(trigger: string): Promise<"unchanged" | "reloaded" | "failed"> {
    if (this.queued !== null) return this.queued;
    const next = this.running.then(() => {
      this.queued = null;
      return this.reloadNow(trigger);
    });
    this.queued = next;
    this.running = next.catch(() => {});
    return next;
  }

  /** Calls `listener` after every swap until the returned function is called. */
  subscribe(listener: (value: T, previous: T) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Stops watching; the value stays. */
  close(): void {
    this.watcher?.close();
    this.listeners.clear();
  }

  private async reloadNow(trigger: string): Promise<"unchanged" | "reloaded" | "failed"> {
    let found = await snapshot(this.options);
    let loaded: Loaded<T> | null = null;
    if (this.options.loadsMore === true && trigger !== "file watch") this.failedDigest = null;
    // A signal or an interval may come while a file is being written: what cannot be loaded is not told before it rests.
    for (let round = 0; round < settleRoundsMax; round += 1) {
      if (found.digest === this.digest || found.digest === this.failedDigest) break;
      loaded = await this.attempt(found);
      if (loaded.ok) break;
      await new Promise((resolve) => setTimeout(resolve, this.options.settleMs ?? settleMsDefault));
      const later = await snapshot(this.options);
      if (later.digest === found.digest) break;
      found = later;
      loaded = null;
    }
    if (found.digest === this.digest) {
      if (this.failure !== null) this.tell({ kind: "restored", trigger });
      this.failure = null;
      this.failedDigest = null;
      return "unchanged";
    }
    if (found.digest === this.failedDigest) return "failed";
    loaded ??= await this.attempt(found);
    if (!loaded.ok) {
      this.failedDigest = found.digest;
      this.failure = { atMs: this.options.clock.wallMs(), problems: loaded.problems };
      this.tell({ kind: "failed", problems: loaded.problems, trigger });
      return "failed";
    }
    this.swap(loaded.value, found.digest, trigger);
    return "reloaded";
  }

  private tell(event: ReloadEvent<T>): void {
    const { onEvent } = this.options;
    if (onEvent !== undefined) callOutside(() => onEvent(event));
  }

  private async attempt(found: Snapshot): Promise<Loaded<T>> {
    if (found.problems.length > 0) return { ok: false, problems: found.problems };
    try {
      return await this.options.load(found.contents, this.generationNow + 1);
    } catch (error) {
      // A loader that throws has a bug, and its message may hold content: only the kind of failure is told.
      const kind = error instanceof Error ? error.name : typeof error;
      const path = this.paths[0] ?? this.name;
      const message = `Cannot load the ${this.name}: the loader failed with ${kind}`;
      return { ok: false, problems: [{ path, line: 0, column: 0, pointer: "", message }] };
    }
  }

  private swap(value: T, digest: string, trigger: string): void {
    const previous = this.value;
    this.value = value;
    this.digest = digest;
    this.generationNow += 1;
    this.loadedAt = this.options.clock.wallMs();
    this.failure = null;
    this.failedDigest = null;
    this.tell({ kind: "reloaded", value, previous, generation: this.generationNow, trigger });
    for (const listener of this.listeners) callOutside(() => listener(value, previous));
  }
}

/** A listener's failure is its own: it is thrown where nobody's reload is waiting (the process logs and counts it). */
function callOutside(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** So much is digested at a time: a millisecond or two. */
const digestStepBytes = 512 * 1024;

async function snapshot(options: Pick<ReloadableOptions<unknown>, "paths" | "bytesMax">): Promise<Snapshot> {
  const hash = createHash("sha256");
  const contents: FileContent[] = [];
  const problems: Problem[] = [];
  for (const path of options.paths) {
    const result = await readFileContent(path, options.bytesMax ?? jsonFileBytesMax);
    if (isFileContent(result)) {
      contents.push(result);
      hash.update(`content ${result.bytes.length} ${result.mode}\n`);
      for (let start = 0; start < result.bytes.length; start += digestStepBytes) {
        if (start > 0) await breathe();
        hash.update(result.bytes.subarray(start, start + digestStepBytes));
      }
    } else {
      problems.push(result);
      hash.update(`problem ${result.message}\n`);
    }
  }
  return { digest: hash.digest("base64"), contents, problems };
}

// Tells when files have changed and come to rest: atomic rename, in-place write, symlink swap (Kubernetes' `..data`),
// delete and recreate, directories that do not exist yet. Notices quickly by chokidar (the only file that imports it),
// surely by stat; reads nothing. Why both: docs/decisions/2026-11-21-watching-files.md.

import { type BigIntStats, statSync } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { type FSWatcher, watch } from "chokidar";

/** What to watch, and how patiently. */
export interface WatchOptions {
  readonly paths: readonly string[];
  /** A file counts as settled when nothing about it changed for this long, in milliseconds. @default 50 */
  readonly settleMs?: number;
  /** Looks this often even when the system reports nothing (network file systems), in milliseconds. @default 500 */
  readonly pollMs?: number;
  /** Called after a change has settled; never before the previous call's promise is done. */
  readonly onSettled: () => Promise<void> | void;
}

/** A running watch. */
export interface FileWatch {
  /** Stops; `onSettled` is not called any more. */
  close(): void;
}

/** A file that never comes to rest is reported anyway after this many settle times: waiting has an end. */
const settleRoundsMax = 100;

/** Starts to watch. Changes are told relative to the moment of this call. */
export function watchFiles(options: WatchOptions): FileWatch {
  return new SettledWatch(options);
}

class SettledWatch implements FileWatch {
  private readonly paths: readonly string[];
  private readonly settleMs: number;
  private readonly onSettled: () => Promise<void> | void;
  private readonly poll: NodeJS.Timeout;
  private readonly watcher: FSWatcher;
  private watched: ReadonlySet<string> = new Set();
  private lastTold: string;
  private closed = false;
  private busy = false;
  private poked = false;

  constructor(options: WatchOptions) {
    this.paths = options.paths;
    this.settleMs = options.settleMs ?? 50;
    this.onSettled = options.onSettled;
    // Synchronous, so that "changed" is relative to the moment of the call.
    this.lastTold = this.paths
      .map((path) => attempt(() => fingerprint(statSync(path, { bigint: true }))))
      .join(" ");
    this.poll = setInterval(() => this.poke(), options.pollMs ?? 500);
    this.poll.unref();
    this.watcher = watch([], { ignoreInitial: true, followSymlinks: false });
    this.watcher.on("all", () => this.poke());
    // Of changes within 50 ms chokidar tells the first only; the raw event tells all.
    this.watcher.on("raw", () => this.poke());
    // What changed while it began to watch is seen now.
    this.watcher.on("ready", () => this.poke());
    // The system's watches are used up, or the like: the poll finds changes.
    this.watcher.on("error", () => {});
    void this.watchPaths();
  }

  close(): void {
    this.closed = true;
    clearInterval(this.poll);
    void this.watcher.close();
  }

  /** Looks now, or once more after the look that is under way. */
  private poke(): void {
    this.poked = true;
    if (!this.busy) void this.look();
  }

  private async look(): Promise<void> {
    this.busy = true;
    try {
      while (this.poked && !this.closed) {
        this.poked = false;
        const settled = await this.settledSignature();
        await this.watchPaths();
        if (settled === this.lastTold || this.closed) continue;
        this.lastTold = settled;
        await this.onSettled();
      }
    } finally {
      this.busy = false;
    }
  }

  /** Waits while files change, or vanish and come back. */
  private async settledSignature(): Promise<string> {
    let before = await this.signature();
    if (before === this.lastTold) return before;
    for (let round = 0; round < settleRoundsMax && !this.closed; round++) {
      await new Promise((resolve) => setTimeout(resolve, this.settleMs));
      const after = await this.signature();
      if (after === before) break;
      before = after;
    }
    return before;
  }

  /** Everything that a change of content also changes. Follows symlinks, so a swapped link is another inode. */
  private async signature(): Promise<string> {
    const parts = this.paths.map((path) =>
      stat(path, { bigint: true }).then(fingerprint, (error: NodeJS.ErrnoException) => String(error.code)),
    );
    return (await Promise.all(parts)).join(" ");
  }

  /** Watches each path and the file behind its links; failures leave the work to the poll. */
  private async watchPaths(): Promise<void> {
    const wanted = new Set<string>();
    for (const path of this.paths) {
      wanted.add(path);
      // Missing: the poll finds it when it comes.
      wanted.add(await realpath(path).catch(() => path));
    }
    if (this.closed) return;
    const gone = [...this.watched].filter((path) => !wanted.has(path));
    const fresh = [...wanted].filter((path) => !this.watched.has(path));
    this.watched = wanted;
    if (gone.length > 0) this.watcher.unwatch(gone);
    if (fresh.length > 0) this.watcher.add(fresh);
  }
}

function fingerprint(facts: BigIntStats): string {
  return [facts.dev, facts.ino, facts.size, facts.mtimeNs, facts.ctimeNs, facts.mode].join(":");
}

function attempt(read: () => string): string {
  try {
    return read();
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

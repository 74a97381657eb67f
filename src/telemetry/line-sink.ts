// Writes lines to a file or to stderr without ever blocking the event loop, throwing, or growing without bound: what
// cannot be written is dropped and counted. Files are reopened on demand (log rotation). It knows nothing of formats.

import { closeSync, openSync, write } from "node:fs";

/** Lines waiting beyond this many bytes are dropped: a stuck disk or pipe costs no more memory than this. */
const waitingBytesMax = 4 * 1024 * 1024;

/**
 * Lines are gathered for this long before they are written together, in milliseconds: a write of its own for every
 * login woke a thread each time and cost more than the login. A process that is killed may lose as much.
 */
const gatherMs = 25;

/** More than this is not gathered any longer while a write ends, in bytes. */
const gatheredBytesMax = 256 * 1024;

/** Wait before a write that failed is tried again, in milliseconds. */
const retryMs = 100;

/** Where lines go. */
export interface LineSink {
  /** Appends `line` and a line break. */
  write(line: string): void;
  /** Opens the file anew under its name; the old one stays in use when that fails. A no-op for stderr. */
  reopen(): void;
  /** Resolves when what waits is written or has failed once more; later lines are dropped. */
  close(): Promise<void>;
  /** Lines dropped since the start, because writing was too slow or failed. */
  readonly droppedLines: number;
  /** Failed writes and reopens since the start. */
  readonly failures: number;
}

/** What a sink tells about its own trouble. */
export interface LineSinkOptions {
  /** Called at every failed write or reopen, with the system's code, e.g. `ENOSPC`. */
  readonly onFailure?: (code: string) => void;
}

/** Lines to stderr. */
export function openStderrLines(options: LineSinkOptions = {}): LineSink {
  return new DescriptorLines(2, null, options);
}

/**
 * Lines appended to the file `path`, which is made with mode 0600 when missing.
 * @throws Error with the system's code when the file cannot be opened.
 */
export function openFileLines(path: string, options: LineSinkOptions = {}): LineSink {
  return new DescriptorLines(openSync(path, "a", 0o600), path, options);
}

class DescriptorLines implements LineSink {
  private descriptor: number;
  private readonly path: string | null;
  private readonly onFailure: (code: string) => void;
  private waiting: string[] = [];
  private waitingBytes = 0;
  /** What the kernel is being given; null when no write is under way. */
  private writing: Buffer | null = null;
  private gathering: NodeJS.Timeout | null = null;
  private reopenWanted = false;
  private closed = false;
  private ended: Promise<void> | null = null;
  private onEnded = (): void => {};
  private dropped = 0;
  private failed = 0;

  constructor(descriptor: number, path: string | null, options: LineSinkOptions) {
    this.descriptor = descriptor;
    this.path = path;
    this.onFailure = options.onFailure ?? (() => {});
  }

  get droppedLines(): number {
    return this.dropped;
  }

  get failures(): number {
    return this.failed;
  }

  write(line: string): void {
    if (this.closed || this.waitingBytes > waitingBytesMax) {
      this.dropped += 1;
      return;
    }
    this.waiting.push(line, "\n");
    this.waitingBytes += line.length + 1;
    if (this.writing === null) this.gather();
  }

  private gather(): void {
    if (this.gathering !== null) return;
    this.gathering = setTimeout(() => this.writeGathered(), gatherMs);
    this.gathering.unref();
  }

  private writeGathered(): void {
    if (this.gathering !== null) clearTimeout(this.gathering);
    this.gathering = null;
    if (this.writing === null) this.writeNext();
  }

  reopen(): void {
    if (this.path === null || this.closed) return;
    this.reopenWanted = true;
    if (this.writing === null) this.reopenNow();
  }

  close(): Promise<void> {
    this.ended ??= new Promise((resolve) => {
      this.onEnded = resolve;
      this.closed = true;
      if (this.writing === null) this.writeGathered();
    });
    return this.ended;
  }

  private writeNext(): void {
    if (this.reopenWanted) this.reopenNow();
    if (this.waiting.length === 0) {
      if (this.closed) this.end();
      return;
    }
    this.writing = Buffer.from(this.waiting.join(""));
    this.waiting = [];
    this.waitingBytes = 0;
    this.writeChunk();
  }

  private writeChunk(): void {
    const chunk = this.writing;
    if (chunk === null) return;
    write(this.descriptor, chunk, (error, written) => {
      if (error !== null) {
        this.fail(error);
        if (this.closed) this.end();
        else setTimeout(() => this.writeChunk(), retryMs).unref();
        return;
      }
      const rest = chunk.subarray(written);
      this.writing = rest.length > 0 ? rest : null;
      if (rest.length > 0) this.writeChunk();
      else this.writeLater();
    });
  }

  /** What came during a write is gathered as well: at once, it would be a line or two each time. */
  private writeLater(): void {
    if (this.closed || this.reopenWanted || this.waitingBytes > gatheredBytesMax) this.writeNext();
    else if (this.waiting.length > 0) this.gather();
  }

  private end(): void {
    if (this.path !== null) this.closeDescriptor();
    this.onEnded();
  }

  private reopenNow(): void {
    this.reopenWanted = false;
    if (this.path === null) return;
    try {
      const next = openSync(this.path, "a", 0o600);
      this.closeDescriptor();
      this.descriptor = next;
    } catch (error) {
      this.fail(error);
    }
  }

  private closeDescriptor(): void {
    try {
      closeSync(this.descriptor);
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    this.failed += 1;
    this.onFailure((error as NodeJS.ErrnoException).code ?? "unknown");
  }
}

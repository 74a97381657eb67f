// Replaces a file that people and programs edit: one editor at a time, whole or not at all, with the mode and owner it
// had. It knows nothing of the content.

import { createHash } from "node:crypto";
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { deadlineAfter } from "../../base/deadline.ts";
import { fileFailure, writeFailure } from "../../base/file-content.ts";
import { UsageError } from "../arguments.ts";

/** Longest wait for another editor, in milliseconds. */
const lockWaitMs = 5000;
const lockPollMs = 50;

/** Mode of a file that did not exist before: it will hold hashes. */
const newFileMode = 0o600;

/** How a file is edited. */
export interface EditOptions {
  readonly path: string;
  readonly clock: Clock;
  /** What stands in a file that does not exist yet; null: it must exist. */
  readonly initialText: string | null;
  /** Gets the text, returns the new one; what it throws leaves the file as it is. */
  readonly edit: (text: string) => string;
}

/**
 * Edits a file under a lock (`<path>.lock`). A symbolic link stays, the file behind it is replaced.
 * @throws UsageError when the file cannot be read or written, or changed meanwhile.
 */
export async function editFile(options: EditOptions): Promise<void> {
  const path = resolveLinks(options.path);
  const unlock = await lock(path, options.clock);
  try {
    const before = readText(path, options.initialText);
    const after = options.edit(before ?? options.initialText ?? "");
    if (after === before) return;
    replaceFile(path, before, after);
  } finally {
    unlock();
  }
}

function resolveLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // Missing: reading it says so, or it is made here.
  }
}

/** The text of a file. @throws UsageError */
export function readFileText(path: string): string {
  return readText(path, null) ?? "";
}

function readText(path: string, initialText: string | null): string | null {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" && initialText !== null) return null;
    throw new UsageError(`Cannot read ${path}: ${fileFailure(error)}`);
  }
  try {
    // Other bytes would be replaced in silence, and written back.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new UsageError(`${path} is not UTF-8: convert it, e.g. with iconv`);
  }
}

function replaceFile(path: string, before: string | null, after: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const descriptor = openSync(temporary, "wx", newFileMode);
    try {
      writeFileSync(descriptor, after);
      if (before !== null) copyOwnerAndMode(path, descriptor);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    if (digestOf(readText(path, "")) !== digestOf(before)) {
      throw new UsageError(`${path} was changed by somebody else meanwhile: nothing is written, try again`);
    }
    renameSync(temporary, path);
    syncDirectory(dirname(path));
  } catch (error) {
    rmSync(temporary, { force: true });
    if (error instanceof UsageError) throw error;
    throw cannotWrite(path, error);
  }
}

/** What can be done about it, too. */
function cannotWrite(path: string, error: unknown): UsageError {
  const { code } = error as NodeJS.ErrnoException;
  const says = `Cannot write ${path}: ${writeFailure(error)}`;
  if (code === "EACCES" || code === "EPERM")
    return new UsageError(`${says}: run this as a user who may write into ${dirname(path)}, e.g. with sudo`);
  if (code === "EROFS")
    return new UsageError(
      `${says}: edit a copy with --file, and bring it where this one comes from (a Secret, an image)`,
    );
  return new UsageError(says);
}

function copyOwnerAndMode(path: string, descriptor: number): void {
  const facts = statSync(path);
  const own = facts.uid === process.getuid?.() && facts.gid === process.getgid?.();
  try {
    if (!own) fchownSync(descriptor, facts.uid, facts.gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") throw error;
    // Not as root and not the owner: the new file could not be given back, and a reader might lose it.
    throw new UsageError(
      `Cannot write ${path}: it belongs to another user (uid ${facts.uid}, gid ${facts.gid}), and would not any more: run this as that user or as root`,
    );
  }
  fchmodSync(descriptor, facts.mode & 0o7777);
}

function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function digestOf(text: string | null): string | null {
  return text === null ? null : createHash("sha256").update(text).digest("base64");
}

async function lock(path: string, clock: Clock): Promise<() => void> {
  const lockPath = `${path}.lock`;
  const deadline = deadlineAfter(lockWaitMs, clock);
  for (;;) {
    try {
      writeFileSync(lockPath, `${process.pid}\n`, { flag: "wx", mode: newFileMode });
      return () => rmSync(lockPath, { force: true });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "EEXIST") throw cannotWrite(lockPath, error);
    }
    const holder = lockHolder(lockPath);
    if (holder !== null && !isAlive(holder)) {
      removeStaleLock(lockPath, holder);
    }
    if (deadline.expired()) {
      const who = holder === null ? "another program" : `process ${holder}`;
      throw new UsageError(`${path} is being edited by ${who}: if that is not so, remove ${lockPath}`);
    } else {
      await new Promise((resolve) => setTimeout(resolve, lockPollMs));
    }
  }
}

/**
 * Takes away what `holder`, which is gone, has left behind. Only one process does so at a time, and it looks once more:
 * otherwise it could take away the new lock of somebody who was faster.
 */
function removeStaleLock(lockPath: string, holder: number): void {
  const mark = `${lockPath}.stale`;
  try {
    closeSync(openSync(mark, "wx", newFileMode));
  } catch {
    removeIfOld(mark); // Somebody else is at it, or died at it.
    return;
  }
  try {
    if (lockHolder(lockPath) === holder) rmSync(lockPath, { force: true });
  } finally {
    rmSync(mark, { force: true });
  }
}

/** What it marks takes a moment: older than this, in milliseconds, nobody is at it any more. */
const markAgeMax = 10_000;

function removeIfOld(mark: string): void {
  try {
    if (Date.now() - statSync(mark).mtimeMs > markAgeMax) rmSync(mark, { force: true });
  } catch {
    // Gone already.
  }
}

function lockHolder(lockPath: string): number | null {
  try {
    const pid = Number(readFileSync(lockPath, "utf8").trim());
    return Number.isInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

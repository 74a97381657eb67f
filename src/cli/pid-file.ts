// The file that holds the process id while the gateway runs.

import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { writeFailure } from "../base/file-content.ts";
import { UsageError } from "./arguments.ts";

/** A written pid file. */
export interface PidFile {
  /** Removes the file, if it still is ours. */
  remove(): void;
}

/**
 * Writes `pid` to `path`, whole or not at all. A file that a dead process left behind is replaced.
 * @throws UsageError when the process that it names is alive, or the file cannot be written.
 */
export function writePidFile(path: string, pid: number): PidFile {
  const other = readPid(path);
  if (other !== null && other !== pid && isAlive(other)) {
    throw new UsageError(
      `Another process (${other}) holds the pid file ${path}: stop it or choose another --pid_file`,
    );
  }
  const temporary = `${path}.${pid}.tmp`;
  try {
    writeFileSync(temporary, `${pid}\n`, { mode: 0o644 });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new UsageError(`Cannot write the pid file ${path}: ${writeFailure(error)}`);
  }
  return {
    remove: () => {
      if (readPid(path) === pid) rmSync(path, { force: true });
    },
  };
}

function readPid(path: string): number | null {
  try {
    const text = readFileSync(path, "utf8").trim();
    return /^\d{1,10}$/.test(text) ? Number(text) : null;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  if (pid < 1) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

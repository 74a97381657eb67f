// Whether a file with secrets lies open to other users of the machine. The file's own mode is not all: a home directory
// that nobody else may enter protects what is in it.

import { realpath, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { FileContent } from "../base/file-content.ts";

const othersMayRead = 0o004;
const othersMayEnter = 0o001;

/** Whether users who are neither the file's owner nor of its group can read it. In doubt: yes. */
export async function othersCanRead(file: Pick<FileContent, "path" | "mode">): Promise<boolean> {
  if ((file.mode & othersMayRead) === 0) return false;
  try {
    let folder = dirname(await realpath(file.path));
    for (;;) {
      if (((await stat(folder)).mode & othersMayEnter) === 0) return false;
      if (folder === dirname(folder)) return true;
      folder = dirname(folder);
    }
  } catch {
    return true;
  }
}

/** Whether a file is meant to be read by everybody, as users.example.json: there is nothing to warn about. */
export function isExample(path: string): boolean {
  return basename(path).includes(".example.");
}

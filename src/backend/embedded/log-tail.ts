// Reads the end of a log file, to show why a server did not start.

import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";

const tailBytesMax = 8192;
const tailLinesMax = 20;

/** The last lines that were written behind `start` bytes; empty when there are none or the file cannot be read. */
export function readTail(path: string, start: number): string {
  try {
    const file = openSync(path, "r");
    try {
      const size = fstatSync(file).size;
      // A log that is smaller than before was rotated: all of it is new.
      const from = Math.max(size < start ? 0 : start, size - tailBytesMax);
      const bytes = Buffer.alloc(size - from);
      const count = readSync(file, bytes, 0, bytes.length, from);
      return bytes.toString("utf8", 0, count).trimEnd().split("\n").slice(-tailLinesMax).join("\n");
    } finally {
      closeSync(file);
    }
  } catch {
    return "";
  }
}

/** The size of a file in bytes; 0 when there is none. */
export function fileBytes(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

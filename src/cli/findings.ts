// What `gatehouse check` finds, collected over all files.

import { type FileContent, isFileContent, readFileContent } from "../base/file-content.ts";
import type { Problem } from "../base/problem.ts";

/** Collects what is found. */
export interface Findings {
  readonly problems: Problem[];
  readonly warnings: Problem[];
  /** What is fine, one line each. */
  readonly good: string[];
}

/** A file's content; null: it cannot be read, which is among the problems then. `bytesMax`: longer ones are refused. */
export async function readFound(
  path: string,
  bytesMax: number,
  findings: Findings,
): Promise<FileContent | null> {
  const result = await readFileContent(path, bytesMax);
  if (isFileContent(result)) return result;
  findings.problems.push(result);
  return null;
}

/** `1 user`, `2 users`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

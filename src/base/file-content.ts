// Reads one file that people edit, whole and bounded, and says in a sentence why it cannot be read.

import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { type Problem, wholeFileProblem } from "./problem.ts";

/** A file as it was at one moment. */
export interface FileContent {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Permission bits, e.g. `0o640`. */
  readonly mode: number;
}

/** Reads `path`, or tells why not. Never waits for a writer: what is not a regular file is refused. */
export async function readFileContent(path: string, bytesMax: number): Promise<FileContent | Problem> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const facts = await handle.stat();
    if (!facts.isFile()) return wholeFileProblem(path, "Cannot read the file: it is not a regular file");
    if (facts.size > bytesMax) return tooLarge(path, facts.size, bytesMax);
    const bytes = await handle.readFile();
    if (bytes.length > bytesMax) return tooLarge(path, bytes.length, bytesMax);
    return { path, bytes, mode: facts.mode & 0o7777 };
  } catch (error) {
    return wholeFileProblem(path, `Cannot read the file: ${fileFailure(error)}`);
  } finally {
    await handle?.close().catch(() => {});
  }
}

/** Tells a {@link FileContent} from a problem. */
export function isFileContent(result: FileContent | Problem): result is FileContent {
  return "bytes" in result;
}

function tooLarge(path: string, bytes: number, bytesMax: number): Problem {
  return wholeFileProblem(path, `The file has ${bytes} bytes: at most ${bytesMax} are read`);
}

/** Why a file cannot be opened, as the end of a sentence: `it does not exist`. */
export function fileFailure(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  switch (code) {
    case "ENOENT":
      return "it does not exist";
    case "EACCES":
    case "EPERM":
      return "permission denied";
    case "EISDIR":
      return "it is a directory";
    case "ENOTDIR":
      return "a part of its path is no folder";
    case "EROFS":
      return "its file system is read-only";
    case "ENOSPC":
      return "its file system is full";
    case "ELOOP":
      return "its symbolic links go in a circle";
    case "EMFILE":
    case "ENFILE":
      return "too many open files";
    default:
      return code ?? "unknown failure";
  }
}

/** As {@link fileFailure}, for a file that was to be made. */
export function writeFailure(error: unknown): string {
  const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
  return isMissing ? "its folder does not exist" : fileFailure(error);
}

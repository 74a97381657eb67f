// Says in a sentence why a command failed. What a person can mend gets no stack.

import { FileProblemsError } from "../base/reloadable.ts";
import { StartError } from "../server/gateway-seam.ts";
import { UsageError } from "./arguments.ts";

/** The lines to show for a failure of a command. */
export function describeFailure(error: unknown): string {
  if (error instanceof UsageError || error instanceof StartError || error instanceof FileProblemsError) {
    return error.message;
  }
  if (error instanceof Error) {
    const known = describeSystemError(error);
    return known ?? `Unexpected failure, please report it: ${error.stack ?? error.message}`;
  }
  return `Unexpected failure, please report it: ${String(error)}`;
}

function describeSystemError(
  error: NodeJS.ErrnoException & { address?: string; port?: number },
): string | null {
  const where =
    error.port === undefined ? (error.address ?? error.path ?? "") : `${error.address}:${error.port}`;
  switch (error.code) {
    case "EADDRINUSE":
      return `Cannot listen on ${where}: it is in use; stop the other program or choose another port or path`;
    case "EADDRNOTAVAIL":
      return `Cannot listen on ${where}: this machine has no such address`;
    case "EACCES":
    case "EPERM":
      return `Cannot ${error.syscall ?? "use"} ${where}: permission denied`;
    case "ENOENT":
      return `Cannot ${error.syscall ?? "use"} ${where}: it does not exist`;
    default:
      return null;
  }
}

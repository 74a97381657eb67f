// Refuses a command of a logged-in client: the error to the client, the reason to the audit log.

import { AclDenial } from "../acl/denial.ts";
import type { SqlError } from "../errors/sql-error.ts";
import { recordDenial } from "./acl-records.ts";
import type { CommandLoop } from "./command-loop.ts";
import { replyError } from "./reply.ts";
import { auditCommandRefused } from "./session-audit.ts";
import type { Replied } from "./session-end.ts";

/** What was refused. `statementKind` is the statement's head; null for commands without text. */
export interface RefusedCommand {
  readonly command: string;
  readonly statementKind: string | null;
}

/** Answers `error` and records why. */
export function refuse(loop: CommandLoop, what: RefusedCommand, error: SqlError): Replied {
  if (error instanceof AclDenial) recordDenial(loop.services, loop.state, what.command, error, "denied");
  else auditCommandRefused(loop.services, loop.state, { ...what, error });
  return replyError(loop.replyTo, error);
}

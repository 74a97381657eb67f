// Before a text is judged by a table ACL it must be known how the server reads it, and in which schema the session is:
// asked on the session's own connection when a command may have changed it.

import { AclDenial } from "../../acl/denial.ts";
import { sqlError } from "../../errors/sql-error.ts";
import { payloadOf } from "../../wire/command-boundary.ts";
import type { CommandLoop } from "../command-loop.ts";
import { orEnd } from "../lost-backend.ts";
import { replyError } from "../reply.ts";
import { type HandlerResult, relaying } from "../session-end.ts";
import type { StatementText } from "../statement-text.ts";
import type { CommandHandler } from "./command-table.ts";

/** Answers a command by `handle`, once the session's reading is known. `isText`: the payload is a statement's text. */
export function withReading(
  loop: CommandLoop,
  frames: Uint8Array,
  handle: CommandHandler,
  isText: boolean,
): HandlerResult | Promise<HandlerResult> {
  const { services, state } = loop;
  if (!services.authorizer().judging) return handle(loop, frames);
  // Nobody knows whether the server compares names with regard to case.
  if (services.readingServer() === null)
    return replyError(loop.replyTo, sqlError("ER_SERVER_ISNT_AVAILABLE"));
  if (state.reading !== null) return handle(loop, frames);
  if (isText && loop.relay.lease === null && isDeniedAnyhow(loop, frames)) return handle(loop, frames);
  return learnAndHandle(loop, Buffer.from(frames), handle);
}

/** Denials need no server, unless the default schema is one that only the server knows. */
function isDeniedAnyhow(loop: CommandLoop, frames: Uint8Array): boolean {
  const decision = loop.services.decider.decide(loop.state, payloadOf(frames), 1);
  if (decision.kind !== "refuse" || !(decision.error instanceof AclDenial)) return false;
  return decision.error.record.object !== "text" && decision.error.symbol !== "ER_NO_DB_ERROR";
}

/**
 * Asks the server how it reads the session's texts, then answers the command. `frames`: a copy. `text`: what is known of
 * its text already, which may decide which server that is.
 */
export async function learnAndHandle(
  loop: CommandLoop,
  frames: Buffer,
  handle: CommandHandler,
  text: StatementText | null = null,
): Promise<HandlerResult> {
  const failure = await orEnd(loop, () => loop.backend.learnReading(text));
  if (loop.ended) return relaying;
  return failure ?? handle(loop, frames);
}

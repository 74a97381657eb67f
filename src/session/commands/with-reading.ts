// Before a text is judged by a table ACL it must be known how the server reads it, and in which schema the session is:
// asked on the session's own connection when a command may have changed it.

import { AclDenial } from "../../acl/denial.ts";
import { sqlError } from "../../errors/sql-error.ts";
import type { StatementSummary } from "../../sql/statement-summary.ts";
import { payloadOf } from "../../wire/command-boundary.ts";
import { learnReading } from "../ask-backend.ts";
import type { CommandLoop } from "../command-loop.ts";
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
  const isComputed = state.following.computedBecause !== null;
  if (!services.authorizer().judging) {
    if (!isComputed || (isText && asksOnlyForLeftovers(loop, frames))) return handle(loop, frames);
    return learnAndHandle(loop, Buffer.from(frames), handle);
  }
  // Nobody knows whether the server compares names with regard to case.
  if (services.readingServer() === null) return meetAndHandle(loop, Buffer.from(frames), handle, isText);
  if (state.reading !== null && !isComputed) return handle(loop, frames);
  if (isText && loop.relay.lease === null && isDeniedAnyhow(loop, frames)) return handle(loop, frames);
  if (isText && asksOnlyForLeftovers(loop, frames)) return handle(loop, frames);
  return learnAndHandle(loop, Buffer.from(frames), handle);
}

/**
 * Waits for a server where none was ever reached, as long as statements wait out outages, then answers the command.
 * `frames`: a copy.
 */
async function meetAndHandle(
  loop: CommandLoop,
  frames: Buffer,
  handle: CommandHandler,
  isText: boolean,
): Promise<HandlerResult> {
  const failure = await loop.backend.acquire(null);
  if (loop.ended) return relaying;
  if (failure !== null) return replyError(loop.replyTo, failure);
  return loop.services.readingServer() === null
    ? replyError(loop.replyTo, sqlError("ER_SERVER_ISNT_AVAILABLE"))
    : withReading(loop, frames, handle, isText);
}

/** Denials need no server, unless the default schema is one that only the server knows. */
function isDeniedAnyhow(loop: CommandLoop, frames: Uint8Array): boolean {
  const decision = loop.services.decider.decide(loop.state, payloadOf(frames), 1);
  if (decision.kind !== "refuse" || !(decision.error instanceof AclDenial)) return false;
  return decision.error.record.object !== "text" && decision.error.symbol !== "ER_NO_DB_ERROR";
}

/**
 * The analysis sees to it that quotes mean the same in all modes; sql_mode ORACLE would read `s.nextval` as a use of a
 * sequence. So there is no dot but that of a system variable.
 */
const readAlikeAnyhow = /^(?:[^.\x80-\xff]|@@(?:session|local)\.)*$/i;

/**
 * SHOW WARNINGS, SELECT ROW_COUNT() and their like. To ask the server anything before them would take away what they ask
 * for, and there is no need to.
 */
function asksOnlyForLeftovers(loop: CommandLoop, frames: Uint8Array): boolean {
  const text = payloadOf(frames).subarray(1);
  if (text.length > leftoversBytesMax) return false;
  if (!readAlikeAnyhow.test(Buffer.from(text.buffer, text.byteOffset, text.length).toString("latin1")))
    return false;
  const decision = loop.services.decider.decide(loop.state, payloadOf(frames), 1);
  return decision.kind === "forward" && decision.text.statements.every(isOfLeftovers);
}

/** Texts that ask for leftovers are short; longer ones are asked about like any other. */
const leftoversBytesMax = 1000;

function isOfLeftovers(statement: StatementSummary): boolean {
  const { asksFor, uncertain, reads, writes, changes, routines } = statement;
  return (
    asksFor.length > 0 &&
    uncertain === null &&
    ![reads, writes, changes, routines].some(({ length }) => length > 0)
  );
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
  const mayAskForFoundRows = /found_rows/i.test(frames.toString("latin1"));
  const failure = await learnReading(loop, text, mayAskForFoundRows);
  if (loop.ended) return relaying;
  return failure === null ? handle(loop, frames) : replyError(loop.replyTo, failure);
}

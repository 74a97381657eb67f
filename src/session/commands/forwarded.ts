// Commands without text that are relayed as they are, and PING, which a session without a backend answers itself.

import { SqlError } from "../../errors/sql-error.ts";
import { bareStatement } from "../../sql/statement-summary.ts";
import { payloadOf } from "../../wire/command-boundary.ts";
import { COM_FIELD_LIST, COM_PING, COM_SET_OPTION } from "../../wire/commands.ts";
import type { CommandLoop } from "../command-loop.ts";
import { refuse } from "../refuse.ts";
import { internalError, replyError, replyOk } from "../reply.ts";
import type { HandlerResult } from "../session-end.ts";
import { withReading } from "./with-reading.ts";

/** Relays COM_STATISTICS. */
export function handleStatistics(
  loop: CommandLoop,
  frames: Uint8Array,
): HandlerResult | Promise<HandlerResult> {
  return forwardAs(loop, frames, "STATISTICS");
}

/** Relays COM_DEBUG: the server writes its state to its log. */
export function handleDebug(loop: CommandLoop, frames: Uint8Array): HandlerResult | Promise<HandlerResult> {
  return forwardAs(loop, frames, "DEBUG");
}

/** Answers COM_PING: by the backend where the session holds one, so that its state is told truthfully. */
export function handlePing(loop: CommandLoop, frames: Uint8Array): HandlerResult | Promise<HandlerResult> {
  if (loop.relay.lease === null) return replyOk(loop.replyTo);
  return forwardAs(loop, frames, "PING", COM_PING);
}

/** Answers COM_SET_OPTION: multi-statements on or off, a property of the backend connection that no reset undoes. */
export function handleSetOption(
  loop: CommandLoop,
  frames: Uint8Array,
): HandlerResult | Promise<HandlerResult> {
  const { following } = loop.state;
  const option = payloadOf(frames)[1];
  return forwardAs(loop, frames, "SET OPTION", COM_SET_OPTION, (succeeded) => {
    if (succeeded) following.multiStatements = option === 0;
  });
}

/** Answers COM_FIELD_LIST: reads the definition of one table. */
export function handleFieldList(
  loop: CommandLoop,
  frames: Uint8Array,
): HandlerResult | Promise<HandlerResult> {
  return withReading(loop, frames, fieldList, false);
}

function fieldList(loop: CommandLoop, frames: Uint8Array): HandlerResult | Promise<HandlerResult> {
  const payload = payloadOf(frames);
  const end = payload.indexOf(0, 1);
  const name = Buffer.from(payload.subarray(1, end < 0 ? payload.length : end)).toString("utf8");
  const identity = loop.state.identity;
  if (identity === null) return replyError(loop.replyTo, internalError());
  const statement = {
    ...bareStatement("FIELD LIST"),
    reads: [{ schema: loop.state.database, name, qualified: false }],
    readOnly: true,
  };
  const misplaced = loop.backend.place(null);
  if (misplaced !== null) return replyError(loop.replyTo, misplaced);
  const permit = loop.services.authorizer().authorize(identity, statement);
  if (permit instanceof SqlError)
    return refuse(loop, { command: "COM_FIELD_LIST", statementKind: null }, permit);
  return loop.forward(permit, frames, { command: COM_FIELD_LIST, text: null, permit, after: null });
}

function forwardAs(
  loop: CommandLoop,
  frames: Uint8Array,
  kind: string,
  command = frames[4] ?? 0,
  after: ((succeeded: boolean) => void) | null = null,
): HandlerResult | Promise<HandlerResult> {
  const identity = loop.state.identity;
  if (identity === null) return replyError(loop.replyTo, internalError());
  const permit = loop.services.authorizer().authorize(identity, bareStatement(kind));
  if (permit instanceof SqlError)
    return refuse(loop, { command: `COM_${kind.replaceAll(" ", "_")}`, statementKind: null }, permit);
  return loop.forward(permit, frames, { command, text: null, permit, after });
}

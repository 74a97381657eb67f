// COM_QUERY: the text is judged as a whole, then relayed as the client sent it.

import { SqlError } from "../../errors/sql-error.ts";
import { payloadOf } from "../../wire/command-boundary.ts";
import { COM_QUERY } from "../../wire/commands.ts";
import { recordPermits } from "../acl-records.ts";
import { afterText, beforeText } from "../after-text.ts";
import type { CommandLoop } from "../command-loop.ts";
import { answerQuery } from "../own-answers.ts";
import { refuse } from "../refuse.ts";
import { replyError } from "../reply.ts";
import type { HandlerResult } from "../session-end.ts";
import { editCommand, truthEdits } from "../truth.ts";
import { handleKillText } from "./kill.ts";
import { learnAndHandle, withReading } from "./with-reading.ts";

/** Answers COM_QUERY. */
export function handleQuery(loop: CommandLoop, frames: Uint8Array): HandlerResult | Promise<HandlerResult> {
  return withReading(loop, frames, query, true);
}

function query(loop: CommandLoop, frames: Uint8Array): HandlerResult | Promise<HandlerResult> {
  const { services, state } = loop;
  const decision = services.decider.decide(state, payloadOf(frames), 1);
  if (decision.kind === "refuse") {
    return refuse(loop, { command: "COM_QUERY", statementKind: decision.statementKind }, decision.error);
  }
  if (decision.needsReading) return learnAndHandle(loop, Buffer.from(frames), query);
  const { permit, permits, text } = decision;
  recordPermits(services, state, "COM_QUERY", permits, text);
  const edits = truthEdits(loop, payloadOf(frames).subarray(1), decision.truth);
  if (text.kills) return handleKillText(loop, frames, text, permit, edits);
  const answered = answerQuery(loop, text);
  if (answered !== null) return answered;
  const sent = editCommand(loop, frames, edits);
  if (sent instanceof SqlError) return replyError(loop.replyTo, sent);
  beforeText(loop, text);
  return loop.forward(permit, sent, {
    command: COM_QUERY,
    text,
    permit,
    after: (succeeded) => afterText(loop, text, succeeded),
  });
}

// COM_QUERY: the text is judged as a whole, then relayed as the client sent it.

import { payloadOf } from "../../wire/command-boundary.ts";
import { COM_QUERY } from "../../wire/commands.ts";
import { recordPermits } from "../acl-records.ts";
import { afterText, beforeText } from "../after-text.ts";
import type { CommandLoop } from "../command-loop.ts";
import { answerQuery } from "../own-answers.ts";
import { refuse } from "../refuse.ts";
import type { HandlerResult } from "../session-end.ts";
import { handleKillText } from "./kill.ts";
import { withReading } from "./with-reading.ts";

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
  const { permit, permits, text } = decision;
  recordPermits(services, state, "COM_QUERY", permits, text);
  if (text.kills) return handleKillText(loop, frames, text, permit);
  const answered = answerQuery(loop, text);
  if (answered !== null) return answered;
  beforeText(loop, text);
  return loop.forward(permit, frames, {
    command: COM_QUERY,
    text,
    permit,
    after: (succeeded) => afterText(loop, text, succeeded),
  });
}

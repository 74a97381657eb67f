// COM_QUERY: the text is judged as a whole, then relayed as the client sent it.

import { payloadOf } from "../../wire/command-boundary.ts";
import { COM_QUERY } from "../../wire/commands.ts";
import type { CommandLoop } from "../command-loop.ts";
import { refuse } from "../refuse.ts";
import type { HandlerResult } from "../session-end.ts";
import { handleKillText } from "./kill.ts";

/** Answers COM_QUERY. */
export function handleQuery(loop: CommandLoop, frames: Uint8Array): HandlerResult | Promise<HandlerResult> {
  const decision = loop.services.decider.decide(loop.state, payloadOf(frames), 1);
  if (decision.kind === "refuse") {
    return refuse(loop, { command: "COM_QUERY", statementKind: decision.statementKind }, decision.error);
  }
  const { permit, text } = decision;
  if (text.kills) return handleKillText(loop, frames, text, permit);
  if (text.use === null)
    return loop.forward(permit, frames, { command: COM_QUERY, text, permit, after: null });
  const use = text.use;
  return loop.forward(permit, frames, {
    command: COM_QUERY,
    text,
    permit,
    after: (succeeded) => {
      // After an error in a text of several statements, nobody can say whether its USE was reached.
      if (succeeded) loop.state.database = use;
      else if (text.statements.length > 1) {
        loop.state.pinnedBecause ??= "a USE that may have run";
        loop.backend.schemaUncertain = true;
      }
    },
  });
}

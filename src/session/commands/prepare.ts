// COM_STMT_PREPARE: the text is judged like a query's; the statement's id, as the backend gives it, is remembered with
// that judgement. A prepared KILL is kept by the gateway itself.

import { sqlError } from "../../errors/sql-error.ts";
import { payloadOf } from "../../wire/command-boundary.ts";
import { COM_STMT_PREPARE } from "../../wire/commands.ts";
import type { CommandLoop } from "../command-loop.ts";
import { refuse } from "../refuse.ts";
import { replyError } from "../reply.ts";
import type { HandlerResult } from "../session-end.ts";
import { prepareOwnStatement } from "./kill.ts";

/** Answers COM_STMT_PREPARE. */
export function handlePrepare(loop: CommandLoop, frames: Uint8Array): HandlerResult | Promise<HandlerResult> {
  const { preparedStatements, limits, decider } = loop.services;
  if (preparedStatements.count >= limits.preparedStatementsMax) {
    return replyError(
      loop.replyTo,
      sqlError("ER_MAX_PREPARED_STMT_COUNT_REACHED", { limit: limits.preparedStatementsMax }),
    );
  }
  const payload = payloadOf(frames);
  const decision = decider.decide(loop.state, payload, 1);
  if (decision.kind === "refuse") {
    return refuse(
      loop,
      { command: "COM_STMT_PREPARE", statementKind: decision.statementKind },
      decision.error,
    );
  }
  const { permit, text } = decision;
  if (text.kills) return prepareOwnStatement(loop, text, decision.parameterCount, permit);
  const authorizerGeneration = loop.services.authorizer().generation;
  return loop.forward(permit, frames, {
    command: COM_STMT_PREPARE,
    // Preparing runs nothing: what the statement would do to the session counts when it is executed.
    text: { ...text, pins: null, use: null, commits: false, readOnly: true },
    permit,
    after: (succeeded) => {
      if (!succeeded) return;
      const { statementId, parameterCount } = loop.relay.boundary.summary;
      loop.state.prepared.add({
        id: statementId,
        parameterCount,
        statement: text,
        permit,
        authorizerGeneration,
      });
    },
  });
}

// COM_STMT_PREPARE: the text is judged like a query's and prepared on the backend connection at hand; what it was judged
// to be, and the text itself, stay in the session. A prepared KILL is kept by the gateway itself.

import { readingKeyOf } from "../../backend/session-settings.ts";
import { SqlError, sqlError } from "../../errors/sql-error.ts";
import { readingTraitsOf } from "../../sql/reading-traits.ts";
import { payloadOf } from "../../wire/command-boundary.ts";
import { COM_STMT_PREPARE } from "../../wire/commands.ts";
import { recordPermits } from "../acl-records.ts";
import type { CommandLoop } from "../command-loop.ts";
import { databaseListEdits } from "../database-list.ts";
import { readsSessions } from "../process-list.ts";
import { refuse } from "../refuse.ts";
import { replyError } from "../reply.ts";
import type { SessionState } from "../session.ts";
import type { HandlerResult } from "../session-end.ts";
import { preparingText } from "../statement-text.ts";
import { editCommand, truthEdits } from "../truth.ts";
import { prepareOwnStatement } from "./kill.ts";
import { prepareOwnShow } from "./own-show.ts";
import { placeText } from "./place-text.ts";
import { learnAndHandle, withReading } from "./with-reading.ts";

/** Answers COM_STMT_PREPARE. */
export function handlePrepare(loop: CommandLoop, frames: Uint8Array): HandlerResult | Promise<HandlerResult> {
  const { preparedStatements, limits } = loop.services;
  if (preparedStatements.count >= limits.preparedStatementsMax) {
    return replyError(
      loop.replyTo,
      sqlError("ER_MAX_PREPARED_STMT_COUNT_REACHED", { limit: limits.preparedStatementsMax }),
    );
  }
  loop.state.prepared.forgetLast();
  return withReading(loop, frames, prepare, true);
}

function prepare(loop: CommandLoop, frames: Uint8Array): HandlerResult | Promise<HandlerResult> {
  const { services, state } = loop;
  const decision = services.decider.decide(state, payloadOf(frames), 1);
  if (decision.kind === "refuse") {
    return refuse(
      loop,
      { command: "COM_STMT_PREPARE", statementKind: decision.statementKind },
      decision.error,
    );
  }
  if (decision.needsReading) return learnAndHandle(loop, Buffer.from(frames), prepare);
  const { permit, permits, text } = decision;
  const placed = placeText(loop, frames, text, COM_STMT_PREPARE, prepare);
  if (placed !== null) return placed;
  // Which sessions there are is told when it is executed.
  const isToldAnew = readsSessions(text);
  recordPermits(loop, "COM_STMT_PREPARE", permits, text);
  if (text.asksGateway && text.statements.length === 1) return prepareOwnShow(loop, text, permit);
  if (text.kills) return prepareOwnStatement(loop, text, decision.parameterCount, permit);
  const sql = payloadOf(frames).subarray(1);
  const listed = databaseListEdits(loop, text, sql, decision.truth);
  if (listed instanceof SqlError) return replyError(loop.replyTo, listed);
  const sent = editCommand(
    loop,
    frames,
    listed.length > 0 ? listed : truthEdits(loop, sql, decision.truth),
    text,
  );
  if (sent instanceof SqlError) return replyError(loop.replyTo, sent);
  const authorizerGeneration = services.authorizer().generation;
  const id = state.prepared.takeId();
  // As it was sent: what it tells of the session belongs to no other one's copy.
  const payload = Buffer.from(payloadOf(isToldAnew ? frames : sent));
  const { database } = state;
  const { settings } = state.following;
  const context = preparedContextOf(state, isToldAnew);
  const { reading } = state;
  const traits = services.authorizer().enforcing ? readingTraitsOf(payload.toString("latin1", 1)) : 0;
  return loop.forward(permit, sent, {
    command: COM_STMT_PREPARE,
    preparedId: id,
    text: preparingText(text),
    permit,
    after: (succeeded) => {
      if (!succeeded) return;
      state.following.asksByStatement ||= text.asksFor.length > 0;
      const { statementId, parameterCount, columnCount } = loop.relay.boundary.summary;
      const prepared = state.prepared.add(id, {
        statement: text,
        permits,
        authorizerGeneration,
        parameterCount,
        columnCount,
        context,
        database,
        settings,
        payload,
        isToldAnew,
        reading,
        traits,
      });
      loop.relay.lease?.connection.prepared.add(prepared.key, statementId, state.id);
    },
  });
}

/** Texts that look alike but may be read differently never share a copy on a connection. */
function preparedContextOf(state: SessionState, isToldAnew: boolean): string {
  const whose = state.pinnedBecause === null && !isToldAnew ? "" : `of session ${state.id}`;
  return JSON.stringify([state.database, state.collation, readingKeyOf(state.following.settings), whose]);
}

// COM_QUERY: the text is judged as a whole, then relayed as the client sent it.

import type { Permit } from "../../acl/permit.ts";
import { SqlError } from "../../errors/sql-error.ts";
import type { TextEdit } from "../../sql/text-edits.ts";
import { payloadOf } from "../../wire/command-boundary.ts";
import { COM_QUERY } from "../../wire/commands.ts";
import { recordPermits } from "../acl-records.ts";
import { afterText, beforeText } from "../after-text.ts";
import type { CommandLoop } from "../command-loop.ts";
import { databaseListEdits } from "../database-list.ts";
import { mustGather, withOtherSessions } from "../other-sessions.ts";
import { ownEdits } from "../own-answers.ts";
import { readsSessions } from "../process-list.ts";
import { refuse } from "../refuse.ts";
import { replyError } from "../reply.ts";
import { type HandlerResult, relaying } from "../session-end.ts";
import type { ForwardDecision } from "../statement-decider.ts";
import type { StatementText } from "../statement-text.ts";
import { editCommand, truthEdits } from "../truth.ts";
import { handleKillText } from "./kill.ts";
import { answerOwnShow, onFailure } from "./own-show.ts";
import { placeText } from "./place-text.ts";
import { learnAndHandle, withReading } from "./with-reading.ts";

/** Answers COM_QUERY. */
export function handleQuery(loop: CommandLoop, frames: Uint8Array): HandlerResult | Promise<HandlerResult> {
  return withReading(loop, frames, query, true);
}

function query(loop: CommandLoop, frames: Uint8Array): HandlerResult | Promise<HandlerResult> {
  const { services, state } = loop;
  const payload = payloadOf(frames);
  const decision = services.decider.decide(state, payload, 1);
  if (decision.kind === "refuse") {
    return refuse(loop, { command: "COM_QUERY", statementKind: decision.statementKind }, decision.error);
  }
  if (decision.needsReading) return learnAndHandle(loop, Buffer.from(frames), query);
  const { permit, permits, text, truth } = decision;
  const placed = placeText(loop, frames, text, COM_QUERY, query);
  if (placed !== null) return placed;
  if (readsSessions(text) && mustGather(loop)) {
    const copy = Buffer.from(frames);
    const again = () => (loop.ended ? relaying : query(loop, copy));
    return withOtherSessions(loop, again, onFailure(loop));
  }
  recordPermits(loop, "COM_QUERY", permits, text);
  const sql = payload.subarray(1);
  const listed = databaseListEdits(loop, text, sql, truth);
  if (listed instanceof SqlError) return replyError(loop.replyTo, listed);
  const leftovers = state.following.leftoversFor(text);
  const edits = listed.length > 0 ? listed : truthEdits(loop, sql, truth, leftovers);
  if (text.asksGateway) return answerForServer(loop, Buffer.from(frames), decision, edits);
  return relayText(loop, frames, text, permit, edits);
}

/** A text in which the gateway has something to say itself: alone, or among other statements. */
async function answerForServer(
  loop: CommandLoop,
  frames: Buffer,
  { text, permit, truth }: ForwardDecision,
  edits: readonly TextEdit[],
): Promise<HandlerResult> {
  const sql = payloadOf(frames).subarray(1);
  if (text.statements.length === 1) return answerOwnShow(loop, text, sql);
  const failed = onFailure(loop);
  const own = await ownEdits(loop, text, sql, truth?.analyzed.executableParts ?? []);
  if (loop.ended) return relaying;
  if (own instanceof SqlError) return failed(own);
  return relayText(loop, frames, text, permit, [...edits, ...own]);
}

/** Relays a text with `edits` made in it. */
function relayText(
  loop: CommandLoop,
  frames: Uint8Array,
  text: StatementText,
  permit: Permit,
  edits: readonly TextEdit[],
): HandlerResult | Promise<HandlerResult> {
  if (text.kills) return handleKillText(loop, frames, text, permit, edits);
  const sent = editCommand(loop, frames, edits, text);
  if (sent instanceof SqlError) return replyError(loop.replyTo, sent);
  beforeText(loop, text);
  return loop.forward(permit, sent, {
    command: COM_QUERY,
    text,
    permit,
    after: (succeeded) => afterText(loop, text, succeeded),
  });
}

// SHOW GRANTS, SHOW CREATE USER and SHOW PROCESSLIST of oneself, as text and prepared: the rows are the gateway's.

import type { Permit } from "../../acl/permit.ts";
import { noSettings } from "../../backend/session-settings.ts";
import { SqlError, sqlError } from "../../errors/sql-error.ts";
import type { CommandLoop } from "../command-loop.ts";
import { ownAnswer, ownColumns, ownShowOf } from "../own-answers.ts";
import { binaryReply, type OwnResult, prepareReply, textReply } from "../own-result.ts";
import type { PreparedStatement } from "../prepared-statements.ts";
import { endWithError, replyError, replyPackets } from "../reply.ts";
import { type HandlerResult, relaying } from "../session-end.ts";
import type { StatementText } from "../statement-text.ts";

/** Answers a text that is such a statement alone; `sql`: as the client wrote it. */
export function answerOwnShow(
  loop: CommandLoop,
  text: StatementText,
  sql: Uint8Array,
): Promise<HandlerResult> {
  return answer(loop, text, Buffer.from(sql).toString("utf8"), textReply);
}

/** Answers COM_PROCESS_INFO, which old clients send in place of SHOW PROCESSLIST. */
export async function handleProcessInfo(loop: CommandLoop): Promise<HandlerResult> {
  const result = await ownAnswer(loop, { what: "PROCESSLIST", start: 0, end: 0 }, "");
  if (loop.ended) return relaying;
  return result instanceof SqlError
    ? replyError(loop.replyTo, result)
    : replyPackets(loop.replyTo, textReply(result, loop.state));
}

/** Answers COM_STMT_PREPARE of such a statement: it stays in the gateway. */
export function prepareOwnShow(loop: CommandLoop, text: StatementText, permit: Permit): HandlerResult {
  const { prepared } = loop.state;
  const [only] = text.statements;
  const show = only === undefined ? null : ownShowOf(only);
  const columns = show === null ? [] : ownColumns(loop, show);
  const id = prepared.takeId();
  prepared.add(id, {
    statement: text,
    permits: [permit],
    authorizerGeneration: loop.services.authorizer().generation,
    parameterCount: 0,
    columnCount: columns.length,
    context: "",
    database: null,
    settings: noSettings,
    payload: null,
  });
  return replyPackets(loop.replyTo, prepareReply(id, columns, loop.state));
}

/** Answers COM_STMT_EXECUTE of it. Where a cursor is asked for, the rows come at once, as servers may do. */
export function executeOwnShow(
  loop: CommandLoop,
  { statement }: PreparedStatement,
): HandlerResult | Promise<HandlerResult> {
  const what = statement.statements[0]?.ownShow?.what ?? "";
  return answer(loop, statement, `SHOW ${what}`, binaryReply);
}

async function answer(
  loop: CommandLoop,
  text: StatementText,
  written: string,
  encode: (result: OwnResult, state: CommandLoop["state"]) => readonly Uint8Array[],
): Promise<HandlerResult> {
  const [only] = text.statements;
  const show = only === undefined ? null : ownShowOf(only);
  if (show === null) return replyError(loop.replyTo, sqlError("ER_NOT_SUPPORTED_YET", { feature: "SHOW" }));
  const failed = onFailure(loop);
  const result = await ownAnswer(loop, show, written);
  if (loop.ended) return relaying;
  return result instanceof SqlError ? failed(result) : replyPackets(loop.replyTo, encode(result, loop.state));
}

/** To be called before the server is asked: what becomes of the session when that fails. */
export function onFailure(loop: CommandLoop): (error: SqlError) => HandlerResult {
  const stateful =
    loop.inTransaction || loop.state.pinnedBecause !== null || loop.state.prepared.holdsBecause !== null;
  const hadLease = loop.relay.lease !== null;
  return (error) =>
    hadLease && stateful
      ? endWithError(loop.replyTo, error, "backend_lost")
      : replyError(loop.replyTo, error);
}

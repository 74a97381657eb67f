// KILL, in every spelling: answered by the gateway with its own connection ids, for the user's own sessions only. It
// never reaches a backend, whose thread ids mean nothing to a client and whose account is not the client's.

import type { Permit } from "../../acl/permit.ts";
import { sqlError } from "../../errors/sql-error.ts";
import type { KillRequest } from "../../sql/statement-summary.ts";
import { CLIENT_DEPRECATE_EOF } from "../../wire/capabilities.ts";
import { payloadOf } from "../../wire/command-boundary.ts";
import { encodeColumnDefinition, parameterDefinition } from "../../wire/packets/column-definition.ts";
import { encodeEof } from "../../wire/packets/eof.ts";
import { encodePrepareOk } from "../../wire/packets/prepare-ok.ts";
import { decodeIntegerParameters } from "../../wire/packets/stmt-execute.ts";
import type { CommandLoop } from "../command-loop.ts";
import type { PreparedStatement } from "../prepared-statements.ts";
import { replyError, replyOk, replyPackets } from "../reply.ts";
import { auditKill } from "../session-audit.ts";
import type { HandlerResult } from "../session-end.ts";
import { sessionEnd } from "../session-end.ts";
import type { StatementText } from "../statement-text.ts";

/** Answers COM_PROCESS_KILL: the id stands in the packet. */
export function handleProcessKill(loop: CommandLoop, frames: Uint8Array): HandlerResult {
  const payload = payloadOf(frames);
  if (payload.length < 5) return replyError(loop.replyTo, sqlError("ER_UNKNOWN_COM_ERROR"));
  const id = Buffer.from(payload.buffer, payload.byteOffset, payload.length).readUInt32LE(1);
  return carryOut(loop, { scope: "connection", id });
}

/** Answers a text that is one KILL; together with other statements it is refused as a whole, before any of them ran. */
export function handleKillText(loop: CommandLoop, text: StatementText): HandlerResult {
  const request = text.statements.length === 1 ? (text.statements[0]?.kill ?? null) : null;
  if (request !== null) return carryOut(loop, request);
  return replyError(
    loop.replyTo,
    sqlError("ER_NOT_SUPPORTED_YET", { feature: "KILL together with other statements" }),
  );
}

/** Answers COM_STMT_PREPARE of a KILL: the statement stays in the gateway. */
export function prepareOwnStatement(
  loop: CommandLoop,
  text: StatementText,
  parameterCount: number,
  permit: Permit,
): HandlerResult {
  if (text.statements.length !== 1) return handleKillText(loop, text);
  const { prepared, capabilities, statusFlags } = loop.state;
  const id = prepared.takeOwnId();
  prepared.add({
    id,
    parameterCount,
    statement: text,
    permit,
    authorizerGeneration: loop.services.authorizer().generation,
  });
  const packets: Uint8Array[] = [
    encodePrepareOk({ statementId: id, columnCount: 0, parameterCount, warnings: 0 }),
  ];
  for (let index = 0; index < parameterCount; index += 1)
    packets.push(encodeColumnDefinition(parameterDefinition));
  if (parameterCount > 0 && (capabilities & CLIENT_DEPRECATE_EOF) === 0) {
    packets.push(encodeEof({ warnings: 0, statusFlags }));
  }
  return replyPackets(loop.replyTo, packets);
}

/** Answers COM_STMT_EXECUTE of a KILL that the gateway keeps. */
export function executeOwnStatement(
  loop: CommandLoop,
  payload: Uint8Array,
  prepared: PreparedStatement,
): HandlerResult {
  const request = prepared.statement.statements[0]?.kill ?? null;
  if (request === null) return unknownThread(loop, 0);
  if (prepared.parameterCount === 0) return carryOut(loop, request);
  const [id] = decodeIntegerParameters(payload, prepared.parameterCount);
  return carryOut(loop, { scope: request.scope, id: id ?? null });
}

function carryOut(loop: CommandLoop, request: KillRequest): HandlerResult {
  const { services, state } = loop;
  const victim = request.id === null ? null : services.registry.get(request.id);
  if (victim === null || victim.identity === null || state.identity === null) {
    auditKill(services, state, request, "unknown_id");
    return unknownThread(loop, request.id ?? 0);
  }
  if (victim.identity.loginUser !== state.identity.loginUser) {
    auditKill(services, state, request, "denied");
    return replyError(loop.replyTo, sqlError("ER_KILL_DENIED_ERROR", { id: victim.id }));
  }
  auditKill(services, state, request, "done");
  if (victim.id === state.id) return killOneself(loop, request);
  victim.kill(request.scope);
  return replyOk(loop.replyTo);
}

/** A session that kills itself is told that it was interrupted; KILL CONNECTION then ends it. */
function killOneself(loop: CommandLoop, request: KillRequest): HandlerResult {
  const answered = replyError(loop.replyTo, sqlError("ER_QUERY_INTERRUPTED"));
  return request.scope === "query" ? answered : sessionEnd("killed");
}

function unknownThread(loop: CommandLoop, id: number): HandlerResult {
  return replyError(loop.replyTo, sqlError("ER_NO_SUCH_THREAD", { id }));
}

// KILL, in every spelling: answered by the gateway with its own connection ids, for the user's own sessions only. It
// never reaches a backend, whose thread ids mean nothing to a client and whose account is not the client's.

import type { Permit } from "../../acl/permit.ts";
import { noSettings } from "../../backend/session-settings.ts";
import { SqlError, sqlError } from "../../errors/sql-error.ts";
import { type KillSite, killsAmongOthers } from "../../sql/kills-among-others.ts";
import type { KillRequest } from "../../sql/statement-summary.ts";
import type { TextEdit } from "../../sql/text-edits.ts";
import { CLIENT_DEPRECATE_EOF } from "../../wire/capabilities.ts";
import { payloadOf } from "../../wire/command-boundary.ts";
import { COM_QUERY } from "../../wire/commands.ts";
import { encodeColumnDefinition, parameterDefinition } from "../../wire/packets/column-definition.ts";
import { encodeEof } from "../../wire/packets/eof.ts";
import { encodePrepareOk } from "../../wire/packets/prepare-ok.ts";
import { decodeIntegerParameters } from "../../wire/packets/stmt-execute.ts";
import { readUserVariable } from "../ask-backend.ts";
import type { CommandLoop } from "../command-loop.ts";
import type { PreparedStatement } from "../prepared-statements.ts";
import { lexOptionsOf } from "../reading.ts";
import { replyError, replyOk, replyPackets } from "../reply.ts";
import { auditKill } from "../session-audit.ts";
import type { HandlerResult } from "../session-end.ts";
import { relaying, sessionEnd } from "../session-end.ts";
import type { StatementText } from "../statement-text.ts";
import { editCommand } from "../truth.ts";

/** Answers COM_PROCESS_KILL: the id stands in the packet. */
export function handleProcessKill(
  loop: CommandLoop,
  frames: Uint8Array,
): HandlerResult | Promise<HandlerResult> {
  const payload = payloadOf(frames);
  if (payload.length < 5) return replyError(loop.replyTo, sqlError("ER_UNKNOWN_COM_ERROR"));
  const id = Buffer.from(payload.buffer, payload.byteOffset, payload.length).readUInt32LE(1);
  return carryOut(loop, { scope: "connection", id });
}

/** Answers a text that holds a KILL, alone or among other statements. */
export function handleKillText(
  loop: CommandLoop,
  frames: Uint8Array,
  text: StatementText,
  permit: Permit,
  edits: readonly TextEdit[],
): HandlerResult | Promise<HandlerResult> {
  const request = text.statements.length === 1 ? (text.statements[0]?.kill ?? null) : null;
  if (request !== null && (request.id !== null || request.of !== undefined)) return carryOut(loop, request);
  return relayAroundKills(loop, frames, text, permit, edits);
}

/**
 * The other statements of the text are relayed with something in place of each KILL that gives the same reply: `DO 0`,
 * or the error that it deserves. The kills are done when their place in the reply has passed.
 */
function relayAroundKills(
  loop: CommandLoop,
  frames: Uint8Array,
  text: StatementText,
  permit: Permit,
  edits: readonly TextEdit[],
): HandlerResult | Promise<HandlerResult> {
  const sql = payloadOf(frames).subarray(1);
  const written = Buffer.from(sql.buffer, sql.byteOffset, sql.length).toString("latin1");
  const sites = killsAmongOthers(written, lexOptionsOf(loop.state, loop.services.readingServer()));
  if (sites === null || sites.length === 0) return refuseKill(loop);
  const [only] = sites;
  if (
    only !== undefined &&
    only.statementIndex === 0 &&
    written.slice(only.end).replace(/[\s;]/g, "") === ""
  ) {
    return carryOut(loop, only.request);
  }
  const found = sites.map(({ request }) => find(loop, meant(loop, request)));
  const relay = (
    victims: readonly (Victim | null)[],
    whole: Uint8Array,
  ): HandlerResult | Promise<HandlerResult> => {
    const judged = sites.map((site, index) => ({
      site,
      verdict: judge(loop, site.request, victims[index] ?? null),
    }));
    return relayWithout(loop, whole, judged, { text, permit, edits });
  };
  const isFar = found.some((victim) => victim instanceof Promise);
  if (!isFar) return relay(found as readonly (Victim | null)[], frames);
  const copy = Buffer.from(frames);
  return Promise.all(found).then((victims) => (loop.ended ? relaying : relay(victims, copy)));
}

interface JudgedSite {
  readonly site: KillSite;
  readonly verdict: KillVerdict;
}

function relayWithout(
  loop: CommandLoop,
  frames: Uint8Array,
  judged: readonly JudgedSite[],
  command: { readonly text: StatementText; readonly permit: Permit; readonly edits: readonly TextEdit[] },
): HandlerResult | Promise<HandlerResult> {
  const { edits } = command;
  const inPlaceOfKills = judged.map(({ site: { start, end }, verdict }) => ({
    start,
    end,
    text: Buffer.from(replacementOf(verdict), "latin1"),
  }));
  // A KILL with CURRENT_USER or the like in it is replaced as a whole.
  const others = edits.filter(
    (edit) => !judged.some(({ site }) => edit.start >= site.start && edit.end <= site.end),
  );
  const sent = editCommand(loop, frames, [...inPlaceOfKills, ...others], command.text);
  if (sent instanceof SqlError) return replyError(loop.replyTo, sent);
  const asSent = judgeAsSent(loop, sent, command);
  if (asSent === null) return refuseKill(loop);
  const { text, permit } = asSent;
  return loop.forward(permit, sent, {
    command: COM_QUERY,
    text,
    permit,
    after: (succeeded) => {
      const reached = succeeded ? Number.POSITIVE_INFINITY : loop.relay.boundary.summary.resultCount;
      for (const { site, verdict } of judged) {
        if (verdict.kind === "kill" && site.statementIndex < reached)
          doKill(loop, verdict.victim, site.request);
      }
    },
  });
}

/** Where a table ACL holds, what is sent is judged as it is sent. null: it must not be. */
function judgeAsSent(
  loop: CommandLoop,
  sent: Uint8Array,
  judged: { readonly text: StatementText; readonly permit: Permit },
): { readonly text: StatementText; readonly permit: Permit } | null {
  const { services, state } = loop;
  if (!services.authorizer().enforcing) return judged;
  const decision = services.decider.decide(state, payloadOf(sent), 1);
  return decision.kind === "forward" && !decision.text.kills ? decision : null;
}

function replacementOf(verdict: KillVerdict): string {
  if (verdict.kind === "kill") return "DO 0";
  const { code, sqlState, message } = verdict.error;
  return `SIGNAL SQLSTATE '${sqlState}' SET MYSQL_ERRNO = ${code}, MESSAGE_TEXT = '${message}'`;
}

function refuseKill(loop: CommandLoop): HandlerResult {
  return replyError(
    loop.replyTo,
    sqlError("ER_NOT_SUPPORTED_YET", { feature: "KILL inside another statement" }),
  );
}

/** Answers COM_STMT_PREPARE of a KILL: the statement stays in the gateway. */
export function prepareOwnStatement(
  loop: CommandLoop,
  text: StatementText,
  parameterCount: number,
  permit: Permit,
): HandlerResult {
  if (text.statements.length !== 1) return refuseKill(loop);
  const { prepared, capabilities, statusFlags } = loop.state;
  const id = prepared.takeId();
  prepared.add(id, {
    statement: text,
    permits: [permit],
    authorizerGeneration: loop.services.authorizer().generation,
    parameterCount,
    columnCount: 0,
    context: "",
    database: null,
    settings: noSettings,
    payload: null,
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
): HandlerResult | Promise<HandlerResult> {
  const request = prepared.statement.statements[0]?.kill ?? null;
  if (request === null) return refuseKill(loop);
  if (prepared.parameterCount === 0) return carryOut(loop, request);
  const [id] = decodeIntegerParameters(payload, prepared.parameterCount);
  return carryOut(loop, { scope: request.scope, id: id ?? null });
}

/** A session of this process or of another. */
interface Victim {
  readonly id: number;
  /** null: it has not logged in. */
  readonly loginUser: string | null;
  kill(scope: "query" | "connection"): void;
}

type KillVerdict =
  | { readonly kind: "kill"; readonly victim: Victim }
  | { readonly kind: "refused"; readonly error: SqlError };

/** A promise only where the id may be another process's. */
function find({ services }: CommandLoop, { id }: KillRequest): Victim | null | Promise<Victim | null> {
  if (id === null) return null;
  const session = services.registry.get(id);
  if (session !== null) {
    return {
      id,
      loginUser: session.identity?.loginUser ?? null,
      kill: (scope) => session.kill(scope),
    };
  }
  const { siblings } = services;
  if (siblings === null) return null;
  return siblings
    .ownerOf(id)
    .then((loginUser) =>
      loginUser === null ? null : { id, loginUser, kill: (scope) => siblings.kill(id, scope) },
    );
}

/** Whether this user may do it, recorded. The wordings hold numbers only, so they are safe inside quotes. */
function judge(loop: CommandLoop, request: KillRequest, victim: Victim | null): KillVerdict {
  const { services, state } = loop;
  if (victim === null || victim.loginUser === null || state.identity === null) {
    auditKill(services, state, request, "unknown_id");
    return { kind: "refused", error: sqlError("ER_NO_SUCH_THREAD", { id: request.id ?? 0 }) };
  }
  if (victim.loginUser !== state.identity.loginUser) {
    auditKill(services, state, request, "denied");
    return { kind: "refused", error: sqlError("ER_KILL_DENIED_ERROR", { id: victim.id }) };
  }
  auditKill(services, state, request, "done");
  return { kind: "kill", victim };
}

/** With the session's own id where that is meant. */
function meant({ state }: CommandLoop, request: KillRequest): KillRequest {
  return request.of === "CONNECTION_ID()" ? { scope: request.scope, id: state.id } : request;
}

function carryOut(loop: CommandLoop, wanted: KillRequest): HandlerResult | Promise<HandlerResult> {
  const request = meant(loop, wanted);
  const { scope, of } = request;
  if (of !== undefined && of !== "CONNECTION_ID()") {
    return readUserVariable(loop.backend, of).then((id) => {
      if (loop.ended) return relaying;
      return id instanceof SqlError ? replyError(loop.replyTo, id) : carryOut(loop, { scope, id });
    });
  }
  const victim = find(loop, request);
  if (victim instanceof Promise) return victim.then((found) => carryOutOn(loop, request, found));
  return carryOutOn(loop, request, victim);
}

function carryOutOn(loop: CommandLoop, request: KillRequest, victim: Victim | null): HandlerResult {
  if (loop.ended) return relaying;
  const verdict = judge(loop, request, victim);
  if (verdict.kind === "refused") return replyError(loop.replyTo, verdict.error);
  if (verdict.victim.id === loop.state.id) return killOneself(loop, request);
  verdict.victim.kill(request.scope);
  return replyOk(loop.replyTo);
}

/** A kill whose reply has been given already. */
function doKill(loop: CommandLoop, victim: Victim, request: KillRequest): void {
  if (victim.id !== loop.state.id) victim.kill(request.scope);
  else if (request.scope === "connection") loop.end(sessionEnd("killed"));
}

/** A session that kills itself is told so, in its server's words; KILL CONNECTION then ends it. */
function killOneself(loop: CommandLoop, request: KillRequest): HandlerResult {
  const isMariadb = loop.services.readingServer()?.flavour === "mariadb";
  const ends = request.scope === "connection";
  const symbol = ends && isMariadb ? "ER_CONNECTION_KILLED" : "ER_QUERY_INTERRUPTED";
  const answered = replyError(loop.replyTo, sqlError(symbol));
  return ends ? sessionEnd("killed") : answered;
}

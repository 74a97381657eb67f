// Commands on a prepared statement of the binary protocol: judged by what its PREPARE was judged to be, again after a
// reload of the ACL. An id that the session does not know never reaches a backend.

import type { Permit } from "../../acl/permit.ts";
import type { PreparedCopy } from "../../backend/prepared-copies.ts";
import { SqlError, sqlError } from "../../errors/sql-error.ts";
import { applyEdits } from "../../sql/text-edits.ts";
import { payloadOf } from "../../wire/command-boundary.ts";
import {
  COM_STMT_CLOSE,
  COM_STMT_EXECUTE,
  COM_STMT_FETCH,
  COM_STMT_RESET,
  COM_STMT_SEND_LONG_DATA,
} from "../../wire/commands.ts";
import { FRAME_HEADER_BYTES } from "../../wire/limits.ts";
import { STATUS_CURSOR_EXISTS, STATUS_LAST_ROW_SENT } from "../../wire/status-flags.ts";
import { recordPermits } from "../acl-records.ts";
import { afterText } from "../after-text.ts";
import type { CommandLoop } from "../command-loop.ts";
import type { Leftovers } from "../leftover-record.ts";
import { withOtherSessions } from "../other-sessions.ts";
import { addressTo, CURSOR_OFFSET, executeOn, opensCursor } from "../prepared-command.ts";
import type { CopySource, PreparedStatement } from "../prepared-statements.ts";
import { permitOf } from "../prepared-statements.ts";
import { dependsOnReading, readOtherwise } from "../read-otherwise.ts";
import { refuse } from "../refuse.ts";
import { internalError, replyError, replyOk } from "../reply.ts";
import type { HandlerResult } from "../session-end.ts";
import { relaying, replied } from "../session-end.ts";
import { truthEdits } from "../truth.ts";
import { executeOwnStatement } from "./kill.ts";
import { executeOwnShow, onFailure } from "./own-show.ts";
import { isReadOtherwise, type OnCopy, withCopy } from "./with-copy.ts";
import { withReading } from "./with-reading.ts";

const ID_OFFSET = 1;
const ID_END = 5;
/** Id and parameter's number. */
const LONG_DATA_HEADER_END = 7;

/** COM_STMT_EXECUTE. */
export function handleExecute(loop: CommandLoop, frames: Uint8Array): HandlerResult | Promise<HandlerResult> {
  const statement = statementOf(loop, frames);
  if (statement === null) return unknownStatement(loop, frames, "mysqld_stmt_execute");
  if (statement.statement.asksGateway) return executeOwnShow(loop, statement);
  if (statement.isOwn) return executeOwnStatement(loop, payloadOf(frames), statement);
  if (dependsOnReading(loop, statement) || loop.state.following.computedBecause !== null)
    return withReading(loop, frames, (_loop, whole) => executeKnown(loop, whole, statement), false);
  return executeKnown(loop, frames, statement);
}

/** It is known how the session's texts are read, where that matters. */
function executeKnown(
  loop: CommandLoop,
  frames: Uint8Array,
  statement: PreparedStatement,
): HandlerResult | Promise<HandlerResult> {
  const refused =
    judgeAgain(loop, statement) ?? readOtherwise(loop, statement) ?? refuseCursor(loop, statement, frames);
  if (refused !== null) {
    const kind = statement.statement.statements[0]?.kind ?? null;
    return refuse(loop, { command: "COM_STMT_EXECUTE", statementKind: kind }, refused);
  }
  const { tellsInRows } = statement.statement;
  const sent = tellsInRows || statement.isToldAnew ? withoutCursor(frames) : frames;
  if (!statement.isToldAnew || statement.hasLongData)
    return withCopy(loop, statement, sent, execute, "reply", sourceOf(loop, statement));
  const again = () =>
    loop.ended ? relaying : withCopy(loop, statement, sent, execute, "reply", toldAnew(loop, statement));
  return withOtherSessions(loop, again, onFailure(loop));
}

/** What is executed; where its long data has gone already, that. */
function sourceOf(loop: CommandLoop, statement: PreparedStatement): CopySource {
  if (!statement.hasLongData) statement.inUse = ownOrNull(statement, tellLeftovers(loop, statement));
  return statement.inUse ?? statement;
}

function ownOrNull(statement: PreparedStatement, source: CopySource): CopySource | null {
  return source === statement ? null : source;
}

/** A statement that reads the gateway's sessions, with those that there are now. Never the text without them. */
function toldAnew(loop: CommandLoop, statement: PreparedStatement): CopySource {
  return { key: statement.key, payload: tellAgain(loop, statement, null), isNew: true };
}

/** Its COM_STMT_PREPARE with what the text asks for put in; null: nothing is. */
function tellAgain(
  loop: CommandLoop,
  { payload, database }: PreparedStatement,
  leftovers: Leftovers | null,
): Uint8Array | null {
  if (payload === null) return null;
  const { state, services } = loop;
  const present = state.database;
  // Its names are those of the schema in which it was prepared.
  state.database = database;
  const decision = services.decider.decide(state, payload, 1);
  state.database = present;
  const truth = decision.kind === "forward" ? decision.truth : null;
  const edits = truthEdits(loop, payload.subarray(1), truth, leftovers);
  const text = edits.length === 0 ? null : applyEdits(payload.subarray(1), edits);
  return text === null ? null : Buffer.concat([payload.subarray(0, 1), text]);
}

/** A statement that asks for leftovers which its connection does not have: they are put into its text. */
function tellLeftovers(loop: CommandLoop, statement: PreparedStatement): CopySource {
  const { state } = loop;
  // To be prepared elsewhere, its connection has to go there and back, which leaves leftovers of its own.
  const isElsewhere = statement.database !== state.database || isReadOtherwise(state, statement);
  const leftovers = state.following.leftoversFor(statement.statement, isElsewhere);
  if (leftovers === null) return statement;
  const told = tellAgain(loop, statement, leftovers);
  if (told === null) return statement;
  const { rowCount, foundRows } = leftovers;
  return { key: `${statement.key} ${rowCount} ${foundRows}`, payload: told };
}

function execute(
  loop: CommandLoop,
  statement: PreparedStatement,
  copy: PreparedCopy,
  frames: Uint8Array,
): HandlerResult | Promise<HandlerResult> {
  const { permits, statement: text } = statement;
  const permit = permitOf(statement);
  const asksForCursor = opensCursor(frames);
  recordPermits(loop, "COM_STMT_EXECUTE", permits, text);
  return loop.forward(permit, executeOn(copy, statement, frames), {
    command: COM_STMT_EXECUTE,
    text,
    permit,
    statementIds: { client: statement.id, copy: copy.id },
    after: (succeeded) => {
      statement.hasLongData = false;
      noteCursor(loop, statement, asksForCursor && succeeded && hasStatus(loop, STATUS_CURSOR_EXISTS));
      afterText(loop, text, succeeded);
    },
  });
}

/** COM_STMT_FETCH. */
export function handleFetch(loop: CommandLoop, frames: Uint8Array): HandlerResult | Promise<HandlerResult> {
  return forwardKnown(loop, frames, COM_STMT_FETCH, "mysqld_stmt_fetch", (statement, succeeded) => {
    if (succeeded && hasStatus(loop, STATUS_LAST_ROW_SENT)) noteCursor(loop, statement, false);
  });
}

/** COM_STMT_RESET. */
export function handleStatementReset(
  loop: CommandLoop,
  frames: Uint8Array,
): HandlerResult | Promise<HandlerResult> {
  const known = statementOf(loop, frames);
  // A copy that is yet to be made has nothing to be reset.
  if (known !== null && !known.isOwn && !known.hasLongData && !known.hasOpenCursor && !isHere(loop, known))
    return replyOk(loop.replyTo);
  return forwardKnown(loop, frames, COM_STMT_RESET, "mysqld_stmt_reset", (statement, succeeded) => {
    if (!succeeded) return;
    statement.hasLongData = false;
    noteCursor(loop, statement, false);
  });
}

function isHere({ relay, state }: CommandLoop, { key }: PreparedStatement): boolean {
  return (relay.lease?.connection.prepared.use(key, state.id) ?? null) !== null;
}

/** COM_STMT_SEND_LONG_DATA: has no reply, its errors surface at the next execute. */
export function handleLongData(
  loop: CommandLoop,
  frames: Uint8Array,
): HandlerResult | Promise<HandlerResult> {
  // Relayed, it would be answered by MySQL, at a time when nobody waits for an answer.
  if (payloadOf(frames).length < LONG_DATA_HEADER_END) return cutShort(loop);
  const statement = statementOf(loop, frames);
  if (statement === null || statement.isOwn) return replied;
  return withCopy(
    loop,
    statement,
    frames,
    (_loop, { statement: text }, copy, whole) => {
      addressTo(whole, copy.id);
      statement.hasLongData = true;
      loop.state.prepared.noteHold(statement);
      const permit = permitOf(statement);
      const statementIds = { client: statement.id, copy: copy.id };
      const command = COM_STMT_SEND_LONG_DATA;
      return loop.forward(permit, whole, { command, text, permit, statementIds, after: null });
    },
    "silently",
    statement.isToldAnew && !statement.hasLongData ? toldAnew(loop, statement) : sourceOf(loop, statement),
  );
}

/** COM_STMT_CLOSE: has no reply. Copies on other connections are closed there when their room is needed. */
export function handleStatementClose(
  loop: CommandLoop,
  frames: Uint8Array,
): HandlerResult | Promise<HandlerResult> {
  const statement = statementOf(loop, frames);
  if (statement === null) return idOf(frames) === null ? cutShort(loop) : replied;
  loop.state.prepared.remove(statement);
  const copy = statement.isOwn ? null : (loop.relay.lease?.connection.prepared.remove(statement.key) ?? null);
  if (copy === null) return replied;
  addressTo(frames, copy.id);
  const text = statement.statement;
  const permit = permitOf(statement);
  return loop.forward(permit, frames, { command: COM_STMT_CLOSE, text, permit, after: null });
}

function forwardKnown(
  loop: CommandLoop,
  frames: Uint8Array,
  command: number,
  caller: string,
  after: (statement: PreparedStatement, succeeded: boolean) => void,
): HandlerResult | Promise<HandlerResult> {
  const known = statementOf(loop, frames);
  if (known === null) return unknownStatement(loop, frames, caller);
  if (known.isOwn) return replyOk(loop.replyTo);
  const goOn: OnCopy = (_loop, statement, copy, whole) => {
    addressTo(whole, copy.id);
    const permit = permitOf(statement);
    return loop.forward(permit, whole, {
      command,
      // Nothing runs, so nothing of what it would do is done.
      text: command === COM_STMT_RESET ? null : statement.statement,
      permit,
      statementIds: { client: statement.id, copy: copy.id },
      after: (succeeded) => after(statement, succeeded),
    });
  };
  return withCopy(loop, known, frames, goOn, "reply", known.inUse ?? known);
}

function noteCursor(loop: CommandLoop, statement: PreparedStatement, isOpen: boolean): void {
  statement.hasOpenCursor = isOpen;
  if (!isOpen && !statement.hasLongData) statement.inUse = null;
  loop.state.prepared.noteHold(statement);
}

function hasStatus(loop: CommandLoop, flag: number): boolean {
  return (loop.relay.boundary.summary.statusFlags & flag) !== 0;
}

/** The permit is of the generation at PREPARE; after a reload every statement in it is judged anew. */
function judgeAgain(loop: CommandLoop, prepared: PreparedStatement): SqlError | null {
  const authorizer = loop.services.authorizer();
  if (prepared.authorizerGeneration === authorizer.generation) return null;
  const identity = loop.state.identity;
  if (identity === null) return internalError();
  const permits: Permit[] = [];
  for (const statement of prepared.statement.statements) {
    const verdict = authorizer.authorize(identity, statement);
    if (verdict instanceof SqlError) return verdict;
    permits.push(verdict);
  }
  prepared.permits = permits;
  prepared.authorizerGeneration = authorizer.generation;
  return null;
}

/** Rows behind a cursor come with COM_STMT_FETCH, where nobody filters them. */
function refuseCursor(loop: CommandLoop, prepared: PreparedStatement, frames: Uint8Array): SqlError | null {
  if (prepared.statement.listing === null || !loop.services.authorizer().enforcing) return null;
  const kind = prepared.statement.statements[0]?.subject ?? "";
  return opensCursor(frames)
    ? sqlError("ER_NOT_SUPPORTED_YET", { feature: `SHOW ${kind} with a cursor` })
    : null;
}

/** Nobody changes rows that come with COM_STMT_FETCH: they come at once, as servers may do. A copy. */
function withoutCursor(frames: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(frames);
  if (copy.length > FRAME_HEADER_BYTES + CURSOR_OFFSET) copy[FRAME_HEADER_BYTES + CURSOR_OFFSET] = 0;
  return copy;
}

function statementOf(loop: CommandLoop, frames: Uint8Array): PreparedStatement | null {
  const id = idOf(frames);
  return id === null ? null : loop.state.prepared.get(id);
}

function idOf(frames: Uint8Array): number | null {
  const payload = payloadOf(frames);
  if (payload.length < ID_END) return null;
  return Buffer.from(payload.buffer, payload.byteOffset, payload.length).readUInt32LE(ID_OFFSET);
}

/** A command without a reply that is too short: MySQL answers it all the same, MariaDB does not. */
function cutShort(loop: CommandLoop): HandlerResult {
  return announcesMariadb(loop) ? replied : replyError(loop.replyTo, sqlError("ER_MALFORMED_PACKET"));
}

function announcesMariadb(loop: CommandLoop): boolean {
  return /mariadb/i.test(loop.services.greeting().versionText);
}

/** In the words of the announced server: MySQL names one check for all commands, MariaDB each command's function. */
function unknownStatement(loop: CommandLoop, frames: Uint8Array, mariadbName: string): HandlerResult {
  const id = idOf(frames);
  if (id === null) return replyError(loop.replyTo, sqlError("ER_MALFORMED_PACKET"));
  const command = announcesMariadb(loop) ? mariadbName : "mysql_stmt_precheck";
  return replyError(loop.replyTo, sqlError("ER_UNKNOWN_STMT_HANDLER", { id, command }));
}

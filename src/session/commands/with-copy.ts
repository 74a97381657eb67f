// A command on a prepared statement needs a copy of it on the backend connection at hand: where there is none, the
// statement is prepared again, unseen by the client.

import type { BackendConnection } from "../../backend/backend-connection.ts";
import type { PrepareRequest } from "../../backend/prepare-statement.ts";
import type { PreparedCopy } from "../../backend/prepared-copies.ts";
import { readingElements, readingKeyOf } from "../../backend/session-settings.ts";
import { SqlError, sqlError } from "../../errors/sql-error.ts";
import type { Route } from "../../routing/route.ts";
import { CLIENT_IGNORE_SPACE, has } from "../../wire/capabilities.ts";
import type { CommandLoop } from "../command-loop.ts";
import { inspectErr } from "../inspect-reply.ts";
import type { CopySource, PreparedStatement } from "../prepared-statements.ts";
import { permitOf } from "../prepared-statements.ts";
import { replyError, replyPackets } from "../reply.ts";
import type { SessionState } from "../session.ts";
import { type HandlerResult, relaying, replied, sessionEnd } from "../session-end.ts";

/** Goes on with the copy. `frames` as the client sent them, to be written over. */
export type OnCopy = (
  loop: CommandLoop,
  statement: PreparedStatement,
  copy: PreparedCopy,
  frames: Uint8Array,
) => HandlerResult | Promise<HandlerResult>;

/** `silently`: the command has no reply, so an error has none either. */
export function withCopy(
  loop: CommandLoop,
  statement: PreparedStatement,
  frames: Uint8Array,
  goOn: OnCopy,
  onError: "reply" | "silently" = "reply",
  source: CopySource = statement,
): HandlerResult | Promise<HandlerResult> {
  const misplaced = loop.backend.place(statement.statement);
  if (misplaced !== null) return onError === "silently" ? replied : replyError(loop.replyTo, misplaced);
  const copy = loop.backend.ready ? copyAtHand(loop, source) : null;
  if (copy !== null) return goOn(loop, statement, copy, frames);
  return prepareAndGoOn(loop, statement, Buffer.from(frames), goOn, onError, source);
}

function copyAtHand({ relay, state }: CommandLoop, { key, isNew }: CopySource): PreparedCopy | null {
  if (isNew === true) return null;
  return relay.lease?.connection.prepared.use(key, state.id) ?? null;
}

async function prepareAndGoOn(
  loop: CommandLoop,
  statement: PreparedStatement,
  frames: Buffer,
  goOn: OnCopy,
  onError: "reply" | "silently",
  source: CopySource,
): Promise<HandlerResult> {
  for (;;) {
    const made = await prepareAgain(loop, statement, source);
    if (loop.ended) return relaying;
    if ("send" in made) return onError === "reply" ? made.send() : failSilently(made);
    // A copy is good on its own connection only.
    if (loop.backend.ready && loop.relay.lease?.connection === made.on)
      return goOn(loop, statement, made.copy, frames);
  }
}

/** Nobody reads a reply: a client that would go on with half a transaction loses its connection. */
function failSilently({ error }: Failure): HandlerResult {
  const isLoss = error?.symbol === "ER_LOCK_DEADLOCK";
  return isLoss ? sessionEnd("backend_lost", "a transaction was lost with its connection") : replied;
}

/** A statement as one connection knows it. */
interface Made {
  readonly copy: PreparedCopy;
  readonly on: BackendConnection;
}

/** What the client gets instead of a reply to its command. */
interface Failure {
  send(): HandlerResult;
  /** null: an answer of the server. */
  readonly error: SqlError | null;
}

type Prepared =
  | (Made & { readonly isTheSame: boolean })
  | { readonly refusal: Buffer; readonly route: Route }
  | "nothing to prepare";

async function prepareAgain(
  loop: CommandLoop,
  statement: PreparedStatement,
  source: CopySource,
): Promise<Made | Failure> {
  const { payload } = source;
  const silence = "a statement could not be prepared on it again";
  const reply = await loop.backend.ask(
    statement.statement,
    silence,
    async (lease): Promise<Prepared | null> => {
      const on = lease.connection;
      const known = copyAtHand(loop, source);
      if (known !== null) return { on, copy: known, isTheSame: true };
      if (payload === null) return "nothing to prepare";
      const { present, named: database } = loop.backend.serverSchemas(statement.database);
      const isElsewhere = database !== null && present !== null && database !== present;
      const schema = isElsewhere ? { meanwhile: database, afterwards: present } : null;
      const reading = readingFor(loop, statement, on);
      const prepared = await lease.prepareStatement({
        permit: permitOf(statement),
        payload,
        schema,
        reading,
      });
      if (prepared === null) return null;
      if (schema !== null || reading !== null) loop.state.following.noteAside();
      if (prepared.kind === "err") return { refusal: prepared.payload, route: lease.route };
      // Also where the client is told of a KILL now: the connection has it.
      const copy = on.prepared.add(source.key, prepared.id, loop.state.id);
      const { parameterCount, columnCount } = prepared;
      const isTheSame = parameterCount === statement.parameterCount && columnCount === statement.columnCount;
      return { on, copy, isTheSame };
    },
  );
  if (reply instanceof SqlError) return answer(loop, reply);
  if (reply === "nothing to prepare") return lost(loop, statement);
  if ("refusal" in reply) return relayErr(loop, reply.refusal, reply.route);
  return reply.isTheSame ? reply : lost(loop, statement);
}

/** Whether the session has changed how its texts are read since it prepared the statement. */
export function isReadOtherwise(
  { following }: SessionState,
  { settings, statement }: PreparedStatement,
): boolean {
  if (settings === following.settings) return false;
  // To say anything to the server takes away warnings, which cannot be put into a text.
  if (statement.asksFor.some((what) => what === "warnings" || what === "messages")) return false;
  return readingKeyOf(settings) !== readingKeyOf(following.settings);
}

/** How the text is to be read then; null: as texts are read now. */
function readingFor(
  { state }: CommandLoop,
  prepared: PreparedStatement,
  { server: facts, capabilities, names }: BackendConnection,
): PrepareRequest["reading"] {
  if (!isReadOtherwise(state, prepared)) return null;
  const { settings: now, isReadingKnown } = state.following;
  // Nobody could lead back to that.
  if (!isReadingKnown) return null;
  const { settings: then } = prepared;
  const server = { ...facts, ignoreSpace: has(capabilities, CLIENT_IGNORE_SPACE) };
  return {
    meanwhile: readingElements(now, then, names, server),
    afterwards: readingElements(then, now, names, server),
  };
}

function relayErr({ state, services, replyTo }: CommandLoop, payload: Buffer, route: Route): Failure {
  const packet = inspectErr(payload, {
    identity: state.identity,
    capabilities: state.capabilities,
    route,
    inHand: { text: null },
    cancelled: null,
    metrics: services.metrics,
  });
  return { error: null, send: () => replyPackets(replyTo, [packet]) };
}

/** What was prepared is not what would be executed: the client has to prepare it anew. */
function lost(loop: CommandLoop, statement: PreparedStatement): Failure {
  loop.state.prepared.remove(statement);
  const isMariadb = /mariadb/i.test(loop.services.greeting().versionText);
  const command = isMariadb ? "mysqld_stmt_execute" : "mysql_stmt_precheck";
  return answer(loop, sqlError("ER_UNKNOWN_STMT_HANDLER", { id: statement.id, command }));
}

function answer(loop: CommandLoop, error: SqlError): Failure {
  return { error, send: () => replyError(loop.replyTo, error) };
}

// A command on a prepared statement needs a copy of it on the backend connection at hand: where there is none, the
// statement is prepared again, unseen by the client.

import type { PreparedCopy } from "../../backend/prepared-copies.ts";
import { type SqlError, sqlError } from "../../errors/sql-error.ts";
import type { CommandLoop } from "../command-loop.ts";
import { inspectErr } from "../inspect-reply.ts";
import type { PreparedStatement } from "../prepared-statements.ts";
import { permitOf } from "../prepared-statements.ts";
import { replyError, replyPackets } from "../reply.ts";
import { type HandlerResult, relaying, replied } from "../session-end.ts";

/** Goes on with the copy. `frames` as the client sent them, to be written over. */
type OnCopy = (
  loop: CommandLoop,
  statement: PreparedStatement,
  copy: PreparedCopy,
  frames: Uint8Array,
) => HandlerResult | Promise<HandlerResult>;

/** What a copy is made of, and found by. */
export type CopySource = Pick<PreparedStatement, "key" | "payload">;

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
  const copy = loop.relay.lease?.connection.prepared.use(source.key, loop.state.id) ?? null;
  if (copy !== null) return goOn(loop, statement, copy, frames);
  return prepareAndGoOn(loop, statement, Buffer.from(frames), goOn, onError, source);
}

async function prepareAndGoOn(
  loop: CommandLoop,
  statement: PreparedStatement,
  frames: Buffer,
  goOn: OnCopy,
  onError: "reply" | "silently",
  source: CopySource,
): Promise<HandlerResult> {
  const failure = await loop.backend.acquire(statement.statement);
  if (loop.ended) return relaying;
  if (failure !== null) return onError === "silently" ? replied : replyError(loop.replyTo, failure);
  const lease = loop.relay.lease;
  const known = lease?.connection.prepared.use(source.key, loop.state.id) ?? null;
  if (known !== null) return goOn(loop, statement, known, frames);
  const made = await prepareAgain(loop, statement, source);
  if (loop.ended) return relaying;
  if ("send" in made) return onError === "silently" ? replied : made.send();
  return goOn(loop, statement, made, frames);
}

/** What the client gets instead of a reply to its command. */
interface Failure {
  send(): HandlerResult;
}

async function prepareAgain(
  loop: CommandLoop,
  statement: PreparedStatement,
  source: CopySource,
): Promise<PreparedCopy | Failure> {
  const { state, relay } = loop;
  const { lease } = relay;
  const { payload } = source;
  if (payload === null || lease === null) return lost(loop, statement);
  const { present, named: database } = loop.backend.serverSchemas(statement.database);
  const isElsewhere = database !== null && present !== null && database !== present;
  const reply = await lease.prepareStatement({
    permit: permitOf(statement),
    payload,
    schema: isElsewhere ? { meanwhile: database, afterwards: present } : null,
  });
  if (relay.lease !== lease || loop.ended) return answer(loop, sqlError("ER_QUERY_INTERRUPTED"));
  if (reply === null) {
    loop.backend.drop("a statement could not be prepared on it again");
    return answer(loop, sqlError("ER_SERVER_ISNT_AVAILABLE"));
  }
  relay.attach(lease);
  if (reply.kind === "err") {
    const { capabilities, identity } = state;
    const packet = inspectErr(reply.payload, {
      identity,
      capabilities,
      route: lease.route,
      inHand: { text: null },
      cancelled: null,
      metrics: loop.services.metrics,
    });
    return { send: () => replyPackets(loop.replyTo, [packet]) };
  }
  const copy = lease.connection.prepared.add(source.key, reply.id, state.id);
  const isTheSame =
    reply.parameterCount === statement.parameterCount && reply.columnCount === statement.columnCount;
  return isTheSame ? copy : lost(loop, statement);
}

/** What was prepared is not what would be executed: the client has to prepare it anew. */
function lost(loop: CommandLoop, statement: PreparedStatement): Failure {
  loop.state.prepared.remove(statement);
  const isMariadb = /mariadb/i.test(loop.services.greeting().versionText);
  const command = isMariadb ? "mysqld_stmt_execute" : "mysql_stmt_precheck";
  return answer(loop, sqlError("ER_UNKNOWN_STMT_HANDLER", { id: statement.id, command }));
}

function answer(loop: CommandLoop, error: SqlError): Failure {
  return { send: () => replyError(loop.replyTo, error) };
}

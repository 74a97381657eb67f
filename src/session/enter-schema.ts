// The default schema of a session: of a login, of COM_INIT_DB, of USE. Where the gateway has keyspaces, a name may also
// be a target (`shop@replica`), and the server is told its own name of the schema.

import { SqlError, sqlError } from "../errors/sql-error.ts";
import { NoPrimary } from "../routing/router.ts";
import { defaultTarget } from "../routing/target.ts";
import { COM_INIT_DB } from "../wire/commands.ts";
import { encodeFrames } from "../wire/frames.ts";
import type { CommandLoop } from "./command-loop.ts";
import { DROPPED_SCHEMA } from "./following.ts";
import type { PacketExchange } from "./packet-exchange.ts";
import { refuse } from "./refuse.ts";
import { internalError, replyError, replyOk } from "./reply.ts";
import { leadsAlike, routeText, stuckBecause } from "./route-text.ts";
import { type HandlerResult, relaying } from "./session-end.ts";

/**
 * Enters the schema of a login or COM_CHANGE_USER: confirmed on a backend before the client gets OK. null: no schema.
 * Returns what refuses it: the ACL, 1049, or that no backend can be had.
 */
async function enterLoginSchema(loop: CommandLoop, written: string | null): Promise<SqlError | null> {
  const { state, services } = loop;
  const { identity } = state;
  state.target = defaultTarget;
  state.database = written;
  if (identity === null) return null;
  const { schemas } = services.router();
  if (schemas !== null) {
    const nowhere = { target: defaultTarget, database: null };
    const entered = written === null ? schemas.initial(identity) : schemas.enter(identity, written, nowhere);
    if (entered instanceof SqlError) return entered;
    state.target = entered.target;
    state.database = entered.database;
  }
  if (written === null) return null;
  if (state.database !== null) {
    const permit = services.authorizer().authorizeSchema(identity, state.database);
    if (permit instanceof SqlError) return permit;
  }
  return loop.backend.acquire(null);
}

/** The schema that a login has entered, as its server would tell it; null: none. */
export function enteredSchema({ state, services, backend }: CommandLoop): string | null {
  const { named } = backend.serverSchemas(state.database);
  return services.readingServer()?.lowerCaseTableNames === 1 ? (named?.toLowerCase() ?? null) : named;
}

/** The same for a client that may go away meanwhile: nobody waits for its schema then. */
export async function enterSchemaFor(
  exchange: PacketExchange,
  loop: CommandLoop,
  written: string | null,
): Promise<SqlError | null> {
  const cancel = (): void => loop.backend.cancel("ER_QUERY_INTERRUPTED");
  exchange.onGone = cancel;
  const refused = await enterLoginSchema(loop, written);
  exchange.onGone = null;
  return refused;
}

/** Answers COM_INIT_DB and USE where the gateway has keyspaces. */
export async function enterNamedSchema(
  loop: CommandLoop,
  written: string,
  command: "COM_INIT_DB" | "COM_QUERY",
): Promise<HandlerResult> {
  const { state, services, backend } = loop;
  const { identity, target, database } = state;
  const { schemas } = services.router();
  if (identity === null || schemas === null) return replyError(loop.replyTo, internalError());
  const entered = schemas.enter(identity, written, { target, database });
  if (entered instanceof SqlError) return replyError(loop.replyTo, entered);
  const permit = services.authorizer().authorizeSchema(identity, entered.database ?? "");
  if (permit instanceof SqlError && entered.database !== null)
    return refuse(loop, { command, statementKind: null }, permit);
  const back = (): void => {
    state.target = target;
    state.database = database;
  };
  state.target = entered.target;
  state.database = entered.database;
  const failure = leaveOrStay(loop) ?? (await backend.acquire(null));
  if (loop.ended) return relaying;
  if (failure !== null) {
    back();
    return replyError(loop.replyTo, failure);
  }
  if (entered.database === null || permit instanceof SqlError) return replyOk(loop.replyTo);
  const onServer = schemas.databaseOf(entered.database);
  const frames = encodeFrames(Buffer.concat([Buffer.of(COM_INIT_DB), Buffer.from(onServer)]), 0);
  return loop.forward(permit, frames, {
    command: COM_INIT_DB,
    text: null,
    permit,
    after: (succeeded) => {
      if (!succeeded) {
        back();
        return;
      }
      backend.noteServerSchema(onServer);
      state.following.noteSchema(false);
    },
  });
}

/** Leaves the connection at hand if the new target is elsewhere. The error: the session's state keeps it there. */
function leaveOrStay({ backend, relay, state, services }: CommandLoop): SqlError | null {
  const { lease } = relay;
  if (lease === null) return null;
  const route = routeText(state, services.router(), lease.route, null, { stuck: null });
  if (route instanceof SqlError) return route;
  if (!(route instanceof NoPrimary) && leadsAlike(route, lease.route)) return null;
  const stuck = stuckBecause(state);
  // What was dropped is no state: another schema takes its place.
  if (stuck !== null && stuck !== DROPPED_SCHEMA) {
    const feature = `USE of a schema on another server: the session cannot leave this one because of ${stuck}`;
    return sqlError("ER_NOT_SUPPORTED_YET", { feature });
  }
  backend.release();
  return null;
}

// A statement that a server refused because it is not, or no more, the one that takes it: it has not run, so it may run
// on the server that does. Decides which statements are kept for that, and which refusals say so.

import type { Follows } from "../backend/outage.ts";
import { type SqlError, sqlError } from "../errors/sql-error.ts";
import { COM_QUERY, COM_STMT_EXECUTE } from "../wire/commands.ts";
import { decodeErr } from "../wire/packets/err.ts";
import type { CommandLoop } from "./command-loop.ts";
import { pinnedBecause } from "./lost-backend.ts";
import { addressTo } from "./prepared-command.ts";

/** Longer commands are not kept, in bytes: a client that sends one gets the server's refusal. */
const keptBytesMax = 1024 * 1024;

/** Kinds that run other statements, one after the other. */
const carriers: ReadonlySet<string> = new Set(["CALL", "EXECUTE", "DO"]);

const ER_UNKNOWN_COM_ERROR = 1047;
const ER_OPTION_PREVENTS_STATEMENT = 1290;
const ER_READ_ONLY_MODE = 1836;
const ER_LOCK_DEADLOCK = 1213;

/**
 * The command as the client sent it, if a refusal may be answered by a second try; null: the client gets any answer.
 * `frames` as they go to the server: a copy is made.
 */
export function keepForSecondTry(loop: CommandLoop, frames: Uint8Array): Buffer | null {
  const { command, text, statementIds } = loop.inHand;
  const follows = followsOf(loop);
  if (follows === "nothing" || text === null || frames.length > keptBytesMax) return null;
  if (command !== COM_QUERY && command !== COM_STMT_EXECUTE) return null;
  const [only] = text.statements;
  // Of several statements some may have run; of a procedure, a block and of what is not understood, parts.
  if (text.statements.length !== 1 || only === undefined || text.uncertain) return null;
  if (carriers.has(only.kind) || only.innerKinds.length > 0) return null;
  if (text.readOnly && follows === "read_only") return null;
  if (loop.inTransaction || pinnedBecause(loop.state) !== null) return null;
  const kept = Buffer.from(frames);
  if (statementIds !== undefined) addressTo(kept, statementIds.client);
  return kept;
}

/** Whether a packet, inspected now, is such a refusal: then the server is left, and the command may be sent again. */
export function leaveForPrimary(loop: CommandLoop, payload: Uint8Array): boolean {
  const { boundary, forwardedBytes } = loop.relay;
  if (boundary.inspectKind !== "err" || forwardedBytes > 0) return false;
  const refusal = refusedByRole(payload, followsOf(loop));
  if (refusal !== null) loop.backend.leave(refusal);
  return refusal !== null;
}

function followsOf({ relay, services }: CommandLoop): Follows {
  const tablet = relay.lease?.route.tablet;
  return tablet === undefined ? "nothing" : services.outages.follows(tablet);
}

/**
 * Whether an ERR packet, the first of its reply, says that the statement was not run because the server is read-only, or
 * with Galera, cut off from its cluster or no match for another writer. Returns what the client is told if nobody else takes it in time.
 */
export function refusedByRole(payload: Uint8Array, follows: Follows): SqlError | null {
  const { code, message } = decodeErr(payload);
  // 1290 stands for any option; its name is in the text in every language.
  if (code === ER_OPTION_PREVENTS_STATEMENT && /read[-_]only/i.test(message)) {
    return sqlError("ER_OPTION_PREVENTS_STATEMENT", { option: "--read-only" });
  }
  if (code === ER_READ_ONLY_MODE) return sqlError("ER_READ_ONLY_MODE");
  if (follows === "read_only") return null;
  // Outside a transaction it has taken all of its statement back with it; the nodes try it again themselves, but once.
  if (follows === "galera_changing" && code === ER_LOCK_DEADLOCK) return sqlError("ER_LOCK_DEADLOCK");
  const isCutOff = code === ER_UNKNOWN_COM_ERROR && /wsrep/i.test(message);
  return isCutOff ? sqlError("ER_SERVER_ISNT_AVAILABLE") : null;
}

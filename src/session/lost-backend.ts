// What a client is told when its backend connection is lost. A pure decision over what is known at that moment: a
// session never gets a silent fresh connection under half a transaction, and nothing that may have run is repeated.

import { type SqlError, sqlError } from "../errors/sql-error.ts";
import type { CutManner } from "../routing/judge-keyspace.ts";
import { STATUS_IN_TRANS } from "../wire/status-flags.ts";
import { changesNothing } from "./command-in-hand.ts";
import type { CommandLoop } from "./command-loop.ts";
import { endWithError, replyError } from "./reply.ts";
import type { SessionState } from "./session.ts";
import { type HandlerResult, sessionEnd } from "./session-end.ts";

/** The moment of the loss. */
export interface LossSituation {
  /** Whether a command was sent whose reply had not ended. */
  readonly replyDue: boolean;
  /** Bytes of that reply that the client already has. */
  readonly forwardedBytes: number;
  /** Whether the session was inside a transaction before that command. */
  readonly inTransaction: boolean;
  /** Why the session's state cannot be had on another connection; null: it can. */
  readonly pinnedBecause: string | null;
  /** Whether the command is proven to change nothing. */
  readonly readOnly: boolean;
  /** Whether the command may have ended a transaction for good. */
  readonly commits: boolean;
}

/** `error: null` with `ends: true` closes without a word: the client sees that its connection was lost (2013). */
export interface LossVerdict {
  readonly ends: boolean;
  readonly error: SqlError | null;
}

const goOn: LossVerdict = { ends: false, error: null };
const closeSilently: LossVerdict = { ends: true, error: null };

/** Decides what becomes of a session whose backend connection is gone. */
export function judgeLostBackend(situation: LossSituation): LossVerdict {
  const replayable = situation.pinnedBecause === null;
  if (!situation.replyDue) return replayable && !situation.inTransaction ? goOn : closeSilently;
  if (situation.forwardedBytes > 0) return closeSilently;
  // A COMMIT or an autocommitted write may or may not have happened: only a lost connection says that truthfully.
  if (situation.commits) return closeSilently;
  if (situation.inTransaction) {
    return replayable
      ? {
          ends: false,
          error: sqlError("ER_LOCK_DEADLOCK", {}, { reason: "the backend was lost in a transaction" }),
        }
      : lostForGood();
  }
  if (!situation.readOnly) return closeSilently;
  if (!replayable) return lostForGood();
  return {
    ends: false,
    error: sqlError("ER_QUERY_INTERRUPTED", {}, { reason: "the backend was lost while it read" }),
  };
}

/** Whether what the session does may end first where its server is to be left: its answer is still the truth. */
export function mayEndFirst(manner: CutManner, replyDue: boolean, inTransaction: boolean): boolean {
  if (manner === "after_transaction") return replyDue || inTransaction;
  return manner === "after_statement" && replyDue && !inTransaction;
}

function lostForGood(): LossVerdict {
  return { ends: true, error: stateLost() };
}

function stateLost(): SqlError {
  return sqlError(
    "ER_SERVER_SHUTDOWN",
    {},
    { reason: "the backend was lost with state of the session on it" },
  );
}

/** The session is bound to its connection. True: nothing has bound it before. */
export function notePin(state: SessionState, because: string): boolean {
  if (state.pinnedBecause !== null) {
    state.pinnedForMore ||= state.pinnedBecause !== because;
    return false;
  }
  state.pinnedBecause = because;
  state.pinnedForMore = false;
  return true;
}

/** Why the session would miss its backend connection; null: it would not. */
export function pinnedBecause(state: SessionState): string | null {
  return state.prepared.holdsBecause ?? state.pinnedBecause ?? state.following.computedBecause;
}

/** What becomes of a session that loses its connection now. */
export function judgeLoss(loop: CommandLoop, replyDue: boolean, forwardedBytes: number): LossVerdict {
  const { text, command } = loop.inHand;
  return judgeLostBackend({
    replyDue,
    forwardedBytes,
    inTransaction: loop.inTransaction,
    pinnedBecause: pinnedBecause(loop.state),
    readOnly: text === null ? changesNothing(command) : text.readOnly,
    commits: text?.commits ?? false,
  });
}

/** Carries a verdict out: what the client gets, if anything. */
export function tellLoss(
  { services, state, replyTo }: CommandLoop,
  { ends, error }: LossVerdict,
  reason: string,
): HandlerResult | null {
  services.logger.info("A backend connection was lost", { connection_id: state.id, reason, ends });
  if (error === null) return ends ? sessionEnd("backend_lost", reason) : null;
  return ends ? endWithError(replyTo, error, "backend_lost") : replyError(replyTo, error);
}

/** What of a session is on its connection alone; null: nothing. */
export function boundBy(state: SessionState): "transaction" | "state" | null {
  if (pinnedBecause(state) !== null) return "state";
  return (state.statusFlags & STATUS_IN_TRANS) === 0 ? null : "transaction";
}

/** What a client is told whose connection was lost, with that on it, before anything of its command was sent. */
export function lostBefore(bound: "transaction" | "state"): SqlError {
  const reason = "the backend was lost before the command was sent";
  return bound === "state" ? stateLost() : sqlError("ER_LOCK_DEADLOCK", {}, { reason });
}

/** What a client is told who gets one connection after another that is lost before anything was sent. */
export function lostAgain(): SqlError {
  return sqlError("ER_SERVER_ISNT_AVAILABLE", {}, { reason: "connections are lost again and again" });
}

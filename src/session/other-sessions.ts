// What a process list has to know of sessions besides the asking one before it can be written: those of other processes,
// and what servers say of statements that run. A statement's text is in the hands of its server alone.

import { SqlError } from "../errors/sql-error.ts";
import { readRunning } from "./ask-backend.ts";
import type { CommandInHand } from "./command-in-hand.ts";
import type { CommandLoop } from "./command-loop.ts";
import type { RegisteredSession } from "./session-registry.ts";
import type { SessionView } from "./session-view.ts";

/** A command that a server has, and the reply to which has not ended. */
export interface RunningCommand {
  /** Another object with every command. */
  readonly command: CommandInHand;
  readonly tablet: string;
  /** The server's id of the connection. */
  readonly threadId: number;
}

/** What a server says of it. */
export interface ToldStatement {
  readonly state: string;
  readonly text: string | null;
}

/** Gathered for one command, which may read it as often as it is begun anew. */
export interface OtherSessions {
  /** Of other processes. */
  readonly elsewhere: readonly SessionView[];
  /** By the gateway's connection ids. */
  readonly told: ReadonlyMap<number, ToldStatement>;
}

/** The command that a server has of a session, until its reply has ended; null: none has. */
export function runningOf({ relay, inHand }: CommandLoop): RunningCommand | null {
  const { lease, active } = relay;
  if (lease === null || !active) return null;
  return { command: inHand, tablet: lease.route.tablet.alias, threadId: lease.connection.id };
}

/** Live sessions of this process that the asking one may see. */
export function* seenSessions(loop: CommandLoop): IterableIterator<RegisteredSession> {
  const { registry, authorizer } = loop.services;
  const { identity } = loop.state;
  if (identity === null) return;
  const seesAll = authorizer().seesAllSessions(identity);
  for (const session of registry.all()) {
    if (seesAll || session.identity?.loginUser === identity.loginUser) yield session;
  }
}

/** Whether anybody must be asked before sessions can be listed. */
export function mustGather(loop: CommandLoop): boolean {
  if (loop.state.otherSessions !== null) return false;
  return loop.services.siblings !== null || someoneRuns(loop);
}

/** Answers once the other sessions are known, at once where there is nothing to ask. */
export function withOtherSessions<Answer>(
  loop: CommandLoop,
  answer: () => Answer | Promise<Answer>,
  failed: (error: SqlError) => Answer,
): Answer | Promise<Answer> {
  if (!mustGather(loop)) return answer();
  return gather(loop)
    .then((gathered) => {
      if (gathered instanceof SqlError) return failed(gathered);
      loop.state.otherSessions = gathered;
      return answer();
    })
    .finally(() => {
      loop.state.otherSessions = null;
    });
}

async function gather(loop: CommandLoop): Promise<OtherSessions | SqlError> {
  const { siblings } = loop.services;
  const elsewhere = siblings === null ? [] : await siblings.sessions();
  if (loop.ended || !someoneRuns(loop)) return { elsewhere, told: new Map() };
  const before = new Map<number, RunningCommand>();
  let tablet = "";
  const answer = await readRunning(loop.backend, (alias) => {
    tablet = alias;
    before.clear();
    for (const { id, running } of seenSessions(loop))
      if (running?.tablet === alias && id !== loop.state.id) before.set(id, running);
    return Array.from(before.values(), ({ threadId }) => threadId);
  });
  if (answer instanceof SqlError) return answer;
  const told = new Map<number, ToldStatement>();
  for (const { id, running } of loop.ended ? [] : seenSessions(loop)) {
    const then = before.get(id);
    // The connection may serve somebody else by now, or have done so when the server looked.
    if (then === undefined || running?.command !== then.command || running.tablet !== tablet) continue;
    const statement = running.threadId === then.threadId ? answer.get(then.threadId) : undefined;
    if (statement !== undefined) told.set(id, statement);
  }
  return { elsewhere, told };
}

function someoneRuns(loop: CommandLoop): boolean {
  for (const { id, running } of seenSessions(loop)) if (running !== null && id !== loop.state.id) return true;
  return false;
}

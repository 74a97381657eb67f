// How a session ends, and the proof that a reply was given. Both are values that a stage must return: "answered, then
// carried on" does not compile (ARCHITECTURE.md, invariant 3).

const repliedMark: unique symbol = Symbol("replied");

/** Proof that exactly one complete reply was handed to the client's channel. Only session/reply makes one. */
export interface Replied {
  readonly [repliedMark]: true;
}

/** The one value of its type: it carries no data, so a new one per reply would be waste. */
export const replied: Replied = Object.freeze({ [repliedMark]: true as const });

/** Stable codes: labels of the metric of ended sessions, and a field of the audit log. */
export type SessionEndCode =
  | "quit"
  | "client_gone"
  | "protocol_error"
  | "login_refused"
  | "login_timeout"
  | "idle_timeout"
  | "read_timeout"
  | "write_timeout"
  | "query_timeout"
  | "killed"
  | "limit"
  | "backend_lost"
  | "entry_removed"
  | "ended_by_operator"
  | "shutdown"
  | "internal_error";

/** The end of a session. */
export interface SessionEnd {
  readonly kind: "session_end";
  readonly code: SessionEndCode;
  /** For our own logs; null where the code says everything. */
  readonly detail: string | null;
}

/** Makes a session's end. */
export function sessionEnd(code: SessionEndCode, detail: string | null = null): SessionEnd {
  return { kind: "session_end", code, detail };
}

/** Tells the end of a session from the other results of a stage. */
export function isSessionEnd(value: unknown): value is SessionEnd {
  return typeof value === "object" && value !== null && (value as SessionEnd).kind === "session_end";
}

/** Whether the client waits for nothing more: it has said QUIT or is gone. */
export function expectsNothing(end: SessionEnd): boolean {
  return end.code === "client_gone" || end.code === "quit";
}

const relayingMark: unique symbol = Symbol("relaying");

/** The reply is on its way through the relay, which tells its end. */
export interface Relaying {
  readonly [relayingMark]: true;
}

/** The one value of its type. */
export const relaying: Relaying = Object.freeze({ [relayingMark]: true as const });

/** What every command handler returns: answered, being answered, or the session's end. */
export type HandlerResult = Replied | Relaying | SessionEnd;

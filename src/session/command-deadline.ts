// Which wait of the command phase is over, and when to look again: the clock is a parameter, one sweep asks for all
// sessions. And how a session ends for it.

import type { SessionSettings } from "../backend/session-settings.ts";
import { sqlError } from "../errors/sql-error.ts";
import { endWithError, type ReplyTo } from "./reply.ts";
import { type SessionEnd, sessionEnd } from "./session-end.ts";
import type { SessionLimits } from "./session-services.ts";

/** After a cancelled command the backend has this long to end its reply. */
export const CANCEL_GRACE_MS = 10_000;

/** What a session is waiting for. Times in monotonic milliseconds. */
export interface Waiting {
  readonly phase: "idle" | "busy";
  /** A command has begun to arrive. */
  readonly partial: boolean;
  /** That command waits for memory of the gateway. */
  readonly starved: boolean;
  /** The command under way was cancelled already. */
  readonly cancelled: boolean;
  readonly startedMs: number;
  /** Since when the client has not taken its reply; null: it has. */
  readonly blockedSinceMs: number | null;
}

/** What to do now. */
export type DeadlineVerdict =
  | { readonly kind: "end_idle" | "end_read" | "end_starved" | "end_write" | "end_cancelled" | "cancel" }
  | { readonly kind: "wait"; readonly untilMs: number };

/**
 * Until when the next command must have begun to arrive: the limit, or what the session has set as its wait_timeout
 * (seconds) where that is shorter, as on a server.
 */
export function idleDeadline(
  sinceMs: number,
  { idleTimeoutMs }: SessionLimits,
  { variables }: SessionSettings,
): number {
  const seconds = variables.size === 0 ? undefined : variables.get("wait_timeout");
  if (seconds === undefined || !/^[0-9]+$/.test(seconds)) return sinceMs + idleTimeoutMs;
  // Servers take 0 for 1.
  return sinceMs + Math.min(idleTimeoutMs, Math.max(1, Number(seconds)) * 1000);
}

/** Judges a session whose deadline has passed. */
export function judgeDeadline(waiting: Waiting, limits: SessionLimits, nowMs: number): DeadlineVerdict {
  if (waiting.phase === "idle") {
    if (waiting.starved) return { kind: "end_starved" };
    return { kind: waiting.partial ? "end_read" : "end_idle" };
  }
  if (waiting.cancelled) return { kind: "end_cancelled" };
  const blockedMs = waiting.blockedSinceMs === null ? 0 : nowMs - waiting.blockedSinceMs;
  if (blockedMs >= limits.writeTimeoutMs) return { kind: "end_write" };
  const queryDueMs = waiting.startedMs + limits.queryTimeoutMs;
  if (nowMs >= queryDueMs) return { kind: "cancel" };
  return { kind: "wait", untilMs: Math.min(queryDueMs, nowMs - blockedMs + limits.writeTimeoutMs) };
}

/** Ends a session whose wait is over; tells the client where it can be told. */
export function endOverdue(
  kind: Exclude<DeadlineVerdict["kind"], "wait" | "cancel">,
  to: ReplyTo,
): SessionEnd {
  switch (kind) {
    case "end_idle":
      return endWithError({ ...to, sequence: 0 }, sqlError("ER_CLIENT_INTERACTION_TIMEOUT"), "idle_timeout");
    case "end_read":
      return sessionEnd("read_timeout");
    case "end_starved": {
      const error = sqlError("ER_OUT_OF_RESOURCES", { detail: "statement_buffer_bytes is used up" });
      return endWithError(to, error, "limit");
    }
    case "end_write":
      return sessionEnd("write_timeout");
    case "end_cancelled":
      return sessionEnd("query_timeout", "the backend did not end a cancelled command in time");
  }
}

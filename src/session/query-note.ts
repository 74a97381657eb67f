// What is kept of a statement while it runs, for the query log, and what becomes of it: a record without any value of its
// text. Costs nothing where there is no query log; otherwise one bounded copy of the text.

import { createHash } from "node:crypto";
import {
  readableFingerprint,
  type UnreadableReason,
  unreadableReasons,
} from "../sql/readable-fingerprint.ts";
import type { QueryLog } from "../telemetry/query-log.ts";
import { COM_QUERY, COM_STMT_EXECUTE, COM_STMT_PREPARE } from "../wire/commands.ts";
import type { CommandLoop } from "./command-loop.ts";
import { contextOf } from "./reading.ts";
import type { SessionServices } from "./session-services.ts";

/** Why a record tells nothing of the text but its kind and length. Codes are stable. */
export const missingFingerprintReasons = {
  ...unreadableReasons,
  too_long: "it is longer than 64 KiB",
  no_memory: "`statement_buffer_bytes` was used up",
  text_gone: "the prepared statement is unknown, or its text was not kept",
  refused_by_server:
    "the server could not read it, or knew none of the names (1064, 1054): they may be values",
} as const;

type MissingReason = keyof typeof missingFingerprintReasons | UnreadableReason;

/** A statement under way. */
export interface QueryNote {
  readonly sampled: boolean;
  readonly command: number;
  /** A copy; null: not kept, or it is a prepared statement's. */
  readonly text: Uint8Array | null;
  readonly textBytes: number | null;
  readonly missing: MissingReason | null;
  /** Of COM_STMT_EXECUTE. */
  readonly statementId: number;
  readonly reservedBytes: number;
  errorCode: number | null;
}

const nameOf = (command: number): string =>
  command === COM_QUERY
    ? "COM_QUERY"
    : command === COM_STMT_EXECUTE
      ? "COM_STMT_EXECUTE"
      : "COM_STMT_PREPARE";

/** Longer texts are not kept, in bytes: as much as is kept of prepared statements. */
const KEPT_TEXT_BYTES_MAX = 64 * 1024;
/** Up to here a copy is not counted against statement_buffer_bytes, in bytes. */
const UNBUDGETED_BYTES_MAX = 4 * 1024;
/** Longer fingerprints are cut, in characters. */
const FINGERPRINT_LENGTH_MAX = 4096;
const HEADER_BYTES = 4;
const TEXT_AT = HEADER_BYTES + 1;
const STATEMENT_ID_END = TEXT_AT + 4;
/** ER_PARSE_ERROR, ER_NOT_SUPPORTED_YET and ER_BAD_FIELD_ERROR. */
const UNKNOWN_WORDS: ReadonlySet<number> = new Set([1064, 1235, 1054]);

/** Looks at a command that begins; null: it is not to be recorded. `frames` may alias a buffer. */
export function noteQuery(log: QueryLog, services: SessionServices, frames: Uint8Array): QueryNote | null {
  const command = frames[HEADER_BYTES];
  if (command !== COM_QUERY && command !== COM_STMT_EXECUTE && command !== COM_STMT_PREPARE) return null;
  const sampled = log.sample();
  if (!sampled && log.slowMs === Number.POSITIVE_INFINITY) return null;
  const note = {
    sampled,
    command,
    text: null,
    missing: null,
    statementId: 0,
    reservedBytes: 0,
    errorCode: null,
  };
  if (command === COM_STMT_EXECUTE) {
    if (frames.length < STATEMENT_ID_END) return { ...note, textBytes: null, missing: "text_gone" };
    return { ...note, textBytes: null, statementId: Buffer.from(frames.subarray(TEXT_AT)).readUInt32LE(0) };
  }
  const textBytes = frames.length - TEXT_AT;
  if (textBytes > KEPT_TEXT_BYTES_MAX) return { ...note, textBytes, missing: "too_long" };
  const reservedBytes = textBytes > UNBUDGETED_BYTES_MAX ? textBytes : 0;
  if (!services.statementBudget.tryReserve(reservedBytes))
    return { ...note, textBytes, missing: "no_memory" };
  return { ...note, text: Buffer.from(frames.subarray(TEXT_AT)), textBytes, reservedBytes };
}

/** Its reply has ended, or its session: it is recorded when it was chosen or was slow. */
export function settleQuery(loop: CommandLoop, note: QueryNote, how: "answered" | "cut"): void {
  const { services, state } = loop;
  services.statementBudget.release(note.reservedBytes);
  const durationMs = services.clock.monotonicMs() - loop.phaseSinceMs;
  const log = services.queryLog;
  const slow = log !== null && durationMs >= log.slowMs;
  if (log === null || !(note.sampled || slow)) return;
  const outcome = how === "cut" ? "cut" : note.errorCode === null ? "ok" : "error";
  log.record({
    connection_id: state.id,
    user: state.identity?.loginUser ?? "",
    user_data: state.identity?.callerId.username ?? null,
    host: state.peer.host,
    database: state.database,
    tablet: loop.relay.lease?.route.tablet.alias ?? null,
    command: nameOf(note.command),
    ...textFields(loop, note),
    duration_ms: Math.round(durationMs * 1000) / 1000,
    outcome,
    error_code: note.errorCode,
    logged_because: slow ? "slow" : "sample",
  });
}

interface TextFields {
  readonly statement_kind: string | null;
  readonly fingerprint: string | null;
  readonly fingerprint_id: string | null;
  readonly no_fingerprint_because: string | null;
  readonly text_bytes: number | null;
}

function textFields(loop: CommandLoop, note: QueryNote): TextFields {
  const text = note.command === COM_STMT_EXECUTE ? preparedText(loop, note) : note.text;
  const analyzed = loop.inHand.text?.statements[0]?.kind ?? null;
  const none = { fingerprint: null, fingerprint_id: null };
  if (text === null) {
    const because = note.missing ?? "text_gone";
    const kind = kindOf(null, analyzed);
    return { statement_kind: kind, ...none, no_fingerprint_because: because, text_bytes: note.textBytes };
  }
  const { head, shape, reason } = readableFingerprint(
    text,
    contextOf(loop.state, loop.services.readingServer()),
  );
  const kind = kindOf(head, analyzed);
  const refused = note.errorCode !== null && UNKNOWN_WORDS.has(note.errorCode);
  if (shape === null || refused) {
    const because = reason ?? "refused_by_server";
    return { statement_kind: kind, ...none, no_fingerprint_because: because, text_bytes: text.length };
  }
  return {
    statement_kind: kind,
    fingerprint:
      shape.length > FINGERPRINT_LENGTH_MAX ? `${shape.slice(0, FINGERPRINT_LENGTH_MAX)}[cut]` : shape,
    fingerprint_id: createHash("sha256").update(shape).digest("hex").slice(0, 16),
    no_fingerprint_because: null,
    text_bytes: text.length,
  };
}

function preparedText({ state }: CommandLoop, { statementId }: QueryNote): Uint8Array | null {
  return state.prepared.get(statementId)?.payload?.subarray(1) ?? null;
}

/** What the analysis says is more exact, but plain statements were looked at in passing only. */
function kindOf(head: string | null, analyzed: string | null): string | null {
  if (analyzed === null || analyzed === "UNKNOWN") return head;
  return head === null || analyzed.startsWith(head) ? analyzed : head;
}

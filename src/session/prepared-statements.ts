// The prepared statements of one session (binary protocol). They live here, not on a backend connection: each is
// prepared on whichever connection serves, under that connection's own id. Their ids toward the client are the
// gateway's. Bounded over all sessions by `max_prepared_stmt_count`.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase_ps.html

import { createHash } from "node:crypto";
import type { Permit } from "../acl/permit.ts";
import type { SessionSettings } from "../backend/session-settings.ts";
import { assert } from "../base/assert.ts";
import type { ReadingTraits, TextReading } from "../sql/reading-traits.ts";
import type { ByteBudget } from "./byte-budget.ts";
import type { StatementText } from "./statement-text.ts";

/** What a PREPARE has led to. */
export interface NewPreparedStatement {
  readonly statement: StatementText;
  /** Of every statement in it; never empty. */
  readonly permits: readonly Permit[];
  readonly authorizerGeneration: number;
  readonly parameterCount: number;
  readonly columnCount: number;
  /** Tells apart what the same text may mean elsewhere: the schema, and whatever else decides how it is read. */
  readonly context: string;
  /** The session's schema when it was prepared; null: none. */
  readonly database: string | null;
  /** What the session had set by then: its text is read so for good. */
  readonly settings: SessionSettings;
  /** COM_STMT_PREPARE as the backend got it, a copy; null: the gateway itself answers its commands. */
  readonly payload: Uint8Array | null;
  /** `payload` is the client's: what it reads of the gateway is put in for every execution. @default false */
  readonly isToldAnew?: boolean;
  /** How the text was read; null: nobody asked. @default null */
  readonly reading?: TextReading | null;
  /** What in it may be read otherwise. @default 0 */
  readonly traits?: ReadingTraits;
}

/** One prepared statement. */
export interface PreparedStatement {
  /** The id that the client uses. */
  readonly id: number;
  readonly parameterCount: number;
  readonly columnCount: number;
  readonly statement: StatementText;
  /** Whether no backend knows it. */
  readonly isOwn: boolean;
  /** Finds its copy on a backend connection. */
  readonly key: string;
  /** COM_STMT_PREPARE; null: not kept, so that its connection cannot be left. */
  readonly payload: Uint8Array | null;
  readonly database: string | null;
  /** See {@link NewPreparedStatement}. */
  readonly settings: SessionSettings;
  /** Whether what is executed is prepared each time, from the client's text, which `payload` then is. */
  readonly isToldAnew: boolean;
  readonly reading: TextReading | null;
  readonly traits: ReadingTraits;
  /** Of every statement in it, of the authoriser generation below; never empty. */
  permits: readonly Permit[];
  authorizerGeneration: number;
  /** Two bytes a parameter, as the client bound them last; null: never yet. */
  parameterTypes: Uint8Array | null;
  hasOpenCursor: boolean;
  hasLongData: boolean;
  /** What its open cursor, or its long data, is a copy of; null: of itself. */
  inUse: CopySource | null;
}

/** What a copy is made of, and found by; `isNew`: the copy that there may be is out of date. */
export type CopySource = Pick<PreparedStatement, "key" | "payload"> & { readonly isNew?: boolean };

/** The id by which clients of MariaDB call the statement that was prepared last. */
const LAST_PREPARED_ID = 0xffff_ffff;
/** A longer text is not kept. */
const KEPT_PAYLOAD_BYTES_MAX = 64 * 1024;

interface Kept {
  readonly statements: Map<number, PreparedStatement>;
  readonly keys: Set<string>;
  /** Those whose connection cannot be left. */
  readonly holding: Set<PreparedStatement>;
}

/** Maps ids to statements and keeps the shared count right. */
export class PreparedStatements {
  /** null: none yet; most sessions prepare nothing, and each collection costs its memory empty. */
  #kept: Kept | null = null;
  readonly #shared: { count: number };
  readonly #budget: ByteBudget;
  #idNext = 1;
  /** The statement prepared last: MariaDB's clients call it by id 0xFFFFFFFF. */
  #last: PreparedStatement | null = null;

  /** `shared` counts over all sessions; kept texts come out of `budget`. */
  constructor(shared: { count: number }, budget: ByteBudget) {
    this.#shared = shared;
    this.#budget = budget;
  }

  get size(): number {
    return this.#kept?.statements.size ?? 0;
  }

  get(id: number): PreparedStatement | null {
    if (id === LAST_PREPARED_ID) return this.#last;
    return this.#kept?.statements.get(id) ?? null;
  }

  /** The id of the next statement. */
  takeId(): number {
    while (this.#kept?.statements.has(this.#idNext) === true) this.#idNext = idAfter(this.#idNext);
    const id = this.#idNext;
    this.#idNext = idAfter(id);
    return id;
  }

  /** `id`: from takeId. */
  add(id: number, made: NewPreparedStatement): PreparedStatement {
    const { payload, context, statement, permits, authorizerGeneration, parameterCount, columnCount } = made;
    const prepared: PreparedStatement = {
      id,
      parameterCount,
      columnCount,
      statement,
      isOwn: payload === null,
      key: this.#freeKey(payload, context),
      payload: payload === null ? null : this.#keep(payload),
      database: made.database,
      settings: made.settings,
      isToldAnew: made.isToldAnew ?? false,
      reading: made.reading ?? null,
      traits: made.traits ?? 0,
      permits,
      authorizerGeneration,
      parameterTypes: null,
      hasOpenCursor: false,
      hasLongData: false,
      inUse: null,
    };
    this.#kept ??= { statements: new Map(), keys: new Set(), holding: new Set() };
    this.#kept.statements.set(id, prepared);
    this.#kept.keys.add(prepared.key);
    this.#shared.count += 1;
    this.#last = prepared;
    this.noteHold(prepared);
    return prepared;
  }

  /** To be called whenever something has changed that decides whether its connection can be left. */
  noteHold(prepared: PreparedStatement): void {
    if (holdOf(prepared) === null) this.#kept?.holding.delete(prepared);
    else this.#kept?.holding.add(prepared);
  }

  /** Why the backend connection cannot be left; null: for no statement's sake. */
  get holdsBecause(): string | null {
    for (const prepared of this.#kept?.holding ?? []) return holdOf(prepared);
    return null;
  }

  /** Another PREPARE begins: should it fail, no statement is the last one, as MariaDB has it. */
  forgetLast(): void {
    this.#last = null;
  }

  remove(prepared: PreparedStatement): void {
    const kept = this.#kept;
    if (kept === null || !kept.statements.delete(prepared.id)) return;
    this.#shared.count -= 1;
    this.#forget(prepared);
    kept.holding.delete(prepared);
    kept.keys.delete(prepared.key);
    if (this.#last === prepared) this.#last = null;
  }

  /** Forgets all: the session ends, is reset, or changes its user. */
  clear(): void {
    this.#shared.count -= this.size;
    for (const prepared of this.#kept?.statements.values() ?? []) this.#forget(prepared);
    this.#kept = null;
    this.#last = null;
  }

  /** Two statements of one text have a copy each: a cursor of one must survive the other's execution. */
  #freeKey(payload: Uint8Array | null, context: string): string {
    if (payload === null) return "";
    const text = createHash("sha256").update(context).update("\0").update(payload).digest("base64");
    let count = 0;
    while (this.#kept?.keys.has(`${text}${count}`) === true) count += 1;
    return `${text}${count}`;
  }

  /** The rest of the budget stays for statements that are on their way. */
  #keep(payload: Uint8Array): Uint8Array | null {
    const bytes = payload.length;
    if (bytes > KEPT_PAYLOAD_BYTES_MAX) return null;
    if (this.#budget.reservedBytes + bytes > this.#budget.bytesMax / 2) return null;
    return this.#budget.tryReserve(bytes) ? payload : null;
  }

  #forget({ payload }: PreparedStatement): void {
    if (payload !== null) this.#budget.release(payload.length);
  }
}

function idAfter(id: number): number {
  return id >= LAST_PREPARED_ID - 1 ? 1 : id + 1;
}

function holdOf(prepared: PreparedStatement): string | null {
  if (prepared.isOwn) return null;
  if (prepared.payload === null) return "a prepared statement whose text is too long to be kept";
  if (prepared.hasOpenCursor) return "an open cursor";
  return prepared.hasLongData ? "long data of a prepared statement" : null;
}

/** The permit for sending a prepared statement's commands. */
export function permitOf(prepared: PreparedStatement): Permit {
  const permit = prepared.permits.at(-1);
  assert(permit !== undefined, "a prepared statement without a permit");
  return permit;
}

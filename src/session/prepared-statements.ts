// The prepared statements of one session (binary protocol): what each was judged to be, so that every execute is judged
// again after a reload of the ACL. Bounded over all sessions by `max_prepared_stmt_count`.

import type { Permit } from "../acl/permit.ts";
import { assert } from "../base/assert.ts";
import type { StatementText } from "./statement-text.ts";

/** One prepared statement. */
export interface PreparedStatement {
  /** The id the client uses: the backend's own, or one of ours for statements that the gateway answers. */
  readonly id: number;
  readonly parameterCount: number;
  readonly statement: StatementText;
  /** Of every statement in it, of the authoriser generation below; never empty. */
  permits: readonly Permit[];
  authorizerGeneration: number;
}

/** Ids of statements that the gateway itself answers start here: servers count up from 1 per connection. */
const OWN_ID_START = 0x8000_0000;

/** Maps ids to statements and keeps the shared count right. */
export class PreparedStatements {
  readonly #statements = new Map<number, PreparedStatement>();
  readonly #shared: { count: number };
  #ownIdNext = OWN_ID_START;
  /** The statement prepared last: MariaDB's clients call it by id 0xFFFFFFFF. */
  last: PreparedStatement | null = null;

  constructor(shared: { count: number }) {
    this.#shared = shared;
  }

  get size(): number {
    return this.#statements.size;
  }

  get(id: number): PreparedStatement | null {
    if (id === 0xffff_ffff) return this.last;
    return this.#statements.get(id) ?? null;
  }

  /** An id for a statement that no backend knows. */
  takeOwnId(): number {
    const id = this.#ownIdNext;
    this.#ownIdNext = id >= 0xffff_fffe ? OWN_ID_START : id + 1;
    return id;
  }

  add(statement: PreparedStatement): void {
    if (!this.#statements.has(statement.id)) this.#shared.count += 1;
    this.#statements.set(statement.id, statement);
    this.last = statement;
  }

  /** Returns whether the id was known. */
  remove(id: number): boolean {
    const statement = this.get(id);
    if (statement === null) return false;
    this.#statements.delete(statement.id);
    this.#shared.count -= 1;
    if (this.last === statement) this.last = null;
    return true;
  }

  /** Forgets all: the session ends, is reset, or changes its user. */
  clear(): void {
    this.#shared.count -= this.#statements.size;
    this.#statements.clear();
    this.last = null;
  }
}

/** Whether the gateway itself made this id. */
export function isOwnStatementId(id: number): boolean {
  return id >= OWN_ID_START && id !== 0xffff_ffff;
}

/** The permit for sending a prepared statement's commands. */
export function permitOf(prepared: PreparedStatement): Permit {
  const permit = prepared.permits.at(-1);
  assert(permit !== undefined, "a prepared statement without a permit");
  return permit;
}

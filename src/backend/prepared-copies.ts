// The prepared statements that a server holds on one connection, and what was last said to each. Sessions own the
// statements (src/session/prepared-statements.ts); here are only the copies. Bounded; knows no packets and no session.

/** Copies that one connection keeps beyond those of the session that holds it: 100 connections stay below MySQL's own 16,382. */
const foreignCopiesMax = 128;

/** One statement as the server of this connection knows it. */
export interface PreparedCopy {
  /** The server's id. */
  readonly id: number;
  /** The types of its parameters that the server was told last; null: none yet. */
  parameterTypes: Uint8Array | null;
  /** The session that used it last. */
  session: number;
}

/** By the key that sessions give their statements: the same key is the same text, read in the same way. */
export class PreparedCopies {
  /** The longest unused first. */
  readonly #copies = new Map<string, PreparedCopy>();
  #toClose: number[] = [];

  /** The copy, which now is `session`'s; null: it has to be prepared. */
  use(key: string, session: number): PreparedCopy | null {
    const copy = this.#copies.get(key);
    if (copy === undefined) return null;
    copy.session = session;
    this.#copies.delete(key);
    this.#copies.set(key, copy);
    return copy;
  }

  /** The server has prepared it. A copy of the same key, and what nobody has used for long, is to be closed. */
  add(key: string, id: number, session: number): PreparedCopy {
    const copy: PreparedCopy = { id, parameterTypes: null, session };
    const before = this.#copies.get(key);
    if (before !== undefined) this.#forget(key, before);
    this.#copies.set(key, copy);
    this.#closeForeign(session);
    return copy;
  }

  /** The copy of a statement that its session closes; the caller tells the server. */
  remove(key: string): PreparedCopy | null {
    const copy = this.#copies.get(key) ?? null;
    this.#copies.delete(key);
    return copy;
  }

  /** Ids that the server is to be told to close, once; usually none. */
  takeClosing(): readonly number[] {
    if (this.#toClose.length === 0) return noIds;
    const ids = this.#toClose;
    this.#toClose = [];
    return ids;
  }

  /** The server has forgotten all of them: a reset. */
  clear(): void {
    this.#copies.clear();
    this.#toClose = [];
  }

  #closeForeign(session: number): void {
    if (this.#copies.size <= foreignCopiesMax) return;
    // Never those of the session at work: an open cursor or long data may hang on them.
    for (const [key, copy] of this.#copies) {
      if (copy.session === session) continue;
      this.#forget(key, copy);
      return;
    }
  }

  #forget(key: string, copy: PreparedCopy): void {
    this.#copies.delete(key);
    this.#toClose.push(copy.id);
  }
}

const noIds: readonly number[] = [];

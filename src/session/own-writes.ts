// What a session has written, as far as its reads on replicas must show it: whether anything was written since the
// position of the primary was asked for, and which servers have come to that position. Pure record keeping.

import type { WritePosition } from "../backend/write-position.ts";
import type { StatementText } from "./statement-text.ts";

/** Statements that write nothing by themselves. */
const harmlessKinds: ReadonlySet<string> = new Set([
  "SET",
  "USE",
  "BEGIN",
  "ROLLBACK",
  "SAVEPOINT",
  "RELEASE SAVEPOINT",
  "SHOW",
  "PREPARE",
  "DEALLOCATE",
  "EMPTY",
  "KILL",
]);

/** See the file's head. */
export class OwnWrites {
  #isAhead = false;
  #position: WritePosition | null = null;
  readonly #reachedBy = new Set<string>();

  /** Called for every text that is sent. */
  note(text: StatementText): void {
    if (!text.readOnly && text.statements.some(({ kind }) => !harmlessKinds.has(kind))) this.#isAhead = true;
  }

  /** Whether something was written since `learn`: the position is to be asked for. */
  get isAhead(): boolean {
    return this.#isAhead;
  }

  /** The primary's position, after the session's last write; null: nothing was written. */
  get position(): WritePosition | null {
    return this.#position;
  }

  learn(position: WritePosition): void {
    this.#isAhead = false;
    this.#position = position;
    this.#reachedBy.clear();
  }

  /** Whether a server is known to have all of it. */
  isReachedBy(tablet: string): boolean {
    return !this.#isAhead && (this.#position === null || this.#reachedBy.has(tablet));
  }

  noteReached(tablet: string): void {
    this.#reachedBy.add(tablet);
  }

  /** The session is another one's. */
  clear(): void {
    this.#isAhead = false;
    this.#position = null;
    this.#reachedBy.clear();
  }
}

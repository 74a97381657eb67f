// Statements that a session prepared by SQL (PREPARE s FROM '...'), and tables that HANDLER .. OPEN gave a name to: what each was judged to be, so that EXECUTE is judged
// by the ACL as it is then. Bounded; knows no text.

import { type SqlError, sqlError } from "../errors/sql-error.ts";
import { mayReadOtherwise, type TextReading } from "../sql/reading-traits.ts";
import type { StatementSummary } from "../sql/statement-summary.ts";

/** Names that one session may hold; beyond, PREPARE is refused where an ACL is enforced (1461). */
export const sqlPreparedMax = 4096;
/** What one name may stand for at a time, when texts failed half-way; beyond, it is not known any more. */
const candidatesMax = 8;

/** PREPARE, and HANDLER .. OPEN: what the name stands for from then on. */
export function makesName({ kind, subject, preparedName }: StatementSummary): boolean {
  return preparedName !== null && (kind === "PREPARE" || (kind === "HANDLER" && subject === "OPEN"));
}

/** EXECUTE, and HANDLER .. READ and CLOSE: what the name stands for is used. */
export function usesName({ kind, subject, preparedName }: StatementSummary): boolean {
  return preparedName !== null && (kind === "EXECUTE" || (kind === "HANDLER" && subject !== "OPEN"));
}

/** What a name may stand for. */
interface Candidate {
  readonly statement: StatementSummary;
  /** How its text was read; null: nobody knows. */
  readonly reading: TextReading | null;
}

/** By name, in lower case: every statement that the name may stand for. */
export class SqlPrepared {
  /** null: none yet, as in most sessions. */
  #statements: Map<string, Candidate[]> | null = null;

  /** Whether no further name can be kept. */
  get full(): boolean {
    return (this.#statements?.size ?? 0) >= sqlPreparedMax;
  }

  /** A PREPARE is about to run: until it is known to have succeeded the name may also stand for what it was. */
  add(name: string, statement: StatementSummary, reading: TextReading | null): void {
    this.#statements ??= new Map();
    const known = this.#statements.get(name) ?? [];
    // One more than is believed: then the name is lost until a PREPARE succeeds.
    if (known.length <= candidatesMax) this.#statements.set(name, [...known, { statement, reading }]);
  }

  /** Everything that EXECUTE of the name may run; empty: it was never prepared here. */
  candidates(name: string): readonly StatementSummary[] {
    return this.#statements?.get(name)?.map(({ statement }) => statement) ?? [];
  }

  /** Whether what the name stands for may mean something else by now, see read-otherwise. */
  isReadOtherwise(name: string, now: TextReading | null): boolean {
    return (this.#statements?.get(name) ?? []).some(({ statement: { preparedTraits }, reading: then }) =>
      then === null || now === null ? preparedTraits !== 0 : mayReadOtherwise(preparedTraits, then, now),
    );
  }

  /** Whether the name may stand for what is not among its candidates. */
  isLost(name: string): boolean {
    return (this.#statements?.get(name)?.length ?? 0) > candidatesMax;
  }

  /** The text with these statements has run to its end: the last PREPARE of each name is what counts, DEALLOCATE forgets. */
  settle(statements: readonly StatementSummary[], reading: TextReading | null): void {
    for (const statement of statements) {
      const name = statement.preparedName;
      if (name === null) continue;
      if (makesName(statement)) {
        this.#statements ??= new Map();
        this.#statements.set(name, [{ statement, reading }]);
      } else if (statement.kind === "DEALLOCATE" || statement.subject === "CLOSE") {
        this.#statements?.delete(name);
      }
    }
  }

  clear(): void {
    this.#statements = null;
  }
}

/** The refusal of a statement that `isReadOtherwise`. */
export function readOtherwiseError(): SqlError {
  return sqlError("ER_NOT_SUPPORTED_YET", {
    feature: "a prepared statement that the present sql_mode or character set reads otherwise",
  });
}

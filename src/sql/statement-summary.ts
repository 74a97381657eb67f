// What one statement is and touches: the result of analysis, the input of ACL and routing. Pure data, no text and no
// literal of the statement (ARCHITECTURE.md, invariant 8).

/** A table as the statement names it. */
export interface TableReference {
  /** The schema as written; null when unqualified and no default schema is set. */
  readonly schema: string | null;
  readonly name: string;
  /** Whether the schema was written in the statement (false: filled in from the session's default schema). */
  readonly qualified: boolean;
}

/** A stored routine, or a function that is not a known built-in. */
export interface RoutineReference {
  readonly schema: string | null;
  readonly name: string;
}

/** KILL [CONNECTION | QUERY] id. `id` is null where it is not a plain number (an expression, USER 'x', a parameter). */
export interface KillRequest {
  readonly scope: "connection" | "query";
  readonly id: number | null;
}

/** Why a statement could not be understood with certainty; the number the client would see, and a sentence. */
export interface Uncertainty {
  readonly symbol: "ER_PARSE_ERROR" | "ER_NOT_SUPPORTED_YET";
  readonly reason: string;
}

/** What a statement does to the session that runs it. */
export interface SessionEffects {
  /** False: nothing of the session is changed, so another backend connection would do for the next statement. */
  readonly any: boolean;
  /** USE: the new default schema (or target). */
  readonly use: string | null;
  /** Whether sql_mode may change, and to which literal text; null: not touched. */
  readonly sqlMode: { readonly value: string | null } | null;
  /** Whether the client's character set may change, and to which; null: not touched. */
  readonly characterSet: { readonly value: string | null } | null;
  /** Whether the change cannot be replayed on another connection (user variables, temporary tables, locks, ...). */
  readonly pins: string | null;
}

/** One statement. */
export interface StatementSummary {
  /** The head, normalised: `SELECT`, `INSERT`, `CREATE TABLE`, `SHOW`, `BEGIN`, `EMPTY`, ... */
  readonly kind: string;
  readonly reads: readonly TableReference[];
  readonly writes: readonly TableReference[];
  /** Tables whose definition changes. */
  readonly changes: readonly TableReference[];
  readonly routines: readonly RoutineReference[];
  /** Positive proof only. */
  readonly readOnly: boolean;
  readonly effects: SessionEffects;
  readonly kill: KillRequest | null;
  /** Whether this is LOAD DATA / XML LOCAL, the only statement that may ask the client for a file; and the file. */
  readonly loadLocalFile: string | null;
  /** null: understood with certainty. */
  readonly uncertain: Uncertainty | null;
}

// What one statement is and touches: the result of analysis, the input of ACL and routing. Pure data, no text and no
// literal of the statement (ARCHITECTURE.md, invariant 8).

import type { ReadingTraits } from "./reading-traits.ts";

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

/** A schema that the statement itself names: SHOW TABLES FROM s, CREATE DATABASE s; not a qualifier. */
export interface SchemaReference {
  readonly name: string;
  /** `see`: its tables are listed; `change`: it, or something in it that no table name covers, is made or dropped. */
  readonly access: "see" | "change";
}

/** A variable that SET, SET STATEMENT or a SET_VAR hint assigns. The name in lower case, without quotes. */
export interface VariableAssignment {
  /** `persist` also stands for PERSIST_ONLY; `local`: a variable of a compound body. */
  readonly scope: "session" | "global" | "persist" | "user" | "local";
  readonly name: string;
  /** Of a session variable only: the literal or bare word it gets. Absent: an expression, or DEFAULT. */
  readonly value?: string;
  /** Of a session variable only: it gets what an expression says. @default false */
  readonly computed?: true;
}

/** What an identity token stands for; `@@` variables under their own names. */
export type IdentityName =
  | "user"
  | "current_user"
  | "current_role"
  | "connection_id"
  | "database"
  | "row_count"
  | "found_rows"
  | "proxy_user"
  | "external_user"
  | "pseudo_thread_id"
  | "check_proxy_users"
  | "mysql_native_password_proxy_users"
  | "caching_sha2_password_proxy_users"
  | "sha256_password_proxy_users"
  | ServerTable
  /** SHOW VARIABLES, up to its condition. */
  | "show_variables"
  /** The schema before such a table's column, and the dot. */
  | "qualifier";

/** Tables with a server's sessions and their variables; without more, of information_schema. */
export type ServerTable =
  | "processlist"
  | "performance_schema_processlist"
  | "threads"
  | "sys_processlist"
  | "sys_x_processlist"
  | "sys_session"
  | "sys_x_session"
  /** Of information_schema (MariaDB), of performance_schema (MySQL). */
  | "session_variables"
  | "global_variables"
  | "system_variables";

/** A function, variable or table that on a backend would tell of the service account. Offsets in bytes of the text. */
export interface IdentityToken {
  readonly name: IdentityName;
  readonly start: number;
  readonly end: number;
  /**
   * `stored`: in a body, a view, a default, where it cannot be replaced. `literal`: in the text of PREPARE; the offsets
   * are those of the whole literal. `beyond`: there are more of them in the text than are noted.
   */
  readonly place: "text" | "literal" | "stored" | "beyond";
  /** `@@global.`: servers refuse it for the first three variables. SHOW GLOBAL. */
  readonly global: boolean;
  /** Of a table without an alias: its name as it is written. */
  readonly tableName?: string;
  /** The table is read by TABLE, which is part of the place. */
  readonly byTable?: boolean;
  /** Offsets of parentheses around the table that have to go. */
  readonly parentheses?: readonly number[];
  /** Of SHOW VARIABLES: what its condition begins with, and where it ends. */
  readonly condition?: "LIKE" | "WHERE" | null;
  readonly conditionEnd?: number;
}

/** SHOW of what only the gateway knows of its session, and the statement's place in the text. */
export interface OwnShow {
  readonly what: "GRANTS" | "CREATE USER" | "PROCESSLIST" | "FULL PROCESSLIST";
  readonly start: number;
  readonly end: number;
}

/** An item of a SELECT list that has an identity token and no alias: its text is the column's heading. */
export interface UnnamedItem {
  readonly start: number;
  readonly end: number;
}

/** KILL [CONNECTION | QUERY] id. `id` is null where it is not a plain number (an expression, USER 'x', a parameter). */
export interface KillRequest {
  readonly scope: "connection" | "query";
  readonly id: number | null;
  /** Where `id` is null: whom it means. CONNECTION_ID() is the asking session, `@name` a user variable. @default nobody */
  readonly of?: "CONNECTION_ID()" | `@${string}`;
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
  /** SET NAMES with literals; null: there is none. `collation` null: not given. */
  readonly names: { readonly characterSet: string; readonly collation: string | null } | null;
  /** Whether the change cannot be replayed on another connection (user variables, temporary tables, locks, ...). */
  readonly pins: string | null;
  /** What it does to the transaction; `commits`: ends it by the way, as DDL does. */
  readonly transaction: "begins" | "ends" | "commits" | "savepoint" | "xa" | null;
  /** SET autocommit to a literal; null: not touched, or by an expression (then `pins` says so). */
  readonly autocommit: boolean | null;
  /** SET TRANSACTION without a scope: it is for the next one. */
  readonly nextTransaction: boolean;
  /** LAST_INSERT_ID() with an argument: it says that from now on. */
  readonly setsInsertId: boolean;
  /** SQL_CALC_FOUND_ROWS: only the server knows what FOUND_ROWS() says afterwards. */
  readonly countsFoundRows: boolean;
}

/**
 * What the statement before left behind on its connection and this one asks for. `messages`: the texts of its warnings, or
 * names in them, as values.
 */
export type Leftover = "warnings" | "messages" | "found rows" | "row count" | "insert id" | "last value";

/** What no statement has. */
export const noEffects: SessionEffects = {
  any: false,
  use: null,
  sqlMode: null,
  characterSet: null,
  pins: null,
  names: null,
  transaction: null,
  autocommit: null,
  nextTransaction: false,
  setsInsertId: false,
  countsFoundRows: false,
};

/** One statement. */
export interface StatementSummary {
  /** The head, normalised: `SELECT`, `INSERT`, `CREATE TABLE`, `SHOW`, `BEGIN`, `EMPTY`, ... */
  readonly kind: string;
  /** What is shown, flushed, changed or started, where `kind` alone does not tell: SHOW `TABLES`, `CREATE VIEW`. */
  readonly subject: string | null;
  /**
   * Kinds of the statements that this one carries, outermost first: EXPLAIN, ANALYZE, PREPARE and EXECUTE IMMEDIATE of
   * a literal, SET STATEMENT, compound and stored bodies. What they touch stands in the lists below.
   */
  readonly innerKinds: readonly string[];
  /**
   * Tables read. A table needs the right of each list it stands in; every list is in textual order. The target of a
   * write stands here too where the statement hands its rows out or computes with stored ones as servers judge it:
   * RETURNING, ON DUPLICATE KEY UPDATE, NEXTVAL(). WHERE, ORDER BY and SET of UPDATE and DELETE do not count.
   * Inside a query that has a WITH of its own, a name of an outer WITH counts as the table too: there MariaDB 10.11
   * (derived tables, sub-queries) and MySQL 9.7 (parentheses at the top) read the table.
   */
  readonly reads: readonly TableReference[];
  /**
   * Tables whose rows change; also what CREATE TABLE ... SELECT fills, the new name of a renamed table, and both sides
   * of EXCHANGE PARTITION and CONVERT TABLE.
   */
  readonly writes: readonly TableReference[];
  /** Tables whose definition changes, both ends of a rename included. */
  readonly changes: readonly TableReference[];
  /** Routines called, and those whose text is shown. */
  readonly routines: readonly RoutineReference[];
  /** Routines created, altered or dropped. */
  readonly routineChanges: readonly RoutineReference[];
  readonly schemas: readonly SchemaReference[];
  readonly assigns: readonly VariableAssignment[];
  /**
   * CREATE / ALTER VIEW: whether rows of `reads` could be changed through the view. False only where that is certain:
   * ALGORITHM = TEMPTABLE, or a set operator, DISTINCT or GROUP BY at the top of its query.
   */
  readonly updatableView: boolean;
  /** Whether files of the server are read or written: INTO OUTFILE / DUMPFILE, LOAD_FILE(), LOAD without LOCAL. */
  readonly serverFiles: boolean;
  /** Positive proof only. */
  readonly readOnly: boolean;
  readonly effects: SessionEffects;
  readonly kill: KillRequest | null;
  /** Whether this is LOAD DATA / XML LOCAL, the only statement that may ask the client for a file; and the file. */
  readonly loadLocalFile: string | null;
  /** Leftovers of the statement before that are asked for: FOUND_ROWS(), SHOW WARNINGS, LAST_INSERT_ID(), ... */
  readonly asksFor: readonly Leftover[];
  /** In textual order. */
  readonly identityTokens: readonly IdentityToken[];
  readonly unnamedItems: readonly UnnamedItem[];
  /** Only where the text is the statement itself; null: servers answer. */
  readonly ownShow: OwnShow | null;
  /** Whether it changes the account that is logged in: SET PASSWORD, ALTER USER USER() and the like. */
  readonly ownAccount: boolean;
  /** PREPARE, EXECUTE, DEALLOCATE: the statement's name, in lower case. */
  readonly preparedName: string | null;
  /** PREPARE: what in the text that it prepares another sql_mode or character set may read otherwise. */
  readonly preparedTraits: ReadingTraits;
  /** Why it is not read-only; null: it is. */
  readonly writesBecause: string | null;
  /** null: understood with certainty. */
  readonly uncertain: Uncertainty | null;
}

/** A statement of `kind` that touches nothing: a start for commands without text, and for tests. */
export function bareStatement(kind: string): StatementSummary {
  return {
    kind,
    subject: null,
    innerKinds: [],
    reads: [],
    writes: [],
    changes: [],
    routines: [],
    routineChanges: [],
    schemas: [],
    assigns: [],
    updatableView: false,
    serverFiles: false,
    readOnly: false,
    effects: noEffects,
    kill: null,
    loadLocalFile: null,
    asksFor: [],
    identityTokens: [],
    unnamedItems: [],
    ownShow: null,
    ownAccount: false,
    preparedName: null,
    preparedTraits: 0,
    writesBecause: "not looked at",
    uncertain: null,
  };
}

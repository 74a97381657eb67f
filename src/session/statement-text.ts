// What the session needs to know of one command's text: every statement in it, and what follows from them together.
// Holds no text.

import { type Listing, listingOf } from "../acl/show-rights.ts";
import {
  mayBeAskedFor,
  noSettings,
  type SessionSettings,
  withNames,
  withVariable,
} from "../backend/session-settings.ts";
import { accountKindOf } from "../sql/accounts.ts";
import { LOCKED_TABLES } from "../sql/data-statements.ts";
import type { Leftover, StatementSummary } from "../sql/statement-summary.ts";
import { type FoundRowsEffect, foundRowsEffect } from "./found-rows.ts";
import { tellsInRows } from "./told-rows.ts";

/** The statements of one COM_QUERY or COM_STMT_PREPARE, judged together. */
export interface StatementText {
  readonly statements: readonly StatementSummary[];
  /** False while it is only prepared. */
  readonly runs: boolean;
  /** All are proven to change nothing. */
  readonly readOnly: boolean;
  /** Why the backend connection must stay with the session afterwards; null: it need not. */
  readonly pins: string | null;
  /** What kept the session on its connection and does no more once it has succeeded; null: nothing is taken away. */
  readonly unpins: string | null;
  /** Why the backend connection must not serve another session afterwards: no reset undoes it; null: it may. */
  readonly spoils: string | null;
  /** What its SETs make of the session's settings once it has succeeded; null from one of them: not to be said elsewhere. */
  readonly settings: readonly SettingChange[];
  /** Variables that follow the session, set to expressions: the server is to be asked what they are now. */
  readonly computes: readonly string[];
  /** SET TRANSACTION for the next one. */
  readonly nextTransaction: boolean;
  /** Whether LAST_INSERT_ID() says something else afterwards, whatever its OK tells. */
  readonly setsInsertId: boolean;
  readonly foundRows: FoundRowsEffect;
  /** Whether any statement names a table: MariaDB forgets the warnings before it then. */
  readonly namesTables: boolean;
  /** What of the statement before the text asks for. */
  readonly asksFor: readonly Leftover[];
  /** Whether warnings stay as they are, since they are what is asked for. */
  readonly asksForWarnings: boolean;
  /** Whether it may put the texts of the warnings of the statement before into variables: GET DIAGNOSTICS. */
  readonly readsMessages: boolean;
  /** The default schema after it; null: unchanged. */
  readonly use: string | null;
  /** Whether a schema is dropped: it may be the one that the connection is in. */
  readonly dropsSchema: boolean;
  /** Whether it may have ended a transaction for good: never repeated, never reported as rolled back. */
  readonly commits: boolean;
  /** The files that LOAD DATA LOCAL names: no other may be asked for. */
  readonly localFiles: readonly string[];
  /** Whether any of them is a KILL: then the gateway answers. */
  readonly kills: boolean;
  /** Whether the gateway itself answers any of them: SHOW GRANTS and the like. */
  readonly asksGateway: boolean;
  /** Whether rows of its replies may tell who the session is: SHOW VARIABLES, SHOW WARNINGS. */
  readonly tellsInRows: boolean;
  /** The kinds of those about accounts. */
  readonly accountKinds: readonly string[];
  /** Whether any of them was not understood with certainty. */
  readonly uncertain: boolean;
  /** Where its rows are about tables and the like of which the client may see some only; null: it may see all. */
  readonly listing: FilteredListing | null;
}

/** The rows of SHOW TABLES and the like. */
export interface FilteredListing {
  readonly columns: Listing;
  /** The schema that the rows are about, where no column says so. */
  readonly schema: string | null;
}

/** One SET. */
export type SettingChange = (settings: SessionSettings) => SessionSettings | null;

/** Kinds whose assignments last. */
const settingKinds: ReadonlySet<string> = new Set(["SET", "SET NAMES", "SET TRANSACTION"]);

/** What a SET changes; null: nothing, or the whole text pins. */
function settingChange({ kind, effects, assigns }: StatementSummary): SettingChange | null {
  if (!settingKinds.has(kind) || !effects.any || effects.pins !== null) return null;
  const own = assigns.filter(({ scope, name }) => scope === "session" && name !== "autocommit");
  const { names } = effects;
  // In which order they were said is not known.
  if (names !== null && own.some(({ name }) => /^(character_set|collation)_/.test(name))) return () => null;
  return (settings) => {
    let next = names === null ? settings : withNames(settings, names.characterSet, names.collation);
    for (const { name, value, computed } of own) {
      if (computed !== true) next = next === null ? null : withVariable(next, name, value ?? null);
      else if (!mayBeAskedFor(name)) next = null;
    }
    return next;
  };
}

function computedBy({ kind, assigns }: StatementSummary): string[] {
  if (!settingKinds.has(kind)) return [];
  return assigns
    .filter(({ computed, name }) => computed === true && name !== "autocommit")
    .map(({ name }) => name);
}

/** Why a statement keeps its session on its connection for good; null: it does not. */
function pinOf(statement: StatementSummary): string | null {
  const { effects, kind } = statement;
  if (statement.uncertain !== null) return "a statement that was not understood";
  if (effects.pins !== null) return effects.pins;
  if (statement.routines.length > 0 && runs(statement)) return "a stored function";
  // It takes away only, and that is nothing to be said on another connection.
  if (kind === "UNLOCK TABLES" || kind === "UNLOCK INSTANCE") return null;
  if (!effects.any || effects.use !== null) return null;
  const change = settingChange(statement);
  if (change === null) return `${kind} changed the session`;
  return change(noSettings) === null ? "a variable that does not follow the session" : null;
}

/** Kinds that name routines without running them. */
const describingKinds = /^(PREPARE|DROP|RENAME|(CREATE|ALTER) (?!TABLE\b))/;

function runs({ kind }: StatementSummary): boolean {
  return !describingKinds.test(kind);
}

/** Whether it may have made changes final: also by the way, as DDL does, and whatever was not understood. */
function mayCommit({ uncertain, effects }: StatementSummary): boolean {
  if (uncertain !== null || effects.autocommit === true) return true;
  return effects.transaction !== null && effects.transaction !== "savepoint";
}

/** What was not understood, or was prepared by SQL, may be a GET DIAGNOSTICS. */
function mayReadMessages({ asksFor, kind, uncertain }: StatementSummary): boolean {
  return asksFor.includes("messages") || kind.startsWith("EXECUTE") || uncertain !== null;
}

/**
 * Beyond COM_RESET_CONNECTION MariaDB keeps the texts for SHOW PROFILES (10.11, 11.8), MySQL those in
 * information_schema.OPTIMIZER_TRACE (9.7): the next session could read them.
 */
function turnsRecordingOn({ assigns }: StatementSummary): boolean {
  return assigns.some(({ name }) => name === "profiling" || name.startsWith("optimizer_trace"));
}

const DROPPING = /^DROP (DATABASE|SCHEMA)\b/;

/** Puts the statements of one text together; `database` is the session's default schema. */
export function statementText(
  statements: readonly StatementSummary[],
  database: string | null = null,
): StatementText {
  let pins: string | null = null;
  let use: string | null = null;
  for (const statement of statements) {
    pins ??= pinOf(statement);
    use = statement.effects.use ?? use;
  }
  return {
    statements,
    spoils: statements.some(turnsRecordingOn) ? "its statements were recorded" : null,
    runs: true,
    readOnly: statements.every((statement) => statement.readOnly),
    pins,
    unpins: statements.length === 1 && statements[0]?.kind === "UNLOCK TABLES" ? LOCKED_TABLES : null,
    settings: pins === null ? settingChanges(statements) : [],
    computes: pins === null ? statements.flatMap(computedBy) : [],
    nextTransaction: statements.some(({ effects }) => effects.nextTransaction),
    setsInsertId: statements.some(({ effects }) => effects.setsInsertId),
    foundRows: foundRowsEffect(statements),
    namesTables: statements.some(
      ({ reads, writes, changes }) => reads.length + writes.length + changes.length > 0,
    ),
    asksFor: statements[0]?.asksFor ?? [],
    asksForWarnings: statements.every((statement) => statement.asksFor.includes("warnings")),
    readsMessages: statements.some(mayReadMessages),
    use,
    dropsSchema: statements.some((statement) => DROPPING.test(statement.kind)),
    commits: statements.some(mayCommit),
    localFiles: statements.flatMap(({ loadLocalFile }) => loadLocalFile ?? []),
    kills: statements.some((statement) => statement.kill !== null),
    asksGateway: statements.some((statement) => statement.kind === "SHOW" && statement.ownShow !== null),
    tellsInRows: statements.some(tellsInRows),
    accountKinds: statements.flatMap((statement) => accountKindOf(statement) ?? []),
    uncertain: statements.some((statement) => statement.uncertain !== null),
    listing: listingIn(statements, database),
  };
}

/** The text while it is prepared: nothing runs, what it would do to the session counts when it is executed. */
export function preparingText(text: StatementText): StatementText {
  return {
    ...text,
    runs: false,
    pins: null,
    unpins: null,
    spoils: null,
    settings: [],
    computes: [],
    nextTransaction: false,
    setsInsertId: false,
    foundRows: "stays",
    asksFor: [],
    asksForWarnings: false,
    readsMessages: false,
    use: null,
    dropsSchema: false,
    commits: false,
    readOnly: true,
  };
}

function settingChanges(statements: readonly StatementSummary[]): readonly SettingChange[] {
  return statements.map(settingChange).filter((change) => change !== null);
}

/** Of a text of one statement: where an ACL is enforced, listings among others are refused. */
function listingIn(statements: readonly StatementSummary[], database: string | null): FilteredListing | null {
  const [only] = statements;
  if (only === undefined || statements.length > 1) return null;
  const columns = listingOf(only);
  return columns === null ? null : { columns, schema: only.schemas[0]?.name ?? database };
}

// Which keyspaces a text needs: those that its names are in, and the session's own where something is named without a
// schema. Pure; knows no servers.

import { type SqlError, sqlError } from "../errors/sql-error.ts";
import { foldObjectName, isSystemSchema, objectNameCharactersMax } from "../sql/object-name.ts";
import type { StatementSummary, TableReference } from "../sql/statement-summary.ts";
import type { KeyspaceConfig, Topology } from "./topology.ts";

/** 1049, with as much of the name as a server would show. */
export function unknownDatabase(name: string): SqlError {
  return sqlError("ER_BAD_DB_ERROR", { database: cut(name) });
}

function cut(name: string): string {
  return name.slice(0, objectNameCharactersMax);
}

/** Whether it is CREATE DATABASE. */
export function makesSchema({ kind }: StatementSummary): boolean {
  return /^CREATE (DATABASE|SCHEMA)\b/.test(kind);
}

/** What a text needs. */
export interface NeededKeyspaces {
  /** Whether something in it means the session's default schema, or may. */
  readonly own: boolean;
  /** Those that are written before a name, and those that were the default schema when the text was prepared. */
  readonly others: ReadonlySet<KeyspaceConfig>;
}

/** The keyspace that a client means by a name; null: there is none. `folds`: names are compared without regard to case. */
export function keyspaceNamed(topology: Topology, name: string, folds: boolean): KeyspaceConfig | null {
  const exact = topology.keyspaces.get(name);
  if (exact !== undefined || !folds) return exact ?? null;
  const folded = foldObjectName(name);
  for (const keyspace of topology.keyspaces.values())
    if (foldObjectName(keyspace.name) === folded) return keyspace;
  return null;
}

/** Forms of SHOW that mean the default schema where they name none. */
const showOfSchema: ReadonlySet<string | null> = new Set([
  "TABLES",
  "TABLE STATUS",
  "OPEN TABLES",
  "TRIGGERS",
  "EVENTS",
  "CREATE EVENT",
  "CREATE PACKAGE",
]);

/**
 * Collects what the statements need. `own` is the schema that names without one are in; null: none. The error: a name
 * is in no keyspace, or in one that cannot be written before a name.
 */
export function neededKeyspaces(
  topology: Topology,
  statements: readonly StatementSummary[],
  own: string | null,
  folds: boolean,
): NeededKeyspaces | SqlError {
  const others = new Set<KeyspaceConfig>();
  let needsOwn = false;
  /** A name without a schema, in what was the default schema when the text was taken apart. */
  const needDefault = (schema: string | null): SqlError | null => {
    if (schema === null || schema === own || isSystemSchema(schema)) {
      needsOwn = true;
      return null;
    }
    const keyspace = topology.keyspaces.get(schema);
    if (keyspace === undefined) return unknownDatabase(schema);
    others.add(keyspace);
    return null;
  };
  const need = (name: string, makes: boolean): SqlError | null => {
    if (isSystemSchema(name)) return null;
    const keyspace = keyspaceNamed(topology, name, folds);
    if (keyspace === null) {
      if (!makes) return unknownDatabase(name);
      const feature = `making database '${cut(name)}': it is no keyspace`;
      return sqlError("ER_NOT_SUPPORTED_YET", { feature });
    }
    if (!isCalledAlike(keyspace, folds)) {
      const feature = `'${keyspace.name}' before a name: on its server the database is called otherwise`;
      return sqlError("ER_NOT_SUPPORTED_YET", { feature });
    }
    others.add(keyspace);
    return null;
  };
  for (const statement of statements) {
    for (const table of tablesOf(statement)) {
      const { schema, qualified } = table;
      const error = qualified && schema !== null ? need(schema, false) : needDefault(schema);
      if (error !== null) return error;
    }
    for (const { schema } of [...statement.routines, ...statement.routineChanges]) {
      // Whether it was written is not told: the session's own schema is the likelier.
      if (schema === null || schema === own) needsOwn = true;
      else {
        const error = need(schema, false);
        if (error !== null) return error;
      }
    }
    for (const { name } of statement.schemas) {
      // It may be the default schema, filled in.
      const error = name === own ? needDefault(name) : need(name, makesSchema(statement));
      if (error !== null) return error;
    }
    if (meansOwnSchema(statement)) needsOwn = true;
  }
  return { own: needsOwn, others };
}

function tablesOf(statement: StatementSummary): readonly TableReference[] {
  const { reads, writes, changes } = statement;
  return writes.length + changes.length === 0 ? reads : [...reads, ...writes, ...changes];
}

function isCalledAlike({ name, database }: KeyspaceConfig, folds: boolean): boolean {
  return name === database || (folds && foldObjectName(name) === foldObjectName(database));
}

/** Beside its names: what was not understood, `DATABASE()`, SHOW TABLES, ... Everything else means the same anywhere. */
function meansOwnSchema({ uncertain, identityTokens, kind, subject, schemas }: StatementSummary): boolean {
  if (uncertain !== null) return true;
  if (identityTokens.some(({ name }) => name === "database")) return true;
  return kind === "SHOW" && schemas.length === 0 && showOfSchema.has(subject);
}

// The table ACL, prepared for look-ups: which group decides about a name, and whether it lets a principal have a role.
// Pure and immutable; a reload makes a new one. Knows nothing of statements and of error texts.

import type { ImmediateCallerId } from "../identity/caller-id.ts";
import { isSystemSchema, type LowerCaseTableNames, objectNameDoubt } from "../sql/object-name.ts";
import type { DecidingRule } from "./denial.ts";
import { type IndexedPattern, NameIndex } from "./name-index.ts";
import type { Role } from "./role.ts";
import type { AclEntry, AclGroup, PrincipalList, TableAclFile } from "./table-acl-file.ts";

/** Whether a role is there, and which entry decided. */
export interface AclDecision {
  readonly allowed: boolean;
  /** null: no entry names the object (or its name cannot be compared with certainty). */
  readonly rule: DecidingRule | null;
}

/** A schema (null: none was given and there is no default) and a name in it. */
export interface ObjectName {
  readonly schema: string | null;
  readonly name: string;
}

/** An entry of the file with the group it stands in, as the listings of rights and the linter read it. */
export interface PreparedEntry extends IndexedPattern {
  readonly entry: AclEntry;
  readonly group: AclGroup;
  readonly lists: ReadonlyMap<string, PreparedList>;
}

interface PreparedList {
  readonly key: string;
  readonly principals: ReadonlySet<string>;
}

const unnamed: AclDecision = Object.freeze({ allowed: false, rule: null });

/** Rights on tables, routines and schemas. */
export interface TableAcl {
  /** A group's right on a table; `role` is reader, writer or admin. */
  decideTable(caller: ImmediateCallerId, table: ObjectName, role: Role): AclDecision;
  /** A group's right on a routine; `role` is executor or admin. */
  decideRoutine(caller: ImmediateCallerId, routine: ObjectName, role: Role): AclDecision;
  /** Whether some table or routine of `schema` may be visible to the caller. */
  reachesSchema(caller: ImmediateCallerId, schema: string): boolean;
  /**
   * Whether the caller is admin of every table that `schema` could hold: one entry covers the whole schema, and no entry
   * that reaches into it withholds the role.
   */
  decideWholeSchema(caller: ImmediateCallerId, schema: string): AclDecision;
  /** The entries of table groups in the order of the file. */
  readonly tableEntries: readonly PreparedEntry[];
  readonly routineEntries: readonly PreparedEntry[];
  readonly file: TableAclFile;
}

/**
 * Prepares a file. With `lowerCaseTableNames` 1 or 2 names that differ in case only are one name: where they stand in
 * several groups, each of them must agree. Deny lists hold without regard to case always.
 */
export function prepareTableAcl(file: TableAclFile, lowerCaseTableNames: LowerCaseTableNames): TableAcl {
  const folds = lowerCaseTableNames !== 0;
  const tableEntries = prepareEntries(file.tableGroups);
  const routineEntries = prepareEntries(file.routineGroups);
  const tables = new NameIndex(tableEntries, { foldSchemas: folds, foldNames: folds });
  const tablesFolded = folds ? tables : new NameIndex(tableEntries, { foldSchemas: true, foldNames: true });
  // Servers compare names of routines without regard to case, whatever lower_case_table_names says.
  const routines = new NameIndex(routineEntries, { foldSchemas: folds, foldNames: true });
  const routinesFolded = folds
    ? routines
    : new NameIndex(routineEntries, { foldSchemas: true, foldNames: true });
  return {
    file,
    tableEntries,
    routineEntries,
    decideTable: (caller, table, role) => decide(tables, tablesFolded, caller, table, role),
    decideRoutine: (caller, routine, role) => decide(routines, routinesFolded, caller, routine, role),
    reachesSchema(caller, schema) {
      if (objectNameDoubt(schema) !== null) return false;
      const holds = (item: PreparedEntry) =>
        rolesOf(item).some((role) => judge([item], caller, role).allowed);
      return tables.reaching(schema).some(holds) || routines.reaching(schema).some(holds);
    },
    decideWholeSchema: (caller, schema) => decideWholeSchema(tables, tablesFolded, caller, schema),
  };
}

/** The key under which a list is found, e.g. `deny reader`. */
function listKey(role: Role, deny: boolean): string {
  return deny ? `deny ${role}` : role;
}

function prepareEntries(groups: readonly AclGroup[]): PreparedEntry[] {
  const entries: PreparedEntry[] = [];
  for (const group of groups) {
    const lists = new Map(group.lists.map((list) => [listKey(list.role, list.deny), prepareList(list)]));
    for (const entry of group.entries) {
      entries.push({ schema: entry.schema, name: entry.name, isPrefix: entry.isPrefix, entry, group, lists });
    }
  }
  return entries;
}

function prepareList(list: PrincipalList): PreparedList {
  return { key: list.key, principals: new Set(list.principals) };
}

function decide(
  index: NameIndex<PreparedEntry>,
  folded: NameIndex<PreparedEntry>,
  caller: ImmediateCallerId,
  object: ObjectName,
  role: Role,
): AclDecision {
  if (objectNameDoubt(object.name) !== null) return unnamed;
  if (object.schema !== null && objectNameDoubt(object.schema) !== null) return unnamed;
  const decision = judge(index.find(object.schema, object.name), caller, role);
  if (!decision.allowed || folded === index) return decision;
  return deniedBy(folded.find(object.schema, object.name), caller, role) ?? decision;
}

/** What one entry says about a role, whatever other entries match the same names. */
export function judgeEntry(entry: PreparedEntry, caller: ImmediateCallerId, role: Role): AclDecision {
  return judge([entry], caller, role);
}

/** Every entry must allow; there is more than one only where names differ in case alone. */
function judge(entries: readonly PreparedEntry[], caller: ImmediateCallerId, role: Role): AclDecision {
  const denied = deniedBy(entries, caller, role);
  if (denied !== null) return denied;
  let last = unnamed;
  for (const item of entries) {
    const list = item.lists.get(listKey(role, false));
    const principal = list === undefined ? null : principalIn(list, caller);
    const listed = list === undefined || principal === null ? null : { list: list.key, principal };
    last = { allowed: listed !== null, rule: ruleOf(item, listed) };
    if (!last.allowed) return last;
  }
  return last;
}

function deniedBy(
  entries: readonly PreparedEntry[],
  caller: ImmediateCallerId,
  role: Role,
): AclDecision | null {
  for (const item of entries) {
    const list = item.lists.get(listKey(role, true));
    const principal = list === undefined ? null : principalIn(list, caller);
    if (list !== undefined && principal !== null) {
      return { allowed: false, rule: ruleOf(item, { list: list.key, principal }) };
    }
  }
  return null;
}

function principalIn(list: PreparedList, caller: ImmediateCallerId): string | null {
  const { principals } = list;
  if (principals.size === 0) return null;
  if (principals.has(caller.username)) return caller.username;
  for (const group of caller.groups) if (principals.has(group)) return group;
  return principals.has("*") ? "*" : null;
}

function ruleOf(item: PreparedEntry, listed: { list: string; principal: string } | null): DecidingRule {
  return {
    group: item.group.name,
    entry: item.entry.text,
    list: listed?.list ?? null,
    principal: listed?.principal ?? null,
  };
}

function rolesOf(item: PreparedEntry): Role[] {
  return item.group.lists.filter((list) => !list.deny).map((list) => list.role);
}

function decideWholeSchema(
  index: NameIndex<PreparedEntry>,
  folded: NameIndex<PreparedEntry>,
  caller: ImmediateCallerId,
  schema: string,
): AclDecision {
  if (objectNameDoubt(schema) !== null || isSystemSchema(schema)) return unnamed;
  const reaching = index.reaching(schema);
  const catchAll = reaching.find((item) => item.isPrefix && item.name === "");
  if (catchAll === undefined) return unnamed;
  for (const item of reaching) {
    const decision = judge([item], caller, "admin");
    if (!decision.allowed) return decision;
  }
  return deniedBy(folded.reaching(schema), caller, "admin") ?? judge([catchAll], caller, "admin");
}

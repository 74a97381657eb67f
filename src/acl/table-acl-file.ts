// Reads a table ACL file: Vitess's format with qualified names, overlapping prefixes, deny lists and routines
// (schemas/table-acl.schema.json). All problems at once, each with its place. Knows nothing of look-ups.

import { createRequire } from "node:module";
import { parseJsonFile } from "../base/json-file.ts";
import type { Problem } from "../base/problem.ts";
import { foldObjectName, isSystemSchema } from "../sql/object-name.ts";
import { type NamePattern, parseNamePattern } from "./name-pattern.ts";
import type { Role } from "./role.ts";

/** A value's place in the file, both from 1. */
export interface FilePosition {
  readonly line: number;
  readonly column: number;
}

/** One entry of a group. */
export interface AclEntry extends NamePattern {
  /** JSON pointer of the entry, e.g. `/table_groups/0/table_names_or_prefixes/2`. */
  readonly pointer: string;
}

/** One list of principals of a group. */
export interface PrincipalList {
  /** The key in the file, e.g. `deny_readers`. */
  readonly key: string;
  readonly role: Role;
  readonly deny: boolean;
  readonly principals: readonly string[];
}

/** One group of tables or of routines. */
export interface AclGroup {
  readonly name: string;
  /** JSON pointer of the group. */
  readonly pointer: string;
  readonly entries: readonly AclEntry[];
  /** Lists that the file has, empty ones included. */
  readonly lists: readonly PrincipalList[];
}

/** A valid file. */
export interface TableAclFile {
  readonly path: string;
  readonly tableGroups: readonly AclGroup[];
  readonly routineGroups: readonly AclGroup[];
  /** Where the value at a JSON pointer stands. */
  readonly positionOf: (pointer: string) => FilePosition;
}

/** A valid file, or all that is wrong with it. */
export type TableAclFileResult =
  | { readonly ok: true; readonly file: TableAclFile }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const schema = createRequire(import.meta.url)("../../schemas/table-acl.schema.json") as object;

const tableLists = [
  { key: "readers", role: "reader", deny: false },
  { key: "writers", role: "writer", deny: false },
  { key: "admins", role: "admin", deny: false },
  { key: "deny_readers", role: "reader", deny: true },
  { key: "deny_writers", role: "writer", deny: true },
  { key: "deny_admins", role: "admin", deny: true },
] as const;

const routineLists = [
  { key: "executors", role: "executor", deny: false },
  { key: "admins", role: "admin", deny: false },
  { key: "deny_executors", role: "executor", deny: true },
  { key: "deny_admins", role: "admin", deny: true },
] as const;

/** Parses and validates the text of a table ACL file. Never throws for what the file holds. */
export function parseTableAclFile(request: {
  readonly text: string | Uint8Array;
  readonly path: string;
}): TableAclFileResult {
  const parsed = parseJsonFile({ text: request.text, path: request.path, schema });
  if (!parsed.ok) return { ok: false, problems: parsed.problems };
  const raw = parsed.value as RawFile;
  const complaints: Complaint[] = [];
  const tableGroups = readGroups(
    raw.table_groups,
    "/table_groups",
    "table_names_or_prefixes",
    tableLists,
    complaints,
  );
  const routineGroups = readGroups(
    raw.routines ?? [],
    "/routines",
    "routine_names_or_prefixes",
    routineLists,
    complaints,
  );
  complaints.push(...findEqualEntries(tableGroups, false), ...findEqualEntries(routineGroups, true));
  if (complaints.length > 0) {
    const problems = complaints.map(({ pointer, message }) => ({
      path: request.path,
      ...parsed.positionOf(pointer),
      pointer,
      message,
    }));
    problems.sort((a, b) => a.line - b.line || a.column - b.column);
    return { ok: false, problems };
  }
  return {
    ok: true,
    file: { path: request.path, tableGroups, routineGroups, positionOf: parsed.positionOf },
  };
}

type RawGroup = { readonly name: string } & {
  readonly [key: string]: readonly string[] | string | undefined;
};

interface RawFile {
  readonly table_groups: readonly RawGroup[];
  readonly routines?: readonly RawGroup[];
}

interface Complaint {
  readonly pointer: string;
  readonly message: string;
}

function readGroups(
  groups: readonly RawGroup[],
  pointer: string,
  namesKey: string,
  lists: readonly { readonly key: string; readonly role: Role; readonly deny: boolean }[],
  complaints: Complaint[],
): AclGroup[] {
  return groups.map((group, index) => {
    const groupPointer = `${pointer}/${index}`;
    const entries: AclEntry[] = [];
    for (const [position, text] of stringsOf(group[namesKey]).entries()) {
      const entryPointer = `${groupPointer}/${namesKey}/${position}`;
      const pattern = parseNamePattern(text);
      if (typeof pattern === "string") {
        complaints.push({
          pointer: entryPointer,
          message: `Entry ${quoted(text)} of group ${quoted(group.name)} ${pattern}`,
        });
      } else {
        entries.push({ ...pattern, pointer: entryPointer });
      }
    }
    const present: PrincipalList[] = [];
    for (const list of lists) {
      const value = group[list.key];
      if (value !== undefined) present.push({ ...list, principals: stringsOf(value) });
    }
    return { name: group.name, pointer: groupPointer, entries, lists: present };
  });
}

function stringsOf(value: readonly string[] | string | undefined): readonly string[] {
  return typeof value === "object" ? value : [];
}

/** Two entries that match the same names equally well leave nothing to decide between them. */
function findEqualEntries(groups: readonly AclGroup[], isRoutine: boolean): Complaint[] {
  const seen = new Map<string, { readonly entry: AclEntry; readonly group: AclGroup }>();
  const complaints: Complaint[] = [];
  for (const group of groups) {
    for (const entry of group.entries) {
      const inSystemSchema = entry.schema !== null && isSystemSchema(entry.schema);
      const key = JSON.stringify([
        entry.schema !== null && inSystemSchema ? foldObjectName(entry.schema) : entry.schema,
        isRoutine || inSystemSchema ? foldObjectName(entry.name) : entry.name,
        entry.isPrefix,
      ]);
      const first = seen.get(key);
      if (first === undefined) {
        seen.set(key, { entry, group });
        continue;
      }
      const where =
        first.group === group
          ? `stands twice in group ${quoted(group.name)}`
          : `of group ${quoted(group.name)} matches as well as ${quoted(first.entry.text)} of group ${quoted(first.group.name)}`;
      complaints.push({
        pointer: entry.pointer,
        message: `Entry ${quoted(entry.text)} ${where}: each name or prefix must stand once in the file`,
      });
    }
  }
  return complaints;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

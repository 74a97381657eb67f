// What is valid in a table ACL file and still surely not meant: for `gatehouse check`. Warnings only; loading does not
// care. Each names the place in the file.

import type { Problem } from "../base/problem.ts";
import { foldObjectName, isSystemSchema } from "../sql/object-name.ts";
import type { AclEntry, AclGroup, PrincipalList, TableAclFile } from "./table-acl-file.ts";

/** What the linter may compare the file with. */
export interface LintContext {
  /** Every UserData and every group of the users file; null: unknown, as with client certificates. */
  readonly principals: ReadonlySet<string> | null;
  /** The schemas (keyspaces) that exist, folded where case does not count; null: unknown. */
  readonly schemas: ReadonlySet<string> | null;
}

/** Lists what is valid but suspicious, in the order of the file. */
export function lintTableAcl(file: TableAclFile, context: LintContext): Problem[] {
  const findings: Finding[] = [];
  for (const groups of [file.tableGroups, file.routineGroups]) {
    findings.push(...lintGroupNames(groups), ...lintEntries(groups, groups === file.routineGroups));
    for (const group of groups) {
      findings.push(...lintGroup(group), ...lintLists(group, context.principals));
      if (context.schemas !== null) findings.push(...lintSchemas(group, context.schemas));
    }
  }
  for (const group of file.tableGroups) findings.push(...lintSystemTables(group));
  const problems = findings.map(({ pointer, message }) => ({
    path: file.path,
    ...file.positionOf(pointer),
    pointer,
    message,
  }));
  return problems.sort((a, b) => a.line - b.line || a.column - b.column);
}

interface Finding {
  readonly pointer: string;
  readonly message: string;
}

function lintGroupNames(groups: readonly AclGroup[]): Finding[] {
  const seen = new Set<string>();
  const findings: Finding[] = [];
  for (const group of groups) {
    if (seen.has(group.name)) {
      findings.push({
        pointer: `${group.pointer}/name`,
        message: `Group name ${quoted(group.name)} stands twice: logs and metrics cannot tell the groups apart`,
      });
    }
    seen.add(group.name);
  }
  return findings;
}

function lintGroup(group: AclGroup): Finding[] {
  if (group.entries.length > 0) return [];
  return [{ pointer: group.pointer, message: `Group ${quoted(group.name)} names nothing: it never decides` }];
}

/** Entries that never decide otherwise than another one would, and names that only case tells apart. */
function lintEntries(groups: readonly AclGroup[], isRoutine: boolean): Finding[] {
  const findings: Finding[] = [];
  const byName = new Map<string, { entry: AclEntry; group: AclGroup }[]>();
  for (const group of groups) {
    for (const entry of group.entries) {
      const key = nameKey(entry.name, entry.isPrefix);
      byName.set(key, [...(byName.get(key) ?? []), { entry, group }]);
    }
  }
  for (const group of groups) {
    for (const entry of group.entries) {
      const cover = shadowOf(entry, group, byName);
      if (cover !== null) {
        findings.push({
          pointer: entry.pointer,
          message: `Entry ${quoted(entry.text)} of group ${quoted(group.name)} changes nothing: ${quoted(cover.text)} of the same group decides alike`,
        });
      }
    }
  }
  if (isRoutine) return findings;
  for (const same of byName.values()) {
    for (const [index, { entry, group }] of same.entries()) {
      const twin = same
        .slice(0, index)
        .find(
          (other) =>
            other.group !== group &&
            foldSchema(other.entry.schema) === foldSchema(entry.schema) &&
            (other.entry.name !== entry.name || other.entry.schema !== entry.schema),
        );
      if (twin !== undefined) {
        findings.push({
          pointer: entry.pointer,
          message: `Entry ${quoted(entry.text)} differs from ${quoted(twin.entry.text)} of group ${quoted(twin.group.name)} in case only: where lower_case_table_names is not 0, both groups must allow`,
        });
      }
    }
  }
  return findings;
}

function nameKey(name: string, isPrefix: boolean): string {
  return `${isPrefix ? "%" : "="}${foldObjectName(name)}`;
}

function foldSchema(schema: string | null): string | null {
  return schema === null ? null : foldObjectName(schema);
}

/** The next shorter entry that covers all of `entry`, if it is of the same group and nothing stands between them. */
function shadowOf(
  entry: AclEntry,
  group: AclGroup,
  byName: ReadonlyMap<string, readonly { entry: AclEntry; group: AclGroup }[]>,
): AclEntry | null {
  const longest = entry.isPrefix ? entry.name.length - 1 : entry.name.length;
  for (let length = longest; length >= 0; length--) {
    const candidates = byName.get(nameKey(entry.name.slice(0, length), true)) ?? [];
    const relevant = candidates.filter(({ entry: other }) => mayMeet(other.schema, entry.schema));
    if (relevant.length === 0) continue;
    if (relevant.some((other) => other.group !== group)) return null;
    const same = relevant.find(({ entry: other }) => other.schema === entry.schema);
    return same?.entry ?? null;
  }
  return null;
}

function mayMeet(a: string | null, b: string | null): boolean {
  if (a !== null && b !== null) return foldObjectName(a) === foldObjectName(b);
  const schema = a ?? b;
  return schema === null || !isSystemSchema(schema);
}

function lintLists(group: AclGroup, known: ReadonlySet<string> | null): Finding[] {
  const findings: Finding[] = [];
  for (const list of group.lists) {
    const denied = list.deny
      ? undefined
      : group.lists.find((other) => other.deny && other.role === list.role);
    for (const [index, principal] of list.principals.entries()) {
      const message = lintPrincipal(group, list, denied, principal, index, known);
      if (message !== null) findings.push({ pointer: `${group.pointer}/${list.key}/${index}`, message });
    }
  }
  return findings;
}

function lintPrincipal(
  group: AclGroup,
  list: PrincipalList,
  denied: PrincipalList | undefined,
  principal: string,
  index: number,
  known: ReadonlySet<string> | null,
): string | null {
  const place = `${list.key} of group ${quoted(group.name)}`;
  if (list.principals.indexOf(principal) !== index)
    return `Principal ${quoted(principal)} stands twice in ${place}`;
  if (denied?.principals.includes("*") === true) {
    return `Principal ${quoted(principal)} in ${place} is never reached: ${denied.key} has "*"`;
  }
  if (denied?.principals.includes(principal) === true) {
    return `Principal ${quoted(principal)} in ${place} is never reached: ${denied.key} has it too`;
  }
  if (principal === "*") return null;
  if (!list.deny && list.principals.includes("*")) {
    return `Principal ${quoted(principal)} in ${place} changes nothing: the list has "*"`;
  }
  if (known !== null && !known.has(principal)) {
    return `Principal ${quoted(principal)} in ${place} is no user's UserData or group`;
  }
  return null;
}

function lintSchemas(group: AclGroup, schemas: ReadonlySet<string>): Finding[] {
  return group.entries.flatMap((entry) => {
    if (entry.schema === null || isSystemSchema(entry.schema) || schemas.has(entry.schema)) return [];
    return [
      {
        pointer: entry.pointer,
        message: `Entry ${quoted(entry.text)} of group ${quoted(group.name)} is never reached: there is no schema ${quoted(entry.schema)}`,
      },
    ];
  });
}

/** Rights that give more away than they seem to. */
function lintSystemTables(group: AclGroup): Finding[] {
  const given = group.lists.filter((list) => !list.deny && list.principals.length > 0);
  if (given.length === 0) return [];
  const changes = given.find((list) => list.role !== "reader");
  return group.entries.flatMap((entry) => {
    if (entry.schema === null || !isSystemSchema(entry.schema)) return [];
    const name = foldObjectName(entry.name);
    const place = `Entry ${quoted(entry.text)} of group ${quoted(group.name)}`;
    if (changes !== undefined && foldObjectName(entry.schema) !== "information_schema") {
      return [
        { pointer: entry.pointer, message: `${place} lets ${changes.key} change what belongs to the server` },
      ];
    }
    const reachesUsers = entry.isPrefix ? "user".startsWith(name) : name === "user" || name === "global_priv";
    if (foldObjectName(entry.schema) === "mysql" && reachesUsers) {
      return [
        { pointer: entry.pointer, message: `${place} shows the password hashes of the server's accounts` },
      ];
    }
    return [];
  });
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

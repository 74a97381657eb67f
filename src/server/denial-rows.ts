// What the table ACL has denied, for the admin side: who wanted what, which rule decided, and what would have to change.
// The explanation is made when it is asked for, by the table ACL that is in use then.

import type { DecidingRule } from "../acl/denial.ts";
import type { TableAcl } from "../acl/table-acl.ts";
import type { DenialRow } from "../admin/admin-sources.ts";
import type { RecentDenial } from "../session/recent-denials.ts";

/** Principals of a list that are told; more are counted. */
const principalsMax = 20;

/** `acl` null: something else has denied it. */
export function denialRow(denial: RecentDenial, acl: TableAcl | null): DenialRow {
  const { outcome, record, errorCode, userData, groups, user, host, count, lastMs } = denial;
  const { rule } = record;
  return {
    outcome,
    statementKind: record.statementKind,
    object: record.object,
    name: record.name,
    role: record.role,
    ruleGroup: rule?.group ?? null,
    ruleEntry: rule?.entry ?? null,
    ruleList: rule?.list ?? null,
    rulePrincipal: rule?.principal ?? null,
    errorCode,
    user,
    userData,
    groups,
    host,
    count,
    lastMs,
    explanation: explain(denial, acl),
  };
}

function explain(denial: RecentDenial, acl: TableAcl | null): string[] {
  const { record, userData, groups } = denial;
  const principals = [userData, ...groups].map((name) => `"${name}"`).join(", ");
  const lines = [`The principals of the login are ${principals}, and "*" which everybody has`, record.reason];
  if (acl === null || (record.object !== "table" && record.object !== "routine")) return lines;
  const { rule, name } = record;
  if (rule !== null) lines.push(...listsOf(acl, record.object, rule));
  const decision = decideNow(denial, acl);
  if (decision?.allowed === true)
    return [...lines, "The table ACL has changed since: it would be allowed now"];
  const whom = groups.length === 0 ? principals : `one of ${principals}`;
  return [...lines, adviceAbout(rule, record.role ?? "reader", name ?? "it", whom)];
}

function decideNow({ record, userData, groups }: RecentDenial, acl: TableAcl) {
  const { name, role } = record;
  if (name === null || role === null) return null;
  const dot = name.indexOf(".");
  const object = dot < 0 ? { schema: null, name } : { schema: name.slice(0, dot), name: name.slice(dot + 1) };
  const caller = { username: userData, groups };
  return record.object === "table"
    ? acl.decideTable(caller, object, role)
    : acl.decideRoutine(caller, object, role);
}

/** Whom the group that decided lists, as the file has it now. */
function listsOf(acl: TableAcl, object: "table" | "routine", rule: DecidingRule): string[] {
  const groups = object === "table" ? acl.file.tableGroups : acl.file.routineGroups;
  const group = groups.find(
    ({ name, entries }) => name === rule.group && entries.some(({ text }) => text === rule.entry),
  );
  if (group === undefined) return [`Group "${rule.group}" is not in the table ACL any more`];
  return group.lists
    .filter(({ principals }) => principals.length > 0)
    .map(({ key, principals }) => {
      const shown = principals.slice(0, principalsMax).map((name) => `"${name}"`);
      const more = principals.length > principalsMax ? ` and ${principals.length - principalsMax} more` : "";
      return `Its ${key}: ${shown.join(", ")}${more}`;
    });
}

function adviceAbout(rule: DecidingRule | null, role: string, name: string, whom: string): string {
  if (rule === null) return `To allow it, name "${name}" in a group whose ${role}s list ${whom}`;
  if (rule.list !== null)
    return `To allow it, take "${rule.principal}" out of ${rule.list}: a deny list beats all others`;
  return `To allow it, add ${whom} to the ${role}s of group "${rule.group}"`;
}

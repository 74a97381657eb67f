// The table ACL's part of `gatehouse check`: is the file valid, and does everything in it have an effect on the users
// that there are.

import { lintTableAcl } from "../acl/lint-table-acl.ts";
import { parseTableAclFile } from "../acl/table-acl-file.ts";
import type { FileContent } from "../base/file-content.ts";
import { type Problem, wholeFileProblem } from "../base/problem.ts";
import type { TableAclOptions } from "../server/gateway-options.ts";
import type { UserDirectory } from "../users/user-directory.ts";

/** What was found. */
export interface TableAclFindings {
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** What is fine, one line each. */
  readonly good: readonly string[];
}

/** Checks the file's content. `users` null: unknown, so no principal is suspicious. */
export function checkTableAcl(
  content: FileContent,
  options: TableAclOptions,
  users: UserDirectory | null,
): TableAclFindings {
  const result = parseTableAclFile({ text: content.bytes, path: content.path });
  if (!result.ok) return { problems: result.problems, warnings: [], good: [] };
  const principals = users === null ? null : principalsOf(users);
  const warnings = lintTableAcl(result.file, { principals, schemas: null });
  for (const name of options.exempt) {
    if (name === "*" || principals === null || principals.has(name)) continue;
    const message = `Principal "${name}" is the UserData or group of no user`;
    warnings.push(wholeFileProblem("--queryserver_config_acl_exempt_acl", message));
  }
  if (!options.strict && !options.dryRun) {
    const message = "Nothing is denied: --queryserver_config_strict_table_acl is false";
    warnings.push(wholeFileProblem(content.path, message));
  }
  const { tableGroups, routineGroups } = result.file;
  const counted = `${tableGroups.length} groups of tables, ${routineGroups.length} of routines`;
  return { problems: [], warnings, good: [`${content.path}: ${counted}`] };
}

function principalsOf(users: UserDirectory): ReadonlySet<string> {
  const principals = new Set<string>();
  for (const user of users.userNames) {
    for (const entry of users.entriesOf(user) ?? []) {
      principals.add(entry.userData);
      for (const group of entry.groups) principals.add(group);
    }
  }
  return principals;
}

// Identities and ACLs for the tests of this folder.

import { prepareTableAcl, type TableAcl } from "../../../src/acl/table-acl.ts";
import { parseTableAclFile, type TableAclFile } from "../../../src/acl/table-acl-file.ts";
import type { Identity } from "../../../src/identity/identity.ts";
import type { LowerCaseTableNames } from "../../../src/sql/object-name.ts";

/** An identity whose principals are `name` and `groups`, logged in as `login` from 192.0.2.7. */
export function identityOf(name: string, groups: readonly string[] = [], login = name): Identity {
  return {
    loginUser: login,
    authUser: login,
    authHost: "%",
    proxyUser: null,
    callerId: { username: name, groups },
    entry: { user: login, index: 0, generation: 1, fingerprint: "f" },
    plugin: "caching_sha2_password",
    spiffeId: null,
    baseEntry: null,
    peer: { transport: "tcp", address: "192.0.2.7", port: 50000, host: "192.0.2.7", tls: null },
  };
}

/** One table group: entries to principals per list. */
export type GroupShorthand = readonly [
  entries: string | readonly string[],
  lists?: Readonly<Record<string, readonly string[]>>,
];

export function fileOf(content: object): TableAclFile {
  const result = parseTableAclFile({ text: JSON.stringify(content), path: "acl.json" });
  if (!result.ok) throw new Error(result.problems.map((problem) => problem.message).join("\n"));
  return result.file;
}

/** An ACL of table groups g0, g1, ... and routine groups r0, r1, ... */
export function aclOf(
  groups: readonly GroupShorthand[],
  routines: readonly GroupShorthand[] = [],
  lowerCaseTableNames: LowerCaseTableNames = 0,
): TableAcl {
  const content = {
    table_groups: groups.map(([entries, lists], index) => ({
      name: `g${index}`,
      table_names_or_prefixes: [entries].flat(),
      ...lists,
    })),
    routines: routines.map(([entries, lists], index) => ({
      name: `r${index}`,
      routine_names_or_prefixes: [entries].flat(),
      ...lists,
    })),
  };
  return prepareTableAcl(fileOf(content), lowerCaseTableNames);
}

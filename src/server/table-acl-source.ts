// The table ACL of a gateway: a watched file behind one authoriser. Every reload exchanges the whole ACL or changes
// nothing; so does learning whether the servers tell names apart by case.

import { type Authorizer, permitAll } from "../acl/authorizer.ts";
import { prepareTableAcl, type TableAcl } from "../acl/table-acl.ts";
import { createTableAclAuthorizer } from "../acl/table-acl-authorizer.ts";
import { type AclGroup, parseTableAclFile, type TableAclFile } from "../acl/table-acl-file.ts";
import type { Clock } from "../base/clock.ts";
import type { FileContent } from "../base/file-content.ts";
import { type Loaded, Reloadable } from "../base/reloadable.ts";
import type { LowerCaseTableNames } from "../sql/object-name.ts";
import type { TableAclOptions } from "./gateway-options.ts";
import { type ChangedNames, ReloadReport, type ReportTools } from "./reload-report.ts";

/** What the rest of the gateway sees of it. */
export interface TableAclSource {
  readonly authorizer: Authorizer;
  /** The ACL in use; null: none is configured. */
  acl(): TableAcl | null;
  /** The servers' lower_case_table_names was learnt; until then names that differ in case are different names. */
  learnNameCase(lowerCaseTableNames: LowerCaseTableNames): void;
  /** Whether the file on disk is bad and an older content is in use. */
  stale(): boolean;
  reload(trigger: string): Promise<void>;
  close(): void;
}

/** Of a gateway without a table ACL: everything is permitted. */
export const noTableAcl: TableAclSource = {
  authorizer: permitAll,
  acl: () => null,
  learnNameCase: () => {},
  stale: () => false,
  reload: async () => {},
  close: () => {},
};

/**
 * Loads the table ACL for the first time.
 * @throws FileProblemsError with every problem of the file.
 */
export async function openTableAcl(
  options: TableAclOptions,
  clock: Clock,
  tools: ReportTools,
): Promise<TableAclSource> {
  const report = new ReloadReport({ name: "table ACL file", path: options.path }, tools);
  const reloadable = await Reloadable.start<TableAclFile>({
    name: "table ACL file",
    paths: [options.path],
    clock,
    load: ([content]) => loadTableAcl(content),
    onEvent: (event) => report.handle(event, describeGroups),
  });
  let nameCase: LowerCaseTableNames = 0;
  const authorizer = createTableAclAuthorizer(prepareTableAcl(reloadable.current(), nameCase), options);
  const exchange = () => authorizer.replace(prepareTableAcl(reloadable.current(), nameCase));
  reloadable.subscribe(exchange);
  const interval =
    options.reloadIntervalMs > 0
      ? setInterval(() => void reloadable.reload("interval"), options.reloadIntervalMs)
      : null;
  interval?.unref();
  return {
    authorizer,
    acl: () => authorizer.acl,
    learnNameCase: (learnt) => {
      if (learnt === nameCase) return;
      nameCase = learnt;
      exchange();
    },
    stale: () => reloadable.lastFailure !== null,
    reload: async (trigger) => void (await reloadable.reload(trigger)),
    close: () => {
      if (interval !== null) clearInterval(interval);
      reloadable.close();
    },
  };
}

function loadTableAcl(content: FileContent | undefined): Loaded<TableAclFile> {
  if (content === undefined) return { ok: false, problems: [] };
  const result = parseTableAclFile({ text: content.bytes, path: content.path });
  return result.ok ? { ok: true, value: result.file } : result;
}

/** Names of groups that came, went and changed. */
function describeGroups(previous: TableAclFile, value: TableAclFile): ChangedNames {
  const before = contentOfGroups(previous);
  const after = contentOfGroups(value);
  return {
    added: [...after.keys()].filter((name) => !before.has(name)),
    removed: [...before.keys()].filter((name) => !after.has(name)),
    changed: [...after.keys()].filter((name) => before.has(name) && before.get(name) !== after.get(name)),
  };
}

/** By name: what decides. Groups of one name count as one. */
function contentOfGroups(file: TableAclFile): Map<string, string> {
  const contents = new Map<string, string>();
  const add = (kind: string, group: AclGroup) => {
    const entries = group.entries.map((entry) => entry.text);
    const lists = group.lists.map((list) => [list.key, list.principals]);
    const content = JSON.stringify([kind, entries, lists]);
    contents.set(group.name, (contents.get(group.name) ?? "") + content);
  };
  for (const group of file.tableGroups) add("tables", group);
  for (const group of file.routineGroups) add("routines", group);
  return contents;
}

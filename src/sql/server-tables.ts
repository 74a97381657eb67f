// Tables of the server in which it tells of sessions and of who they are: where they are read, the gateway's own rows are
// put in their place. Finds them by name, with what has to change around them
// (https://dev.mysql.com/doc/refman/8.4/en/performance-schema-threads-table.html, .../sys-processlist.html).

import type { Analysis } from "./analysis.ts";
import type { IdentityName, ServerTable, TableReference } from "./statement-summary.ts";

const ofBoth: ReadonlyMap<string, ServerTable> = new Map([
  ["information_schema.processlist", "processlist"],
  ["performance_schema.threads", "threads"],
  ["sys.processlist", "sys_processlist"],
  ["sys.x$processlist", "sys_x_processlist"],
  ["sys.session", "sys_session"],
  ["sys.x$session", "sys_x_session"],
]);

const ofMysql: ReadonlyMap<string, ServerTable> = new Map([
  ["performance_schema.processlist", "performance_schema_processlist"],
  ["performance_schema.session_variables", "session_variables"],
  ["performance_schema.global_variables", "global_variables"],
]);

const ofMariadb: ReadonlyMap<string, ServerTable> = new Map([
  ["information_schema.session_variables", "session_variables"],
  ["information_schema.global_variables", "global_variables"],
  ["information_schema.system_variables", "system_variables"],
]);

/** Which of these tables that is; null: another one. */
export function serverTableOf(a: Analysis, { schema, name }: TableReference): ServerTable | null {
  if (schema === null) return null;
  const key = `${schema}.${name}`.toLowerCase();
  return ofBoth.get(key) ?? (a.isMariaDb() ? ofMariadb : ofMysql).get(key) ?? null;
}

/** Nothing of the server is read for them, and they are open to everybody, as on a server. */
export function isOwnList(name: ServerTable | null): boolean {
  return name === "processlist" || name === "performance_schema_processlist";
}

/** Where a table stands in a text, in tokens. */
export interface TablePlace {
  /** Its name. */
  readonly first: number;
  readonly last: number;
  /** Behind its alias. */
  readonly end: number;
  readonly hasAlias: boolean;
}

/** Notes such a table where it is read. */
export function noteServerTable(a: Analysis, name: ServerTable, place: TablePlace): void {
  // What is stored is read by others later, on the server's terms; a list of sessions would be one of ours.
  if (a.stored && !isOwnList(name)) return;
  const { first, last, hasAlias } = place;
  const byTable = a.word(first - 1) === "TABLE";
  a.noteToken(name, byTable ? first - 1 : first, last, {
    ...(hasAlias ? {} : { tableName: a.nameAt(last), byTable }),
    parentheses: byTable ? [] : parenthesesAround(a, place),
  });
}

/** Tables of an UPDATE may be what it changes (performance_schema.threads): those noted from number `noted` on stay. */
export function leaveTargets(a: Analysis, noted: number): void {
  const { identityTokens } = a.draft;
  const kept = identityTokens.slice(noted).filter(({ name }) => !changeable.has(name));
  identityTokens.splice(noted, identityTokens.length - noted, ...kept);
}

const changeable: ReadonlySet<IdentityName> = new Set<IdentityName>(["threads"]);

/** MySQL takes a table in parentheses, but no derived table: they have to go. Offsets of each. */
function parenthesesAround(a: Analysis, { first, end }: TablePlace): number[] {
  const offsets: number[] = [];
  if (a.isMariaDb()) return offsets;
  for (let out = 1; a.word(first - out) === "(" && a.closing(first - out) === end + out - 1; out += 1)
    offsets.push(a.tokens.start(first - out), a.tokens.start(end + out - 1));
  return offsets;
}

/**
 * Notes the schema before `schema.table.column` at `at`, where the table is one of these: what stands in its place is in no
 * schema. Returns whether it was.
 */
export function noteQualifier(a: Analysis, at: number): boolean {
  const table = serverTableOf(a, { schema: a.nameAt(at), name: a.nameAt(at + 2), qualified: true });
  if (table === null || (a.stored && !isOwnList(table))) return false;
  a.noteToken("qualifier", at, at + 1);
  return true;
}

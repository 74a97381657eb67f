// SHOW GRANTS derived from the table ACL: what an identity holds, entry by entry, as GRANT statements, and as REVOKE
// (MySQL's partial revokes) what a longer entry withholds from a shorter one. Prefixes keep their `%`: no server takes
// them in a table's place, and nothing else would be the truth.

import type { Identity } from "../identity/identity.ts";
import { isSystemSchema } from "../sql/object-name.ts";
import type { Role } from "./role.ts";
import { judgeEntry, type PreparedEntry, type TableAcl } from "./table-acl.ts";

const privilegesOfRole = {
  reader: ["SELECT", "SHOW VIEW"],
  writer: ["INSERT", "UPDATE", "DELETE"],
  admin: ["CREATE", "DROP", "REFERENCES", "INDEX", "ALTER", "CREATE VIEW", "TRIGGER"],
  executor: ["EXECUTE"],
} as const satisfies Record<Role, readonly string[]>;

/** In the order in which MySQL lists them. */
const privilegeOrder = [
  "SELECT",
  "INSERT",
  "UPDATE",
  "DELETE",
  "CREATE",
  "DROP",
  "REFERENCES",
  "INDEX",
  "ALTER",
  "EXECUTE",
  "CREATE VIEW",
  "SHOW VIEW",
  "ALTER ROUTINE",
  "TRIGGER",
] as const;

/** The rows of SHOW GRANTS. */
export function grantLines(acl: TableAcl, identity: Identity): string[] {
  const account = accountOf(identity);
  const lines = [`GRANT USAGE ON *.* TO ${account}`];
  for (const line of entryLines(acl.tableEntries, identity, ["reader", "writer", "admin"])) {
    lines.push(statementOf(line, tablePrivileges(line.roles), objectName(line.item), account));
  }
  for (const line of entryLines(acl.routineEntries, identity, ["executor", "admin"])) {
    const privileges = line.roles.map((role) => (role === "executor" ? "EXECUTE" : "ALTER ROUTINE"));
    const name = objectName(line.item);
    const whole = line.item.isPrefix && line.item.name === "";
    for (const object of whole ? [name] : [`PROCEDURE ${name}`, `FUNCTION ${name}`]) {
      lines.push(statementOf(line, privileges, object, account));
    }
  }
  return lines;
}

interface Line {
  readonly verb: "GRANT" | "REVOKE";
  readonly roles: readonly Role[];
  readonly item: PreparedEntry;
}

/** First what is granted, in the order of the file, then what is withheld. */
function entryLines(entries: readonly PreparedEntry[], identity: Identity, roles: readonly Role[]): Line[] {
  const held = new Map<PreparedEntry, readonly Role[]>();
  for (const item of entries) {
    held.set(
      item,
      roles.filter((role) => judgeEntry(item, identity.callerId, role).allowed),
    );
  }
  const covers = coverIndex(entries);
  const granted: Line[] = [];
  const withheld: Line[] = [];
  for (const [item, own] of held) {
    if (own.length > 0) granted.push({ verb: "GRANT", roles: own, item });
    const lost = new Set<Role>();
    for (const cover of coversOf(item, covers)) for (const role of held.get(cover) ?? []) lost.add(role);
    for (const role of own) lost.delete(role);
    if (lost.size > 0) withheld.push({ verb: "REVOKE", roles: [...lost], item });
  }
  return [...granted, ...withheld];
}

interface CoverIndex {
  readonly prefixes: ReadonlyMap<string, readonly PreparedEntry[]>;
  readonly exact: ReadonlyMap<string, readonly PreparedEntry[]>;
}

function coverIndex(entries: readonly PreparedEntry[]): CoverIndex {
  const prefixes = new Map<string, PreparedEntry[]>();
  const exact = new Map<string, PreparedEntry[]>();
  for (const item of entries) {
    const map = item.isPrefix ? prefixes : exact;
    map.set(item.name, [...(map.get(item.name) ?? []), item]);
  }
  return { prefixes, exact };
}

/** The entries that would decide for names of `item` if it did not stand in the file. */
function* coversOf(item: PreparedEntry, index: CoverIndex): Generator<PreparedEntry> {
  const longest = item.isPrefix ? item.name.length : item.name.length + 1;
  for (let length = 0; length < longest; length++) {
    for (const cover of index.prefixes.get(item.name.slice(0, length)) ?? []) {
      if (overlap(cover, item)) yield cover;
    }
  }
  if (item.schema === null) return;
  const twins = (item.isPrefix ? index.prefixes : index.exact).get(item.name) ?? [];
  for (const twin of twins) if (twin.schema === null && overlap(twin, item)) yield twin;
}

function overlap(cover: PreparedEntry, item: PreparedEntry): boolean {
  if (cover.schema !== null && item.schema !== null) return cover.schema === item.schema;
  const schema = cover.schema ?? item.schema;
  return schema === null || !isSystemSchema(schema);
}

function tablePrivileges(roles: readonly Role[]): string[] {
  const held = new Set<string>(roles.flatMap((role) => privilegesOfRole[role]));
  return privilegeOrder.filter((privilege) => held.has(privilege));
}

function statementOf(line: Line, privileges: readonly string[], object: string, account: string): string {
  const direction = line.verb === "GRANT" ? "TO" : "FROM";
  return `${line.verb} ${privileges.join(", ")} ON ${object} ${direction} ${account}`;
}

function objectName(item: PreparedEntry): string {
  const schema = item.schema === null ? "*" : quoted(item.schema);
  if (item.isPrefix && item.name === "") return `${schema}.*`;
  return `${schema}.${quoted(item.isPrefix ? `${item.name}%` : item.name)}`;
}

/** The identity's account as SHOW GRANTS writes it: `` `alice`@`%` ``. */
export function accountOf(identity: Identity): string {
  return `${quoted(identity.authUser)}@${quoted(identity.authHost)}`;
}

function quoted(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}

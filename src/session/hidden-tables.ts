// Errors and warnings of foreign keys name the table at the other end, its columns and its constraint. A server tells them
// only to accounts with rights on both tables; behind a gateway it tells them to the service account. Knows texts of servers,
// nothing of packets (https://dev.mysql.com/doc/refman/8.4/en/create-table-foreign-keys.html, "Foreign Key Errors").

import type { Authorizer } from "../acl/authorizer.ts";
import type { Identity } from "../identity/identity.ts";

/** Whether the client may know of the table. */
export type MayRead = (schema: string, table: string) => boolean;

/** What of a session decides. */
interface JudgedSession {
  readonly services: { readonly authorizer: () => Authorizer };
  readonly state: { readonly identity: Identity | null; readonly database: string | null };
}

/** Judges the names in a session's errors: true, the text must not reach the client. Null: nothing is hidden from it. */
export function tableHider({
  services,
  state,
}: JudgedSession): ((code: number, message: string) => boolean) | null {
  const authorizer = services.authorizer();
  const { identity, database } = state;
  if (!authorizer.enforcing || identity === null) return null;
  const mayRead: MayRead = (schema, table) => authorizer.mayRead(identity, schema, table);
  return (code, message) => namesHiddenTable(message, database, mayRead, code);
}

/** Errors that are about another table, however they say it. */
const alwaysAboutOthers: ReadonlySet<number> = new Set([
  1451, 1452, 1701, 1761, 1829, 1830, 1833, 1834, 3730, 3780,
]);

const part = "`((?:[^`]|``)+)`";
const qualified = new RegExp(`${part}\\.${part}`, "g");
const parent = new RegExp(`REFERENCES ${part}(?!\\.)`, "g");
/** `.. constraint 'x' of table 'shop.orders'`, `.. on table 'orders'.` */
const lastQuoted = /'([^']+)'\.?$/;

/**
 * Whether the text of an error or warning names, by a foreign key, a table that may not be read. One that should name a
 * table and does not in a known way counts as if. `schema`: the default schema, for names without one.
 */
export function namesHiddenTable(
  message: string,
  schema: string | null,
  mayRead: MayRead,
  code: number | null = null,
): boolean {
  // Texts in UTF-16 and the like are the same with NUL bytes between.
  const text = message.replaceAll("\0", "");
  const isKey = text.includes("CONSTRAINT `") || text.includes("FOREIGN KEY (`");
  if (!isKey && (code === null ? !/ foreign key constraint '/.test(text) : !alwaysAboutOthers.has(code)))
    return false;
  const names = isKey ? keyNames(text, schema) : lastName(text, schema);
  return names.length === 0 || names.some(([of, table]) => of === null || !mayRead(of, table));
}

type Name = readonly [schema: string | null, table: string];

function keyNames(text: string, schema: string | null): Name[] {
  const unquoted = (name = "") => name.replaceAll("``", "`");
  const names: Name[] = [...text.matchAll(qualified)].map(([, of, table]) => [unquoted(of), unquoted(table)]);
  const own = names[0]?.[0] ?? schema;
  for (const [, table] of text.matchAll(parent)) names.push([own, unquoted(table)]);
  return names;
}

function lastName(text: string, schema: string | null): Name[] {
  const last = lastQuoted.exec(text.trimEnd())?.[1];
  if (last === undefined) return [];
  const dot = last.indexOf(".");
  return [dot < 0 ? [schema, last] : [last.slice(0, dot), last.slice(dot + 1)]];
}

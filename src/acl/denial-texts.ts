// Denials in MySQL's words: number, command word, the account whose rights hold at the client's host. Names of objects
// stand in them, since the client wrote those; literals never do.

import type { MysqlErrorSymbol } from "../errors/mysql-errors.ts";
import { sqlError } from "../errors/sql-error.ts";
import type { Identity } from "../identity/identity.ts";
import type { RoutineReference, StatementSummary, TableReference } from "../sql/statement-summary.ts";
import { AclDenial, type DecidingRule, type DenialRecord } from "./denial.ts";
import type { Role } from "./role.ts";

/** Longer names are cut in error texts; no server has such names. */
const shownCharactersMax = 64;

const sentenceAboutAccounts =
  "Accounts and their rights are kept in the gateway's users file and table ACL file";

/** 1142; 1046 for a name without schema when the session has no default schema. */
export function tableDenial(
  identity: Identity,
  statement: StatementSummary,
  denied: {
    readonly table: TableReference;
    readonly role: Role;
    readonly command: string;
    readonly rule: DecidingRule | null;
  },
): AclDenial {
  const { table, role, rule } = denied;
  const name = qualifiedName(table);
  const record: DenialRecord = {
    statementKind: kindOf(statement),
    object: "table",
    name,
    role,
    rule,
    reason: explainRule(`table '${name}'`, role, rule),
  };
  if (table.schema === null) return denial("ER_NO_DB_ERROR", {}, record);
  const values = { ...account(identity), command: denied.command, table: shown(table.name) };
  return denial("ER_TABLEACCESS_DENIED_ERROR", values, record);
}

/** 1370; 1044 for the creation of a routine. */
export function routineDenial(
  identity: Identity,
  statement: StatementSummary,
  denied: {
    readonly routine: RoutineReference;
    readonly role: Role;
    readonly command: string;
    readonly rule: DecidingRule | null;
  },
): AclDenial {
  const { routine, role, command, rule } = denied;
  const name = qualifiedName(routine);
  const record: DenialRecord = {
    statementKind: kindOf(statement),
    object: "routine",
    name,
    role,
    rule,
    reason: explainRule(`routine '${name}'`, role, rule),
  };
  const creates = [statement.kind, ...statement.innerKinds].some((kind) => kind.startsWith("CREATE "));
  if (role === "admin" && creates && routine.schema !== null) {
    return denial(
      "ER_DBACCESS_DENIED_ERROR",
      { ...accountAtHome(identity), database: shown(routine.schema) },
      record,
    );
  }
  return denial("ER_PROCACCESS_DENIED_ERROR", { ...account(identity), command, routine: name }, record);
}

/** 1044. */
export function schemaDenial(
  identity: Identity,
  statement: StatementSummary,
  schema: string,
  rule: DecidingRule | null,
): AclDenial {
  const name = shown(schema);
  const reason =
    rule === null
      ? `Nothing in schema '${name}' is granted`
      : `Not every table of schema '${name}' is granted: ${explainRule("it", "admin", rule)}`;
  const record: DenialRecord = {
    statementKind: kindOf(statement),
    object: "schema",
    name,
    role: null,
    rule,
    reason,
  };
  return denial("ER_DBACCESS_DENIED_ERROR", { ...accountAtHome(identity), database: name }, record);
}

/** 1227 with the privilege that a server would want. */
export function serverDenial(statement: StatementSummary, privilege: string, reason: string): AclDenial {
  const record: DenialRecord = {
    statementKind: kindOf(statement),
    object: "server",
    name: null,
    role: null,
    rule: null,
    reason,
  };
  return denial("ER_SPECIFIC_ACCESS_DENIED_ERROR", { privilege }, record);
}

/** 1227 with a sentence about where accounts are kept. */
export function accountsDenial(statement: StatementSummary, privilege: string): AclDenial {
  const record: DenialRecord = {
    statementKind: kindOf(statement),
    object: "accounts",
    name: null,
    role: null,
    rule: null,
    reason: sentenceAboutAccounts,
  };
  const wording = sqlError("ER_SPECIFIC_ACCESS_DENIED_ERROR", { privilege }).message;
  return new AclDenial("ER_SPECIFIC_ACCESS_DENIED_ERROR", `${wording}. ${sentenceAboutAccounts}`, record);
}

/** 1142 about the first table or 1044 about the first schema that the statement names, else 1227: a hook denies it. */
export function hookDenial(identity: Identity, statement: StatementSummary, reason: string): AclDenial {
  const [table] = [...statement.changes, ...statement.writes, ...statement.reads];
  const [schema] = statement.schemas;
  const base = { statementKind: kindOf(statement), role: null, rule: null, reason };
  if (table !== undefined) {
    const record: DenialRecord = { ...base, object: "table", name: qualifiedName(table) };
    const values = { ...account(identity), command: kindOf(statement), table: shown(table.name) };
    return denial("ER_TABLEACCESS_DENIED_ERROR", values, record);
  }
  if (schema !== undefined) {
    const name = shown(schema.name);
    const record: DenialRecord = { ...base, object: "schema", name };
    return denial("ER_DBACCESS_DENIED_ERROR", { ...accountAtHome(identity), database: name }, record);
  }
  const record: DenialRecord = { ...base, object: "server", name: null };
  return denial("ER_SPECIFIC_ACCESS_DENIED_ERROR", { privilege: kindOf(statement) }, record);
}

/** 1064 or 1235: the statement cannot be judged. */
export function refusedText(
  statement: StatementSummary,
  symbol: "ER_PARSE_ERROR" | "ER_NOT_SUPPORTED_YET",
  reason: string,
): AclDenial {
  const record: DenialRecord = {
    statementKind: kindOf(statement),
    object: "text",
    name: null,
    role: null,
    rule: null,
    reason: `The statement cannot be judged: ${reason}`,
  };
  return denial(symbol, { detail: reason, feature: reason }, record);
}

/** `shop.orders`, each part at most 64 characters. */
export function qualifiedName(object: { readonly schema: string | null; readonly name: string }): string {
  return object.schema === null ? shown(object.name) : `${shown(object.schema)}.${shown(object.name)}`;
}

function denial(
  symbol: MysqlErrorSymbol,
  values: Readonly<Record<string, string>>,
  record: DenialRecord,
): AclDenial {
  return new AclDenial(symbol, sqlError(symbol, values).message, record);
}

function account(identity: Identity): { readonly user: string; readonly host: string } {
  return { user: identity.authUser, host: identity.peer.host };
}

/** Errors about schemas name the host of the account. */
function accountAtHome(identity: Identity): { readonly user: string; readonly host: string } {
  return { user: identity.authUser, host: identity.authHost };
}

function shown(name: string): string {
  return name.length > shownCharactersMax ? `${name.slice(0, shownCharactersMax)}...` : name;
}

/** The kind for logs: words in capitals only, whatever the analysis called it. */
function kindOf(statement: StatementSummary): string {
  return /^[A-Z][A-Z ]{0,63}$/.test(statement.kind) ? statement.kind : "UNKNOWN";
}

function explainRule(object: string, role: Role, rule: DecidingRule | null): string {
  if (rule === null) return `No entry of the table ACL names ${object}`;
  const place = `Entry "${rule.entry}" of group "${rule.group}"`;
  return rule.list === null
    ? `${place} decides about ${object} and lists no principal of the user as ${role}`
    : `${place} lists principal "${rule.principal}" under ${rule.list}`;
}

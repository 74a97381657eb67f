// A denial: the error that the client reads, and beside it the record for the audit log, `explain` and the metrics. The
// record holds names and rules, never a literal of the statement (ARCHITECTURE.md, invariant 8).

import type { MysqlErrorSymbol } from "../errors/mysql-errors.ts";
import { SqlError } from "../errors/sql-error.ts";
import type { Role } from "./role.ts";

/** Why a right is there or is missing: the entry of the table ACL that decided. */
export interface DecidingRule {
  /** The group's (or routine rule's) name. */
  readonly group: string;
  /** The entry as written that matched: `orders`, `shop.%`. */
  readonly entry: string;
  /** The list that decided, e.g. `deny_readers`; null: the principal stands in no list for the role. */
  readonly list: string | null;
  /** The principal in that list, `*` included; null when `list` is null. */
  readonly principal: string | null;
}

/** What was denied, and by which rule. */
export interface DenialRecord {
  /** The statement's kind in capitals, e.g. `CREATE TABLE`. */
  readonly statementKind: string;
  /** What was wanted: a table, a routine, a schema, the server or accounts; `text`: it could not be analysed. */
  readonly object: "table" | "routine" | "schema" | "server" | "accounts" | "text";
  /** `shop.orders`, `shop`, ...; null for server, accounts and text. */
  readonly name: string | null;
  readonly role: Role | null;
  /** null: no rule names the object. */
  readonly rule: DecidingRule | null;
  /** One sentence for people. */
  readonly reason: string;
}

/** The error of a denied statement. */
export class AclDenial extends SqlError {
  readonly record: DenialRecord;

  constructor(symbol: MysqlErrorSymbol, message: string, record: DenialRecord) {
    super(symbol, message, { reason: record.reason });
    this.record = record;
  }
}

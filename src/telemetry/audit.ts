// The audit log: one JSON line per event of audit-table, in a file of its own or between the lines of the log. Failing
// to write never fails a session: failures are counted (audit_write_failures_total).

import type { Clock } from "../base/clock.ts";
import type { AuditFieldType, auditTable } from "./audit-table.ts";
import type { LineSink } from "./line-sink.ts";

type Table = typeof auditTable;
type ValueOf<Type extends AuditFieldType> = Type extends "string"
  ? string
  : Type extends "string or null"
    ? string | null
    : Type extends "number"
      ? number
      : Type extends "number or null"
        ? number | null
        : readonly string[];

/** The kinds of events. */
export type AuditKind = keyof Table;

/** The fields of one kind, without `time` and `audit`. */
export type AuditRecord<Kind extends AuditKind> = {
  readonly [Field in keyof Table[Kind]["fields"]]: Table[Kind]["fields"][Field] extends {
    readonly type: infer Type extends AuditFieldType;
  }
    ? ValueOf<Type>
    : never;
};

/** Records what security cares about. */
export interface AuditLog {
  record<Kind extends AuditKind>(kind: Kind, record: AuditRecord<Kind>): void;
}

/** Longer texts are cut, and longer lists, so that a client cannot make a line as long as it likes. */
const textLengthMax = 1024;
const listLengthMax = 200;

/** Writes events as lines `{"time": ..., "audit": kind, ...}`. */
export function createAuditLog(sink: LineSink, clock: Clock): AuditLog {
  return {
    record: (kind, record) => {
      const head = `{"time":"${new Date(clock.wallMs()).toISOString()}","audit":"${kind}",`;
      const body = isBounded(record) ? record : boundedCopy(record);
      sink.write(head + JSON.stringify(body).slice(1));
    },
  };
}

/** Whether nothing in it needs to be cut: the usual case, which costs no copy. */
function isBounded(record: object): boolean {
  for (const value of Object.values(record) as unknown[]) {
    if (typeof value === "string" ? value.length > textLengthMax : Array.isArray(value) && value.length > 0)
      return false;
  }
  return true;
}

function boundedCopy(record: object): object {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, bounded(value)]));
}

function bounded(value: unknown): unknown {
  if (typeof value === "string") {
    return value.length > textLengthMax ? `${value.slice(0, textLengthMax)}[cut]` : value;
  }
  if (!Array.isArray(value)) return value;
  const kept: unknown[] = value.slice(0, listLengthMax).map(bounded);
  if (value.length > listLengthMax) kept.push(`[${value.length - listLengthMax} more]`);
  return kept;
}

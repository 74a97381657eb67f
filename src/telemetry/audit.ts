// The audit log: one JSON line per event of audit-table, in a file of its own or between the lines of the log. Failing
// to write never fails a session: failures are counted (audit_write_failures_total).

import type { Clock } from "../base/clock.ts";
import { type AuditFieldType, auditTable } from "./audit-table.ts";
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

/** Writes events as lines `{"time": ..., "audit": kind, ...}`, fields in the order of audit-table. */
export function createAuditLog(sink: LineSink, clock: Clock): AuditLog {
  const isoTime = isoTimes();
  return {
    record: (kind, record) => {
      let line = `{"time":"${isoTime(clock.wallMs())}","audit":"${kind}"`;
      // Put together field by field, half the time of JSON.stringify: every login waits for its record.
      for (const { name, head } of fieldsOf.get(kind) ?? [])
        line += head + encode(record[name as keyof typeof record]);
      sink.write(`${line}}`);
    },
  };
}

/** By kind: names of fields, and what stands before their values. */
const fieldsOf: ReadonlyMap<AuditKind, readonly { readonly name: string; readonly head: string }[]> = new Map(
  (Object.keys(auditTable) as AuditKind[]).map((kind) => [
    kind,
    Object.keys(auditTable[kind].fields).map((name) => ({ name, head: `,"${name}":` })),
  ]),
);

/** Texts that JSON writes as they are; what is long is cut elsewhere. */
const plainText = /^[ !#-[\]-~]{0,256}$/;

function encode(value: string | number | null | readonly string[]): string {
  if (value === null) return "null";
  if (typeof value === "string")
    return plainText.test(value) ? `"${value}"` : JSON.stringify(boundedText(value));
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "null";
  return JSON.stringify(boundedList(value));
}

function boundedText(text: string): string {
  return text.length > textLengthMax ? `${text.slice(0, textLengthMax)}[cut]` : text;
}

function boundedList(texts: readonly string[]): readonly string[] {
  const kept = texts.slice(0, listLengthMax).map(boundedText);
  if (texts.length > listLengthMax) kept.push(`[${texts.length - listLengthMax} more]`);
  return kept;
}

/** Makes `2026-11-21T11:00:00.000Z` of wall milliseconds; all but the milliseconds stay for a second. */
function isoTimes(): (wallMs: number) => string {
  let second = Number.NaN;
  let upToSecond = "";
  return (wallMs) => {
    const ms = Math.floor(wallMs) % 1000;
    const now = Math.floor(wallMs) - ms;
    if (now !== second) {
      second = now;
      upToSecond = new Date(now).toISOString().slice(0, -4);
    }
    return `${upToSecond}${String(ms).padStart(3, "0")}Z`;
  };
}

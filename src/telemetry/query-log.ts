// The query log: one JSON line per chosen statement, in a file of its own. It decides by chance and by time which are
// chosen; what a statement is, and that no value of it gets here, is the session's business.

import type { Clock } from "../base/clock.ts";
import type { AuditFieldType } from "./audit-table.ts";
import type { LineSink } from "./line-sink.ts";
import type { queryLogFields } from "./query-log-table.ts";

/** What is recorded, and where. */
export interface QueryLogOptions {
  readonly path: string;
  /** Share of statements chosen by chance, 0 to 1. */
  readonly sampleRate: number;
  /** Statements that took at least this long are recorded, in milliseconds; Infinity: none for that. */
  readonly slowMs: number;
}

type Fields = typeof queryLogFields;
type ValueOf<Type extends AuditFieldType> = Type extends "string"
  ? string
  : Type extends "string or null"
    ? string | null
    : Type extends "number"
      ? number
      : number | null;

/** One record, without `time`. */
export type QueryRecord = { readonly [Name in keyof Fields]: ValueOf<Fields[Name]["type"]> };

/** Records statements. */
export interface QueryLog {
  /** Whether a statement that begins now is chosen by chance. */
  sample(): boolean;
  /** See QueryLogOptions. */
  readonly slowMs: number;
  record(record: QueryRecord): void;
}

/** Makes the query log. `random` gives numbers from 0 to below 1; chance needs no secrecy. */
export function createQueryLog(
  { sampleRate, slowMs }: Omit<QueryLogOptions, "path">,
  sink: LineSink,
  clock: Clock,
  random: () => number,
): QueryLog {
  return {
    sample: () => sampleRate === 1 || (sampleRate > 0 && random() < sampleRate),
    slowMs,
    record: (record) => {
      const head = `{"time":"${new Date(clock.wallMs()).toISOString()}",`;
      sink.write(head + JSON.stringify(record).slice(1));
    },
  };
}

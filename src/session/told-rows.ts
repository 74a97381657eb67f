// Rows in which a server tells who the session is, with the gateway's truth in its place: SHOW VARIABLES, SHOW WARNINGS and
// SHOW ERRORS, alone or among other statements. Pure: payloads in, payloads out.

import type { Identity } from "../identity/identity.ts";
import type { StatementSummary } from "../sql/statement-summary.ts";
import { type ProxyUserOptions, switchesOf } from "../users/proxy-users.ts";
import type { ColumnDefinition } from "../wire/packets/column-definition.ts";
import { Reader } from "../wire/reader.ts";
import { lenencBytesSize, Writer } from "../wire/writer.ts";
import { hideServiceAccount } from "./service-account.ts";

/** What the rows are to say. */
export interface ToldTruth {
  readonly identity: Identity;
  readonly connectionId: number;
  readonly proxyUsers: ProxyUserOptions;
  /** The name of the account that the server knows. */
  readonly serviceUser: string;
}

/** Changes a value; its row's values come as bytes, null for NULL. */
export interface RowTruth {
  /** Which column changes. */
  readonly column: number;
  /** Bytes of each column's values in binary rows; null: their length stands before them. */
  readonly widths: readonly (number | null)[];
  /** The value to be shown; null: as it is. */
  tell(values: readonly (Buffer | null)[]): Uint8Array | null;
}

const subjects: ReadonlySet<string | null> = new Set(["VARIABLES", "WARNINGS", "ERRORS"]);

/** What runs texts that are known to the server only: a routine, a block, what PREPARE has kept. */
const runningKinds = /^(CALL|COMPOUND|EXECUTE)\b/;

/** Whether rows of its reply may tell who the session is. */
export function tellsInRows({ kind, innerKinds, subject, uncertain }: StatementSummary): boolean {
  if (uncertain !== null || runningKinds.test(kind)) return true;
  return (kind === "SHOW" || innerKinds.includes("SHOW")) && subjects.has(subject);
}

/** What becomes of the rows of these columns; null: they are left alone. */
export function rowTruthOf(columns: readonly ColumnDefinition[], truth: ToldTruth): RowTruth | null {
  // A result of more columns is none of these.
  if (columns.length > 3) return null;
  const widths = columns.map(({ type }) => widthOf(type));
  // Headings come in character_set_results, too, which may be a wide one.
  const headings = columns.map(({ name }) => name.replaceAll("\0", "")).join();
  switch (headings) {
    case "Variable_name,Value":
      if (!areTexts(widths) || !isOfServer(columns[0])) return null;
      return { column: 1, widths, tell: variableTeller(truth) };
    case "Level,Code,Message":
      if (!areTexts([widths[0], widths[2]])) return null;
      return {
        column: 2,
        widths,
        tell: ([, code, message]) => {
          if (message === null || message === undefined) return null;
          const number = Number(code?.toString("latin1").replaceAll("\0", "") ?? "");
          const told = hideServiceAccount(message, truth.serviceUser, truth.identity, number);
          return told === message ? null : told;
        },
      };
    default:
      return null;
  }
}

/** MYSQL_TYPE numbers of values of fixed length: TINY, SHORT, LONG, FLOAT, DOUBLE, NULL, LONGLONG, INT24, YEAR. */
const widths: ReadonlyMap<number, number> = new Map([
  [1, 1],
  [2, 2],
  [3, 4],
  [4, 4],
  [5, 8],
  [6, 0],
  [8, 8],
  [9, 4],
  [13, 2],
]);

function widthOf(type: number): number | null {
  return widths.get(type) ?? null;
}

function areTexts(list: readonly (number | null | undefined)[]): boolean {
  return list.every((width) => width === null);
}

/** A routine may give rows of its own under the same headings. */
function isOfServer(column: ColumnDefinition | undefined): boolean {
  const schema = column?.origin?.database.replaceAll("\0", "").toLowerCase();
  return schema === "information_schema" || schema === "performance_schema";
}

function variableTeller(truth: ToldTruth): RowTruth["tell"] {
  const { identity, proxyUsers } = truth;
  const switches = [...switchesOf(proxyUsers)].map(([name, on]): [string, string] => [
    name,
    on ? "ON" : "OFF",
  ]);
  const values: ReadonlyMap<string, string> = new Map([
    ...switches,
    ["proxy_user", identity.proxyUser ?? ""],
    ["external_user", ""],
    ["pseudo_thread_id", String(truth.connectionId)],
  ]);
  return ([name]) => {
    const told = name === null || name === undefined ? undefined : values.get(name.toString("latin1"));
    return told === undefined ? null : Buffer.from(told, "utf8");
  };
}

const NULL_TEXT = 0xfb;

/** A row of a text result as it is to be told. @throws WireError when it makes no sense */
export function tellTextRow(payload: Buffer, columns: number, truth: RowTruth): Buffer {
  const reader = new Reader(payload);
  const places: Place[] = [];
  for (let column = 0; column < columns; column += 1) {
    const start = reader.offset;
    if (payload[start] === NULL_TEXT) {
      reader.skip(1, "NULL");
      places.push({ start, end: reader.offset, value: null });
    } else places.push({ value: reader.lenencBytes("value"), start, end: reader.offset });
  }
  return withTold(payload, places, truth);
}

/** The same for a binary row. */
export function tellBinaryRow(payload: Buffer, columns: number, truth: RowTruth): Buffer {
  const reader = new Reader(payload);
  reader.skip(1, "row header");
  const bitmapAt = reader.offset;
  reader.skip((columns + 9) >> 3, "NULL bitmap");
  const places: Place[] = [];
  for (let column = 0; column < columns; column += 1) {
    const start = reader.offset;
    const bit = column + 2;
    if (((payload[bitmapAt + (bit >> 3)] ?? 0) & (1 << (bit & 7))) !== 0) {
      places.push({ start, end: start, value: null });
    } else if (truth.widths[column] != null) {
      const bytes = reader.bytes(truth.widths[column] ?? 0, "value");
      const value = bytes.length === 4 ? Buffer.from(String(bytes.readUInt32LE(0)), "latin1") : null;
      places.push({ start, end: reader.offset, value });
    } else places.push({ value: reader.lenencBytes("value"), start, end: reader.offset });
  }
  return withTold(payload, places, truth);
}

interface Place {
  readonly start: number;
  readonly end: number;
  readonly value: Buffer | null;
}

function withTold(payload: Buffer, places: readonly Place[], truth: RowTruth): Buffer {
  const place = places[truth.column];
  if (place === undefined || place.value === null) return payload;
  const told = truth.tell(places.map(({ value }) => value));
  if (told === null) return payload;
  const written = new Writer(lenencBytesSize(told.length)).lenencBytes(told).finish();
  return Buffer.concat([payload.subarray(0, place.start), written, payload.subarray(place.end)]);
}

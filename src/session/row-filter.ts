// Drops rows from one reply on its way to the client: SHOW TABLES and the like list what the service account may see, the
// client gets what it may see. Packets are taken apart and numbered anew; everything but the dropped rows stays as it is.

import type { Authorizer } from "../acl/authorizer.ts";
import type { Identity } from "../identity/identity.ts";
import { CLIENT_DEPRECATE_EOF } from "../wire/capabilities.ts";
import { COM_QUERY, COM_STMT_EXECUTE } from "../wire/commands.ts";
import { Reader, WireError } from "../wire/reader.ts";
import type { CommandInHand } from "./command-in-hand.ts";
import { namesHiddenTable } from "./hidden-tables.ts";
import type { FilteredListing } from "./statement-text.ts";

/** Whether a row may be seen: `values` are its first columns, null where NULL or not text. */
export type RowJudge = (values: readonly (string | null)[]) => boolean;

const HEADER_BYTES = 4;
/** A row of a listing is far smaller; a reply with a larger packet is cut off with an error. */
export const filteredPacketBytesMax = 1024 * 1024;
/** Listings name what their rows are about within their first three columns. */
const columnsRead = 3;

const ERR = 0xff;
const END = 0xfe;
const NULL_TEXT = 0xfb;
const classicEofBytesBelow = 9;

/** Judges rows by what `identity` holds. */
export function rowJudge(
  authorizer: Authorizer,
  identity: Identity,
  { columns, schema }: FilteredListing,
): RowJudge {
  return (values) => {
    const name = values[columns.nameColumn] ?? null;
    const in_ = columns.schemaColumn === null ? schema : (values[columns.schemaColumn] ?? null);
    if (columns.object === "message") {
      const mayRead = (schemaOf: string, table: string) => authorizer.mayRead(identity, schemaOf, table);
      return name !== null && !namesHiddenTable(name, schema, mayRead);
    }
    if (name === null || in_ === null) return false;
    if (columns.object === "schema" || columns.role === null) return authorizer.maySeeSchema(identity, name);
    return authorizer.allows(identity, columns.object, columns.role, { schema: in_, name });
  };
}

/** The filter that the reply to a command needs; null: none. */
export function filterFor(session: FilteredSession, inHand: CommandInHand): RowFilter | null {
  const listing = inHand.text?.listing ?? null;
  if (listing === null || (inHand.command !== COM_QUERY && inHand.command !== COM_STMT_EXECUTE)) return null;
  const authorizer = session.services.authorizer();
  const { identity, capabilities } = session.state;
  if (!authorizer.enforcing || identity === null) return null;
  const { object, numberColumns = [] } = listing.columns;
  return new RowFilter(rowJudge(authorizer, identity, listing), inHand.command, capabilities, {
    numberColumns,
    // What the server counts and warns of is about all rows.
    ended: object === "message" ? null : (rows) => session.backend.hideLastReply(rows),
  });
}

/** What of a session decides about its listings. */
export interface FilteredSession {
  readonly services: { readonly authorizer: () => Authorizer };
  readonly state: { readonly identity: Identity | null; readonly capabilities: number };
  readonly backend: { hideLastReply(rows: number): void };
}

/** What a filter needs to know beside its judge. */
export interface RowFilterOptions {
  /** Columns of numbers: four bytes in binary rows. */
  readonly numberColumns?: readonly number[];
  /** Told how many rows were kept, once; then the reply's count of warnings is taken away too. */
  readonly ended?: ((rows: number) => void) | null;
}

/** Filters one reply of one result set. The bytes come in order, cut anywhere. */
export class RowFilter {
  readonly #judge: RowJudge;
  readonly #isBinary: boolean;
  readonly #deprecateEof: boolean;
  #rest: Buffer = Buffer.alloc(0);
  #phase: "head" | "definitions" | "definitions end" | "rows" | "passing" = "head";
  #definitionsLeft = 0;
  #columns = 0;
  #sequence = 1;
  #rowsKept = 0;
  readonly #numberColumns: readonly number[];
  readonly #ended: ((rows: number) => void) | null;

  constructor(judge: RowJudge, command: number, capabilities: number, options: RowFilterOptions = {}) {
    this.#numberColumns = options.numberColumns ?? [];
    this.#ended = options.ended ?? null;
    this.#judge = judge;
    this.#isBinary = command === COM_STMT_EXECUTE;
    this.#deprecateEof = (capabilities & CLIENT_DEPRECATE_EOF) !== 0;
  }

  /**
   * What goes to the client of these bytes; a fresh buffer.
   * @throws WireError when a packet is too large or a row makes no sense.
   */
  push(bytes: Uint8Array): Buffer {
    const all = Buffer.concat([this.#rest, bytes]);
    const kept: Buffer[] = [];
    let at = 0;
    while (all.length - at >= HEADER_BYTES) {
      const length = all.readUIntLE(at, 3);
      if (length > filteredPacketBytesMax) throw new WireError("packet", at, "it is too large for a listing");
      const end = at + HEADER_BYTES + length;
      if (end > all.length) break;
      const payload = all.subarray(at + HEADER_BYTES, end);
      if (this.#keeps(payload)) {
        const frame = Buffer.from(all.subarray(at, end));
        if (this.#ended !== null && payload[0] === END) this.#clearWarnings(frame.subarray(HEADER_BYTES));
        frame[3] = this.#sequence;
        this.#sequence = (this.#sequence + 1) & 0xff;
        kept.push(frame);
      }
      at = end;
    }
    this.#rest = Buffer.from(all.subarray(at));
    return kept.length === 1 && kept[0] !== undefined ? kept[0] : Buffer.concat(kept);
  }

  #keeps(payload: Buffer): boolean {
    const first = payload[0];
    switch (this.#phase) {
      case "head":
        if (first === ERR || first === 0) this.#phase = "passing";
        else {
          this.#columns = new Reader(payload).lenencNumber("column count");
          this.#definitionsLeft = this.#columns;
          this.#phase = "definitions";
        }
        return true;
      case "definitions":
        this.#definitionsLeft -= 1;
        if (this.#definitionsLeft <= 0) this.#phase = this.#deprecateEof ? "rows" : "definitions end";
        return true;
      case "definitions end":
        this.#phase = "rows";
        return true;
      case "rows":
        if (this.#endsRows(payload)) {
          this.#phase = "passing";
          this.#ended?.(this.#rowsKept);
          return true;
        }
        if (!this.#judge(this.#isBinary ? this.#binaryValues(payload) : this.#textValues(payload)))
          return false;
        this.#rowsKept += 1;
        return true;
      case "passing":
        return true;
    }
  }

  #endsRows(payload: Buffer): boolean {
    if (payload[0] === ERR) return true;
    // A row that begins with fe has a first value of more than 16 MiB: packets of that size are refused.
    return payload[0] === END && (this.#deprecateEof || payload.length < classicEofBytesBelow);
  }

  /** EOF, or OK in its place: warnings of rows that are dropped would be counted. */
  #clearWarnings(payload: Buffer): void {
    if (this.#phase !== "passing" && this.#phase !== "rows") return;
    if (!this.#deprecateEof) {
      if (payload.length < classicEofBytesBelow) payload.writeUInt16LE(0, 1);
      return;
    }
    const reader = new Reader(payload);
    reader.skip(1, "OK header");
    reader.lenencNumber("affected rows");
    reader.lenencNumber("last insert id");
    payload.writeUInt16LE(0, reader.offset + 2);
  }

  #textValues(payload: Buffer): (string | null)[] {
    const reader = new Reader(payload);
    return Array.from({ length: Math.min(columnsRead, this.#columns) }, () => {
      if (payload[reader.offset] !== NULL_TEXT) return textOf(reader.lenencBytes("value"));
      reader.skip(1, "NULL");
      return null;
    });
  }

  /** The columns that are read are texts in every listing, so all of them have a length before them. */
  #binaryValues(payload: Buffer): (string | null)[] {
    const reader = new Reader(payload);
    reader.skip(1, "row header");
    const bitmapAt = reader.offset;
    reader.skip((this.#columns + 9) >> 3, "NULL bitmap");
    return Array.from({ length: Math.min(columnsRead, this.#columns) }, (_, column) => {
      const bit = column + 2;
      const isNull = ((payload[bitmapAt + (bit >> 3)] ?? 0) & (1 << (bit & 7))) !== 0;
      if (!isNull && this.#numberColumns.includes(column)) {
        reader.skip(4, "number");
        return null;
      }
      return isNull ? null : textOf(reader.lenencBytes("value"));
    });
  }
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A name; null where it is no UTF-8, so that its row is dropped. */
function textOf(bytes: Uint8Array): string | null {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return null;
  }
}

// Changes single values of a reply's rows on their way to the client, whatever else the reply holds: any number of results,
// in which only those with known headings are touched. No packet is added or dropped, so numbers of packets stay.

import { CLIENT_DEPRECATE_EOF } from "../wire/capabilities.ts";
import { COM_STMT_EXECUTE } from "../wire/commands.ts";
import { type ColumnDefinition, decodeColumnDefinition } from "../wire/packets/column-definition.ts";
import { Reader, WireError } from "../wire/reader.ts";
import { STATUS_MORE_RESULTS } from "../wire/status-flags.ts";
import { type RowTruth, tellBinaryRow, tellTextRow } from "./told-rows.ts";

const HEADER_BYTES = 4;
const FRAME_BYTES_MAX = 0xffffff;
/** Rows that are edited are far smaller: a larger one is none of them. A larger definition cuts the reply off. */
const editedPacketBytesMax = 1024 * 1024;

const OK = 0x00;
const ERR = 0xff;
const END = 0xfe;
const LOCAL_FILE = 0xfb;
const classicEofBytesBelow = 9;

/** Edits one reply. The bytes come in order, cut anywhere. */
export class RowEditor {
  readonly #truthOf: (columns: readonly ColumnDefinition[]) => RowTruth | null;
  readonly #isBinary: boolean;
  readonly #deprecateEof: boolean;
  #rest: Buffer = Buffer.alloc(0);
  #phase: "head" | "definitions" | "definitions end" | "rows" | "passing" = "head";
  /** Bytes of a frame that pass as they are. */
  #passBytes = 0;
  #continues = false;
  #definitions: ColumnDefinition[] = [];
  #columns = 0;
  #truth: RowTruth | null = null;

  constructor(
    truthOf: (columns: readonly ColumnDefinition[]) => RowTruth | null,
    command: number,
    capabilities: number,
  ) {
    this.#truthOf = truthOf;
    this.#isBinary = command === COM_STMT_EXECUTE;
    this.#deprecateEof = (capabilities & CLIENT_DEPRECATE_EOF) !== 0;
  }

  /**
   * What goes to the client of these bytes; a fresh buffer.
   * @throws WireError when a packet is too large or makes no sense.
   */
  push(bytes: Uint8Array): Buffer {
    const all = Buffer.concat([this.#rest, bytes]);
    const told: Buffer[] = [];
    // What was not changed is put together: most replies are long rows of rows that pass.
    let untold = 0;
    let at = 0;
    for (;;) {
      const passed = Math.min(this.#passBytes, all.length - at);
      this.#passBytes -= passed;
      at += passed;
      // One byte behind the header tells what a packet is.
      if (this.#passBytes > 0 || all.length - at <= HEADER_BYTES) break;
      const length = all.readUIntLE(at, 3);
      if (!this.#needsWhole(length, all[at + HEADER_BYTES] ?? 0)) {
        this.#passBytes = HEADER_BYTES + length;
        this.#continues = length === FRAME_BYTES_MAX;
        continue;
      }
      if (length > editedPacketBytesMax) throw new WireError("packet", at, "it is too large to be read");
      const end = at + HEADER_BYTES + length;
      if (end > all.length) break;
      const payload = all.subarray(at + HEADER_BYTES, end);
      const edited = this.#packet(payload);
      if (edited !== payload) {
        told.push(all.subarray(untold, at), header(edited.length, all[at + 3] ?? 0), edited);
        untold = end;
      }
      at = end;
    }
    told.push(all.subarray(untold, at));
    this.#rest = Buffer.from(all.subarray(at));
    return Buffer.concat(told);
  }

  #needsWhole(length: number, first: number): boolean {
    if (this.#continues || this.#phase === "passing") return false;
    if (this.#phase !== "rows" || this.#endsRows(first, length)) return true;
    return this.#truth !== null && length <= editedPacketBytesMax;
  }

  #endsRows(first: number, length: number): boolean {
    if (first === ERR) return true;
    return first === END && length < (this.#deprecateEof ? FRAME_BYTES_MAX : classicEofBytesBelow);
  }

  #packet(payload: Buffer): Buffer {
    switch (this.#phase) {
      case "head":
        this.#head(payload);
        return payload;
      case "definitions":
        this.#definitions.push(decodeColumnDefinition(payload));
        if (this.#definitions.length < this.#columns) return payload;
        this.#truth = this.#truthOf(this.#definitions);
        this.#phase = this.#deprecateEof ? "rows" : "definitions end";
        return payload;
      case "definitions end":
        this.#phase = "rows";
        return payload;
      case "rows":
        if (!this.#endsRows(payload[0] ?? 0, payload.length)) return this.#row(payload);
        this.#phase = payload[0] === END && this.#hasMore(payload) ? "head" : "passing";
        return payload;
      case "passing":
        return payload;
    }
  }

  #head(payload: Buffer): void {
    const first = payload[0];
    if (first === OK) this.#phase = this.#hasMore(payload) ? "head" : "passing";
    else if (first === ERR) this.#phase = "passing";
    else if (first !== LOCAL_FILE) {
      this.#columns = new Reader(payload).lenencNumber("column count");
      this.#definitions = [];
      this.#phase = "definitions";
    }
  }

  /** OK, and the OK that ends rows: two numbers, then the flags. A classic EOF: warnings, then the flags. */
  #hasMore(payload: Buffer): boolean {
    const reader = new Reader(payload);
    reader.skip(1, "header");
    if (payload[0] === END && !this.#deprecateEof) reader.skip(2, "warnings");
    else {
      reader.lenenc("affected rows");
      reader.lenenc("insert id");
    }
    return (reader.u16("status flags") & STATUS_MORE_RESULTS) !== 0;
  }

  #row(payload: Buffer): Buffer {
    if (this.#truth === null) return payload;
    return this.#isBinary
      ? tellBinaryRow(payload, this.#columns, this.#truth)
      : tellTextRow(payload, this.#columns, this.#truth);
  }
}

function header(length: number, sequence: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUIntLE(length, 0, 3);
  bytes[3] = sequence;
  return bytes;
}

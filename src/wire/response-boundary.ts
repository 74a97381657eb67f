// Where the reply to a command ends: THE machine of the relay's hot path. It walks packet headers by state, never by the
// first byte alone, skips rows whole, copies nothing and allocates nothing per packet, reply or chunk. It must not know
// what rows mean, nor do I/O. https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase.html
// Costs about 0.1 us a small reply and 6 ns a row, whatever the row's size (bench/response-boundary.mjs).

import { assert } from "../base/assert.ts";
import { type Capabilities, CLIENT_DEPRECATE_EOF, has } from "./capabilities.ts";
import { COM_STMT_EXECUTE, commandOf, type ReplyShape } from "./commands.ts";
import {
  FRAME_HEADER_BYTES,
  FRAME_PAYLOAD_BYTES_MAX,
  INSPECTED_PAYLOAD_BYTES_MAX,
  RESULT_COLUMNS_MAX,
} from "./limits.ts";
import {
  newReplySummary,
  type ReplySummary,
  readColumnCount,
  readEof,
  readOk,
  resetReplySummary,
} from "./reply-summary.ts";
import { STATUS_CURSOR_EXISTS, STATUS_MORE_RESULTS, STATUS_PS_OUT_PARAMS } from "./status-flags.ts";

/**
 * Which packet is to be seen whole before it is forwarded: any ERR; the request for a client's file; PREPARE_OK; with
 * `inspectSessionTrack` also every OK that is longer than the shortest (it may carry text and session state).
 */
export type InspectKind = "err" | "local_infile" | "prepare_ok" | "ok";

/**
 * `more`: the reply goes on. `complete`: it has ended, or none has begun. `inspect`: a packet is to be collected and
 * accepted. `broken`: no server sends this; the connection must be closed.
 */
export type BoundaryState = "more" | "complete" | "inspect" | "broken";

// What the next packet is. Small integers: a switch over them is a jump.
const END = 0;
const RESULT = 1;
const COLUMNS = 2;
const COLUMNS_EOF = 3;
const ROWS = 4;
const OK_ONLY = 5;
const PREPARE = 6;
const PARAMETERS = 7;
const PARAMETERS_EOF = 8;
const PREPARED_COLUMNS = 9;
const PREPARED_COLUMNS_EOF = 10;
const TEXT = 11;

const beginningOf: Readonly<Record<ReplyShape, number>> = {
  none: END,
  ok: OK_ONLY,
  result: RESULT,
  rows: ROWS,
  prepare: PREPARE,
  text: TEXT,
  // A login is carried on by the session, and endless replies are refused before they begin.
  login: OK_ONLY,
  endless: OK_ONLY,
};

const ERR = 0xff;
const END_OF_RESULT = 0xfe;
const LOCAL_INFILE = 0xfb;
const OK = 0x00;

const EOF_BYTES = 5;
const OK_BYTES_MIN = 7;
/** Header byte, two length-encoded integers, status flags, warnings: no more of an OK is ever read here. */
const OK_FIXED_BYTES_MAX = 1 + 9 + 9 + 2 + 2;
const ERR_BYTES_MIN = 3;
const PREPARE_OK_BYTES_MIN = 12;
/** A classic EOF is shorter than this; a row that begins with fe is longer. */
const CLASSIC_EOF_BYTES_BELOW = 9;

/** Most bytes that {@link ResponseBoundary.feed} leaves to be presented again. */
export const UNTOLD_BYTES_MAX: number = FRAME_HEADER_BYTES + OK_FIXED_BYTES_MAX - 1;

/** Finds the end of one reply after the other; one object per session. */
export class ResponseBoundary {
  /** Read-only to others. */
  state: BoundaryState = "complete";
  /** Valid while `state` is `inspect`. */
  inspectKind: InspectKind = "err";
  /** Why `state` is `broken`; holds no byte of the reply. */
  fault = "";
  readonly summary: ReplySummary = newReplySummary();
  readonly #deprecateEof: boolean;
  readonly #inspectSessionTrack: boolean;
  #phase = END;
  #shape: ReplyShape = "none";
  /** Whether the reply may be a cursor in place of rows. */
  #mayBeCursor = false;
  /** Bytes of the current frame that have not arrived. */
  #skipBytes = 0;
  /** Whether the next frame continues a packet; it has no first byte of its own. */
  #continues = false;
  /** Definitions still to come. */
  #definitionsLeft = 0;
  /**
   * MORE_RESULTS of the EOF before OUT parameters: MySQL (seen in 9.7.4, classic EOF) leaves it out of the EOF behind
   * them, and its clients go by the first one.
   */
  #moreBehindOutParameters = 0;

  /** `capabilities`: those of the backend connection. */
  constructor(capabilities: Capabilities, options: { readonly inspectSessionTrack?: boolean } = {}) {
    this.#deprecateEof = has(capabilities, CLIENT_DEPRECATE_EOF);
    this.#inspectSessionTrack = options.inspectSessionTrack ?? false;
  }

  /**
   * Begins a reply, whatever came before. `state` is `complete` at once for commands that have none. `asksForCursor`:
   * whether a COM_STMT_EXECUTE does.
   */
  begin(command: number, asksForCursor = true): void {
    this.#shape = commandOf(command)?.reply ?? "ok";
    this.#mayBeCursor = command === COM_STMT_EXECUTE && asksForCursor;
    this.#phase = beginningOf[this.#shape];
    this.#skipBytes = 0;
    this.#continues = false;
    this.#definitionsLeft = 0;
    this.#moreBehindOutParameters = 0;
    this.state = this.#phase === END ? "complete" : "more";
    resetReplySummary(this.summary);
  }

  /**
   * Walks over `chunk[from, to)` and returns the offset up to which it is to be forwarded as it is.
   *
   * `more`: what is left, at most {@link UNTOLD_BYTES_MAX} bytes, begins a packet that cannot be told yet: the caller
   * keeps it and presents it again with what follows. `complete`: the reply ends at the offset; what is left was not
   * asked for. `inspect`: the packet that begins at the offset goes to a PacketCollector, then to {@link accept}.
   * `broken`: nothing more of this connection can be believed.
   */
  feed(chunk: Uint8Array, from: number, to: number): number {
    if (this.state !== "more") return from;
    let at = from + this.#skipBytes;
    if (at > to) {
      this.#skipBytes = at - to;
      return to;
    }
    this.#skipBytes = 0;
    while (this.#phase !== END && to - at >= FRAME_HEADER_BYTES) {
      const length =
        (chunk[at] as number) | ((chunk[at + 1] as number) << 8) | ((chunk[at + 2] as number) << 16);
      if (this.#continues) {
        this.#continues = length === FRAME_PAYLOAD_BYTES_MAX;
      } else if (length === 0) {
        if (this.#phase !== TEXT) return this.#break(at, "a packet is empty");
        this.#phase = END;
      } else {
        if (to - at === FRAME_HEADER_BYTES) return at;
        const first = chunk[at + FRAME_HEADER_BYTES] as number;
        if (this.#phase !== ROWS || first >= END_OF_RESULT) {
          if (!this.#packet(chunk, at, to, length, first)) return at;
        } else {
          this.summary.rowCount += 1;
        }
        // Only a row gets here with this length.
        this.#continues = length === FRAME_PAYLOAD_BYTES_MAX;
      }
      at += FRAME_HEADER_BYTES + length;
      if (at > to) {
        this.#skipBytes = at - to;
        return to;
      }
    }
    if (this.#phase === END) this.state = "complete";
    return at;
  }

  /**
   * Goes on behind a packet that was inspected: `payload` as the server sent it, whatever is forwarded in its place.
   * Afterwards `state` is `more`, `complete` or `broken`.
   * @throws AssertionFailure when no packet is being inspected.
   */
  accept(payload: Uint8Array): void {
    assert(this.state === "inspect", "a packet was accepted that nobody asked for");
    this.state = "more";
    switch (this.inspectKind) {
      case "err":
        this.summary.errorCode = (payload[1] ?? 0) | ((payload[2] ?? 0) << 8);
        this.#phase = END;
        break;
      case "local_infile":
        this.#phase = RESULT;
        break;
      case "prepare_ok":
        this.#acceptPrepareOk(payload);
        break;
      case "ok":
        if (!readOk(payload, 0, payload.length, this.summary)) this.#break(0, "an OK is cut short");
        else this.#endResult();
        break;
    }
    if (this.state === "more" && this.#phase === END) this.state = "complete";
  }

  /** Reads one packet that is not a plain row; false: stop before it (bytes are missing, inspect, or broken). */
  #packet(chunk: Uint8Array, at: number, to: number, length: number, first: number): boolean {
    if (first === ERR) return this.#inspect("err", length, ERR_BYTES_MIN);
    const body = at + FRAME_HEADER_BYTES;
    switch (this.#phase) {
      case COLUMNS:
      case PARAMETERS:
      case PREPARED_COLUMNS:
        if (length === FRAME_PAYLOAD_BYTES_MAX) return this.#fail("a definition is too long");
        this.#definition();
        return true;
      case RESULT:
        if (first === LOCAL_INFILE) return this.#inspect("local_infile", length, 1);
        if (first !== OK) return this.#resultHead(chunk, body, to, length);
        return this.#end(chunk, body, to, length);
      case ROWS:
        if (length >= (this.#deprecateEof ? FRAME_PAYLOAD_BYTES_MAX : CLASSIC_EOF_BYTES_BELOW)) {
          this.summary.rowCount += 1;
          return true;
        }
        return this.#end(chunk, body, to, length);
      case OK_ONLY:
        if (first !== OK && first !== END_OF_RESULT) return this.#fail("an OK, EOF or ERR was due");
        return this.#end(chunk, body, to, length);
      case COLUMNS_EOF:
      case PARAMETERS_EOF:
      case PREPARED_COLUMNS_EOF:
        return this.#definitionsEof(chunk, body, to, length, first);
      case PREPARE:
        if (first !== OK) return this.#fail("PREPARE_OK or ERR was due");
        return this.#inspect("prepare_ok", length, PREPARE_OK_BYTES_MIN);
      default:
        if (length === FRAME_PAYLOAD_BYTES_MAX) return this.#fail("a text is too long");
        this.#phase = END;
        return true;
    }
  }

  /** The packet that holds the number of columns. */
  #resultHead(chunk: Uint8Array, body: number, to: number, length: number): boolean {
    if (length > 9) return this.#fail("a column count is too long");
    if (to - body < length) return false;
    const columns = readColumnCount(chunk, body, length);
    if (columns <= 0 || columns > RESULT_COLUMNS_MAX) return this.#fail("a column count is not possible");
    this.summary.resultCount += 1;
    this.summary.resultSetCount += 1;
    this.summary.rowCount = 0;
    this.#definitionsLeft = columns;
    this.#phase = COLUMNS;
    return true;
  }

  /** One column or parameter definition has passed. */
  #definition(): void {
    this.#definitionsLeft -= 1;
    if (this.#definitionsLeft > 0) return;
    if (!this.#deprecateEof)
      this.#phase += 1; // each kind's EOF is the phase behind it
    else if (this.#phase === COLUMNS) this.#phase = ROWS;
    else if (this.#phase === PARAMETERS) this.#beginPreparedColumns();
    else this.#phase = END;
  }

  /** The classic EOF behind definitions. */
  #definitionsEof(chunk: Uint8Array, body: number, to: number, length: number, first: number): boolean {
    if (first !== END_OF_RESULT || length !== EOF_BYTES) return this.#fail("an EOF was due");
    if (to - body < EOF_BYTES) return false;
    readEof(chunk, body, this.summary);
    const status = this.summary.statusFlags;
    if (this.#phase === PARAMETERS_EOF) {
      this.#beginPreparedColumns();
    } else if (this.#phase === PREPARED_COLUMNS_EOF) {
      this.#phase = END;
    } else {
      // A cursor's rows come with COM_STMT_FETCH. The flag is obeyed where cursors are opened and nowhere else: servers
      // also set it for what a procedure has opened inside, and its rows follow. They are never the last result.
      const isCursor = (status & (STATUS_CURSOR_EXISTS | STATUS_MORE_RESULTS)) === STATUS_CURSOR_EXISTS;
      this.#phase = this.#mayBeCursor && isCursor ? END : ROWS;
      this.#moreBehindOutParameters = status & STATUS_PS_OUT_PARAMS ? status & STATUS_MORE_RESULTS : 0;
    }
    return true;
  }

  /** An OK or EOF that ends a result. */
  #end(chunk: Uint8Array, body: number, to: number, length: number): boolean {
    const summary = this.summary;
    if (
      chunk[body] === END_OF_RESULT &&
      length < (this.#deprecateEof ? OK_BYTES_MIN : CLASSIC_EOF_BYTES_BELOW)
    ) {
      if (length < EOF_BYTES) return this.#fail("an EOF is cut short");
      if (to - body < EOF_BYTES) return false;
      readEof(chunk, body, summary);
    } else {
      if (length < OK_BYTES_MIN || length === FRAME_PAYLOAD_BYTES_MAX)
        return this.#fail("an OK has no possible length");
      if (this.#inspectSessionTrack && length > OK_BYTES_MIN)
        return this.#inspect("ok", length, OK_BYTES_MIN);
      const wanted = Math.min(length, OK_FIXED_BYTES_MAX);
      if (to - body < wanted) return false;
      if (!readOk(chunk, body, wanted, summary)) return this.#fail("an OK is cut short");
    }
    this.#endResult();
    return true;
  }

  /** Behind an OK or EOF: another result, or the end. Only text and execute have several. */
  #endResult(): void {
    // What an OK says behind rows, or the statement before them, is no row count: ROW_COUNT() is -1 then.
    if (this.#phase === ROWS) this.summary.affectedRows = -1;
    else this.summary.resultCount += 1;
    const more = (this.summary.statusFlags | this.#moreBehindOutParameters) & STATUS_MORE_RESULTS;
    this.#moreBehindOutParameters = 0;
    this.#phase = more !== 0 && this.#shape === "result" ? RESULT : END;
  }

  #acceptPrepareOk(payload: Uint8Array): void {
    const summary = this.summary;
    const u16 = (at: number): number => (payload[at] ?? 0) | ((payload[at + 1] ?? 0) << 8);
    summary.statementId = (u16(1) | (u16(3) << 16)) >>> 0;
    summary.columnCount = u16(5);
    summary.parameterCount = u16(7);
    summary.warnings = u16(10);
    if (summary.warnings !== 0) summary.hadWarnings = true;
    this.#definitionsLeft = summary.parameterCount;
    if (summary.parameterCount > 0) this.#phase = PARAMETERS;
    else this.#beginPreparedColumns();
  }

  #beginPreparedColumns(): void {
    this.#definitionsLeft = this.summary.columnCount;
    this.#phase = this.#definitionsLeft > 0 ? PREPARED_COLUMNS : END;
  }

  /** Always false: the walk stops before the packet. */
  #inspect(kind: InspectKind, length: number, bytesMin: number): boolean {
    if (length < bytesMin) return this.#fail("a packet is cut short");
    if (length > INSPECTED_PAYLOAD_BYTES_MAX) return this.#fail("a packet is too long to be inspected");
    this.inspectKind = kind;
    this.state = "inspect";
    return false;
  }

  /** Always false: the walk stops before the packet. */
  #fail(fault: string): boolean {
    this.#break(0, fault);
    return false;
  }

  #break(at: number, fault: string): number {
    this.state = "broken";
    this.fault = fault;
    return at;
  }
}

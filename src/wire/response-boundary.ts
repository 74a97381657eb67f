// Where the reply to a command ends. Walks packet headers by state, never by the first byte alone, and reads endings
// only; rows are skipped whole. The relay's hot loop: no allocation per packet, per reply, or per chunk.

import { CLIENT_DEPRECATE_EOF } from "./capabilities.ts";
import {
  COM_FIELD_LIST,
  COM_QUIT,
  COM_STATISTICS,
  COM_STMT_CLOSE,
  COM_STMT_FETCH,
  COM_STMT_PREPARE,
  COM_STMT_SEND_LONG_DATA,
} from "./commands.ts";
import { STATUS_CURSOR_EXISTS, STATUS_MORE_RESULTS, STATUS_PS_OUT_PARAMS } from "./status-flags.ts";

/** Which packet is to be seen whole before it is forwarded. */
export type InspectKind = "err" | "local_infile" | "prepare_ok";

/** What a reply was; one object per boundary, overwritten by every reply. */
export interface ReplySummary {
  /** Status flags of the last OK or EOF. */
  statusFlags: number;
  warnings: number;
  /** Whether an OK told a last insert id other than 0. */
  hadInsertId: boolean;
  /** Number of the ERR that ended the reply; 0: none did. */
  errorCode: number;
  /** Results begun: OKs and result sets. */
  resultCount: number;
  /** Of PREPARE_OK. */
  statementId: number;
  columnCount: number;
  parameterCount: number;
}

const IDLE = 0;
const FIRST = 1;
const COLUMNS = 2;
const COLUMNS_EOF = 3;
const ROWS = 4;
const PREPARE = 5;
const PREPARE_PARAMETERS = 6;
const PREPARE_PARAMETERS_EOF = 7;
const PREPARE_COLUMNS = 8;
const PREPARE_COLUMNS_EOF = 9;
const ONE_PACKET = 10;
const BROKEN = 11;

const HEADER_BYTES = 4;
const FRAME_PAYLOAD_MAX = 0xffffff;
/** Of an OK packet: header, two length-encoded integers, status flags, warnings. */
const OK_FIXED_BYTES_MAX = 23;

const firstPhase = new Uint8Array(256).fill(FIRST);
firstPhase[COM_STMT_PREPARE] = PREPARE;
firstPhase[COM_STMT_FETCH] = ROWS;
firstPhase[COM_FIELD_LIST] = ROWS;
firstPhase[COM_STATISTICS] = ONE_PACKET;
firstPhase[COM_STMT_SEND_LONG_DATA] = IDLE;
firstPhase[COM_STMT_CLOSE] = IDLE;
firstPhase[COM_QUIT] = IDLE;

/** Finds the end of one reply at a time. */
export class ResponseBoundary {
  readonly #deprecateEof: boolean;
  #phase = IDLE;
  /** Bytes of the current packet that are not yet there. */
  #skipBytes = 0;
  /** Whether the next frame continues a packet of 16 MiB - 1 or more. */
  #continues = false;
  #packetsLeft = 0;
  /**
   * MORE_RESULTS of the EOF before OUT parameters of a prepared CALL: MySQL (seen in 9.7.4, classic EOF) forgets the
   * flag in the EOF behind them, and libmysqlclient keeps it so.
   */
  #moreBehindOutParameters = 0;
  /** `broken`: the bytes are no reply that a server would send; the connection must be closed. */
  state: "more" | "complete" | "inspect" | "broken" = "complete";
  /** Valid while `state` is `inspect`. */
  inspectKind: InspectKind = "err";
  readonly summary: ReplySummary = {
    statusFlags: 0,
    warnings: 0,
    hadInsertId: false,
    errorCode: 0,
    resultCount: 0,
    statementId: 0,
    columnCount: 0,
    parameterCount: 0,
  };

  /** `capabilities` of the backend connection. */
  constructor(capabilities: number) {
    this.#deprecateEof = (capabilities & CLIENT_DEPRECATE_EOF) !== 0;
  }

  /** Begins a reply. `state` is `complete` at once for commands that have none. */
  begin(command: number): void {
    this.#phase = firstPhase[command] ?? FIRST;
    this.#skipBytes = 0;
    this.#continues = false;
    this.#packetsLeft = 0;
    this.#moreBehindOutParameters = 0;
    this.state = this.#phase === IDLE ? "complete" : "more";
    const summary = this.summary;
    summary.errorCode = 0;
    summary.resultCount = 0;
    summary.hadInsertId = false;
    summary.warnings = 0;
  }

  /**
   * Walks over `chunk[from, to)` and returns the offset up to which it may be forwarded. With `more` a rest of up to
   * 26 bytes may remain: a packet whose meaning cannot be told yet, to be presented again with what follows. With
   * `complete` the reply ends there; with `inspect` the packet that begins there is to be collected and accepted.
   */
  feed(chunk: Uint8Array, from: number, to: number): number {
    let at = from;
    const skip = this.#skipBytes;
    if (skip > 0) {
      if (skip > to - from) {
        this.#skipBytes = skip - (to - from);
        return to;
      }
      at = from + skip;
      this.#skipBytes = 0;
      if (this.#settleSkipped()) return at;
    }
    while (at < to) {
      if (to - at < HEADER_BYTES) return at;
      const length =
        (chunk[at] as number) | ((chunk[at + 1] as number) << 8) | ((chunk[at + 2] as number) << 16);
      if (this.#phase === ROWS && !this.#continues && length > 0) {
        if (to - at === HEADER_BYTES) return at;
        const first = chunk[at + 4] as number;
        if (first !== 0xfe && first !== 0xff) {
          if (length === FRAME_PAYLOAD_MAX) this.#continues = true;
          at += HEADER_BYTES + length;
          continue;
        }
      }
      if (this.#continues) {
        this.#continues = length === FRAME_PAYLOAD_MAX;
      } else {
        if (to - at < HEADER_BYTES + Math.min(length, OK_FIXED_BYTES_MAX)) return at;
        this.#packet(chunk, at + HEADER_BYTES, length);
        if (this.state === "inspect" || this.state === "broken") return at;
      }
      at += HEADER_BYTES + length;
      if (this.#phase === IDLE && !this.#continues) {
        if (at > to) break;
        this.state = "complete";
        return at;
      }
    }
    if (at > to) {
      this.#skipBytes = at - to;
      return to;
    }
    return at;
  }

  /** Goes on behind an inspected packet. @throws nothing: a malformed one makes the state `broken`. */
  accept(payload: Uint8Array): void {
    this.state = "more";
    const summary = this.summary;
    if (this.inspectKind === "err") {
      summary.errorCode = (payload[1] ?? 0) | ((payload[2] ?? 0) << 8);
      this.#end();
    } else if (this.inspectKind === "local_infile") {
      this.#phase = FIRST;
    } else {
      this.#acceptPrepare(payload);
    }
  }

  #acceptPrepare(payload: Uint8Array): void {
    if (payload.length < 9) {
      this.#break();
      return;
    }
    const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
    const summary = this.summary;
    summary.statementId = view.getUint32(1, true);
    summary.columnCount = view.getUint16(5, true);
    summary.parameterCount = view.getUint16(7, true);
    this.#packetsLeft = summary.parameterCount;
    if (summary.parameterCount > 0) this.#phase = PREPARE_PARAMETERS;
    else this.#beginPrepareColumns();
    if (this.#phase === IDLE) this.state = "complete";
  }

  #beginPrepareColumns(): void {
    this.#packetsLeft = this.summary.columnCount;
    this.#phase = this.#packetsLeft > 0 ? PREPARE_COLUMNS : IDLE;
  }

  /** A packet that ended the reply was itself cut by the chunk's end; now it is there. */
  #settleSkipped(): boolean {
    if (this.#phase !== IDLE || this.#continues) return false;
    this.state = "complete";
    return true;
  }

  #end(): void {
    this.#phase = IDLE;
    this.state = "complete";
  }

  #break(): void {
    this.#phase = BROKEN;
    this.state = "broken";
  }

  #inspect(kind: InspectKind): void {
    this.inspectKind = kind;
    this.state = "inspect";
  }

  /** One packet that is not a plain row. Sets the next phase; IDLE means that the reply ends with this packet. */
  #packet(chunk: Uint8Array, at: number, length: number): void {
    if (length === FRAME_PAYLOAD_MAX) this.#continues = true;
    const first = length > 0 ? (chunk[at] as number) : -1;
    switch (this.#phase) {
      case FIRST:
        this.#firstPacket(chunk, at, length, first);
        return;
      case COLUMNS:
        this.#packetsLeft -= 1;
        if (this.#packetsLeft === 0) this.#phase = this.#deprecateEof ? ROWS : COLUMNS_EOF;
        return;
      case COLUMNS_EOF:
        if (first === 0xff) this.#inspect("err");
        else if (first !== 0xfe || length !== 5) this.#break();
        else this.#columnsEnd(this.#readEof(chunk, at));
        return;
      case ROWS:
        this.#rowsPacket(chunk, at, length, first);
        return;
      case PREPARE:
        if (first === 0xff) this.#inspect("err");
        else if (first === 0) this.#inspect("prepare_ok");
        else this.#break();
        return;
      case PREPARE_PARAMETERS:
        this.#packetsLeft -= 1;
        if (this.#packetsLeft > 0) return;
        if (this.#deprecateEof) this.#beginPrepareColumns();
        else this.#phase = PREPARE_PARAMETERS_EOF;
        return;
      case PREPARE_PARAMETERS_EOF:
        this.#beginPrepareColumns();
        return;
      case PREPARE_COLUMNS:
        this.#packetsLeft -= 1;
        if (this.#packetsLeft === 0) this.#phase = this.#deprecateEof ? IDLE : PREPARE_COLUMNS_EOF;
        return;
      case ONE_PACKET:
        if (first === 0xff) this.#inspect("err");
        else this.#phase = IDLE;
        return;
      default:
        this.#phase = IDLE;
    }
  }

  #firstPacket(chunk: Uint8Array, at: number, length: number, first: number): void {
    if (first === 0xff) {
      this.#inspect("err");
      return;
    }
    if (first === 0xfb) {
      this.#inspect("local_infile");
      return;
    }
    this.summary.resultCount += 1;
    if (first === 0) {
      this.#phase = this.#readOk(chunk, at, length) & STATUS_MORE_RESULTS ? FIRST : IDLE;
    } else if (first === 0xfe && length < 9) {
      const status = length === 5 ? this.#readEof(chunk, at) : this.#readOk(chunk, at, length);
      this.#phase = status & STATUS_MORE_RESULTS ? FIRST : IDLE;
    } else {
      this.#packetsLeft = columnCountOf(chunk, at, length, first);
      if (this.#packetsLeft > 0) this.#phase = COLUMNS;
      else this.#break();
    }
  }

  #columnsEnd(status: number): void {
    this.#phase = status & STATUS_CURSOR_EXISTS ? IDLE : ROWS;
    this.#moreBehindOutParameters = status & STATUS_PS_OUT_PARAMS ? status & STATUS_MORE_RESULTS : 0;
  }

  #rowsPacket(chunk: Uint8Array, at: number, length: number, first: number): void {
    if (first === 0xff) {
      this.#inspect("err");
      return;
    }
    const isEnd = first === 0xfe && length < (this.#deprecateEof ? FRAME_PAYLOAD_MAX : 9);
    if (!isEnd) return;
    const status =
      this.#deprecateEof && length >= 7 ? this.#readOk(chunk, at, length) : this.#readEof(chunk, at);
    this.#phase = (status | this.#moreBehindOutParameters) & STATUS_MORE_RESULTS ? FIRST : IDLE;
    this.#moreBehindOutParameters = 0;
  }

  #readEof(chunk: Uint8Array, at: number): number {
    const summary = this.summary;
    summary.warnings = (chunk[at + 1] ?? 0) | ((chunk[at + 2] ?? 0) << 8);
    summary.statusFlags = (chunk[at + 3] ?? 0) | ((chunk[at + 4] ?? 0) << 8);
    return summary.statusFlags;
  }

  #readOk(chunk: Uint8Array, at: number, length: number): number {
    const insertIdAt = skipLenenc(chunk, at + 1);
    const statusAt = skipLenenc(chunk, insertIdAt);
    if (statusAt + 4 > at + length) {
      this.#break();
      return 0;
    }
    const summary = this.summary;
    if (chunk[insertIdAt] !== 0) summary.hadInsertId = true;
    summary.statusFlags = (chunk[statusAt] as number) | ((chunk[statusAt + 1] as number) << 8);
    summary.warnings = (chunk[statusAt + 2] as number) | ((chunk[statusAt + 3] as number) << 8);
    return summary.statusFlags;
  }
}

function columnCountOf(chunk: Uint8Array, at: number, length: number, first: number): number {
  if (first < 0) return 0;
  if (first < 0xfb) return length === 1 ? first : 0;
  if (first === 0xfc && length === 3) return (chunk[at + 1] as number) | ((chunk[at + 2] as number) << 8);
  if (first === 0xfd && length === 4) {
    return (chunk[at + 1] as number) | ((chunk[at + 2] as number) << 8) | ((chunk[at + 3] as number) << 16);
  }
  return 0;
}

function skipLenenc(chunk: Uint8Array, at: number): number {
  const first = chunk[at] ?? 0;
  return at + (first < 0xfb ? 1 : first === 0xfc ? 3 : first === 0xfd ? 4 : 9);
}

/** Collects one frame, header included, from chunks of any size. */
export class PacketCollector {
  #frame: Buffer = Buffer.alloc(0);
  #missingBytes = HEADER_BYTES;
  #hasHeader = false;
  complete = false;

  /** The sequence number of the collected frame. */
  get sequence(): number {
    return this.#frame[3] ?? 0;
  }

  /** Takes bytes of `chunk[from, to)` up to the end of the frame; returns where it stopped. */
  push(chunk: Uint8Array, from: number, to: number): number {
    let at = from;
    while (!this.complete && at < to) {
      const end = Math.min(to, at + this.#missingBytes);
      this.#frame = Buffer.concat([this.#frame, chunk.subarray(at, end)]);
      this.#missingBytes -= end - at;
      at = end;
      if (this.#missingBytes > 0) break;
      if (this.#hasHeader) {
        this.complete = true;
      } else {
        this.#hasHeader = true;
        this.#missingBytes = this.#frame.readUIntLE(0, 3);
        if (this.#missingBytes === 0) this.complete = true;
      }
    }
    return at;
  }

  /** The payload; the collector is empty again. */
  take(): Buffer {
    const payload = this.#frame.subarray(HEADER_BYTES);
    this.#frame = Buffer.alloc(0);
    this.#missingBytes = HEADER_BYTES;
    this.#hasHeader = false;
    this.complete = false;
    return payload;
  }
}

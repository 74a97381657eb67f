// Reads the fields of one packet, with bounds checks. Every failure is a WireError that names field and offset, never
// a byte of the content. https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_data_types.html

/** A packet that does not hold what it must. The session turns one of a login into 1043, others end the connection. */
export class WireError extends Error {
  override readonly name = "WireError";
  /** The field as the manual names it, e.g. `auth response`. */
  readonly field: string;
  /** Where it should have begun, in bytes of the payload. */
  readonly offset: number;

  constructor(field: string, offset: number, problem: string) {
    super(`Cannot read '${field}' at offset ${offset}: ${problem}`);
    this.field = field;
    this.offset = offset;
  }
}

/** Walks over one payload, field by field. Returned Buffers alias the payload. */
export class Reader {
  readonly #bytes: Buffer;
  #offset: number;

  constructor(payload: Uint8Array, offset = 0) {
    this.#bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    this.#offset = offset;
  }

  /** Where the next field begins. */
  get offset(): number {
    return this.#offset;
  }

  /** Bytes that are not read yet. */
  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  /** @throws WireError when the next byte is not `wanted`. */
  header(wanted: number, field: string): void {
    const at = this.#offset;
    if (this.u8(field) !== wanted)
      throw new WireError(field, at, `${wanted.toString(16).padStart(2, "0")} wanted`);
  }

  u8(field: string): number {
    return this.#bytes.readUInt8(this.#take(1, field));
  }

  u16(field: string): number {
    return this.#bytes.readUInt16LE(this.#take(2, field));
  }

  u24(field: string): number {
    return this.#bytes.readUIntLE(this.#take(3, field), 3);
  }

  u32(field: string): number {
    return this.#bytes.readUInt32LE(this.#take(4, field));
  }

  u64(field: string): bigint {
    return this.#bytes.readBigUInt64LE(this.#take(8, field));
  }

  /** Passes over `count` bytes of whatever content. */
  skip(count: number, field: string): void {
    this.#take(count, field);
  }

  bytes(count: number, field: string): Buffer {
    const at = this.#take(count, field);
    return this.#bytes.subarray(at, at + count);
  }

  /** All that is left. */
  rest(): Buffer {
    const at = this.#offset;
    this.#offset = this.#bytes.length;
    return this.#bytes.subarray(at);
  }

  /** Bytes up to the next NUL, which is passed over. */
  nulTerminated(field: string): Buffer {
    const end = this.#bytes.indexOf(0, this.#offset);
    if (end < 0) throw new WireError(field, this.#offset, "no NUL follows");
    return this.#upTo(end);
  }

  /** Bytes up to the next NUL, or all that is left when there is none. */
  nulTerminatedOrRest(): Buffer {
    const end = this.#bytes.indexOf(0, this.#offset);
    return end < 0 ? this.rest() : this.#upTo(end);
  }

  /**
   * A length-encoded integer that counts something in memory.
   * @throws WireError for fb (NULL), ff, and beyond 2^53.
   */
  lenencNumber(field: string): number {
    const at = this.#offset;
    const first = this.u8(field);
    if (first < 0xfb) return first;
    if (first === 0xfc) return this.u16(field);
    if (first === 0xfd) return this.u24(field);
    if (first !== 0xfe) throw noLenenc(field, at);
    const value = this.u64(field);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new WireError(field, at, "the value is beyond 2^53");
    return Number(value);
  }

  /** A length-encoded integer of the full range. Spellings longer than needed are accepted, as servers do. */
  lenenc(field: string): bigint {
    const at = this.#offset;
    const first = this.u8(field);
    if (first < 0xfb) return BigInt(first);
    if (first === 0xfc) return BigInt(this.u16(field));
    if (first === 0xfd) return BigInt(this.u24(field));
    if (first === 0xfe) return this.u64(field);
    throw noLenenc(field, at);
  }

  /** A string behind its length-encoded length. */
  lenencBytes(field: string): Buffer {
    return this.bytes(this.lenencNumber(field), field);
  }

  /** The same as a text in UTF-8. */
  lenencText(field: string): string {
    const count = this.lenencNumber(field);
    const at = this.#take(count, field);
    return this.#bytes.toString("utf8", at, at + count);
  }

  /** @throws WireError when bytes are left. */
  end(): void {
    if (this.remaining > 0) throw new WireError("end", this.#offset, `${this.remaining} bytes are left over`);
  }

  #upTo(end: number): Buffer {
    const value = this.#bytes.subarray(this.#offset, end);
    this.#offset = end + 1;
    return value;
  }

  #take(count: number, field: string): number {
    const at = this.#offset;
    const left = this.#bytes.length - at;
    if (left < count) throw new WireError(field, at, `${count} bytes wanted, ${left} left`);
    this.#offset = at + count;
    return at;
  }
}

function noLenenc(field: string, at: number): WireError {
  return new WireError(field, at, "it is no length-encoded integer");
}

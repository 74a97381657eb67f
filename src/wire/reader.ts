// Reads fields of a packet with bounds checks. Every failure names the field and the offset.

/** A packet that does not hold what it must; the session answers 1043 or ends. */
export class WireError extends Error {
  override readonly name = "WireError";
}

/** Walks over a payload. Returned views alias the payload. */
export class Reader {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(payload: Uint8Array) {
    this.#bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  /** @throws WireError when fewer than `count` bytes are left. */
  #need(count: number, field: string): number {
    if (this.remaining < count) {
      throw new WireError(
        `Cannot read '${field}' at offset ${this.#offset}: ${count} bytes wanted, ${this.remaining} left`,
      );
    }
    const at = this.#offset;
    this.#offset += count;
    return at;
  }

  u8(field: string): number {
    return this.#bytes.readUInt8(this.#need(1, field));
  }

  u16(field: string): number {
    return this.#bytes.readUInt16LE(this.#need(2, field));
  }

  u24(field: string): number {
    return this.#bytes.readUIntLE(this.#need(3, field), 3);
  }

  u32(field: string): number {
    return this.#bytes.readUInt32LE(this.#need(4, field));
  }

  u64(field: string): bigint {
    return this.#bytes.readBigUInt64LE(this.#need(8, field));
  }

  skip(count: number, field: string): void {
    this.#need(count, field);
  }

  bytes(count: number, field: string): Buffer {
    const at = this.#need(count, field);
    return this.#bytes.subarray(at, at + count);
  }

  rest(): Buffer {
    return this.bytes(this.remaining, "rest");
  }

  /** @throws WireError when no NUL follows. */
  nulTerminated(field: string): Buffer {
    const end = this.#bytes.indexOf(0, this.#offset);
    if (end < 0) throw new WireError(`Cannot read '${field}' at offset ${this.#offset}: no NUL follows`);
    const value = this.#bytes.subarray(this.#offset, end);
    this.#offset = end + 1;
    return value;
  }

  /** Up to the next NUL, or to the end when there is none. */
  nulOrEnd(): Buffer {
    const end = this.#bytes.indexOf(0, this.#offset);
    if (end < 0) return this.rest();
    const value = this.#bytes.subarray(this.#offset, end);
    this.#offset = end + 1;
    return value;
  }

  /** @throws WireError for 0xfb (NULL), 0xff and values beyond 2^53. */
  lenenc(field: string): number {
    const first = this.u8(field);
    if (first < 0xfb) return first;
    if (first === 0xfc) return this.u16(field);
    if (first === 0xfd) return this.u24(field);
    if (first === 0xfe) {
      const value = this.u64(field);
      if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
    }
    throw new WireError(`Cannot read '${field}' at offset ${this.#offset}: not a length`);
  }

  /** A length-encoded integer of the full range. */
  lenencBig(field: string): bigint {
    const first = this.u8(field);
    if (first < 0xfb) return BigInt(first);
    if (first === 0xfc) return BigInt(this.u16(field));
    if (first === 0xfd) return BigInt(this.u24(field));
    if (first === 0xfe) return this.u64(field);
    throw new WireError(`Cannot read '${field}' at offset ${this.#offset}: not a length`);
  }

  lenencBytes(field: string): Buffer {
    return this.bytes(this.lenenc(field), field);
  }
}

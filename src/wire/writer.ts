// Builds a packet's payload field by field.

/** Grows as fields are appended; `finish` returns exactly what was written. */
export class Writer {
  #bytes: Buffer;
  #length = 0;

  constructor(expectedBytes = 128) {
    this.#bytes = Buffer.allocUnsafe(expectedBytes);
  }

  #grow(count: number): number {
    const at = this.#length;
    if (at + count > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, at + count));
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    this.#length = at + count;
    return at;
  }

  u8(value: number): this {
    const at = this.#grow(1);
    this.#bytes[at] = value;
    return this;
  }

  u16(value: number): this {
    const at = this.#grow(2);
    this.#bytes.writeUInt16LE(value, at);
    return this;
  }

  u32(value: number): this {
    const at = this.#grow(4);
    this.#bytes.writeUInt32LE(value >>> 0, at);
    return this;
  }

  zeros(count: number): this {
    const at = this.#grow(count);
    this.#bytes.fill(0, at, at + count);
    return this;
  }

  bytes(value: Uint8Array): this {
    const at = this.#grow(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  text(value: string): this {
    return this.bytes(Buffer.from(value, "utf8"));
  }

  nulTerminated(value: string | Uint8Array): this {
    return this.bytes(typeof value === "string" ? Buffer.from(value, "utf8") : value).u8(0);
  }

  lenenc(value: number | bigint): this {
    const big = BigInt(value);
    if (big < 0xfbn) return this.u8(Number(big));
    if (big <= 0xffffn) return this.u8(0xfc).u16(Number(big));
    if (big <= 0xffffffn)
      return this.u8(0xfd)
        .u16(Number(big & 0xffffn))
        .u8(Number(big >> 16n));
    return this.u8(0xfe)
      .u32(Number(big & 0xffffffffn))
      .u32(Number(big >> 32n));
  }

  lenencBytes(value: Uint8Array): this {
    return this.lenenc(value.length).bytes(value);
  }

  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }
}

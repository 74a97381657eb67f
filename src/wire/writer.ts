// Writes the fields of one packet into a buffer of exactly its size; a packet whose size was computed wrongly is an
// assertion failure, not a packet. https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_data_types.html

import { assert } from "../base/assert.ts";

/** Bytes of a length-encoded integer: 1, 3, 4 or 9. */
export function lenencSize(value: number | bigint): number {
  if (value < 0xfb) return 1;
  if (value < 0x10000) return 3;
  return value < 0x1000000 ? 4 : 9;
}

/** Bytes of a string of `contentBytes` bytes behind its length-encoded length. */
export function lenencBytesSize(contentBytes: number): number {
  return lenencSize(contentBytes) + contentBytes;
}

/** Fills a buffer from front to back. */
export class Writer {
  readonly #bytes: Buffer;
  #offset = 0;

  /** `sizeBytes`: exactly what will be written. */
  constructor(sizeBytes: number) {
    this.#bytes = Buffer.allocUnsafe(sizeBytes);
  }

  u8(value: number): this {
    this.#offset = this.#bytes.writeUInt8(value, this.#advance(1));
    return this;
  }

  u16(value: number): this {
    this.#offset = this.#bytes.writeUInt16LE(value, this.#advance(2));
    return this;
  }

  u24(value: number): this {
    this.#offset = this.#bytes.writeUIntLE(value, this.#advance(3), 3);
    return this;
  }

  u32(value: number): this {
    this.#offset = this.#bytes.writeUInt32LE(value >>> 0, this.#advance(4));
    return this;
  }

  u64(value: bigint): this {
    this.#offset = this.#bytes.writeBigUInt64LE(value, this.#advance(8));
    return this;
  }

  zeros(count: number): this {
    const at = this.#advance(count);
    this.#bytes.fill(0, at, at + count);
    this.#offset = at + count;
    return this;
  }

  bytes(value: Uint8Array): this {
    const at = this.#advance(value.length);
    this.#bytes.set(value, at);
    this.#offset = at + value.length;
    return this;
  }

  /** `value` may not hold a NUL: it would end the field early. */
  nulTerminated(value: Uint8Array): this {
    assert(value.indexOf(0) < 0, "a NUL-terminated field holds a NUL");
    return this.bytes(value).u8(0);
  }

  lenenc(value: number | bigint): this {
    const size = lenencSize(value);
    if (size === 1) return this.u8(Number(value));
    if (size === 3) return this.u8(0xfc).u16(Number(value));
    if (size === 4) return this.u8(0xfd).u24(Number(value));
    return this.u8(0xfe).u64(BigInt(value));
  }

  lenencBytes(value: Uint8Array): this {
    return this.lenenc(value.length).bytes(value);
  }

  /**
   * The packet.
   * @throws AssertionFailure when it is not exactly full.
   */
  finish(): Buffer {
    assert(this.#offset === this.#bytes.length, "a packet is shorter than its computed size");
    return this.#bytes;
  }

  #advance(count: number): number {
    assert(this.#offset + count <= this.#bytes.length, "a packet is longer than its computed size");
    return this.#offset;
  }
}

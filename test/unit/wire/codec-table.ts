// One table of value <-> bytes per codec, used four ways: encode, decode, decode at every truncated length, decode with
// one byte too many.
import { describe, expect, it } from "vitest";
import { WireError } from "../../../src/wire/reader.ts";

/** One row: the same packet as a value and as bytes. */
export interface CodecRow<T> {
  readonly what: string;
  readonly value: T;
  /** Spaces are for people. */
  readonly hex: string;
  readonly capabilities?: number;
  /**
   * The shortest prefix that decodes (to another value), in bytes, or all lengths that do: the packet ends with a field
   * that takes the rest, or that may be missing. Default: no prefix decodes.
   */
  readonly decodesFrom?: number | readonly number[];
  /** The last byte may be missing without a difference: the NUL of a name at the end. */
  readonly lastByteOptional?: true;
  /** What a further byte 00 does. `refused`: WireError. `ignored`: the same value. `read`: another value. */
  readonly extra: "refused" | "ignored" | "read";
}

/** The two directions. */
export interface Codec<T> {
  readonly encode: (value: T, capabilities: number) => Uint8Array;
  readonly decode: (payload: Uint8Array, capabilities: number) => T;
}

/** Runs the table. */
export function describeCodec<T>(name: string, codec: Codec<T>, rows: readonly CodecRow<T>[]): void {
  describe.each(rows)(`${name}: $what`, (row) => {
    const bytes = Buffer.from(row.hex.replaceAll(/\s/g, ""), "hex");
    const capabilities = row.capabilities ?? 0;

    it("encodes", () => {
      expect(Buffer.from(codec.encode(row.value, capabilities)).toString("hex")).toBe(bytes.toString("hex"));
    });

    it("decodes", () => {
      expect(plain(codec.decode(bytes, capabilities))).toEqual(plain(row.value));
    });

    it("decodes from the middle of a larger buffer", () => {
      const larger = Buffer.concat([Buffer.alloc(3, 0xee), bytes, Buffer.alloc(3, 0xee)]);
      const view = new Uint8Array(larger.buffer, larger.byteOffset + 3, bytes.length);
      expect(plain(codec.decode(view, capabilities))).toEqual(plain(row.value));
    });

    it("refuses every truncated length", () => {
      for (let length = 0; length < bytes.length; length += 1) {
        const part = bytes.subarray(0, length);
        if (row.lastByteOptional && length === bytes.length - 1) {
          expect(plain(codec.decode(part, capabilities))).toEqual(plain(row.value));
        } else if (!prefixDecodes(row.decodesFrom, length)) {
          expect(() => codec.decode(part, capabilities), `${length} bytes`).toThrow(WireError);
        } else {
          expect(plain(codec.decode(part, capabilities)), `${length} bytes`).not.toEqual(plain(row.value));
        }
      }
    });

    it(`has a byte too many ${row.extra}`, () => {
      const longer = Buffer.concat([bytes, Buffer.from([0])]);
      if (row.extra === "refused") {
        expect(() => codec.decode(longer, capabilities)).toThrow(WireError);
        return;
      }
      const value = plain(codec.decode(longer, capabilities));
      if (row.extra === "ignored") expect(value).toEqual(plain(row.value));
      else expect(value).not.toEqual(plain(row.value));
    });
  });
}

function prefixDecodes(decodesFrom: number | readonly number[] | undefined, length: number): boolean {
  if (decodesFrom === undefined) return false;
  return typeof decodesFrom === "number" ? length >= decodesFrom : decodesFrom.includes(length);
}

/** Buffers and Uint8Arrays of equal bytes are equal here; everything else stays. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString("hex")}`;
  if (value instanceof Map) return new Map(value);
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, plain(field)]));
  }
  return value;
}

/** Bytes from hex with spaces. */
export function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ""), "hex");
}

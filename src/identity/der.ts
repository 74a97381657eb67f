// Reads DER (ITU-T X.690), as much of it as certificates need: definite lengths, tags of one byte. Strict where two
// readings of the same bytes would be possible.

/** One element. */
export interface DerElement {
  /** The identifier byte, e.g. 0x30 for SEQUENCE. */
  readonly tag: number;
  /** The content; a view of the input. */
  readonly content: Uint8Array;
}

/** Thrown for bytes that are not DER. */
export class DerError extends Error {
  override readonly name = "DerError";
}

/**
 * The elements that lie side by side in `bytes`.
 * @throws DerError when they do not fill `bytes` exactly.
 */
export function readDer(bytes: Uint8Array): DerElement[] {
  const elements: DerElement[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const tag = byteAt(bytes, offset);
    if ((tag & 0x1f) === 0x1f) throw new DerError("a tag of several bytes");
    const first = byteAt(bytes, offset + 1);
    offset += 2;
    let length = first;
    if (first >= 0x80) {
      const count = first & 0x7f;
      if (count === 0 || count > 4) throw new DerError("an indefinite or too large length");
      length = 0;
      for (let index = 0; index < count; index++) length = length * 256 + byteAt(bytes, offset + index);
      const isShortest = length >= 0x80 && (count === 1 || length >= 256 ** (count - 1));
      if (!isShortest) throw new DerError("a length that is not written shortest");
      offset += count;
    }
    if (offset + length > bytes.length) throw new DerError("an element that is cut short");
    elements.push({ tag, content: bytes.subarray(offset, offset + length) });
    offset += length;
  }
  return elements;
}

/**
 * The only element in `bytes`, which must have `tag`.
 * @throws DerError when it is another one, or not alone.
 */
export function readOnly(bytes: Uint8Array, tag: number): Uint8Array {
  const [element, ...others] = readDer(bytes);
  if (element === undefined || others.length > 0 || element.tag !== tag) {
    throw new DerError(`not exactly one element with the tag 0x${tag.toString(16)}`);
  }
  return element.content;
}

function byteAt(bytes: Uint8Array, offset: number): number {
  const byte = bytes[offset];
  if (byte === undefined) throw new DerError("an element that is cut short");
  return byte;
}

// Reads DER (ITU-T X.690) element by element, strictly: definite and minimal lengths, nothing beyond the end. Knows no
// certificate. Hostile input throws DerError and nothing else, and costs time in proportion to its length.

/** Bytes that are not DER, or not the structure asked for. */
export class DerError extends Error {
  override readonly name = "DerError";
}

export const derTag = {
  boolean: 0x01,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One element: its identifier octet and its content, which aliases the bytes read. */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
}

/** The elements that `bytes` consist of, to the last byte. @throws DerError */
export function readDerElements(bytes: Uint8Array): DerElement[] {
  const elements: DerElement[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const tag = bytes[offset] ?? 0;
    if ((tag & 0x1f) === 0x1f) throw new DerError("Cannot read a tag of several bytes");
    const { length, start } = readLength(bytes, offset + 1);
    const end = start + length;
    if (end > bytes.length) throw new DerError("Cannot read an element: it is cut short");
    elements.push({ tag, content: bytes.subarray(start, end) });
    offset = end;
  }
  return elements;
}

/** The content of the one element that `bytes` consist of. @throws DerError when it is another, or not alone */
export function readDerElement(bytes: Uint8Array, tag: number): Uint8Array {
  const [element, ...more] = readDerElements(bytes);
  if (element === undefined || more.length > 0) throw new DerError("Cannot read one element alone");
  return contentOf(element, tag);
}

/** The content of `element`. @throws DerError when it is missing or of another tag */
export function contentOf(element: DerElement | undefined, tag: number): Uint8Array {
  if (element?.tag !== tag) throw new DerError(`Cannot find an element of tag 0x${tag.toString(16)}`);
  return element.content;
}

/** 00-7f: the length; 81-84: that many bytes of length follow, without leading zeros. 80 (indefinite) is BER only. */
function readLength(bytes: Uint8Array, offset: number): { length: number; start: number } {
  const first = bytes[offset];
  if (first === undefined) throw new DerError("Cannot read a length: it is cut short");
  if (first < 0x80) return { length: first, start: offset + 1 };
  const count = first & 0x7f;
  if (count === 0 || count > 4) throw new DerError("Cannot read a length that is indefinite or too large");
  const digits = bytes.subarray(offset + 1, offset + 1 + count);
  if (digits.length < count) throw new DerError("Cannot read a length: it is cut short");
  const length = digits.reduce((sum, digit) => sum * 256 + digit, 0);
  if (digits[0] === 0 || length < 0x80) throw new DerError("Cannot read a length that is not minimal");
  return { length, start: offset + 1 + count };
}

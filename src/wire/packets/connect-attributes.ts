// Connection attributes: pairs of strings that a client tells about itself at the end of its login. They are for logs
// only and prove nothing. https://dev.mysql.com/doc/refman/8.4/en/performance-schema-connection-attribute-tables.html

import { CONNECT_ATTRIBUTES_BYTES_MAX, CONNECT_ATTRIBUTES_MAX } from "../limits.ts";
import { Reader, WireError } from "../reader.ts";
import { lenencBytesSize, Writer } from "../writer.ts";

/** Names and values. A Map is one. */
export interface ConnectAttributes extends Iterable<readonly [string, string]> {
  get(name: string): string | undefined;
  readonly size: number;
}

/** Attributes as they came: made texts when somebody asks, which nobody does of most sessions. */
class LateAttributes implements ConnectAttributes {
  readonly #bytes: Uint8Array;
  #pairs: ReadonlyMap<string, string> | null = null;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get(name: string): string | undefined {
    return this.#texts.get(name);
  }

  get size(): number {
    return this.#texts.size;
  }

  [Symbol.iterator](): Iterator<[string, string]> {
    return this.#texts[Symbol.iterator]();
  }

  get #texts(): ReadonlyMap<string, string> {
    this.#pairs ??= pairsOf(this.#bytes);
    return this.#pairs;
  }
}

/** Bytes of {@link writeConnectAttributes}. */
export function connectAttributesSize(attributes: ConnectAttributes): number {
  return lenencBytesSize(pairsSize(attributes));
}

/** Writes the pairs behind their total length. */
export function writeConnectAttributes(writer: Writer, attributes: ConnectAttributes): Writer {
  const pairs = new Writer(pairsSize(attributes));
  for (const [key, value] of attributes) pairs.lenencBytes(Buffer.from(key)).lenencBytes(Buffer.from(value));
  return writer.lenencBytes(pairs.finish());
}

/**
 * Reads the pairs behind their total length. As servers do, it holds a login to the total length only: pairs that are
 * malformed inside it end the list and nothing more. Of a repeated name the last value stays.
 * @throws WireError when the length is missing, beyond the packet, or beyond 64 KiB.
 */
export function readConnectAttributes(reader: Reader): ConnectAttributes {
  const at = reader.offset;
  const totalBytes = reader.lenencNumber("connection attributes");
  if (totalBytes > CONNECT_ATTRIBUTES_BYTES_MAX) {
    throw new WireError(
      "connection attributes",
      at,
      `${totalBytes} bytes are beyond ${CONNECT_ATTRIBUTES_BYTES_MAX}`,
    );
  }
  // Memory of its own: a piece of a larger block would keep that alive for as long as the session lives.
  return new LateAttributes(
    Uint8Array.prototype.slice.call(reader.bytes(totalBytes, "connection attributes")),
  );
}

function pairsOf(bytes: Uint8Array): ReadonlyMap<string, string> {
  const pairs = new Reader(bytes);
  const attributes = new Map<string, string>();
  try {
    while (pairs.remaining > 0 && attributes.size < CONNECT_ATTRIBUTES_MAX) {
      const key = pairs.lenencText("attribute name");
      attributes.set(key, pairs.lenencText("attribute value"));
    }
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
  return attributes;
}

function pairsSize(attributes: ConnectAttributes): number {
  let size = 0;
  for (const [key, value] of attributes) {
    size += lenencBytesSize(Buffer.byteLength(key)) + lenencBytesSize(Buffer.byteLength(value));
  }
  return size;
}

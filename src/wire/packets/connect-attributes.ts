// Connection attributes: pairs of strings that a client tells about itself at the end of its login. They are for logs
// only and prove nothing. https://dev.mysql.com/doc/refman/8.4/en/performance-schema-connection-attribute-tables.html

import { CONNECT_ATTRIBUTES_BYTES_MAX, CONNECT_ATTRIBUTES_MAX } from "../limits.ts";
import { Reader, WireError } from "../reader.ts";
import { lenencBytesSize, Writer } from "../writer.ts";

/** Names and values. */
export type ConnectAttributes = ReadonlyMap<string, string>;

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
  const pairs = new Reader(reader.bytes(totalBytes, "connection attributes"));
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

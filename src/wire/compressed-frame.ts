// Frames of the compressed protocol, as far as somebody must know them who does not speak it: how to tell one that was
// sent all the same, and how to put a packet into one as it is.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_compression_packet.html

const PACKET_HEADER_BYTES = 4;
const FRAME_HEADER_BYTES = 7;
/** The first byte of a zlib stream with a window of 32 KiB, which is what clients make. */
const ZLIB = 0x78;

/**
 * Whether what was read as a packet, with its header, is the beginning of a frame of less than 64 KiB. In a packet the
 * length of the content would be a command, and text that no client begins with.
 */
export function isCompressedFrame(packet: Uint8Array): boolean {
  const [low, middle, high, first] = packet.subarray(PACKET_HEADER_BYTES);
  if (high !== 0) return false;
  return (low === 0 && middle === 0) || first === ZLIB;
}

/** A frame with `packet` (header and payload, of less than 16 MiB) in it, not compressed. */
export function storedFrame(packet: Uint8Array, sequence: number): Buffer {
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + packet.length);
  frame.writeUIntLE(packet.length, 0, 3);
  frame[3] = sequence;
  frame.set(packet, FRAME_HEADER_BYTES);
  return frame;
}

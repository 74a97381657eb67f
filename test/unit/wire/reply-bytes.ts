// Replies as bytes, from hex.
import { hex } from "./codec-table.ts";

/** Packets below 16 MiB as frames, numbered from 1. */
export function packets(bodies: readonly string[]): Buffer {
  return Buffer.concat(
    bodies.map((body, index) => {
      const payload = hex(body);
      const header = Buffer.alloc(4);
      header.writeUIntLE(payload.length, 0, 3);
      header[3] = (index + 1) & 0xff;
      return Buffer.concat([header, payload]);
    }),
  );
}

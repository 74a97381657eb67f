// Random bytes in small portions: drawn from the system in one call for many, each byte handed out once.

import { randomFillSync } from "node:crypto";

/** Drawn at a time, in bytes. */
const POOL_BYTES = 4096;

const pool = new Uint8Array(POOL_BYTES);
/** Bytes of the pool that were handed out. */
let used = POOL_BYTES;

/** `count` bytes that nobody has seen before, fit for scrambles and keys. */
export function randomPortion(count: number): Uint8Array {
  const portion = new Uint8Array(count);
  if (count > POOL_BYTES) return randomFillSync(portion);
  if (used + count > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  for (let index = 0; index < count; index += 1) {
    portion[index] = pool[used + index] ?? 0;
    pool[used + index] = 0;
  }
  used += count;
  return portion;
}

// Random bytes in small portions: drawn from the system in one call for many, each byte handed out once.

import { randomFillSync } from "node:crypto";

/** Drawn at a time, in bytes. */
const POOL_BYTES = 4096;

let pool = Buffer.alloc(0);

/** `count` bytes that nobody has seen before, fit for scrambles and keys. */
export function randomPortion(count: number): Uint8Array {
  if (count > POOL_BYTES) return randomFillSync(Buffer.allocUnsafe(count));
  if (pool.length < count) pool = randomFillSync(Buffer.allocUnsafe(POOL_BYTES));
  const portion = Uint8Array.prototype.slice.call(pool, 0, count);
  pool.fill(0, 0, count);
  pool = pool.subarray(count);
  return portion;
}

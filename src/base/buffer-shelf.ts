// Read buffers that wait to be used again. A fresh one per connection is memory outside of the heap that the garbage
// collector pays for: a quarter of a login's CPU time.

/** Buffers kept per size; beyond, they are left to the garbage collector. */
const KEPT_MAX = 512;

const shelves = new Map<number, Buffer[]>();

/** A buffer of `bytes`; its content is whatever was read into it last, so only what was read anew may be looked at. */
export function takeReadBuffer(bytes: number): Buffer {
  return shelves.get(bytes)?.pop() ?? Buffer.allocUnsafeSlow(bytes);
}

/** Gives a buffer back that nothing refers to any more. */
export function giveReadBuffer(buffer: Buffer): void {
  const shelf = shelves.get(buffer.length);
  if (shelf === undefined) shelves.set(buffer.length, [buffer]);
  else if (shelf.length < KEPT_MAX) shelf.push(buffer);
}

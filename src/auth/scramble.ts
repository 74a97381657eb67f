// The random bytes of a login, and the one operation that all methods do with them.

/** Length of a scramble in bytes. */
export const scrambleBytes = 20;

/**
 * 20 fresh bytes: seven bits each, as clients read them as text; none of them 0x00, which would end that text, or `$`,
 * which separates the parts of MySQL's stored passwords.
 */
export function createScramble(randomBytes: (count: number) => Uint8Array): Uint8Array {
  const scramble = new Uint8Array(scrambleBytes);
  let filled = 0;
  while (filled < scrambleBytes) {
    const random = randomBytes(scrambleBytes);
    for (let index = 0; index < random.length; index += 1) {
      const byte = (random[index] ?? 0) & 0x7f;
      if (byte === 0x00 || byte === 0x24 || filled === scrambleBytes) continue;
      scramble[filled] = byte;
      filled += 1;
    }
  }
  return scramble;
}

/** `bytes` XOR `mask`; the mask is repeated when it is shorter. */
export function xorBytes(bytes: Uint8Array, mask: Uint8Array): Uint8Array {
  const result = new Uint8Array(bytes.length);
  for (let index = 0; index < bytes.length; index += 1) {
    result[index] = (bytes[index] ?? 0) ^ (mask[index % mask.length] ?? 0);
  }
  return result;
}

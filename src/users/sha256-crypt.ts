// SHA-256 crypt (https://www.akkadia.org/drepper/SHA-crypt.txt) as MySQL's caching_sha2_password stores passwords:
// the whole 20-byte salt counts, not only 16 bytes of it. Pure and slow on purpose: about a millisecond per thousand
// rounds, so logins run it in a thread of its own (auth/crypt-worker).

import { hash } from "node:crypto";

/** The one digest that is needed, as `crypto.hash("sha256", bytes, "buffer")` gives it. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/**
 * The 43 characters of the hash of `password`. `rounds` is the true number (5000 for `$A$005$`).
 *
 * It uses nothing outside of itself but its parameters and globals: the worker thread is started from its text.
 */
export function sha256Crypt(password: Uint8Array, salt: Uint8Array, rounds: number, sha256: Sha256): string {
  const join = (parts: readonly Uint8Array[]): Uint8Array => {
    const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
    let offset = 0;
    for (const part of parts) {
      joined.set(part, offset);
      offset += part.length;
    }
    return joined;
  };
  /** `digest` again and again, cut at `length`. */
  const stretch = (digest: Uint8Array, length: number): Uint8Array =>
    Uint8Array.from({ length }, (_, index) => digest[index % digest.length] ?? 0);

  // B = SHA256(P S P); A = SHA256(P S B-stretched, then per bit of |P|, lowest first: B for 1, P for 0)
  const b = sha256(join([password, salt, password]));
  const start: Uint8Array[] = [password, salt, stretch(b, password.length)];
  for (let bits = password.length; bits > 0; bits >>= 1) start.push((bits & 1) === 1 ? b : password);
  let digest = sha256(join(start));

  // DP = SHA256(P, |P| times); DS = SHA256(S, 16 + A[0] times)
  const p = stretch(sha256(join(Array<Uint8Array>(password.length).fill(password))), password.length);
  const s = stretch(sha256(join(Array<Uint8Array>(16 + (digest[0] ?? 0)).fill(salt))), salt.length);

  // Rounds are written into one block of memory: they are all the time that this takes.
  const block = new Uint8Array(digest.length + s.length + 2 * p.length);
  for (let round = 0; round < rounds; round++) {
    let length = 0;
    const append = (part: Uint8Array): void => {
      block.set(part, length);
      length += part.length;
    };
    append(round % 2 === 1 ? p : digest);
    if (round % 3 !== 0) append(s);
    if (round % 7 !== 0) append(p);
    append(round % 2 === 1 ? digest : p);
    digest = sha256(block.subarray(0, length));
  }

  // Three bytes make four characters, six bits each, lowest first; the order of the bytes is the specification's.
  const alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  let text = "";
  for (let group = 0; group < 11; group++) {
    const first = group < 10 ? [0, 10, 20].map((byte) => (byte + 21 * group) % 30) : [-1, 31, 30];
    const [high = 0, middle = 0, low = 0] = first.map((index) => digest[index] ?? 0);
    let bits = (high << 16) | (middle << 8) | low;
    for (let character = group < 10 ? 4 : 3; character > 0; character--) {
      text += alphabet[bits & 63] ?? "";
      bits >>= 6;
    }
  }
  return text;
}

/** The digest of this machine's OpenSSL, for {@link sha256Crypt} outside of the worker thread. */
export const sha256: Sha256 = (bytes) => hash("sha256", bytes, "buffer");

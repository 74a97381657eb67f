// A credential of a users-file entry, decoded: what the hashes of caching_sha2_password and mysql_native_password look
// like. Never logged, never printed; a password in clear is turned into digests at once and not kept.

import { hash } from "node:crypto";

/** One form of an entry's password. */
export type Credential =
  /** A password that the file has in clear: both double digests of it. */
  | { readonly kind: "clear"; readonly native: Uint8Array; readonly sha2: Uint8Array }
  /** SHA1(SHA1(password)), 20 bytes. */
  | { readonly kind: "native"; readonly digest: Uint8Array }
  /** SHA256(SHA256(password)), 32 bytes. */
  | { readonly kind: "sha2"; readonly digest: Uint8Array }
  | Sha256CryptCredential;

/** MySQL's `$A$<rounds>$<salt><hash>` (SHA-256 crypt): it can only check a password in clear. */
export interface Sha256CryptCredential {
  readonly kind: "sha256crypt";
  /** The complete authentication string: key of the digest cache. */
  readonly authenticationString: string;
  /** Rounds, already multiplied by 1000. */
  readonly rounds: number;
  /** 20 bytes. */
  readonly salt: Uint8Array;
  /** 43 characters of crypt's base64. */
  readonly hash: string;
}

/** A decoded value, or the predicate of a sentence about it (`must be ...`) that does not repeat it. */
export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly must: string };

/** Longest password in bytes, as MySQL's caching_sha2_password has it. */
export const passwordBytesMax = 256;

/** More than this many thousand rounds of SHA-256 crypt are refused: 15,000 cost tens of milliseconds a login. */
export const cryptKiloRoundsMax = 0x0f;

/** SHA1(SHA1(password)), as `mysql.user` holds it for mysql_native_password. */
export function nativeDigestOf(password: Uint8Array): Uint8Array {
  return digestTwice("sha1", password);
}

/** SHA256(SHA256(password)), as caching_sha2_password keeps it in its cache. */
export function sha2DigestOf(password: Uint8Array): Uint8Array {
  return digestTwice("sha256", password);
}

/** Decodes `Password`. */
export function decodePassword(text: string): Decoded<Credential> {
  if (text === "")
    return { ok: false, must: "must not be empty: leave it out for an entry without a password" };
  const bytes = Buffer.from(text);
  if (bytes.length > passwordBytesMax) {
    return { ok: false, must: `must have at most ${passwordBytesMax} bytes` };
  }
  if (bytes.includes(0)) return { ok: false, must: "must not hold a NUL character: no client can send it" };
  return {
    ok: true,
    value: { kind: "clear", native: nativeDigestOf(bytes), sha2: sha2DigestOf(bytes) },
  };
}

/** Decodes `MysqlNativePassword`: `*` (optional) and 40 hexadecimal digits. */
export function decodeNativeHash(text: string): Decoded<Credential> {
  const digest = decodeHexDigest(text, 20);
  if (digest === null) {
    return {
      ok: false,
      must: 'must be "*" and the 40 hexadecimal digits of SHA1(SHA1(password))',
    };
  }
  if (equalBytes(digest, emptyNativeDigest)) return { ok: false, must: mustNotBeEmptyHash };
  return { ok: true, value: { kind: "native", digest } };
}

/**
 * Decodes `CachingSha2Password`: `*` (optional) and 64 hexadecimal digits, or MySQL's authentication string as it
 * stands in `mysql.user`, also as `0x` and hexadecimal digits, as `SHOW CREATE USER` prints it with
 * print_identified_with_as_hex (its salt may be unprintable).
 */
export function decodeSha2Hash(text: string): Decoded<Credential> {
  const hex = /^0[xX]((?:[0-9a-fA-F]{2})+)$/.exec(text)?.[1];
  const plain = hex === undefined ? text : Buffer.from(hex, "hex").toString("latin1");
  if (plain.startsWith("$")) return decodeAuthenticationString(plain);
  const digest = hex === undefined ? decodeHexDigest(text, 32) : null;
  if (digest === null) {
    return {
      ok: false,
      must: 'must be "*" and the 64 hexadecimal digits of SHA256(SHA256(password)), or MySQL\'s own "$A$..." string, also as "0x" and hexadecimal digits',
    };
  }
  if (equalBytes(digest, emptySha2Digest)) return { ok: false, must: mustNotBeEmptyHash };
  return { ok: true, value: { kind: "sha2", digest } };
}

/** `$A$NNN$`, 20 bytes of salt, 43 characters: sql/auth/sha2_password.cc of MySQL, `deserialize`. */
function decodeAuthenticationString(text: string): Decoded<Credential> {
  const match = /^\$A\$([0-9a-fA-F]{3})\$([\x01-\x7f]{20})([./0-9A-Za-z]{43})$/.exec(text);
  if (match === null) {
    return {
      ok: false,
      must: 'must be "$A$", three hexadecimal digits, "$", 20 characters of salt and 43 of hash: where the salt is unprintable, write the whole string as "0x" and hexadecimal digits',
    };
  }
  const kiloRounds = Number.parseInt(match[1] ?? "", 16);
  if (kiloRounds < 1 || kiloRounds > cryptKiloRoundsMax) {
    return {
      ok: false,
      must: 'must have between 001 and 00F thousand rounds (the three digits after "$A$")',
    };
  }
  return {
    ok: true,
    value: {
      kind: "sha256crypt",
      authenticationString: text,
      rounds: kiloRounds * 1000,
      salt: Buffer.from(match[2] ?? "", "latin1"),
      hash: match[3] ?? "",
    },
  };
}

function decodeHexDigest(text: string, bytes: number): Uint8Array | null {
  const digits = text.startsWith("*") ? text.slice(1) : text;
  return digits.length === bytes * 2 && /^[0-9a-fA-F]*$/.test(digits) ? Buffer.from(digits, "hex") : null;
}

function digestTwice(algorithm: "sha1" | "sha256", password: Uint8Array): Uint8Array {
  // A large file makes hundreds of thousands of these: neither a hash object nor a memory block of its own for each.
  const once = Buffer.from(hash(algorithm, password, "binary"), "binary");
  return Buffer.from(hash(algorithm, once, "binary"), "binary");
}

function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}

const emptyNativeDigest = nativeDigestOf(new Uint8Array(0));
const emptySha2Digest = sha2DigestOf(new Uint8Array(0));
const mustNotBeEmptyHash =
  "must not be the hash of the empty string: leave it out for an entry without a password";

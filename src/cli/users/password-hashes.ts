// Makes passwords and the hashes of them that a users file can hold.

import { randomBytes } from "node:crypto";
import { nativeDigestOf, sha2DigestOf } from "../../users/credential.ts";
import { sha256, sha256Crypt } from "../../users/sha256-crypt.ts";

/** Random bytes in a made password: 256 bits, so that a fast hash of it cannot be guessed. */
const passwordRandomBytes = 32;

/** Thousands of rounds of the `$A$` form: MySQL's own default. */
const cryptKiloRounds = 5;

const cryptAlphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Which hashes an entry gets. */
export type HashKind = "sha2" | "native";

/** A password of 32 random bytes: 43 characters, none of which a shell or a URL treats specially. */
export function makePassword(random: (size: number) => Uint8Array = randomBytes): string {
  return Buffer.from(random(passwordRandomBytes)).toString("base64url");
}

/** `*` and hexadecimal digits of SHA1(SHA1(password)). */
export function nativeHash(password: string): string {
  return `*${Buffer.from(nativeDigestOf(Buffer.from(password)))
    .toString("hex")
    .toUpperCase()}`;
}

/** `*` and hexadecimal digits of SHA256(SHA256(password)). */
export function sha2Hash(password: string): string {
  return `*${Buffer.from(sha2DigestOf(Buffer.from(password)))
    .toString("hex")
    .toUpperCase()}`;
}

/** MySQL's `$A$005$` string with a printable salt of 20 characters (120 random bits). */
export function cryptHash(password: string, random: (size: number) => Uint8Array = randomBytes): string {
  const salt = [...random(20)].map((byte) => cryptAlphabet[byte % 64] ?? ".").join("");
  const hash = sha256Crypt(Buffer.from(password), Buffer.from(salt), cryptKiloRounds * 1000, sha256);
  return `$A$${cryptKiloRounds.toString(16).padStart(3, "0").toUpperCase()}$${salt}${hash}`;
}

/** The keys of an entry for `password`. */
export function credentialKeys(password: string, kinds: readonly HashKind[]): Record<string, string> {
  return {
    ...(kinds.includes("native") ? { MysqlNativePassword: nativeHash(password) } : {}),
    ...(kinds.includes("sha2") ? { CachingSha2Password: sha2Hash(password) } : {}),
  };
}

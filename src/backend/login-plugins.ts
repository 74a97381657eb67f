// The client's side of authentication plugins: what we answer to a server's scramble. Pure functions over bytes.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_caching_sha2_authentication_exchanges.html

import { constants, createHash, createPublicKey, publicEncrypt } from "node:crypto";
import { BackendLoginError } from "./login-error.ts";

/** Plugins that we can log in with. */
export type LoginPlugin =
  | "mysql_native_password"
  | "caching_sha2_password"
  | "sha256_password"
  | "mysql_clear_password";

const plugins: readonly LoginPlugin[] = [
  "mysql_native_password",
  "caching_sha2_password",
  "sha256_password",
  "mysql_clear_password",
];

/** The plugin of that name; null when we cannot log in with it. */
export function loginPlugin(name: string): LoginPlugin | null {
  return plugins.find((plugin) => plugin === name) ?? null;
}

function digest(algorithm: "sha1" | "sha256", ...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** `left XOR right`, `right` repeated as needed. */
function xor(left: Uint8Array, right: Uint8Array): Buffer {
  return Buffer.from(left.map((byte, index) => byte ^ (right[index % right.length] ?? 0)));
}

/** `SHA1(password) XOR SHA1(scramble + SHA1(SHA1(password)))`: 20 bytes; empty for an empty password. */
export function nativeResponse(password: string, scramble: Uint8Array): Buffer {
  if (password === "") return Buffer.alloc(0);
  const stage1 = digest("sha1", Buffer.from(password));
  return xor(stage1, digest("sha1", scramble, digest("sha1", stage1)));
}

/** `SHA256(password) XOR SHA256(SHA256(SHA256(password)) + scramble)`: 32 bytes; empty for an empty password. */
export function cachingSha2Response(password: string, scramble: Uint8Array): Buffer {
  if (password === "") return Buffer.alloc(0);
  const stage1 = digest("sha256", Buffer.from(password));
  return xor(stage1, digest("sha256", digest("sha256", stage1), scramble));
}

/** The password in clear with its closing NUL: for secure transports only. */
export function clearResponse(password: string): Buffer {
  return Buffer.from(`${password}\0`);
}

/**
 * `RSA-OAEP-SHA1(key, (password NUL) XOR scramble)`.
 * @throws BackendLoginError `protocol` when `pem` is no RSA key, or too small for the password.
 */
export function rsaResponse(password: string, scramble: Uint8Array, pem: Uint8Array): Buffer {
  try {
    const key = createPublicKey({ key: Buffer.from(pem), format: "pem" });
    if (key.asymmetricKeyType !== "rsa") throw new Error("not an RSA key");
    return publicEncrypt(
      { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha1" },
      xor(clearResponse(password), scramble),
    );
  } catch {
    // The cause may show what was to be encrypted.
    throw new BackendLoginError("protocol", "The server's public key cannot be used for the password");
  }
}

// The client's side of the password methods, for tests.
// native:       SHA1(password) XOR SHA1(scramble + SHA1(SHA1(password)))
// caching_sha2: SHA256(password) XOR SHA256(SHA256(SHA256(password)) + scramble)
// RSA:          OAEP(SHA-1) of (password NUL) XOR scramble, repeated
import { constants, createHash, publicEncrypt } from "node:crypto";

const digest = (name: string, ...parts: (string | Uint8Array)[]): Buffer => {
  const hash = createHash(name);
  for (const part of parts) hash.update(part);
  return hash.digest();
};

const xor = (left: Uint8Array, right: Uint8Array): Buffer =>
  Buffer.from(left.map((byte, index) => byte ^ (right[index % right.length] ?? 0)));

/** The 20 bytes of mysql_native_password; empty for an empty password. */
export function nativeResponse(password: string, scramble: Uint8Array): Buffer {
  if (password === "") return Buffer.alloc(0);
  const stage1 = digest("sha1", password);
  return xor(stage1, digest("sha1", scramble, digest("sha1", stage1)));
}

/** The 32 bytes of caching_sha2_password's fast path; empty for an empty password. */
export function sha2Response(password: string, scramble: Uint8Array): Buffer {
  if (password === "") return Buffer.alloc(0);
  const stage1 = digest("sha256", password);
  return xor(stage1, digest("sha256", digest("sha256", stage1), scramble));
}

/** The password in clear with its NUL. */
export function clearResponse(password: string): Buffer {
  return Buffer.from(`${password}\0`);
}

/** The password encrypted for the server's public key. */
export function rsaResponse(password: string, scramble: Uint8Array, publicKeyPem: string): Buffer {
  return publicEncrypt(
    { key: publicKeyPem, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha1" },
    xor(clearResponse(password), scramble),
  );
}

/** `*` + hex SHA1(SHA1(password)), as users.json and mysql.user spell it. */
export function nativeHash(password: string): string {
  return `*${digest("sha1", digest("sha1", password)).toString("hex").toUpperCase()}`;
}

/** `*` + hex SHA256(SHA256(password)), as users.json spells it. */
export function sha2Hash(password: string): string {
  return `*${digest("sha256", digest("sha256", password)).toString("hex").toUpperCase()}`;
}

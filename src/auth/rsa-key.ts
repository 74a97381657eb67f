// The RSA key by which clients send a password over plain TCP
// (https://dev.mysql.com/doc/refman/8.4/en/caching-sha2-pluggable-authentication.html): RSA-OAEP with SHA-1.
// Decryption runs in Node's thread pool, off the event loop.

import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject, webcrypto } from "node:crypto";
import { promisify } from "node:util";

/** A key pair of which only the public half can be read. */
export interface RsaKey {
  /** What clients are sent: `-----BEGIN PUBLIC KEY-----` ... */
  readonly publicKeyPem: string;
  /** Length of a ciphertext. */
  readonly bytes: number;
  /** null: the ciphertext was not made for this key. */
  decrypt(ciphertext: Uint8Array): Promise<Uint8Array | null>;
}

/** Bits of a usable key: less is weak, more costs every login too much. */
const rsaBitsMin = 2048;
const rsaBitsMax = 4096;

/** Makes a new 2048-bit key. Returns its private half as PEM, so that several processes can share one. */
export async function generateRsaKeyPem(): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: rsaBitsMin });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** Reads a private key from PEM; a string is the sentence that says what is wrong with it. */
export async function importRsaKey(privateKeyPem: string | Uint8Array): Promise<RsaKey | string> {
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey({ key: Buffer.from(privateKeyPem), format: "pem" });
  } catch {
    return "The file is not a private key in PEM without a passphrase";
  }
  const bits = privateKey.asymmetricKeyDetails?.modulusLength ?? 0;
  if (privateKey.asymmetricKeyType !== "rsa") return "The private key is not an RSA key";
  if (bits < rsaBitsMin || bits > rsaBitsMax) {
    return `The RSA key has ${bits} bits: it must have between ${rsaBitsMin} and ${rsaBitsMax}`;
  }
  const der = privateKey.export({ type: "pkcs8", format: "der" });
  const algorithm = { name: "RSA-OAEP", hash: "SHA-1" };
  const key = await webcrypto.subtle.importKey("pkcs8", der, algorithm, false, ["decrypt"]);
  return {
    publicKeyPem: createPublicKey(privateKey).export({ type: "spki", format: "pem" }).toString(),
    bytes: Math.ceil(bits / 8),
    decrypt: async (ciphertext) => {
      try {
        return new Uint8Array(await webcrypto.subtle.decrypt({ name: "RSA-OAEP" }, key, ciphertext));
      } catch {
        return null;
      }
    },
  };
}

// All the computing that logins cause, in one interface: what the judges count when they ask whether known and unknown
// users are treated alike.

import { hash } from "node:crypto";
import { type CryptJob, createCryptThread } from "./crypt-thread.ts";

/** Digests for logins. RSA has its own interface ({@link RsaKey}), as its key is replaced at run time. */
export interface LoginCrypto {
  /** SHA1 of all parts together, 20 bytes. */
  sha1(...parts: readonly Uint8Array[]): Uint8Array;
  /** SHA256 of all parts together, 32 bytes. */
  sha256(...parts: readonly Uint8Array[]): Uint8Array;
  /**
   * SHA-256 crypt, off the event loop: the hash of `password` for each job.
   * @throws Error when it cannot be computed.
   */
  crypt(password: Uint8Array, jobs: readonly CryptJob[]): Promise<readonly string[]>;
  /** Ends what runs; nothing can be computed afterwards. */
  close(): void;
}

const nothing = new Uint8Array(0);

/** The real thing. */
export function createLoginCrypto(): LoginCrypto {
  const thread = createCryptThread();
  const digest = (algorithm: string, [first = nothing, ...others]: readonly Uint8Array[]): Uint8Array =>
    // As text and back: Node makes a text in a third less time than a Buffer with memory of its own.
    Buffer.from(
      hash(algorithm, others.length === 0 ? first : Buffer.concat([first, ...others]), "binary"),
      "binary",
    );
  return {
    sha1: (...parts) => digest("sha1", parts),
    sha256: (...parts) => digest("sha256", parts),
    crypt: (password, jobs) => thread.crypt(password, jobs),
    close: () => thread.close(),
  };
}

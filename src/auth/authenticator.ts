// The judge of logins: static users. It keeps what logins share (digest cache, queues) and makes one conversation for
// each. No sockets, no files: users and RSA key are given to it, fresh for every login.

import { BoundedCache } from "../base/bounded-cache.ts";
import type { Clock } from "../base/clock.ts";
import type { ProxyUserOptions } from "../users/proxy-users.ts";
import { emptyUserDirectory, type UserDirectory } from "../users/user-directory.ts";
import { type AuthExchange, type AuthenticatedUser, decided } from "./auth-exchange.ts";
import { judgeCertificate } from "./certificate-gate.ts";
import { FairQueue } from "./fair-queue.ts";
import { type Identified, identifyUser } from "./identify.ts";
import { LoginAttempt } from "./login-attempt.ts";
import type { LoginCrypto } from "./login-crypto.ts";
import { converse, greetingPlugin } from "./login-exchange.ts";
import type { LoginRequest } from "./login-request.ts";
import type { RsaKey } from "./rsa-key.ts";
import { createScramble } from "./scramble.ts";

/** Judges logins. */
export interface Authenticator {
  /** The method that the greeting names. */
  readonly greetingPlugin: string;
  /** 20 fresh bytes. */
  newScramble(): Uint8Array;
  /** The conversation of one login. Never throws, whatever the client sends. */
  authenticate(request: LoginRequest): AuthExchange;
  /** Who an authenticated user is; by the users file that judged the login. */
  identify(user: AuthenticatedUser, request: LoginRequest): Identified;
  /** Ends the work in progress: those logins are refused. */
  close(): void;
}

/** Settings of the judge. */
export interface AuthenticatorOptions {
  /** Whether mysql_clear_password is accepted over plain TCP. */
  readonly allowClearTextWithoutTls: boolean;
  /** Whether every TCP client must present a certificate. */
  readonly requireClientCertificate: boolean;
  readonly proxyUsers: ProxyUserOptions;
}

/** What the judge is given. */
export interface AuthenticatorParts {
  /** The users in use; null while there are none: then nobody logs in. */
  readonly directory: () => UserDirectory | null;
  readonly clock: Clock;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly options: AuthenticatorOptions;
  /** The RSA key in use. */
  readonly rsaKey: () => RsaKey;
  /** Closed with the judge. */
  readonly crypto: LoginCrypto;
}

/** Proven `$A$` strings to remember, each with 32 bytes; beyond, those not used lately are proven anew. */
const digestCacheEntriesMax = 65_536;

/**
 * Limits of the work that clients cause before they are authenticated; beyond: 1045. RSA costs about a millisecond in
 * the thread pool of four, SHA-256 crypt some milliseconds in the one thread: what waits is done within seconds.
 */
const rsaQueueLimits = { runningMax: 2, waitingMax: 2048, waitingPerAddressMax: 512 };
const cryptQueueLimits = { runningMax: 1, waitingMax: 1024, waitingPerAddressMax: 256 };

/** Makes a judge of static users. */
export function createAuthenticator(parts: AuthenticatorParts): Authenticator {
  const { clock, randomBytes, options, crypto } = parts;
  const digestCache = new BoundedCache<string, Uint8Array>({ entriesMax: digestCacheEntriesMax });
  const rsaQueue = new FairQueue(rsaQueueLimits);
  const cryptQueue = new FairQueue(cryptQueueLimits);
  const decoy = randomBytes(32);
  const nobody = emptyUserDirectory;
  const newScramble = (): Uint8Array => createScramble(randomBytes);
  let seen: UserDirectory = nobody;

  const currentDirectory = (): UserDirectory => {
    const directory = parts.directory() ?? nobody;
    if (directory !== seen) {
      seen = directory;
      const { authenticationStrings } = directory.shape;
      digestCache.retain((authenticationString) => authenticationStrings.has(authenticationString));
    }
    return directory;
  };

  const authenticate = (request: LoginRequest): AuthExchange => {
    const gate = judgeCertificate(request, options.requireClientCertificate, clock.wallMs());
    if (gate.kind === "stop") return decided(gate.outcome);
    const directory = currentDirectory();
    const tools = { crypto, rsaKey: parts.rsaKey(), digestCache, rsaQueue, cryptQueue, decoy };
    const attempt = new LoginAttempt(request, directory, tools, gate.spiffeId, clock.wallMs());
    return converse(attempt, options, newScramble);
  };

  return {
    greetingPlugin,
    newScramble,
    authenticate,
    identify: (user, request) => identifyUser(user, request, options.proxyUsers, clock.wallMs()),
    close: () => crypto.close(),
  };
}

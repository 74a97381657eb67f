// Logins without sockets: an authenticator over a users file, and clients that answer as real ones do.
import { randomBytes } from "node:crypto";
import type { AuthOutcome } from "../../../src/auth/auth-exchange.ts";
import {
  type Authenticator,
  type AuthenticatorOptions,
  createAuthenticator,
} from "../../../src/auth/authenticator.ts";
import { createLoginCrypto, type LoginCrypto } from "../../../src/auth/login-crypto.ts";
import type { LoginRequest } from "../../../src/auth/login-request.ts";
import { generateRsaKeyPem, importRsaKey, type RsaKey } from "../../../src/auth/rsa-key.ts";
import type { Clock } from "../../../src/base/clock.ts";
import { hasSecureTransport, type Peer } from "../../../src/identity/peer.ts";
import { noProxyUsers } from "../../../src/users/proxy-users.ts";
import type { UserDirectory } from "../../../src/users/user-directory.ts";
import { clearResponse, nativeResponse, rsaResponse, sha2Response } from "../../support/raw/passwords.ts";
import { directoryOf, tlsPeer } from "../users/support.ts";

let sharedKey: Promise<RsaKey> | undefined;

/** One RSA key for all tests of a file: making one takes time. */
export async function testRsaKey(): Promise<RsaKey> {
  sharedKey ??= generateRsaKeyPem().then(async (pem) => {
    const key = await importRsaKey(pem);
    if (typeof key === "string") throw new Error(key);
    return key;
  });
  return sharedKey;
}

/** How often each expensive thing was asked for. */
export interface Counts {
  sha1: number;
  sha256: number;
  crypts: number;
  cryptRounds: number;
  rsa: number;
  lookUps: number;
}

export interface Bench {
  readonly authenticator: Authenticator;
  readonly counts: Counts;
  /** Replaces the users, as a reload does. */
  reload(content: object): void;
  nowMs: number;
}

/** An authenticator whose work is counted. Close it. */
export async function benchOf(
  content: object,
  options: Partial<AuthenticatorOptions> = {},
  wrap: (crypto: LoginCrypto) => LoginCrypto = (crypto) => crypto,
): Promise<Bench> {
  const counts: Counts = { sha1: 0, sha256: 0, crypts: 0, cryptRounds: 0, rsa: 0, lookUps: 0 };
  const real = wrap(createLoginCrypto());
  const crypto: LoginCrypto = {
    sha1: (...parts) => {
      counts.sha1 += 1;
      return real.sha1(...parts);
    },
    sha256: (...parts) => {
      counts.sha256 += 1;
      return real.sha256(...parts);
    },
    crypt: (password, jobs) => {
      counts.crypts += 1;
      counts.cryptRounds += jobs.reduce((sum, job) => sum + job.rounds, 0);
      return real.crypt(password, jobs);
    },
    close: () => real.close(),
  };
  const key = await testRsaKey();
  const rsaKey: RsaKey = {
    ...key,
    decrypt: (ciphertext) => {
      counts.rsa += 1;
      return key.decrypt(ciphertext);
    },
  };
  const counted = (directory: UserDirectory): UserDirectory => ({
    ...directory,
    entriesOf: (user) => {
      counts.lookUps += 1;
      return directory.entriesOf(user);
    },
  });
  let directory = counted(directoryOf(content));
  const bench = {
    counts,
    nowMs: Date.UTC(2026, 0, 1),
    reload: (next: object) => {
      directory = counted(directoryOf(next, directory.generation + 1));
    },
  };
  const clock: Clock = { wallMs: () => bench.nowMs, monotonicMs: () => 0 };
  const authenticator = createAuthenticator({
    directory: () => directory,
    clock,
    randomBytes,
    rsaKey: () => rsaKey,
    crypto,
    options: {
      allowClearTextWithoutTls: false,
      requireClientCertificate: false,
      proxyUsers: noProxyUsers,
      ...options,
    },
  });
  return Object.assign(bench, { authenticator });
}

/** What a client does. */
export interface ClientBehaviour {
  readonly user: string;
  readonly password: string;
  readonly peer?: Peer;
  /** null: it knows no methods (no PLUGIN_AUTH). @default caching_sha2_password */
  readonly plugin?: string | null;
  readonly origin?: "connect" | "change_user";
  /** Sent instead of what the method computes. */
  readonly authResponse?: Uint8Array;
  /** Whether it asks for the RSA key; otherwise it hangs up. @default true */
  readonly requestKey?: boolean;
  /** It has the key already. */
  readonly publicKeyPem?: string;
}

export interface Login {
  /** null: the client hung up. */
  readonly outcome: AuthOutcome | null;
  /** What was said: `switch <plugin>`, `more 03`, `more key`. */
  readonly trace: readonly string[];
  readonly request: LoginRequest;
}

/** One login of a client that behaves as libmysqlclient. */
export async function logIn(bench: Bench, client: ClientBehaviour): Promise<Login> {
  const { authenticator } = bench;
  const peer = client.peer ?? tlsPeer();
  let plugin = client.plugin === undefined ? "caching_sha2_password" : client.plugin;
  let scramble = authenticator.newScramble();
  const request: LoginRequest = {
    origin: client.origin ?? "connect",
    user: client.user,
    authResponse: client.authResponse ?? firstResponse(plugin, client, peer, scramble),
    clientPlugin: plugin,
    scramble,
    database: null,
    collation: 255,
    capabilities: 0,
    attributes: new Map(),
    peer,
  };
  const trace: string[] = [];
  const conversation = authenticator.authenticate(request);
  let answer: Uint8Array = new Uint8Array(0);
  for (;;) {
    const next = await conversation.next(answer);
    if (next.done === true) return { outcome: next.value, trace, request };
    const step = next.value;
    answer = new Uint8Array(0);
    if (step.kind === "switch") {
      trace.push(`switch ${step.plugin}`);
      plugin = step.plugin;
      scramble = step.data.subarray(0, 20);
      answer = firstResponse(plugin, client, peer, scramble);
    } else if (step.data.length > 1) {
      trace.push("more key");
      answer = rsaResponse(client.password, scramble, Buffer.from(step.data).toString());
    } else {
      trace.push(`more ${Buffer.from(step.data).toString("hex")}`);
      if (!step.expectsReply) continue;
      if (hasSecureTransport(peer)) answer = clearResponse(client.password);
      else if (client.publicKeyPem !== undefined) {
        answer = rsaResponse(client.password, scramble, client.publicKeyPem);
      } else if (client.requestKey ?? true) answer = Uint8Array.of(2);
      else return { outcome: null, trace, request };
    }
  }
}

function firstResponse(
  plugin: string | null,
  { password, publicKeyPem }: ClientBehaviour,
  peer: Peer,
  scramble: Uint8Array,
): Uint8Array {
  switch (plugin) {
    case null:
    case "mysql_native_password":
      return nativeResponse(password, scramble);
    case "caching_sha2_password":
      return password === "" ? Uint8Array.of(0) : sha2Response(password, scramble);
    case "sha256_password":
      if (password === "") return Uint8Array.of(0);
      if (peer.tls !== null) return clearResponse(password);
      if (publicKeyPem !== undefined) return rsaResponse(password, scramble, publicKeyPem);
      return Uint8Array.of(1);
    case "mysql_clear_password":
      return clearResponse(password);
    default:
      return Buffer.from("what another method says");
  }
}

/** `ok userData` or `1045 reason`, for tables. */
export function verdictOf(login: Login): string {
  const { outcome } = login;
  if (outcome === null) return "hung up";
  return outcome.kind === "accepted"
    ? `ok ${outcome.user.entry.userData}`
    : `${outcome.error.code} ${outcome.reason}`;
}

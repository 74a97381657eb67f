// One login: which entries of the user can accept it, and whether what the client sent proves one of them. Every login
// does the same work, whoever the user is and whatever it has: where there is no credential, a decoy is computed with.

import { timingSafeEqual } from "node:crypto";
import type { BoundedCache } from "../base/bounded-cache.ts";
import type { Proven } from "../identity/client-certificate.ts";
import { hasSecureTransport } from "../identity/peer.ts";
import { passwordBytesMax, type Sha256CryptCredential } from "../users/credential.ts";
import { credentialOf, type UserDirectory, type UserEntry } from "../users/user-directory.ts";
import { type FairQueue, queueFull } from "./fair-queue.ts";
import type { LoginCrypto } from "./login-crypto.ts";
import type { LoginRequest } from "./login-request.ts";
import type { RsaKey } from "./rsa-key.ts";
import { xorBytes } from "./scramble.ts";

/** What logins share. */
export interface AttemptTools {
  readonly crypto: LoginCrypto;
  readonly rsaKey: RsaKey;
  /** SHA256(SHA256(password)) of `$A$` strings that a login proved, by the complete string. */
  readonly digestCache: BoundedCache<string, Uint8Array>;
  readonly rsaQueue: FairQueue;
  readonly cryptQueue: FairQueue;
  /** 32 random bytes that are nobody's digest. */
  readonly decoy: Uint8Array;
}

/** What a proof is worth. */
export type Match =
  | { readonly kind: "accepted"; readonly entry: UserEntry }
  /** Right for an entry that is locked, and for no other. */
  | { readonly kind: "locked" }
  | { readonly kind: "none" }
  /** No answer of this client can be right any more: the reason. */
  | { readonly kind: "hopeless"; readonly reason: string };

/** One place to compare with: an entry of the user, or a decoy. */
interface Slot {
  readonly entry: UserEntry | null;
  readonly native: Uint8Array | null;
  readonly sha2: Uint8Array | null;
  readonly crypt: Sha256CryptCredential | null;
}

const emptySlot: Slot = { entry: null, native: null, sha2: null, crypt: null };

/** The entries that admit a client, and what can be proven to them. */
export class LoginAttempt {
  readonly request: LoginRequest;
  readonly directory: UserDirectory;
  readonly tools: AttemptTools;
  /** The SPIFFE id that the client's certificate proves, or why it proves none. */
  readonly spiffeId: Proven<string>;
  /** Whether the last answer of the client held anything. */
  usingPassword: boolean;
  /** Why entries were passed over, or that there are none; null: some entry can be proven. */
  readonly obstacle: string | null;
  private readonly slots: readonly Slot[];

  constructor(
    request: LoginRequest,
    directory: UserDirectory,
    tools: AttemptTools,
    spiffeId: Proven<string>,
    nowMs: number,
  ) {
    this.request = request;
    this.directory = directory;
    this.tools = tools;
    this.spiffeId = spiffeId;
    this.usingPassword = !isEmptyAnswer(request.authResponse);
    const entries = directory.entriesOf(request.user);
    const obstacles = (entries ?? []).map((entry) => obstacleOf(entry, request, spiffeId, nowMs));
    const admitted = (entries ?? []).filter((_, index) => obstacles[index] === null);
    this.obstacle =
      entries === null ? "unknown_user" : admitted.length > 0 ? null : (obstacles[0] ?? "no_entry");
    const slots = admitted.map(slotOf);
    while (slots.length < directory.shape.entriesPerUserMax) slots.push(emptySlot);
    this.slots = slots;
  }

  /** mysql_native_password: SHA1(response XOR SHA1(scramble + stored)) = stored. */
  matchNative(response: Uint8Array, scramble: Uint8Array): Match {
    if (response.length !== 20) return this.withoutPassword() ?? wrongLength;
    const { crypto, decoy } = this.tools;
    return this.choose(
      this.slots.map((slot) => {
        const stored = slot.native ?? decoy.subarray(0, 20);
        const stage1 = xorBytes(response, crypto.sha1(scramble, stored));
        return timingSafeEqual(crypto.sha1(stage1), stored) && slot.native !== null;
      }),
      (slot) => slot.native !== null,
    );
  }

  /** caching_sha2_password, fast: SHA256(response XOR SHA256(stored + scramble)) = stored. */
  matchSha2(response: Uint8Array, scramble: Uint8Array): Match {
    if (response.length !== 32) return this.withoutPassword() ?? wrongLength;
    const { crypto, decoy } = this.tools;
    const digests = this.slots.map((slot) => this.sha2DigestOf(slot));
    return this.choose(
      digests.map((digest) => {
        const stored = digest ?? decoy;
        const stage1 = xorBytes(response, crypto.sha256(stored, scramble));
        return timingSafeEqual(crypto.sha256(stage1), stored) && digest !== null;
      }),
      (_, index) => digests[index] !== null,
    );
  }

  /** A password in clear, against every kind of credential. `password` has no NUL at its end any more. */
  async matchPassword(password: Uint8Array): Promise<Match> {
    if (password.length === 0)
      return this.withoutPassword() ?? { kind: "hopeless", reason: "empty_password" };
    if (password.length > passwordBytesMax || password.includes(0)) {
      return this.withoutPassword() ?? wrongLength;
    }
    const { crypto } = this.tools;
    const native = crypto.sha1(crypto.sha1(password));
    const sha2 = crypto.sha256(crypto.sha256(password));
    const early = this.chooseByDigests(native, sha2);
    if (early.kind === "accepted") return early;
    if (this.directory.shape.cryptRoundsPerUserMax > 0) {
      const failure = await this.runCrypt(password, native, sha2);
      if (failure !== null) return this.withoutPassword() ?? failure;
    }
    // What crypt proved is in the cache now, so the digests tell all.
    const late = this.chooseByDigests(native, sha2, true);
    return late.kind === "none" ? { kind: "hopeless", reason: "wrong_password" } : late;
  }

  /** An entry that asks for nothing but the certificate, which is proven already. */
  withoutPassword(): Match | null {
    const match = this.choose(
      this.slots.map(() => false),
      () => true,
    );
    return match.kind === "none" ? null : match;
  }

  /**
   * The first entry in file order that was proven and is not locked. An entry that asks for nothing but a certificate
   * is proven; but where an entry before it could not be judged by this method, its turn comes later.
   */
  private choose(
    proven: readonly boolean[],
    isJudged: (slot: Slot, index: number) => boolean,
    isLast = false,
  ): Match {
    let locked = false;
    let allJudged = true;
    let accepted: UserEntry | null = null;
    for (const [index, slot] of this.slots.entries()) {
      const { entry } = slot;
      if (entry === null) continue;
      const needsPassword = entry.credentials.length > 0;
      const isProven = needsPassword ? proven[index] === true : allJudged || isLast;
      if (needsPassword && !isJudged(slot, index)) allJudged = false;
      if (!isProven) continue;
      if (entry.accountLocked) locked = true;
      else accepted ??= entry;
    }
    if (accepted !== null) return { kind: "accepted", entry: accepted };
    return locked ? { kind: "locked" } : { kind: "none" };
  }

  /** `isLast`: nothing more will be found out; otherwise crypt can still prove entries, in front ones first. */
  private chooseByDigests(native: Uint8Array, sha2: Uint8Array, isLast = false): Match {
    const digests = this.slots.map((slot) => this.sha2DigestOf(slot));
    const proven = this.slots.map((slot, index) => {
      const byNative = timingSafeEqual(slot.native ?? this.tools.decoy.subarray(0, 20), native);
      const bySha2 = timingSafeEqual(digests[index] ?? this.tools.decoy, sha2);
      return (byNative && slot.native !== null) || (bySha2 && digests[index] !== null);
    });
    const isOpen = this.slots.map((slot, index) => slot.crypt !== null && proven[index] !== true);
    const firstOpen = isLast ? -1 : isOpen.indexOf(true);
    const before = firstOpen === -1 ? proven : proven.map((value, index) => value && index < firstOpen);
    return this.choose(before, (_, index) => isLast || isOpen[index] !== true, isLast);
  }

  /** Proven digests go to the cache. Every login runs the same number of rounds. */
  private async runCrypt(password: Uint8Array, native: Uint8Array, sha2: Uint8Array): Promise<Match | null> {
    const { crypto, cryptQueue, digestCache, decoy } = this.tools;
    const credentials = this.slots.flatMap((slot) => (slot.crypt === null ? [] : [slot.crypt]));
    const spare =
      this.directory.shape.cryptRoundsPerUserMax -
      credentials.reduce((sum, credential) => sum + credential.rounds, 0);
    const jobs = credentials.map(({ salt, rounds }) => ({ salt, rounds }));
    if (spare > 0) jobs.push({ salt: decoy.subarray(0, 20), rounds: spare });
    const remember = (hashes: readonly string[]): void => {
      for (const [index, credential] of credentials.entries()) {
        const hash = Buffer.from(hashes[index] ?? "");
        const stored = Buffer.from(credential.hash);
        if (hash.length === stored.length && timingSafeEqual(hash, stored)) {
          digestCache.set(credential.authenticationString, sha2);
        }
      }
    };
    try {
      const done = await cryptQueue.run(addressOf(this.request), async () => {
        // Many logins with the same right password wait together: the first one pays for all.
        if (this.chooseByDigests(native, sha2).kind === "accepted") return;
        remember(await crypto.crypt(password, jobs));
      });
      return done === queueFull ? { kind: "hopeless", reason: "crypt_queue_full" } : null;
    } catch {
      return { kind: "hopeless", reason: "crypt_failed" };
    }
  }

  private sha2DigestOf(slot: Slot): Uint8Array | null {
    const cached = this.tools.digestCache.get(slot.crypt?.authenticationString ?? "");
    return slot.sha2 ?? cached ?? null;
  }
}

const wrongLength: Match = { kind: "hopeless", reason: "wrong_length" };

/** Nothing at all, or the single NUL by which newer methods say "no password". */
export function isEmptyAnswer(answer: Uint8Array): boolean {
  return answer.length === 0 || (answer.length === 1 && answer[0] === 0);
}

/** Whose share of the queues a login uses. */
export function addressOf(request: LoginRequest): string {
  return request.peer.transport === "unix" ? "unix" : request.peer.address;
}

/** Why an entry is as if absent for this login; null when it is not. */
function obstacleOf(
  entry: UserEntry,
  request: LoginRequest,
  spiffeId: Proven<string>,
  nowMs: number,
): string | null {
  if (!entry.sourceHost.admits(request.peer)) return "source_host";
  if (entry.requireSecureTransport && !hasSecureTransport(request.peer)) return "insecure_transport";
  if (entry.notBeforeMs !== null && nowMs < entry.notBeforeMs) return "not_yet_valid";
  if (entry.notAfterMs !== null && nowMs > entry.notAfterMs) return "no_longer_valid";
  if (entry.spiffeId === null) return entry.credentials.length === 0 ? "no_credential" : null;
  // A certificate proves the connection's first identity and no other.
  if (request.origin === "change_user") return "change_user_to_spiffe";
  if (!spiffeId.ok) return spiffeId.reason;
  return entry.spiffeId.matches(spiffeId.value) ? null : "spiffe_id_mismatch";
}

function slotOf(entry: UserEntry): Slot {
  const clear = credentialOf(entry, "clear");
  return {
    entry,
    native: credentialOf(entry, "native")?.digest ?? clear?.native ?? null,
    sha2: credentialOf(entry, "sha2")?.digest ?? clear?.sha2 ?? null,
    crypt: credentialOf(entry, "sha256crypt") ?? null,
  };
}

// Asks running gateways what they have seen of each entry, and judges whether an entry can go. What is not known for
// certain counts as unknown.

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { formatDuration } from "../../base/duration.ts";
import { fileFailure } from "../../base/file-content.ts";
import { runAtOnce } from "../../base/steps.ts";
import type { UserDirectory, UserEntry } from "../../users/user-directory.ts";
import { digestOfEntries, stepsOfDirectoryDigest } from "../../users/users-file-entry.ts";
import { UsageError } from "../arguments.ts";

/** Longest wait for one part of a gateway's answer, in milliseconds. */
const answerTimeoutMs = 5000;

/** Entries of one part. */
const partEntries = 2000;

/** A file with so many users is compared user by user when a gateway has another one. */
const comparedUsersMax = 200;

/** So often a list is begun anew because the gateway took up another file in the middle of it. */
const attemptsMax = 5;

/** What a gateway tells about one entry. */
export interface SeenEntry {
  readonly user: string;
  readonly index: number;
  readonly userData: string;
  readonly kinds: readonly string[];
  readonly countingSinceMs: number;
  readonly lastLoginMs: number | null;
  readonly liveSessions: number;
}

/** One gateway's answer, or why there is none. */
export type GatewayAnswer =
  | {
      readonly url: string;
      readonly ok: true;
      readonly countingSinceMs: number;
      /** Whether it uses an older content than the file on its disk. */
      readonly stale: boolean;
      /** Whether it has other entries than the file at hand, of any of those that were asked about. */
      readonly differs: boolean;
      /** Whether it has the entries of a user exactly as the file at hand; null: nobody can tell. */
      readonly proven: (user: string) => boolean | null;
      readonly entriesOf: ReadonlyMap<string, readonly SeenEntry[]>;
    }
  | { readonly url: string; readonly ok: false; readonly reason: string };

/** Whether one entry is still used, as one gateway sees it. */
export type EntryUse =
  | { readonly kind: "used"; readonly lastLoginMs: number | null; readonly liveSessions: number }
  | { readonly kind: "unused"; readonly lastLoginMs: number | null }
  | { readonly kind: "unknown"; readonly reason: string };

/** The token in a file. @throws UsageError when it cannot be read or is empty */
export function readToken(path: string | null): string | null {
  if (path === null) return null;
  let token: string;
  try {
    token = readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new UsageError(`Cannot read the token file ${path}: ${fileFailure(error)}`);
  }
  if (token === "") throw new UsageError(`The token file ${path} is empty`);
  return token;
}

/** Whom to ask about: all users of the file at hand, or one of them. */
export interface AskedUsers {
  readonly directory: UserDirectory;
  readonly user: string | null;
}

/** Asks all gateways at once. Never rejects for a gateway that does not answer. */
export function askGateways(
  urls: readonly string[],
  token: string | null,
  about: AskedUsers,
): Promise<GatewayAnswer[]> {
  return Promise.all(urls.map((url) => askGateway(url, token, about)));
}

async function askGateway(url: string, token: string | null, about: AskedUsers): Promise<GatewayAnswer> {
  const { directory, user } = about;
  const proof = user === null ? proofOfAll(directory) : proofOf(directory, user);
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const answer = await askForParts(url, token, proof);
    if (answer === "changed") continue;
    if (!answer.ok || !answer.differs || user !== null) return answer;
    return { ...answer, proven: await compareUsers(url, token, directory) };
  }
  return { url, ok: false, reason: "its users file changes all the time: ask again later" };
}

/** The question whether a gateway has the same file, which tells it nothing of the file. */
function proofOfAll(directory: UserDirectory): URLSearchParams {
  const key = randomBytes(32);
  const digest = runAtOnce(stepsOfDirectoryDigest(directory, key));
  return new URLSearchParams({ key: key.toString("hex"), digest });
}

/** The same of one user. */
function proofOf(directory: UserDirectory, user: string): URLSearchParams {
  const key = randomBytes(32);
  const digest = digestOfEntries(directory.entriesOf(user) ?? [], key);
  return new URLSearchParams({ user, key: key.toString("hex"), digest });
}

/** Which users a gateway has as the file at hand; of large files nobody can tell. */
async function compareUsers(
  url: string,
  token: string | null,
  directory: UserDirectory,
): Promise<(user: string) => boolean | null> {
  const proven = new Map<string, boolean | null>();
  if (directory.userNames.length <= comparedUsersMax) {
    for (const user of directory.userNames) {
      const query = proofOf(directory, user);
      query.set("limit", "1");
      const part = await askForPart(url, token, query);
      proven.set(user, typeof part === "string" ? null : part.proven);
    }
  }
  return (user) => proven.get(user) ?? null;
}

async function askForParts(
  url: string,
  token: string | null,
  proof: URLSearchParams,
): Promise<GatewayAnswer | "changed"> {
  const query = new URLSearchParams(proof);
  const entriesOf = new Map<string, SeenEntry[]>();
  let first: Part | null = null;
  for (let from = 0; ; ) {
    query.set("from", String(from));
    query.set("limit", String(partEntries));
    const part = await askForPart(url, token, query);
    if (typeof part === "string") return { url, ok: false, reason: part };
    first ??= part;
    // Once is enough.
    query.delete("key");
    if (part.generation !== first.generation || part.matching !== first.matching) return "changed";
    for (const entry of part.entries) {
      const known = entriesOf.get(entry.user);
      if (known === undefined) entriesOf.set(entry.user, [entry]);
      else known.push(entry);
    }
    from += part.entries.length;
    if (part.entries.length === 0 || from >= part.matching) break;
  }
  const { countingSinceMs, stale, proven } = first;
  return {
    url,
    ok: true,
    countingSinceMs,
    stale,
    differs: proven === false,
    proven: () => proven,
    entriesOf,
  };
}

interface Part {
  readonly countingSinceMs: number;
  readonly generation: number;
  readonly stale: boolean;
  readonly matching: number;
  readonly proven: boolean | null;
  readonly entries: readonly SeenEntry[];
}

/** A string says why there is no answer. */
async function askForPart(url: string, token: string | null, query: URLSearchParams): Promise<Part | string> {
  let target: URL;
  try {
    target = new URL(`/api/users?${query}`, url);
  } catch {
    return "its URL is not one: write http://host:port";
  }
  try {
    const response = await fetch(target, {
      headers: token === null ? {} : { Authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(answerTimeoutMs),
      redirect: "error",
    });
    if (response.status === 401) {
      return token === null
        ? "it wants a token: name the file that holds it with --admin_token_file"
        : "its token is another one than that of --admin_token_file";
    }
    if (!response.ok) {
      const said = (await response.text()).split("\n", 1)[0]?.slice(0, 200);
      return `it answered ${response.status}: ${said}`;
    }
    return readPart(await response.json()) ?? "it is not a gateway that this version understands";
  } catch (error) {
    const cause = (error as Error).cause as NodeJS.ErrnoException | undefined;
    if (cause?.code?.startsWith("ERR_SSL") === true) return "it speaks no TLS there: write http://host:port";
    const why = cause?.code ?? cause?.message ?? "no valid answer";
    return `it cannot be reached (${(error as Error).name === "TimeoutError" ? "no answer in time" : why})`;
  }
}

function readPart(value: unknown): Part | null {
  const answer = (value ?? {}) as Record<string, unknown>;
  const { entries } = answer;
  const countingSinceMs = Date.parse(String(answer.counting_since));
  if (!Array.isArray(entries) || Number.isNaN(countingSinceMs)) return null;
  return {
    countingSinceMs,
    generation: Number(answer.users_generation),
    stale: answer.users_file_stale === true,
    matching: Number(answer.matching),
    proven: typeof answer.proven === "boolean" ? answer.proven : null,
    entries: entries.map((item: Record<string, unknown>) => ({
      user: String(item.user),
      index: Number(item.index),
      userData: String(item.user_data),
      kinds: Array.isArray(item.credential_kinds) ? item.credential_kinds.map(String) : [],
      countingSinceMs: Date.parse(String(item.counting_since)),
      lastLoginMs: item.last_login === null ? null : Date.parse(String(item.last_login)),
      liveSessions: Number(item.live_sessions),
    })),
  };
}

/**
 * What a gateway knows of `entries[index]`, `entries` being all entries of the user in the file at hand. The gateway's
 * own list must look the same, or its numbers may be about another entry.
 */
export function judgeEntry(
  answer: GatewayAnswer,
  entries: readonly UserEntry[],
  index: number,
  limits: { readonly unusedForMs: number; readonly nowMs: number },
): EntryUse {
  if (!answer.ok) return { kind: "unknown", reason: answer.reason };
  const user = entries[index]?.user ?? "";
  const seen = [...(answer.entriesOf.get(user) ?? [])].sort((a, b) => a.index - b.index);
  const entry = seen[index];
  const same =
    seen.length === entries.length &&
    seen.every(
      (item, position) =>
        item.userData === entries[position]?.userData &&
        item.kinds.join() === entries[position]?.credentials.map((credential) => credential.kind).join(),
    );
  if (answer.stale || answer.proven(user) === false || !same || entry === undefined) {
    return { kind: "unknown", reason: "it uses another version of the users file" };
  }
  const { lastLoginMs, liveSessions } = entry;
  const recently = lastLoginMs !== null && limits.nowMs - lastLoginMs < limits.unusedForMs;
  if (liveSessions > 0 || recently) return { kind: "used", lastLoginMs, liveSessions };
  const countedMs = limits.nowMs - entry.countingSinceMs;
  if (!(countedMs >= limits.unusedForMs)) {
    const counted = formatDuration(Math.max(0, Math.round(countedMs / 1000) * 1000));
    return { kind: "unknown", reason: `it has counted this entry for ${counted} only` };
  }
  return { kind: "unused", lastLoginMs };
}

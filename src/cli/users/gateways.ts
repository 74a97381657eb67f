// Asks running gateways what they have seen of each entry, and judges whether an entry can go. What is not known for
// certain counts as unknown.

import { readFileSync } from "node:fs";
import { formatDuration } from "../../base/duration.ts";
import type { UserEntry } from "../../users/user-directory.ts";
import { UsageError } from "../arguments.ts";

/** Longest wait for one gateway, in milliseconds. */
const answerTimeoutMs = 5000;

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
      readonly entries: readonly SeenEntry[];
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
    throw new UsageError(`Cannot read the token file ${path}: ${(error as NodeJS.ErrnoException).code}`);
  }
  if (token === "") throw new UsageError(`The token file ${path} is empty`);
  return token;
}

/** Asks all gateways at once. Never rejects for a gateway that does not answer. */
export function askGateways(urls: readonly string[], token: string | null): Promise<GatewayAnswer[]> {
  return Promise.all(urls.map((url) => askGateway(url, token)));
}

async function askGateway(url: string, token: string | null): Promise<GatewayAnswer> {
  let target: URL;
  try {
    target = new URL("/api/users", url);
  } catch {
    return { url, ok: false, reason: "its URL is not one: write http://host:port" };
  }
  try {
    const response = await fetch(target, {
      headers: token === null ? {} : { Authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(answerTimeoutMs),
      redirect: "error",
    });
    if (!response.ok) {
      const said = (await response.text()).split("\n", 1)[0]?.slice(0, 200);
      return { url, ok: false, reason: `it answered ${response.status}: ${said}` };
    }
    return parseAnswer(url, await response.json());
  } catch (error) {
    const cause = (error as Error).cause as NodeJS.ErrnoException | undefined;
    const why =
      (error as Error).name === "TimeoutError" ? "no answer in time" : (cause?.code ?? "no valid answer");
    return { url, ok: false, reason: `it cannot be reached (${why})` };
  }
}

function parseAnswer(url: string, value: unknown): GatewayAnswer {
  const answer = value as Record<string, unknown>;
  const entries = answer.entries;
  const countingSinceMs = Date.parse(String(answer.counting_since));
  if (!Array.isArray(entries) || Number.isNaN(countingSinceMs)) {
    return { url, ok: false, reason: "it is not a gateway that this version understands" };
  }
  return {
    url,
    ok: true,
    countingSinceMs,
    stale: answer.users_file_stale === true,
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
  const user = entries[index]?.user;
  const seen = answer.entries.filter((item) => item.user === user).sort((a, b) => a.index - b.index);
  const entry = seen[index];
  const same =
    seen.length === entries.length &&
    seen.every(
      (item, position) =>
        item.userData === entries[position]?.userData &&
        item.kinds.join() === entries[position]?.credentials.map((credential) => credential.kind).join(),
    );
  if (answer.stale || !same || entry === undefined) {
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

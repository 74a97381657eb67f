// `users list`: entries with kinds and windows, and what gateways have seen of them.

import type { UserEntry } from "../../users/user-directory.ts";
import type { CommandContext, ExitCode } from "../command.ts";
import { askGateways, type GatewayAnswer, judgeEntry, readToken } from "./gateways.ts";
import { openUsersFile } from "./users-file-edit.ts";
import { listFlags } from "./users-flags.ts";
import { readUsersSettings, usersFilePath } from "./users-settings.ts";

const columns = ["USER", "ENTRY", "USERDATA", "KINDS", "FROM", "WINDOW", "LAST LOGIN", "LIVE"] as const;

/** Prints the entries of a users file. */
export async function listUsers(context: CommandContext): Promise<ExitCode> {
  const { settings } = readUsersSettings(context, listFlags, { min: 0, max: 0 });
  const { values } = settings;
  const path = usersFilePath(values.file, context);
  const { directory } = openUsersFile(path);
  const answers = await askGateways(values.admin, readToken(values.admin_token_file), {
    directory,
    user: null,
  });
  const nowMs = context.clock.wallMs();
  const rows = directory.userNames.flatMap((user) => {
    const entries = directory.entriesOf(user) ?? [];
    return entries.map((entry) => [
      user,
      String(entry.index),
      entry.userData,
      kindsOf(entry),
      entry.sourceHost.text,
      windowOf(entry, nowMs),
      ...seenBy(answers, entries, entry.index, nowMs),
    ]);
  });
  for (const line of aligned([columns, ...rows])) context.print(line);
  for (const answer of answers) context.print(sourceLine(answer));
  if (answers.length === 0) context.print("Last login and live sessions: ask gateways with --admin=URL");
  return 0;
}

function kindsOf(entry: UserEntry): string {
  const kinds: string[] = entry.credentials.map((credential) => credential.kind);
  if (entry.spiffeId !== null) kinds.push("spiffe");
  if (entry.accountLocked) kinds.push("locked");
  return kinds.length === 0 ? "none" : kinds.join(",");
}

function windowOf(entry: UserEntry, nowMs: number): string {
  if (entry.notAfterMs !== null && nowMs > entry.notAfterMs)
    return `over since ${isoMinute(entry.notAfterMs)}`;
  if (entry.notBeforeMs !== null && nowMs < entry.notBeforeMs) return `from ${isoMinute(entry.notBeforeMs)}`;
  return entry.notAfterMs === null ? "open" : `until ${isoMinute(entry.notAfterMs)}`;
}

/** The latest login and the sum of live sessions; `?` stands for gateways that do not know. */
function seenBy(
  answers: readonly GatewayAnswer[],
  entries: readonly UserEntry[],
  index: number,
  nowMs: number,
): [string, string] {
  if (answers.length === 0) return ["unknown", "unknown"];
  let latestMs: number | null = null;
  let live = 0;
  let unknown = false;
  for (const answer of answers) {
    const use = judgeEntry(answer, entries, index, { unusedForMs: 0, nowMs });
    const isCertain = answer.ok && answer.proven(entries[index]?.user ?? "") === true;
    if (use.kind === "unknown" || !isCertain) unknown = true;
    if (use.kind !== "unknown") {
      if (use.lastLoginMs !== null) latestMs = Math.max(latestMs ?? 0, use.lastLoginMs);
      if (use.kind === "used") live += use.liveSessions;
    }
  }
  const last = latestMs === null ? (unknown ? "unknown" : "never") : isoMinute(latestMs);
  const doubt = unknown ? "+?" : "";
  return [latestMs === null ? last : `${last}${doubt}`, `${live}${doubt}`];
}

function sourceLine(answer: GatewayAnswer): string {
  if (!answer.ok) return `Gateway ${answer.url}: unknown, ${answer.reason}`;
  const differs = answer.differs ? "; it uses another version of the users file" : "";
  const stale = answer.stale ? "; the users file on its disk is bad, an older one is in use" : "";
  return `Gateway ${answer.url}: has counted since ${isoMinute(answer.countingSinceMs)}${differs}${stale}`;
}

function isoMinute(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 16)}Z`;
}

/** Names are the operator's own, but a terminal is not to be steered by them. */
function printable(text: string): string {
  return JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("\\\\", "\\");
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const shown = rows.map((row) => row.map(printable));
  const widths = columns.map((_, column) =>
    shown.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), 0),
  );
  return shown.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

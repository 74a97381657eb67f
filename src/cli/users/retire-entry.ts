// `users retire`: removes an entry once every gateway says that nobody uses it.

import { formatDuration } from "../../base/duration.ts";
import { areSame } from "../../users/directory-changes.ts";
import { UsageError } from "../arguments.ts";
import type { CommandContext, ExitCode } from "../command.ts";
import { askGateways, type EntryUse, type GatewayAnswer, judgeEntry, readToken } from "./gateways.ts";
import { editUsersFile, entriesOf, openUsersFile, withoutEntry } from "./users-file-edit.ts";
import { retireFlags } from "./users-flags.ts";
import { readUsersSettings, usersFilePath } from "./users-settings.ts";

/** Removes one entry. */
export async function retireEntry(context: CommandContext): Promise<ExitCode> {
  const { settings, words } = readUsersSettings(context, retireFlags, { min: 1, max: 1 });
  const { values } = settings;
  const [user = ""] = words;
  const path = usersFilePath(values.file, context);
  const index = values.entry ?? 0;
  const limits = { unusedForMs: values.unused_for, nowMs: context.clock.wallMs() };
  const opened = openUsersFile(path);
  const asked = entriesOf(opened, user, path);
  const about = { user, directory: opened.directory };
  const answers = await askGateways(values.admin, readToken(values.admin_token_file), about);
  await editUsersFile(path, context.clock, (text, file) => {
    if (file === null) throw new UsageError(`${path} does not exist`);
    const entries = entriesOf(file, user, path);
    if (!areSame(asked, entries)) {
      throw new UsageError(
        `Somebody has changed '${user}' in ${path} meanwhile: nothing is removed, try again`,
      );
    }
    if (entries[index] === undefined) {
      throw new UsageError(
        `User '${user}' has ${entries.length} entries, from 0: there is no entry ${index}`,
      );
    }
    const doubts = answers.flatMap((answer) =>
      doubtOf(answer, judgeEntry(answer, entries, index, limits), limits),
    );
    if (answers.length === 0) doubts.push("Whether it is used is unknown: no gateway was asked (--admin)");
    if (entries.length === 1) doubts.push(`It is the user's last entry: '${user}' could not log in any more`);
    for (const doubt of doubts) context.complain(doubt);
    if (doubts.length > 0 && !values.force) {
      throw new UsageError(`${user}[${index}] stays: --force removes it all the same`);
    }
    return withoutEntry(text, user, index);
  });
  context.complain(`Removed ${user}[${index}] from ${path}`);
  return 0;
}

function doubtOf(answer: GatewayAnswer, use: EntryUse, limits: { readonly nowMs: number }): string[] {
  if (use.kind === "unused") return [];
  if (use.kind === "unknown") return [`Gateway ${answer.url}: whether it is used is unknown: ${use.reason}`];
  const seen =
    use.lastLoginMs === null
      ? "no login seen"
      : `last login ${formatDuration(Math.max(0, Math.round((limits.nowMs - use.lastLoginMs) / 1000) * 1000))} ago`;
  return [`Gateway ${answer.url}: it is used: ${use.liveSessions} live sessions, ${seen}`];
}

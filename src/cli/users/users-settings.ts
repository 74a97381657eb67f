// Reads the words and flags of a `users` command. Only the command line counts: a --force in the environment would be a
// trap. Which file is meant may come from the gateway's own variable.

import { splitArguments, UsageError } from "../arguments.ts";
import type { CommandContext } from "../command.ts";
import type { FlagTable } from "../flag-table.ts";
import { gatherSettings, type Settings } from "../settings.ts";
import type { HashKind } from "./password-hashes.ts";

/** @throws UsageError for a wrong flag, or when there are not `wordCount` words */
export function readUsersSettings<Table extends FlagTable>(
  context: CommandContext,
  table: Table,
  wordCount: { readonly min: number; readonly max: number },
): { readonly settings: Settings<Table>; readonly words: readonly string[] } {
  const { flags, words } = splitArguments(context.argv, table);
  if (words.length < wordCount.min)
    throw new UsageError("A name is missing: gatehouse users --help shows the usage");
  if (words.length > wordCount.max) {
    throw new UsageError(
      "A word too many behind the command: a password is never taken from the command line",
    );
  }
  return { settings: gatherSettings(table, { flags, environment: {} }), words };
}

/** The users file that is meant. */
export function usersFilePath(flag: string | null, context: CommandContext): string {
  return flag ?? context.environment.GATEHOUSE_MYSQL_AUTH_SERVER_STATIC_FILE ?? "users.json";
}

/** @throws UsageError for an unknown kind */
export function hashKinds(written: readonly string[]): HashKind[] {
  return written.map((kind) => {
    if (kind === "sha2" || kind === "native") return kind;
    throw new UsageError("Flag --kinds must list sha2, native, or both");
  });
}

// `gatehouse users`: the sub-commands that rotate passwords, and their help.

import { nearestName } from "../../base/nearest-name.ts";
import { UsageError } from "../arguments.ts";
import type { CommandContext, ExitCode } from "../command.ts";
import type { FlagTable } from "../flag-table.ts";
import { formatHelp } from "../help.ts";
import { addUser, printHashes, rotateUser } from "./add-entries.ts";
import { importUsers } from "./import-users.ts";
import { listUsers } from "./list-users.ts";
import type { PasswordSource } from "./password-input.ts";
import { retireEntry } from "./retire-entry.ts";
import { addFlags, hashFlags, importFlags, listFlags, retireFlags, rotateFlags } from "./users-flags.ts";

/** A command of `gatehouse users`. */
export interface UsersCommand {
  readonly flags: FlagTable;
  /** What stands behind the command's name: `USER`. */
  readonly words: string;
  readonly help: string;
  readonly run: (context: CommandContext, passwords: PasswordSource) => Promise<ExitCode>;
}

export const usersCommands: Readonly<Record<string, UsersCommand>> = {
  hash: {
    flags: hashFlags,
    words: "",
    help: "Prints the hashes of a password, asked for or read from a pipe, as keys of an entry. MysqlNativePassword and the short CachingSha2Password are as good as the password itself when it is weak: keep the file private.",
    run: printHashes,
  },
  add: {
    flags: addFlags,
    words: "USER",
    help: "Adds a user with one entry. Makes a password of 32 random bytes, prints it once, and writes only its hash.",
    run: addUser,
  },
  rotate: {
    flags: rotateFlags,
    words: "USER",
    help: "Adds an entry with a new password behind the user's others, with the settings of the last one. Both passwords work from then on.",
    run: rotateUser,
  },
  retire: {
    flags: retireFlags,
    words: "USER",
    help: "Removes an entry that no gateway has seen used. Where that is not certain it needs --force.",
    run: (context) => retireEntry(context),
  },
  list: {
    flags: listFlags,
    words: "",
    help: "Lists users and entries; with --admin also when each was last used and how many sessions it holds.",
    run: (context) => listUsers(context),
  },
  import: {
    flags: importFlags,
    words: "mysql://USER@HOST[:PORT]",
    help: "Takes over accounts with their hashes from an existing server and lists what cannot be carried over. The password is asked for, or read from a pipe, when the URL names none; GATEHOUSE_BACKEND serves as URL when none is given.",
    run: importUsers,
  },
};

/** Runs `gatehouse users ...`. @throws UsageError and whatever the command throws */
export async function users(context: CommandContext, passwords: PasswordSource): Promise<ExitCode> {
  const [name = "", ...argv] = context.argv;
  const asksHelp = name === "" || name === "--help" || name === "-h" || name === "help";
  if (asksHelp) {
    context.print(overview());
    return name === "" ? 1 : 0;
  }
  const command = Object.hasOwn(usersCommands, name) ? usersCommands[name] : undefined;
  if (command === undefined) {
    const nearest = nearestName(name, Object.keys(usersCommands));
    const hint =
      nearest === null ? `there are ${Object.keys(usersCommands).join(", ")}` : `did you mean ${nearest}?`;
    throw new UsageError(`Unknown command 'users ${name}': ${hint}`);
  }
  if (argv.includes("--help") || argv.includes("-h")) {
    const usage = `gatehouse users ${name} ${command.words} [flags]`.replace("  ", " ");
    context.print(formatHelp({ usage, about: [command.help] }, command.flags, context.width));
    return 0;
  }
  return command.run({ ...context, argv }, passwords);
}

function overview(): string {
  const lines = ["Usage: gatehouse users COMMAND [flags]", ""];
  for (const [name, command] of Object.entries(usersCommands)) {
    lines.push(`  ${`${name} ${command.words}`.trim()}`, `      ${command.help}`);
  }
  lines.push("", "gatehouse users COMMAND --help shows the flags of a command.");
  return lines.join("\n");
}

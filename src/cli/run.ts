// Chooses the sub-command and turns every failure into sentences and an exit code: the outermost of the three places
// that catch (beside run-session and command-loop).

import { nearestName } from "../base/nearest-name.ts";
import { UsageError } from "./arguments.ts";
import type { Command, CommandContext, ExitCode } from "./command.ts";
import { describeFailure } from "./failure.ts";
import { packageVersion } from "./package-version.ts";

/** Sub-commands by name; `serve` is meant when none is given. */
export type CommandTable = Readonly<Record<string, Command>> & { readonly serve: Command };

/** Runs one command. Never rejects. */
export async function runCommand(context: CommandContext, commands: CommandTable): Promise<ExitCode> {
  try {
    const [first = "", ...rest] = context.argv;
    if (context.argv.includes("--version") || first === "-V" || first === "version") {
      context.print(packageVersion);
      return 0;
    }
    if (first === "" || first.startsWith("-")) return await commands.serve(context);
    if (first === "help") return await commands.serve({ ...context, argv: ["--help"] });
    const command = Object.hasOwn(commands, first) ? commands[first] : undefined;
    if (command === undefined) throw unknownCommand(first, Object.keys(commands));
    return await command({ ...context, argv: rest });
  } catch (error) {
    for (const line of describeFailure(error).split("\n")) context.complain(`gatehouse: ${line}`);
    return 1;
  }
}

function unknownCommand(written: string, known: readonly string[]): UsageError {
  const nearest = nearestName(written, known);
  const hint = nearest === null ? `there are ${known.join(", ")}` : `did you mean ${nearest}?`;
  return new UsageError(`Unknown command '${written}': ${hint}`);
}

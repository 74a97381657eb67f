// What every sub-command gets and returns. The process enters here as a parameter, so that tests can run commands.

import type { Clock } from "../base/clock.ts";

/** The surroundings of a command. */
export interface CommandContext {
  /** Words and flags after the command's name. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly homeDirectory: string;
  readonly clock: Clock;
  /** Columns of the terminal. */
  readonly width: number;
  /** Results; a line break is added. */
  readonly print: (text: string) => void;
  /** Complaints; a line break is added. */
  readonly complain: (text: string) => void;
}

/** 0: done; 1: what was asked could not be done or is not right. */
export type ExitCode = 0 | 1;

/** A sub-command. */
export type Command = (context: CommandContext) => Promise<ExitCode>;

// The command under way, as the loop remembers it until its reply has ended.

import type { Permit } from "../acl/permit.ts";
import { COM_STMT_EXECUTE } from "../wire/commands.ts";
import type { StatementText } from "./statement-text.ts";

/** What the loop remembers of the command under way. */
export interface CommandInHand {
  /** The command byte. */
  readonly command: number;
  /** Its text's analysis; null for commands without text. */
  readonly text: StatementText | null;
  /** What the client is to call the statement that is being prepared. @default nothing is being prepared */
  readonly preparedId?: number;
  /** What a prepared statement is called by the client, and on the connection. @default the command has none */
  readonly statementIds?: { readonly client: number; readonly copy: number };
  /** null only while nothing is in hand. */
  readonly permit: Permit | null;
  /** Runs when the reply has ended; `succeeded` is false after an ERR. */
  readonly after: ((succeeded: boolean) => void) | null;
}

/** Between two commands. */
export const nothingInHand: CommandInHand = { command: 0, text: null, permit: null, after: null };

/** Whether a command without text is sure to change nothing, so that its lost reply can be told as an error. */
export function changesNothing(command: number): boolean {
  return command !== COM_STMT_EXECUTE;
}

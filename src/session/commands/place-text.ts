// Before a text is sent where the gateway has keyspaces: does it lead to the connection at hand, and may it be sent?

import { sqlError } from "../../errors/sql-error.ts";
import { COM_QUERY } from "../../wire/commands.ts";
import type { CommandLoop } from "../command-loop.ts";
import { enterNamedSchema } from "../enter-schema.ts";
import { replyError } from "../reply.ts";
import type { HandlerResult } from "../session-end.ts";
import type { StatementText } from "../statement-text.ts";
import type { CommandHandler } from "./command-table.ts";
import { learnAndHandle } from "./with-reading.ts";

/**
 * Answers USE and what may not be sent; leaves the connection at hand where the text leads elsewhere. null: the text is
 * to be sent. `handle` answers the command anew where another server must be asked first how it reads the text.
 */
export function placeText(
  loop: CommandLoop,
  frames: Uint8Array,
  text: StatementText,
  command: number,
  handle: CommandHandler,
): HandlerResult | Promise<HandlerResult> | null {
  const { services, backend, relay, state } = loop;
  if (services.router().schemas === null) return null;
  const [only] = text.statements;
  if (text.use !== null && only?.kind === "USE" && text.statements.length === 1) {
    if (command === COM_QUERY) return enterNamedSchema(loop, text.use, "COM_QUERY");
    return replyError(loop.replyTo, sqlError("ER_NOT_SUPPORTED_YET", { feature: "USE, prepared" }));
  }
  const error = backend.place(text);
  if (error !== null) return replyError(loop.replyTo, error);
  // What is known of the session's texts holds on every connection: their settings follow it.
  if (relay.lease !== null || state.reading !== null || !services.authorizer().judging) return null;
  return learnAndHandle(loop, Buffer.from(frames), handle, text);
}

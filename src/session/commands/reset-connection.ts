// COM_RESET_CONNECTION: the backend resets its side, the session forgets what lived there.

import { SqlError } from "../../errors/sql-error.ts";
import { bareStatement } from "../../sql/statement-summary.ts";
import { COM_RESET_CONNECTION } from "../../wire/commands.ts";
import type { CommandLoop } from "../command-loop.ts";
import { internalError, replyError, replyOk } from "../reply.ts";
import type { HandlerResult } from "../session-end.ts";

/** Answers COM_RESET_CONNECTION. The identity and the default schema stay. */
export function handleResetConnection(
  loop: CommandLoop,
  frames: Uint8Array,
): HandlerResult | Promise<HandlerResult> {
  if (loop.relay.lease === null) return replyOk(loop.replyTo);
  const identity = loop.state.identity;
  if (identity === null) return replyError(loop.replyTo, internalError());
  const permit = loop.services.authorizer().authorize(identity, bareStatement("RESET CONNECTION"));
  if (permit instanceof SqlError) return replyError(loop.replyTo, permit);
  return loop.forward(permit, frames, {
    command: COM_RESET_CONNECTION,
    text: null,
    permit,
    after: (succeeded) => {
      if (!succeeded) return;
      loop.state.prepared.clear();
      loop.relay.lease?.connection.prepared.clear();
      loop.state.sqlPrepared.clear();
      loop.state.reading = null;
      loop.state.pinnedBecause = loop.backend.optionToggled ? "COM_SET_OPTION" : null;
    },
  });
}

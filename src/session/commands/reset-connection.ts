// COM_RESET_CONNECTION: the backend resets its side, the session forgets what lived there.

import { noSettings, serverNames } from "../../backend/session-settings.ts";
import { SqlError } from "../../errors/sql-error.ts";
import { bareStatement } from "../../sql/statement-summary.ts";
import { CLIENT_IGNORE_SPACE, has } from "../../wire/capabilities.ts";
import { COM_RESET_CONNECTION } from "../../wire/commands.ts";
import { STATUS_AUTOCOMMIT } from "../../wire/status-flags.ts";
import type { CommandLoop } from "../command-loop.ts";
import { internalError, replyError, replyOk } from "../reply.ts";
import type { HandlerResult } from "../session-end.ts";

/** Answers COM_RESET_CONNECTION. The identity and the default schema stay. */
export function handleResetConnection(
  loop: CommandLoop,
  frames: Uint8Array,
): HandlerResult | Promise<HandlerResult> {
  const { lease } = loop.relay;
  if (lease === null) {
    forget(loop);
    loop.state.statusFlags = STATUS_AUTOCOMMIT;
    return replyOk(loop.replyTo);
  }
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
      lease.connection.prepared.clear();
      forget(loop);
      // What MariaDB forgets of a login is to be had again; MySQL forgets nothing else.
      const { loginCollation, capabilities } = lease.connection;
      if (loginCollation !== loop.state.collation || has(capabilities, CLIENT_IGNORE_SPACE))
        loop.backend.giveUp();
    },
  });
}

/** What lived in the session is gone. What COM_SET_OPTION has switched stays, as on servers. */
function forget({ state, services }: CommandLoop): void {
  const { following, prepared, sqlPrepared, capabilities } = state;
  const { multiStatements } = following;
  prepared.clear();
  sqlPrepared.clear();
  state.reading = null;
  state.pinnedBecause = null;
  // MariaDB goes back to the character sets of the login, MySQL to the server's own.
  const isMariadb = services.readingServer()?.flavour === "mariadb";
  following.reset(capabilities, isMariadb ? noSettings : serverNames);
  following.multiStatements = multiStatements;
}

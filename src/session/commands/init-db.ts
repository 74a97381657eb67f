// COM_INIT_DB: the schema is judged by the ACL, confirmed by the backend, then remembered.

import { SqlError } from "../../errors/sql-error.ts";
import { payloadOf } from "../../wire/command-boundary.ts";
import { COM_INIT_DB } from "../../wire/commands.ts";
import type { CommandLoop } from "../command-loop.ts";
import { enterNamedSchema } from "../enter-schema.ts";
import { refuse } from "../refuse.ts";
import { internalError, replyError } from "../reply.ts";
import type { HandlerResult } from "../session-end.ts";

/** Answers COM_INIT_DB. */
export function handleInitDb(loop: CommandLoop, frames: Uint8Array): HandlerResult | Promise<HandlerResult> {
  const database = Buffer.from(payloadOf(frames).subarray(1)).toString("utf8");
  const identity = loop.state.identity;
  if (identity === null) return replyError(loop.replyTo, internalError());
  if (loop.services.router().schemas !== null) return enterNamedSchema(loop, database, "COM_INIT_DB");
  const permit = loop.services.authorizer().authorizeSchema(identity, database);
  if (permit instanceof SqlError)
    return refuse(loop, { command: "COM_INIT_DB", statementKind: null }, permit);
  return loop.forward(permit, frames, {
    command: COM_INIT_DB,
    text: null,
    permit,
    after: (succeeded) => {
      if (!succeeded) return;
      loop.state.database = database;
      loop.state.following.noteSchema(false);
    },
  });
}

// Prepares a client's statement on a connection that does not know it yet: the gateway's own conversation, whose reply
// no client sees. Knows no session.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_prepare.html

import type { Permit } from "../acl/permit.ts";
import { type HousekeepingReply, initDbCommand } from "./housekeeping.ts";
import { BackendLoginError } from "./login-error.ts";
import type { PooledConnection } from "./pooled-connection.ts";

/** What is to be prepared. */
export interface PrepareRequest {
  /** Of the statement. */
  readonly permit: Permit;
  /** COM_STMT_PREPARE with its text. */
  readonly payload: Uint8Array;
  /** The schema to be in meanwhile, and the one to be in afterwards; null: the one at hand serves. */
  readonly schema: { readonly meanwhile: string; readonly afterwards: string } | null;
}

/** What the server made of it. */
export type PrepareReply =
  | {
      readonly kind: "prepared";
      readonly id: number;
      readonly columnCount: number;
      readonly parameterCount: number;
    }
  /** The ERR as it came. */
  | { readonly kind: "err"; readonly payload: Buffer };

/** @throws BackendLoginError when the connection is not to be used any more. */
export async function prepareStatement(
  connection: PooledConnection,
  { permit, payload, schema }: PrepareRequest,
  timeoutMs: number,
): Promise<PrepareReply> {
  const prepare = { permit, payload };
  const commands =
    schema === null
      ? [prepare]
      : [initDbCommand(schema.meanwhile), prepare, initDbCommand(schema.afterwards)];
  const replies = await connection.converse(commands, timeoutMs);
  if (schema === null) return asPrepareReply(replies[0]);
  const [entered, prepared, left] = replies;
  if (left?.kind !== "ok")
    throw new BackendLoginError("protocol", "The server does not let the session back into its schema");
  // Prepared in the wrong schema it would be another statement: the schema's error is what the client gets.
  return entered?.kind === "err" ? entered : asPrepareReply(prepared);
}

function asPrepareReply(reply: HousekeepingReply | undefined): PrepareReply {
  if (reply?.kind === "prepared" || reply?.kind === "err") return reply;
  throw new BackendLoginError("protocol", "The server's reply is none to COM_STMT_PREPARE");
}

// Prepares a client's statement on a connection that does not know it yet: the gateway's own conversation, whose reply
// no client sees. Knows no session.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_prepare.html

import type { Permit } from "../acl/permit.ts";
import {
  type HousekeepingCommand,
  type HousekeepingReply,
  initDbCommand,
  queryCommand,
} from "./housekeeping.ts";
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
  /** Elements of a SET: how its text is to be read meanwhile, and texts afterwards; null: as they are read now. */
  readonly reading: { readonly meanwhile: readonly string[]; readonly afterwards: readonly string[] } | null;
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
  { permit, payload, schema, reading }: PrepareRequest,
  timeoutMs: number,
): Promise<PrepareReply> {
  const before: HousekeepingCommand[] = [];
  const after: HousekeepingCommand[] = [];
  if (reading !== null) {
    before.push(queryCommand(`SET ${reading.meanwhile.join(", ")}`));
    after.push(queryCommand(`SET ${reading.afterwards.join(", ")}`));
  }
  if (schema !== null) {
    before.push(initDbCommand(schema.meanwhile));
    after.unshift(initDbCommand(schema.afterwards));
  }
  const replies = await connection.converse([...before, { permit, payload }, ...after], timeoutMs);
  const left = replies.slice(before.length + 1);
  if (left.some(({ kind }) => kind !== "ok"))
    throw new BackendLoginError("protocol", "The server does not let the session back to where it was");
  // Prepared in the wrong schema, or read otherwise, it would be another statement: the client gets the error.
  const hindered = replies.slice(0, before.length).find(({ kind }) => kind === "err");
  return asPrepareReply(hindered ?? replies[before.length]);
}

function asPrepareReply(reply: HousekeepingReply | undefined): PrepareReply {
  if (reply?.kind === "prepared" || reply?.kind === "err") return reply;
  throw new BackendLoginError("protocol", "The server's reply is none to COM_STMT_PREPARE");
}

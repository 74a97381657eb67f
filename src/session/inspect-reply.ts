// What happens to the few packets of a reply that are read whole before the client gets them: errors, file requests,
// PREPARE_OK. A pure decision; the relay carries it out.

import type { ToldError } from "../backend/backend-pool.ts";
import { type SqlError, sqlError } from "../errors/sql-error.ts";
import type { Identity } from "../identity/identity.ts";
import type { Route } from "../routing/route.ts";
import { decodeErr, decodeErrBytes, encodeErr } from "../wire/packets/err.ts";
import { decodeLocalInfileRequest } from "../wire/packets/local-infile-request.ts";
import { withStatementId } from "../wire/packets/prepare-ok.ts";
import type { InspectKind } from "../wire/response-boundary.ts";
import { rewriteErr } from "../wire/session-state.ts";
import type { CommandInHand } from "./command-in-hand.ts";
import type { CommandLoop } from "./command-loop.ts";
import { tableHider } from "./hidden-tables.ts";
import { hideServiceAccount, textOfMessage } from "./service-account.ts";
import type { SessionMetrics } from "./session-metrics.ts";

/** What is known when a packet is inspected. */
export interface InspectContext {
  /** Whether an error with this number and text must be kept from the client. @default none must */
  readonly hides?: ((code: number, message: string) => boolean) | null;
  readonly kind: InspectKind;
  readonly capabilities: number;
  readonly identity: Identity | null;
  readonly route: Route | null;
  /** The command under way: its text, and what the client is to call the statement that it prepares. */
  readonly inHand: Pick<CommandInHand, "text" | "preparedId" | "statementIds">;
  readonly cancelled: "killed" | "timeout" | null;
  readonly metrics: SessionMetrics;
}

/** What to do with the packet. */
export type InspectVerdict =
  | { readonly kind: "forward"; readonly payload: Uint8Array }
  /** Forward it, then pass the client's file to the backend. */
  | { readonly kind: "local_file" }
  /** The backend must not be believed: close it, answer `error`. */
  | { readonly kind: "poisoned"; readonly reason: string; readonly error: SqlError };

const ER_NO_REFERENCED_ROW_2 = 1452;
const ER_QUERY_INTERRUPTED = 1317;
/** MariaDB's ER_STATEMENT_TIMEOUT and ER_CONNECTION_KILLED never follow from our KILL QUERY. */

/** What a session knows when a packet of its reply is inspected. */
export function contextOf(loop: CommandLoop, cancelled: InspectContext["cancelled"]): InspectContext {
  const { relay, state, inHand, services } = loop;
  return {
    kind: relay.boundary.inspectKind,
    capabilities: state.capabilities,
    identity: state.identity,
    route: relay.lease?.route ?? null,
    hides: tableHider(loop),
    inHand,
    cancelled,
    metrics: services.metrics,
  };
}

/** Judges one packet. */
export function inspectReply(payload: Buffer, context: InspectContext): InspectVerdict {
  if (context.kind === "err") return { kind: "forward", payload: inspectErr(payload, context) };
  if (context.kind === "local_infile") return inspectFileRequest(payload, context);
  const { preparedId } = context.inHand;
  if (context.kind === "prepare_ok" && preparedId !== undefined)
    return { kind: "forward", payload: withStatementId(payload, preparedId) };
  return { kind: "forward", payload };
}

type ErrContext = Pick<
  InspectContext,
  "identity" | "route" | "capabilities" | "cancelled" | "metrics" | "inHand" | "hides"
>;

/** The ERR as the client may see it. */
export function inspectErr(payload: Buffer, context: ErrContext): Uint8Array {
  context.metrics.backendErrors += 1;
  const err = decodeErr(payload);
  if (context.cancelled === "timeout" && err.code === ER_QUERY_INTERRUPTED) {
    const timeout = sqlError("ER_QUERY_TIMEOUT");
    return encodeErr(
      { code: timeout.code, sqlState: timeout.sqlState, message: timeout.message },
      context.capabilities,
    );
  }
  if (context.hides?.(err.code, err.message) === true) {
    const symbol = err.code === ER_NO_REFERENCED_ROW_2 ? "ER_NO_REFERENCED_ROW" : "ER_ROW_IS_REFERENCED";
    const { code, sqlState, message } = sqlError(symbol);
    return encodeErr({ code, sqlState, message }, context.capabilities);
  }
  if (context.identity === null || context.route === null) return payload;
  const { route, identity } = context;
  return rewriteErr(payload, (message) => {
    const named = statementErrors.has(err.code) ? renameStatement(message, context.inHand) : message;
    return hideServiceAccount(named, route.account.user, identity, err.code);
  });
}

/** Errors whose texts name the account. */
const accountErrors: ReadonlySet<number> = new Set([1044, 1045, 1142, 1143, 1226, 1227, 1370, 1698, 3530]);

/** The error of a packet as the client is told it in `told`; null: it is told in the server's own words. */
export function toldErrorOf(payload: Buffer, told: Uint8Array): ToldError | null {
  const { code, sqlState, message } = decodeErrBytes(told);
  // In character sets with NUL bytes servers send no more than what stands before the first.
  if (message.length <= 1 && accountErrors.has(code)) return { code, sqlState, message: "Access denied" };
  return told === payload ? null : { code, sqlState, message: textOfMessage(message) };
}

/** "Unknown prepared statement handler (7) given to ...", "The statement (7) has no open cursor": with the copy's id. */
const statementErrors: ReadonlySet<number> = new Set([1243, 1421]);

function renameStatement(message: Buffer, { statementIds }: ErrContext["inHand"]): Buffer {
  if (statementIds === undefined) return message;
  // One character a byte: the message is in the client's character set, whatever that is.
  const written = message.toString("latin1");
  const renamed = written.replace(`(${statementIds.copy})`, `(${statementIds.client})`);
  return renamed === written ? message : Buffer.from(renamed, "latin1");
}

function inspectFileRequest(payload: Buffer, context: InspectContext): InspectVerdict {
  const asked = decodeLocalInfileRequest(payload).filename;
  if (context.inHand.text?.localFiles.includes(asked) === true) return { kind: "local_file" };
  return {
    kind: "poisoned",
    reason: "the backend asked the client for a file that no LOAD DATA LOCAL of this command names",
    error: sqlError("ER_UNKNOWN_ERROR", {
      detail: "The backend asked for a file that the statement does not name",
    }),
  };
}

// Why a login to a database server failed, told apart so that pools and health can act on it. Messages may name the
// service account and quote the server; they are for our own log, never for clients, and never hold a password.

import { type SqlError, sqlError } from "../errors/sql-error.ts";

/**
 * `unreachable`: no connection, or it ended before the login did. `timeout`: the server did not answer in time.
 * `access_denied`: 1044, 1045 and the like: trying again at once would only lock the account.
 * `too_many_connections`: 1040, 1203, 1226: the server is up and full.
 * `refused`: another error of the server. `tls`: no TLS, or a certificate that does not hold.
 * `unsuitable`: the server lacks something that its clients were promised. `protocol`: bytes that no server sends.
 */
export type BackendLoginErrorKind =
  | "unreachable"
  | "timeout"
  | "access_denied"
  | "too_many_connections"
  | "refused"
  | "tls"
  | "unsuitable"
  | "protocol";

/** A failed login. */
export class BackendLoginError extends Error {
  override readonly name = "BackendLoginError";
  readonly kind: BackendLoginErrorKind;
  /** The server's error number; null when it sent none. */
  readonly code: number | null;

  constructor(
    kind: BackendLoginErrorKind,
    message: string,
    details: { readonly code?: number; readonly cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.code = details.code ?? null;
  }
}

// ER_DBACCESS_DENIED, ER_ACCESS_DENIED, ER_ACCESS_DENIED_NO_PASSWORD, ER_MUST_CHANGE_PASSWORD(_LOGIN),
// ER_NOT_SUPPORTED_AUTH_MODE, ER_ACCOUNT_HAS_BEEN_LOCKED, ER_USER_ACCESS_DENIED_FOR_USER_ACCOUNT_BLOCKED
const accessCodes = new Set([1044, 1045, 1698, 1820, 1862, 1251, 3118, 3955]);
// ER_CON_COUNT, ER_TOO_MANY_USER_CONNECTIONS, ER_USER_LIMIT_REACHED
const fullCodes = new Set([1040, 1203, 1226]);

/** The failure that an ERR packet of the server stands for. */
export function refusedByServer(code: number, message: string): BackendLoginError {
  const kind = accessCodes.has(code)
    ? "access_denied"
    : fullCodes.has(code)
      ? "too_many_connections"
      : "refused";
  return new BackendLoginError(kind, `The server answered ${code}: ${quoteServer(message)}`, { code });
}

/** A server's text in a log line: one line, printable, at most 300 characters. */
export function quoteServer(text: string): string {
  return text.slice(0, 300).replace(/[^\x20-\x7e\u00a0-\uffff]/g, "?");
}

/** What a client is told when its session cannot have a backend connection. */
export function asClientError(error: BackendLoginError): SqlError {
  return sqlError("ER_SERVER_ISNT_AVAILABLE", {}, { reason: error.message, cause: error });
}

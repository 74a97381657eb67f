// Why a login to a database server failed, told apart so that pools and health can act on it. Messages may name the
// service account and quote the server; they are for our own log, never for clients, and never hold a password.

import { type SqlError, sqlError } from "../errors/sql-error.ts";

/**
 * `unreachable`: no connection, or it ended before the login did. `timeout`: the server did not answer in time.
 * `access_denied`: 1044, 1045 and the like: trying again at once would only lock the account.
 * `too_many_connections`: 1040, 1203, 1226: the server is up and full.
 * `client_wish`: what this client asked for cannot be had (its collation); says nothing about the server.
 * `refused`: another error of the server. `tls`: no TLS, or a certificate that does not hold.
 * `unsuitable`: the server lacks something that its clients were promised. `protocol`: bytes that no server sends.
 */
export type BackendLoginErrorKind =
  | "unreachable"
  | "timeout"
  | "access_denied"
  | "too_many_connections"
  | "client_wish"
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

// ER_WRONG_VALUE_FOR_VAR (utf16 and the like cannot be a client's character set), ER_UNKNOWN_CHARACTER_SET,
// ER_UNKNOWN_COLLATION
const wishCodes = new Set([1231, 1115, 1273]);

/** The failure that an ERR packet of the server stands for. */
export function refusedByServer(code: number, message: string): BackendLoginError {
  const kind = kindOfCode(code);
  return new BackendLoginError(kind, `The server answered ${code}: ${quoteServer(message)}`, { code });
}

function kindOfCode(code: number): BackendLoginErrorKind {
  if (accessCodes.has(code)) return "access_denied";
  if (fullCodes.has(code)) return "too_many_connections";
  return wishCodes.has(code) ? "client_wish" : "refused";
}

/** A server's text in a log line: one line, printable, at most 300 characters. */
export function quoteServer(text: string): string {
  return text.slice(0, 300).replace(/[^\x20-\x7e\u00a0-\uffff]/g, "?");
}

/** What a client is told when its session cannot have a backend connection. */
export function asClientError(error: BackendLoginError): SqlError {
  const details = { reason: error.message, cause: error };
  if (error.kind !== "too_many_connections") return sqlError("ER_SERVER_ISNT_AVAILABLE", {}, details);
  return sqlError("ER_BACKEND_POOL_EXHAUSTED", { limit: "the server takes no more connections" }, details);
}

/** What a client is told whose own wish (`collation`), or whose promised capabilities, the server cannot meet. */
export function wishError(error: BackendLoginError, collation: number): SqlError {
  if (error.kind === "unsuitable") return asClientError(error);
  return sqlError("ER_UNKNOWN_CHARACTER_SET", { name: `#${collation}` }, { reason: error.message });
}

/** What sessions get that are on their way to a server which others are being sent away from: they are routed anew. */
export function leftServer(reason: string): SqlError {
  return asClientError(new BackendLoginError("unreachable", reason));
}

/** 1053: it is going down. 1047 after a login: a Galera node that is cut off from its cluster ("WSREP has not yet ..."). */
const outageCodes = new Set([1053, 1047]);

/** Whether a failure says that the server is not there, and may be again; not that it refuses or is full. */
export function isOutage({ kind, code }: BackendLoginError): boolean {
  return kind === "unreachable" || kind === "timeout" || (code !== null && outageCodes.has(code));
}

/** What a session gets whose connections broke one after the other while they were prepared for it. */
export function brokenError(error: unknown): SqlError {
  if (error instanceof BackendLoginError) return asClientError(error);
  return sqlError("ER_SERVER_ISNT_AVAILABLE", {}, { reason: reasonOf(error) });
}

/** The message of whatever was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

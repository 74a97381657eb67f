// The one family of errors whose text a client may read. Everything in it comes from the table in mysql-errors.

import type { MysqlErrorSymbol } from "./mysql-errors.ts";
import { mysqlErrors } from "./mysql-errors.ts";

/**
 * An error that is sent to a client as an ERR packet.
 * `reason` is for the audit log and the server's log only: it may say more than the client is told.
 */
export class SqlError extends Error {
  override readonly name = "SqlError";
  readonly symbol: MysqlErrorSymbol;
  /** MySQL's error number, e.g. 1045. */
  readonly code: number;
  /** Five characters, e.g. `28000`. */
  readonly sqlState: string;
  /** Why, for our own logs; never sent. */
  readonly reason: string | null;

  constructor(symbol: MysqlErrorSymbol, message: string, options: { reason?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    const definition = mysqlErrors[symbol];
    this.symbol = symbol;
    this.code = definition.code;
    this.sqlState = definition.sqlState;
    this.reason = options.reason ?? null;
  }
}

/**
 * Makes the error `symbol` with its wording filled in.
 * `values` replace `{name}` places of the wording; a place without a value is an assertion failure in tests (the
 * wording stays as it is).
 */
export function sqlError(
  symbol: MysqlErrorSymbol,
  values: Readonly<Record<string, string | number>> = {},
  options: { reason?: string; cause?: unknown } = {},
): SqlError {
  const wording: string = mysqlErrors[symbol].wording;
  const message = wording.replace(/\{(\w+)\}/g, (place, name: string) => {
    const value = values[name];
    return value === undefined ? place : String(value);
  });
  return new SqlError(symbol, message, options);
}

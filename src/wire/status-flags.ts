// Status flags of OK and EOF packets. IN_TRANS and AUTOCOMMIT of every terminator are the truth about the transaction.
// https://dev.mysql.com/doc/dev/mysql-server/latest/mysql__com_8h.html

/** Every flag; names as in the manual, without `SERVER_` and `STATUS_`. */
export const statusFlagTable = {
  IN_TRANS: 0x1,
  AUTOCOMMIT: 0x2,
  MORE_RESULTS_EXISTS: 0x8,
  QUERY_NO_GOOD_INDEX_USED: 0x10,
  QUERY_NO_INDEX_USED: 0x20,
  CURSOR_EXISTS: 0x40,
  LAST_ROW_SENT: 0x80,
  DB_DROPPED: 0x100,
  NO_BACKSLASH_ESCAPES: 0x200,
  METADATA_CHANGED: 0x400,
  QUERY_WAS_SLOW: 0x800,
  PS_OUT_PARAMS: 0x1000,
  IN_TRANS_READONLY: 0x2000,
  SESSION_STATE_CHANGED: 0x4000,
  /** MariaDB's ANSI_QUOTES. */
  ANSI_QUOTES: 0x8000,
} as const;

/** The name of a flag. */
export type StatusFlagName = keyof typeof statusFlagTable;

/** Flags that say how a session is, and not how its last statement went. */
export const lastingStatusFlags: number =
  statusFlagTable.IN_TRANS |
  statusFlagTable.AUTOCOMMIT |
  statusFlagTable.NO_BACKSLASH_ESCAPES |
  statusFlagTable.IN_TRANS_READONLY |
  statusFlagTable.ANSI_QUOTES;

export const STATUS_IN_TRANS: number = statusFlagTable.IN_TRANS;
export const STATUS_AUTOCOMMIT: number = statusFlagTable.AUTOCOMMIT;
export const STATUS_MORE_RESULTS: number = statusFlagTable.MORE_RESULTS_EXISTS;
export const STATUS_CURSOR_EXISTS: number = statusFlagTable.CURSOR_EXISTS;
export const STATUS_LAST_ROW_SENT: number = statusFlagTable.LAST_ROW_SENT;
export const STATUS_NO_BACKSLASH_ESCAPES: number = statusFlagTable.NO_BACKSLASH_ESCAPES;
export const STATUS_PS_OUT_PARAMS: number = statusFlagTable.PS_OUT_PARAMS;
export const STATUS_IN_TRANS_READONLY: number = statusFlagTable.IN_TRANS_READONLY;
export const STATUS_SESSION_STATE_CHANGED: number = statusFlagTable.SESSION_STATE_CHANGED;
export const STATUS_ANSI_QUOTES: number = statusFlagTable.ANSI_QUOTES;

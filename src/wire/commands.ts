// THE table of command bytes, the refused ones too, with the gateway's policy and the shape of each reply. The response
// boundary and the session's dispatch are derived from it.
// https://dev.mysql.com/doc/dev/mysql-server/latest/my__command_8h.html

/**
 * What the gateway does with a command. `relayed`: goes to a backend (with a permit). `answered`: the gateway's own
 * business. `refused`: 1047, the session stays open.
 */
export type CommandPolicy = "relayed" | "answered" | "refused";

/**
 * The shape of a reply.
 * `none`: no reply at all. `ok`: one OK, EOF or ERR. `result`: OK, ERR, a request for a file, or result sets, several
 * when the status says so. `rows`: packets until EOF, `fe` OK or ERR, without a count before. `prepare`: PREPARE_OK and
 * definitions. `text`: one packet of bare text. `login`: the conversation of a login. `endless`: never ends.
 */
export type ReplyShape = "none" | "ok" | "result" | "rows" | "prepare" | "text" | "login" | "endless";

/** One row of the table. */
export interface CommandRow {
  /** The first byte of the command's payload. */
  readonly byte: number;
  readonly policy: CommandPolicy;
  readonly reply: ReplyShape;
  /** Why it is treated so, where that is not plain. */
  readonly note?: string;
}

/** Every command; names as in the manual, without `COM_`. */
export const commandTable = {
  SLEEP: { byte: 0x00, policy: "refused", reply: "ok", note: "internal to servers" },
  QUIT: { byte: 0x01, policy: "answered", reply: "none", note: "the server just closes" },
  INIT_DB: { byte: 0x02, policy: "relayed", reply: "ok" },
  QUERY: { byte: 0x03, policy: "relayed", reply: "result" },
  FIELD_LIST: { byte: 0x04, policy: "relayed", reply: "rows" },
  CREATE_DB: { byte: 0x05, policy: "refused", reply: "ok", note: "removed from servers" },
  DROP_DB: { byte: 0x06, policy: "refused", reply: "ok", note: "removed from servers" },
  REFRESH: { byte: 0x07, policy: "refused", reply: "ok", note: "FLUSH by another name" },
  SHUTDOWN: { byte: 0x08, policy: "refused", reply: "ok", note: "stops a backend" },
  STATISTICS: { byte: 0x09, policy: "relayed", reply: "text" },
  PROCESS_INFO: { byte: 0x0a, policy: "answered", reply: "result", note: "as SHOW PROCESSLIST" },
  CONNECT: { byte: 0x0b, policy: "refused", reply: "ok", note: "internal to servers" },
  PROCESS_KILL: { byte: 0x0c, policy: "answered", reply: "ok", note: "ids are the gateway's own" },
  DEBUG: { byte: 0x0d, policy: "relayed", reply: "ok" },
  PING: { byte: 0x0e, policy: "relayed", reply: "ok" },
  TIME: { byte: 0x0f, policy: "refused", reply: "ok", note: "internal to servers" },
  DELAYED_INSERT: { byte: 0x10, policy: "refused", reply: "ok", note: "internal to servers" },
  CHANGE_USER: { byte: 0x11, policy: "answered", reply: "login" },
  BINLOG_DUMP: { byte: 0x12, policy: "refused", reply: "endless", note: "replication" },
  TABLE_DUMP: { byte: 0x13, policy: "refused", reply: "endless", note: "replication" },
  CONNECT_OUT: { byte: 0x14, policy: "refused", reply: "ok", note: "internal to servers" },
  REGISTER_SLAVE: { byte: 0x15, policy: "refused", reply: "ok", note: "replication" },
  STMT_PREPARE: { byte: 0x16, policy: "relayed", reply: "prepare" },
  STMT_EXECUTE: { byte: 0x17, policy: "relayed", reply: "result" },
  STMT_SEND_LONG_DATA: { byte: 0x18, policy: "relayed", reply: "none", note: "errors show at the execute" },
  STMT_CLOSE: { byte: 0x19, policy: "relayed", reply: "none" },
  STMT_RESET: { byte: 0x1a, policy: "relayed", reply: "ok" },
  SET_OPTION: { byte: 0x1b, policy: "relayed", reply: "ok" },
  STMT_FETCH: { byte: 0x1c, policy: "relayed", reply: "rows" },
  DAEMON: { byte: 0x1d, policy: "refused", reply: "ok", note: "internal to servers" },
  BINLOG_DUMP_GTID: { byte: 0x1e, policy: "refused", reply: "endless", note: "replication" },
  RESET_CONNECTION: { byte: 0x1f, policy: "relayed", reply: "ok" },
  CLONE: { byte: 0x20, policy: "refused", reply: "endless", note: "MySQL 8.0.17 and later" },
  SUBSCRIBE_GROUP_REPLICATION_STREAM: {
    byte: 0x21,
    policy: "refused",
    reply: "endless",
    note: "replication",
  },
  STMT_BULK_EXECUTE: {
    byte: 0xfa,
    policy: "refused",
    reply: "result",
    note: "MariaDB; capability not offered",
  },
  SLAVE_WORKER: { byte: 0xfb, policy: "refused", reply: "ok", note: "MariaDB, internal" },
  SLAVE_IO: { byte: 0xfc, policy: "refused", reply: "ok", note: "MariaDB, internal" },
  SLAVE_SQL: { byte: 0xfd, policy: "refused", reply: "ok", note: "MariaDB, internal" },
  MULTI: { byte: 0xfe, policy: "refused", reply: "ok", note: "MariaDB, withdrawn" },
} as const satisfies Record<string, CommandRow>;

/** The name of a command. */
export type CommandName = keyof typeof commandTable;

export const COM_QUIT: number = commandTable.QUIT.byte;
export const COM_INIT_DB: number = commandTable.INIT_DB.byte;
export const COM_QUERY: number = commandTable.QUERY.byte;
export const COM_FIELD_LIST: number = commandTable.FIELD_LIST.byte;
export const COM_STATISTICS: number = commandTable.STATISTICS.byte;
export const COM_PROCESS_INFO: number = commandTable.PROCESS_INFO.byte;
export const COM_PROCESS_KILL: number = commandTable.PROCESS_KILL.byte;
export const COM_DEBUG: number = commandTable.DEBUG.byte;
export const COM_PING: number = commandTable.PING.byte;
export const COM_CHANGE_USER: number = commandTable.CHANGE_USER.byte;
export const COM_STMT_PREPARE: number = commandTable.STMT_PREPARE.byte;
export const COM_STMT_EXECUTE: number = commandTable.STMT_EXECUTE.byte;
export const COM_STMT_SEND_LONG_DATA: number = commandTable.STMT_SEND_LONG_DATA.byte;
export const COM_STMT_CLOSE: number = commandTable.STMT_CLOSE.byte;
export const COM_STMT_RESET: number = commandTable.STMT_RESET.byte;
export const COM_SET_OPTION: number = commandTable.SET_OPTION.byte;
export const COM_STMT_FETCH: number = commandTable.STMT_FETCH.byte;
export const COM_RESET_CONNECTION: number = commandTable.RESET_CONNECTION.byte;

const rowOfByte: readonly (CommandRow | undefined)[] = (() => {
  const rows: (CommandRow | undefined)[] = new Array(256).fill(undefined);
  for (const row of Object.values<CommandRow>(commandTable)) rows[row.byte] = row;
  return rows;
})();

/** The row of a command byte; undefined for bytes that name no command (refused with 1047 as well). */
export function commandOf(byte: number): CommandRow | undefined {
  return rowOfByte[byte];
}

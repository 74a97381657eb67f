// THE table of errors that the gateway itself sends: symbol, number, SQLSTATE, wording, kind. Wordings copy MySQL's
// server error reference (https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html). Numbers
// 2000-2999 belong to clients and never stand here.

/** Whose doing it was; the label of the metric `errors_sent_total`. */
export type MysqlErrorKind = "client" | "auth" | "acl" | "limit" | "backend" | "gateway" | "shutdown";

/** One row. `{name}` in a wording is filled in by `sqlError`. */
export interface MysqlErrorDefinition {
  readonly code: number;
  readonly sqlState: string;
  readonly wording: string;
  readonly kind: MysqlErrorKind;
}

export const mysqlErrors = {
  ER_CON_COUNT_ERROR: { code: 1040, sqlState: "08004", wording: "Too many connections", kind: "limit" },
  ER_OUT_OF_RESOURCES: { code: 1041, sqlState: "HY000", wording: "Out of memory: {detail}", kind: "limit" },
  ER_BAD_HOST_ERROR: {
    code: 1042,
    sqlState: "08S01",
    wording: "Can't get hostname for your address",
    kind: "client",
  },
  ER_HANDSHAKE_ERROR: { code: 1043, sqlState: "08S01", wording: "Bad handshake", kind: "client" },
  ER_DBACCESS_DENIED_ERROR: {
    code: 1044,
    sqlState: "42000",
    wording: "Access denied for user '{user}'@'{host}' to database '{database}'",
    kind: "acl",
  },
  ER_ACCESS_DENIED_ERROR: {
    code: 1045,
    sqlState: "28000",
    wording: "Access denied for user '{user}'@'{host}' (using password: {usingPassword})",
    kind: "auth",
  },
  ER_NO_DB_ERROR: { code: 1046, sqlState: "3D000", wording: "No database selected", kind: "client" },
  ER_UNKNOWN_COM_ERROR: { code: 1047, sqlState: "08S01", wording: "Unknown command", kind: "client" },
  ER_BAD_DB_ERROR: {
    code: 1049,
    sqlState: "42000",
    wording: "Unknown database '{database}'",
    kind: "client",
  },
  ER_SERVER_SHUTDOWN: {
    code: 1053,
    sqlState: "08S01",
    wording: "Server shutdown in progress",
    kind: "shutdown",
  },
  ER_PARSE_ERROR: {
    code: 1064,
    sqlState: "42000",
    wording: "You have an error in your SQL syntax; {detail}",
    kind: "acl",
  },
  ER_EMPTY_QUERY: { code: 1065, sqlState: "42000", wording: "Query was empty", kind: "client" },
  ER_NO_SUCH_THREAD: { code: 1094, sqlState: "HY000", wording: "Unknown thread id: {id}", kind: "client" },
  ER_KILL_DENIED_ERROR: {
    code: 1095,
    sqlState: "HY000",
    wording: "You are not owner of thread {id}",
    kind: "acl",
  },
  ER_UNKNOWN_ERROR: { code: 1105, sqlState: "HY000", wording: "{detail}", kind: "gateway" },
  ER_UNKNOWN_CHARACTER_SET: {
    code: 1115,
    sqlState: "42000",
    wording: "Unknown character set: '{name}'",
    kind: "client",
  },
  ER_WRONG_VALUE_FOR_VAR: {
    code: 1231,
    sqlState: "42000",
    wording: "Variable '{name}' can't be set to the value of '{value}'",
    kind: "client",
  },
  ER_TABLEACCESS_DENIED_ERROR: {
    code: 1142,
    sqlState: "42000",
    wording: "{command} command denied to user '{user}'@'{host}' for table '{table}'",
    kind: "acl",
  },
  ER_COLUMNACCESS_DENIED_ERROR: {
    code: 1143,
    sqlState: "42000",
    wording: "{command} command denied to user '{user}'@'{host}' for column '{column}' in table '{table}'",
    kind: "acl",
  },
  ER_NET_PACKET_TOO_LARGE: {
    code: 1153,
    sqlState: "08S01",
    wording: "Got a packet bigger than 'max_allowed_packet' bytes",
    kind: "limit",
  },
  ER_NET_PACKETS_OUT_OF_ORDER: {
    code: 1156,
    sqlState: "08S01",
    wording: "Got packets out of order",
    kind: "client",
  },
  ER_NET_READ_INTERRUPTED: {
    code: 1159,
    sqlState: "08S01",
    wording: "Got timeout reading communication packets",
    kind: "client",
  },
  ER_TOO_MANY_USER_CONNECTIONS: {
    code: 1203,
    sqlState: "42000",
    wording: "User {user} already has more than 'max_user_connections' active connections",
    kind: "limit",
  },
  ER_BACKEND_POOL_EXHAUSTED: {
    code: 1203,
    sqlState: "42000",
    wording: "No backend connection became free in time: {limit}",
    kind: "limit",
  },
  ER_LOCK_DEADLOCK: {
    code: 1213,
    sqlState: "40001",
    wording: "Deadlock found when trying to get lock; try restarting transaction",
    kind: "backend",
  },
  ER_NO_REFERENCED_ROW: {
    code: 1216,
    sqlState: "23000",
    wording: "Cannot add or update a child row: a foreign key constraint fails",
    kind: "acl",
  },
  ER_ROW_IS_REFERENCED: {
    code: 1217,
    sqlState: "23000",
    wording: "Cannot delete or update a parent row: a foreign key constraint fails",
    kind: "acl",
  },
  ER_USER_LIMIT_REACHED: {
    code: 1226,
    sqlState: "42000",
    wording: "User '{user}' has exceeded the '{resource}' resource (current value: {limit})",
    kind: "limit",
  },
  ER_SPECIFIC_ACCESS_DENIED_ERROR: {
    code: 1227,
    sqlState: "42000",
    wording: "Access denied; you need (at least one of) the {privilege} privilege(s) for this operation",
    kind: "acl",
  },
  ER_NOT_SUPPORTED_YET: {
    code: 1235,
    sqlState: "42000",
    wording: "This version of MySQL doesn't yet support '{feature}'",
    kind: "acl",
  },
  ER_INCORRECT_GLOBAL_LOCAL_VAR: {
    code: 1238,
    sqlState: "HY000",
    wording: "Variable '{name}' is a {kind} variable",
    kind: "client",
  },
  ER_UNKNOWN_STMT_HANDLER: {
    code: 1243,
    sqlState: "HY000",
    wording: "Unknown prepared statement handler ({id}) given to {command}",
    kind: "client",
  },
  ER_NOT_SUPPORTED_AUTH_MODE: {
    code: 1251,
    sqlState: "08004",
    wording:
      "Client does not support authentication protocol requested by server; consider upgrading MySQL client",
    kind: "auth",
  },
  ER_OPTION_PREVENTS_STATEMENT: {
    code: 1290,
    sqlState: "HY000",
    wording: "The MySQL server is running with the {option} option so it cannot execute this statement",
    kind: "acl",
  },
  ER_QUERY_INTERRUPTED: {
    code: 1317,
    sqlState: "70100",
    wording: "Query execution was interrupted",
    kind: "client",
  },
  ER_PROCACCESS_DENIED_ERROR: {
    code: 1370,
    sqlState: "42000",
    wording: "{command} command denied to user '{user}'@'{host}' for routine '{routine}'",
    kind: "acl",
  },
  ER_MAX_PREPARED_STMT_COUNT_REACHED: {
    code: 1461,
    sqlState: "42000",
    wording: "Can't create more than max_prepared_stmt_count statements (current value: {limit})",
    kind: "limit",
  },
  ER_NEW_ABORTING_CONNECTION: {
    code: 1184,
    sqlState: "08S01",
    wording: "Aborted connection: {detail}",
    kind: "backend",
  },
  ER_CONNECT_TO_FOREIGN_DATA_SOURCE: {
    code: 1429,
    sqlState: "HY000",
    wording: "Unable to connect to foreign data source: {detail}",
    kind: "backend",
  },
  ER_READ_ONLY_MODE: { code: 1836, sqlState: "HY000", wording: "Running in read-only mode", kind: "acl" },
  ER_MALFORMED_PACKET: {
    code: 1835,
    sqlState: "HY000",
    wording: "Malformed communication packet.",
    kind: "client",
  },
  ER_QUERY_TIMEOUT: {
    code: 3024,
    sqlState: "HY000",
    wording: "Query execution was interrupted, maximum statement execution time exceeded",
    kind: "limit",
  },
  ER_ACCOUNT_HAS_BEEN_LOCKED: {
    code: 3118,
    sqlState: "HY000",
    wording: "Access denied for user '{user}'@'{host}'. Account is locked.",
    kind: "auth",
  },
  ER_SECURE_TRANSPORT_REQUIRED: {
    code: 3159,
    sqlState: "HY000",
    wording: "Connections using insecure transport are prohibited while --require_secure_transport=ON.",
    kind: "auth",
  },
  ER_SERVER_ISNT_AVAILABLE: {
    code: 3168,
    sqlState: "HY000",
    wording: "Server isn't available",
    kind: "backend",
  },
  ER_CONNECTION_KILLED: {
    code: 1927,
    sqlState: "70100",
    wording: "Connection was killed",
    kind: "client",
  },
  ER_CLIENT_INTERACTION_TIMEOUT: {
    code: 4031,
    sqlState: "HY000",
    wording:
      "The client was disconnected by the server because of inactivity. See wait_timeout and interactive_timeout for configuring this behavior.",
    kind: "limit",
  },
} as const satisfies Record<string, MysqlErrorDefinition>;

/** The name of a row. */
export type MysqlErrorSymbol = keyof typeof mysqlErrors;

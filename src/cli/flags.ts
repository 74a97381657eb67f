// THE table of the gateway's flags. `--help`, the environment variables, the keys of --config_file, docs/flags.md and
// the options of the gateway all derive from it. Names are VTGate's wherever VTGate has the thing. The rows about logins
// and TLS stand in login-flags.

import { durationFlag as duration, type FlagTable } from "./flag-table.ts";
import { loginFlags } from "./login-flags.ts";

const listening = { group: "Listening" } as const;
const tableAcl = { group: "Table ACL" } as const;
const backend = { group: "Backend" } as const;
const limits = { group: "Limits" } as const;
const timeouts = { group: "Timeouts (0: none)" } as const;
const process_ = { group: "Process, logs and admin" } as const;

export const serveFlags = {
  mysql_server_port: {
    ...listening,
    type: "integer",
    default: "3306",
    min: -1,
    max: 65535,
    help: "TCP port for clients; 0 picks a free one and logs it, -1 turns TCP off",
  },
  mysql_server_bind_address: {
    ...listening,
    type: "text",
    default: "127.0.0.1",
    help: "Address that the TCP port listens on",
  },
  mysql_server_socket_path: {
    ...listening,
    type: "path",
    default: null,
    help: "Unix socket for clients",
  },
  mysql_server_version: {
    ...listening,
    type: "text",
    default: null,
    help: "Version announced to clients instead of the backend's own",
  },
  proxy_protocol: {
    ...listening,
    type: "boolean",
    default: "false",
    help: "Expect a PROXY protocol header (v1 or v2) from the networks of proxy_protocol_trusted",
  },
  proxy_protocol_trusted: {
    ...listening,
    type: "list",
    default: null,
    help: "Networks (CIDR) of load balancers whose PROXY header is required and believed",
  },
  mysql_server_keepalive_period: {
    ...listening,
    ...duration,
    default: "0s",
    help: "Idle time after which TCP keepalive probes begin; 0 leaves it to the system",
  },
  ...loginFlags,
  table_acl_config: {
    ...tableAcl,
    type: "path",
    default: null,
    reloadable: true,
    help: "The table ACL file (JSON); without it everybody may do what the backend account may do",
  },
  table_acl_config_reload_interval: {
    ...tableAcl,
    ...duration,
    default: "0s",
    help: "Also reload the table ACL file this often, beside the file watch",
  },
  queryserver_config_strict_table_acl: {
    ...tableAcl,
    type: "boolean",
    default: "true",
    help: "Deny what the table ACL does not allow; false lets everything run",
  },
  queryserver_config_enable_table_acl_dry_run: {
    ...tableAcl,
    type: "boolean",
    default: "false",
    help: "Let everything run; count and record what the table ACL would deny",
  },
  queryserver_config_acl_exempt_acl: {
    ...tableAcl,
    type: "list",
    default: null,
    help: "Principals (UserData or Groups) that the table ACL denies nothing",
  },
  backend: {
    ...backend,
    type: "text",
    default: "embedded",
    help: "The database server: embedded, or mysql://user:password@host:port/database?ssl-mode=..., or ?socket=/path",
  },
  topology_file: {
    ...backend,
    type: "path",
    default: null,
    reloadable: true,
    help: "The topology file (JSON): keyspaces, their servers, accounts and routing rules, instead of --backend",
  },
  backend_password_file: {
    ...backend,
    type: "path",
    default: null,
    reloadable: true,
    help: "File that holds the password of the backend account, instead of the URL",
  },
  embedded_datadir: {
    ...backend,
    type: "path",
    default: null,
    help: "Data directory of the embedded server; default: gatehouse/embedded in the user's data directory",
  },
  local_infile: {
    ...backend,
    type: "boolean",
    default: "true",
    help: "Offer LOAD DATA LOCAL to clients; the backend's own setting decides then",
  },
  caller_id_comment: {
    ...backend,
    type: "boolean",
    default: "false",
    help: "Begin every forwarded statement with a comment that says whose it is, for the database's logs: /* gatehouse:user_data='web',user='anna',id='7' */",
  },
  backend_pool_size: {
    ...backend,
    type: "integer",
    default: "100",
    min: 1,
    max: 1_000_000,
    help: "Connections per server and account; a session that finds none free waits",
  },
  backend_pool_wait_timeout: {
    ...backend,
    ...duration,
    default: "5s",
    help: "Longest wait for a free connection; then error 1203",
  },
  backend_idle_timeout: {
    ...backend,
    ...duration,
    default: "5m",
    help: "Close backend connections that nobody used for this long; 0: never",
  },
  backend_max_lifetime: {
    ...backend,
    ...duration,
    default: "1h",
    help: "Replace backend connections that are older, each a little earlier by chance, as soon as no session needs them; 0: never",
  },
  backend_pool_min_idle: {
    ...backend,
    type: "integer",
    default: "0",
    min: 0,
    max: 1_000_000,
    help: "Connections kept ready per server and account before anybody asks, for the kinds of clients that come most; 0: made when a session needs one",
  },
  enable_buffer: {
    ...backend,
    type: "boolean",
    default: "true",
    help: "Let new statements outside transactions wait while there is no server to send them to",
  },
  buffer_window: {
    ...backend,
    ...duration,
    default: "10s",
    help: "Longest such wait, and time into an outage after which no statement waits any more; then the error that it would have been",
  },
  buffer_size: {
    ...backend,
    type: "integer",
    default: "1000",
    min: 1,
    max: 1_000_000,
    help: "Statements that wait so at a time; beyond: error 1203",
  },
  mysql_server_max_connections: {
    ...limits,
    type: "integer",
    default: "10000",
    min: 1,
    max: 1_000_000,
    help: "Client connections; error 1040 beyond",
  },
  mysql_server_max_connections_per_user: {
    ...limits,
    type: "integer",
    default: "0",
    min: 0,
    max: 1_000_000,
    help: "Client connections of one user; error 1203 beyond; 0: no limit",
  },
  max_allowed_packet: {
    ...limits,
    type: "size",
    default: "64MiB",
    min: 1024,
    max: 2 ** 30,
    help: "Longest command of a client; error 1153 beyond",
  },
  max_prepared_stmt_count: {
    ...limits,
    type: "integer",
    default: "16382",
    min: 0,
    max: 4_194_304,
    help: "Prepared statements of all clients together; error 1461 beyond",
  },
  statement_buffer_bytes: {
    ...limits,
    type: "size",
    default: "512MiB",
    min: 2 ** 20,
    max: 2 ** 40,
    help: "Memory for statements that are being received, all clients together; backpressure, then error 1041",
  },
  mysql_server_connect_timeout: {
    ...timeouts,
    ...duration,
    min: 1,
    default: "10s",
    help: "From accept to the end of the login; cannot be turned off",
  },
  mysql_server_idle_timeout: {
    ...timeouts,
    ...duration,
    default: "8h",
    help: "Between two commands of a client, or what its wait_timeout was set to, if shorter; error 4031",
  },
  mysql_server_read_timeout: {
    ...timeouts,
    ...duration,
    default: "0s",
    help: "For the rest of a command whose first bytes have arrived",
  },
  mysql_server_write_timeout: {
    ...timeouts,
    ...duration,
    default: "60s",
    help: "For a client that does not take its reply while a backend connection is held",
  },
  mysql_server_query_timeout: {
    ...timeouts,
    ...duration,
    default: "0s",
    help: "For one statement; it is killed and the client gets error 3024",
  },
  mysql_server_drain_onterm: {
    ...process_,
    type: "boolean",
    default: "false",
    help: "On SIGTERM leave clients alone until they leave by themselves, instead of closing idle ones at once; in the last quarter of --onterm_timeout (5s at most) commands outside transactions get error 1053",
  },
  lameduck_period: {
    ...process_,
    ...duration,
    default: "0s",
    help: "On SIGTERM go on serving new connections this long while /readyz answers 503 already, so that balancers take notice; a second signal ends it",
  },
  onterm_timeout: {
    ...process_,
    ...duration,
    default: "10s",
    help: "On SIGTERM, after --lameduck_period, wait this long, then close what is left",
  },
  port: {
    ...process_,
    type: "integer",
    default: "-1",
    min: -1,
    max: 65535,
    help: "TCP port for admin HTTP (status page, /healthz, /readyz, /metrics, /api); 0 picks a free one, -1 turns it off",
  },
  bind_address: {
    ...process_,
    type: "text",
    default: "127.0.0.1",
    help: "Address that admin HTTP listens on",
  },
  admin_token_file: {
    ...process_,
    type: "path",
    default: null,
    reloadable: true,
    help: "File with a token that /api demands; without it the page and /api answer on loopback only, and nothing can be changed",
  },
  log_level: {
    ...process_,
    type: "choice",
    choices: ["debug", "info", "warn", "error", "silent"],
    default: "info",
    help: "Least serious events that are logged",
  },
  log_format: {
    ...process_,
    type: "choice",
    choices: ["json", "text"],
    default: "json",
    help: "One JSON object per line, or text for people",
  },
  log_file: {
    ...process_,
    type: "path",
    default: null,
    help: "File for the log instead of stderr; opened anew on SIGHUP and SIGUSR2",
  },
  audit_log_file: {
    ...process_,
    type: "path",
    default: null,
    help: "File for audit records instead of the log; opened anew on SIGHUP and SIGUSR2",
  },
  log_queries_to_file: {
    ...process_,
    type: "path",
    default: null,
    help: "File for a record of every statement, or of those that the two flags below choose; fingerprints without values; opened anew on SIGHUP and SIGUSR2",
  },
  querylog_sample_rate: {
    ...process_,
    type: "fraction",
    default: null,
    min: 0,
    max: 1,
    help: "Share of statements that the query log records by chance, 0.0 to 1.0",
  },
  querylog_time_threshold: {
    ...process_,
    ...duration,
    default: null,
    help: "The query log also records every statement that took at least this long",
  },
  workers: {
    ...process_,
    type: "text",
    default: "1",
    help: "Processes that share the port: a number, or `auto` for one per CPU; limits and KILL hold over all, backend_pool_size, backend_pool_min_idle, buffer_size, max_prepared_stmt_count and statement_buffer_bytes are divided among them",
  },
  pid_file: {
    ...process_,
    type: "path",
    default: null,
    help: "File that holds the process id while the gateway runs",
  },
  config_file: {
    ...process_,
    type: "path",
    default: null,
    help: "JSON file with flags as keys; the command line and the environment win over it",
  },
} as const satisfies FlagTable;

/** The environment variable of a flag: `GATEHOUSE_MYSQL_SERVER_PORT`. */
export function environmentName(flag: string): string {
  return `GATEHOUSE_${flag.toUpperCase()}`;
}

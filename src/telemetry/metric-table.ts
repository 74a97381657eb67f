// THE table of metrics: every row has a name, a type, a sentence and its labels with all their values, or the number
// of different values kept. docs/metrics.md is generated from it; a house test fails on a row that no code moves.

/** All values of a label, or how many different ones are kept (later ones count as `other`). */
export type LabelValues = readonly string[] | { readonly distinctMax: number };

/** One row. Prometheus sees `gatehouse_` before its name. */
export interface MetricDefinition {
  readonly type: "counter" | "gauge" | "histogram";
  /** A sentence; the unit is the name's ending. */
  readonly help: string;
  readonly labels: Readonly<Record<string, LabelValues>>;
  /** What the values of several processes make together; `max` of a counter: they all count the same. @default their sum */
  readonly acrossWorkers?: "max" | "min";
  /** Histograms: upper bounds, in the name's unit, ascending. */
  readonly buckets?: readonly number[];
}

const secondsBuckets = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
] as const;

const certificateKinds = [
  ...(["server", "server_chain", "client_ca", "client_crl"] as const),
  ...(["backend_ca", "backend_client", "backend_server"] as const),
] as const;

export const metricTable = {
  client_connections_total: {
    type: "counter",
    help: "Client connections accepted by the listeners",
    labels: { transport: ["tcp", "unix"] },
  },
  client_connections: {
    type: "gauge",
    help: "Client connections open now, logged in or not",
    labels: { transport: ["tcp", "unix"] },
  },
  client_connections_refused_total: {
    type: "counter",
    help: "Client connections closed before a login was judged, by cause",
    labels: { reason: { distinctMax: 32 } },
  },
  logins_total: {
    type: "counter",
    help: "Logins judged, COM_CHANGE_USER included",
    labels: {
      outcome: ["accepted", "refused"],
      plugin: { distinctMax: 16 },
      tls: ["none", "TLSv1.2", "TLSv1.3"],
    },
  },
  login_refusals_total: {
    type: "counter",
    help: "Logins refused, by the reason that the audit log gives",
    labels: { reason: { distinctMax: 64 } },
  },
  login_seconds: {
    type: "histogram",
    help: "Time from accept to the verdict about the login, in seconds",
    labels: {},
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  },
  entry_logins_total: {
    type: "counter",
    help: "Logins per entry of the users file, by itself and as the base of a mapped proxy user, since the start or the reload that changed it; `entry` is its fingerprint. Entries beyond the first 1000 are added up as `other`",
    labels: { user: { distinctMax: 1000 }, entry: { distinctMax: 1000 } },
  },
  entry_sessions: {
    type: "gauge",
    help: "Live sessions per entry of the users file",
    labels: { user: { distinctMax: 1000 }, entry: { distinctMax: 1000 } },
  },
  entry_last_login_timestamp_seconds: {
    type: "gauge",
    acrossWorkers: "max",
    help: "Last login per entry of the users file, in seconds since the epoch; 0: none since it is counted",
    labels: { user: { distinctMax: 1000 }, entry: { distinctMax: 1000 } },
  },
  sessions: { type: "gauge", help: "Sessions logged in now", labels: {} },
  session_failures_total: {
    type: "counter",
    help: "Sessions ended by a failure inside the gateway (a bug); the log has the stack",
    labels: {},
  },
  commands_total: {
    type: "counter",
    help: "Commands of clients, by protocol command",
    labels: { command: { distinctMax: 40 } },
  },
  command_seconds: {
    type: "histogram",
    help: "Time from a command's last byte to the last byte of its reply, in seconds. `none` stands for no keyspace",
    labels: { keyspace: { distinctMax: 258 }, kind: ["read", "write", "other"] },
    buckets: [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
  },
  client_bytes_total: {
    type: "counter",
    help: "Bytes of commands received from clients and of replies sent to them",
    labels: { direction: ["received", "sent"] },
  },
  sessions_ended_total: {
    type: "counter",
    help: "Sessions ended, by cause",
    labels: { reason: { distinctMax: 40 } },
  },
  uncertain_statements_total: {
    type: "counter",
    help: "Statements that were not understood with certainty and relayed all the same (no table ACL)",
    labels: {},
  },
  table_acl_decisions_total: {
    type: "counter",
    help: "Rights that the table ACL looked up, by outcome, deciding group and entry, and role; dry_run: it would have been denied. `none` stands for no rule, no role",
    labels: {
      outcome: ["allowed", "denied", "dry_run"],
      group: { distinctMax: 256 },
      entry: { distinctMax: 512 },
      role: { distinctMax: 8 },
    },
  },
  table_acl_denials_total: {
    type: "counter",
    help: "Statements that the table ACL denied, or would have in a dry run, by what was denied; text: it could not be judged",
    labels: { object: { distinctMax: 8 } },
  },
  table_acl_exempt_total: {
    type: "counter",
    help: "Statements that ran because nothing is denied to their principal",
    labels: {},
  },
  errors_sent_total: {
    type: "counter",
    help: "Errors that the gateway itself sent to clients, by kind",
    labels: { kind: ["client", "auth", "acl", "limit", "backend", "gateway", "shutdown"] },
  },
  backend_errors_total: {
    type: "counter",
    help: "ERR packets of database servers relayed to clients",
    labels: {},
  },
  statement_buffer_bytes: {
    type: "gauge",
    help: "Bytes of statements waiting in memory, all sessions together",
    labels: {},
  },
  prepared_statements: {
    type: "gauge",
    help: "Prepared statements open now, all sessions together",
    labels: {},
  },
  session_pins_total: {
    type: "counter",
    help: "Times that a session was bound to one backend connection until a reset, by what bound it",
    labels: { because: { distinctMax: 128 } },
  },
  kills_total: {
    type: "counter",
    help: "KILL statements answered, by outcome",
    labels: { outcome: ["done", "unknown_id", "denied"] },
  },
  backend_connections: {
    type: "gauge",
    help: "Connections to database servers, by what they do now; offered: held by a session that can do without",
    labels: { tablet: { distinctMax: 256 }, state: ["leased", "offered", "idle"] },
  },
  backend_takeovers_total: {
    type: "counter",
    help: "Connections taken from sessions that could do without: for another session, to make room, or long unused",
    labels: { why: ["session", "room", "unused"] },
  },
  backend_connects_total: {
    type: "counter",
    help: "Attempts to connect and log in to a database server",
    labels: { tablet: { distinctMax: 256 }, outcome: ["connected", "failed"] },
  },
  backend_advance_connects_total: {
    type: "counter",
    help: "Connections that were made before a session asked for one (backend_pool_min_idle)",
    labels: { tablet: { distinctMax: 256 } },
  },
  backend_wait_seconds: {
    type: "histogram",
    help: "Time that sessions waited for a backend connection, in seconds",
    labels: {},
    buckets: secondsBuckets,
  },
  backend_wait_timeouts_total: {
    type: "counter",
    help: "Times that no backend connection became free in time (error 1203)",
    labels: {},
  },
  backend_up: {
    type: "gauge",
    acrossWorkers: "min",
    help: "Whether a database server answered when last asked: 1 or 0",
    labels: { tablet: { distinctMax: 256 } },
  },
  tablet_serving: {
    type: "gauge",
    acrossWorkers: "min",
    help: "Whether a tablet of a keyspace serves in a role now: 1 or 0. A keyspace without a tablet that is its primary cannot be written to",
    labels: {
      keyspace: { distinctMax: 256 },
      tablet: { distinctMax: 256 },
      role: ["primary", "replica", "rdonly"],
    },
  },
  keyspace_conflict: {
    type: "gauge",
    acrossWorkers: "max",
    help: "Whether several tablets of a keyspace take writes at once, so that none is written to: 1 or 0",
    labels: { keyspace: { distinctMax: 256 } },
  },
  primary_changes_total: {
    type: "counter",
    acrossWorkers: "max",
    help: "Times that another tablet became the primary of a keyspace; what several workers see counts once",
    labels: { keyspace: { distinctMax: 256 } },
  },
  replica_lag_seconds: {
    type: "gauge",
    acrossWorkers: "max",
    help: "How far a replica is behind, in seconds; -1: it does not know",
    labels: { tablet: { distinctMax: 256 } },
  },
  health_checks_total: {
    type: "counter",
    help: "Health checks of a tablet, by each of several workers; blind: the server did not let the monitor's account look",
    labels: { tablet: { distinctMax: 256 }, outcome: ["seen", "blind", "failed"] },
  },
  buffered_statements: {
    type: "gauge",
    help: "Statements that wait now because there is no server to send them to",
    labels: {},
  },
  buffered_statements_total: {
    type: "counter",
    help: "Waits of statements for a server to come back or for a new primary, by how they ended; full: `buffer_size` statements waited already",
    labels: { outcome: ["released", "timed_out", "full", "interrupted"] },
  },
  buffered_statement_seconds: {
    type: "histogram",
    help: "Time that statements waited for a server to come back or for a new primary, in seconds",
    labels: {},
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  },
  file_reloads_total: {
    type: "counter",
    acrossWorkers: "max",
    help: "Reloads of a watched file whose content had changed; what several workers do counts once",
    labels: { file: { distinctMax: 32 }, outcome: ["reloaded", "failed"] },
  },
  file_generation: {
    type: "gauge",
    acrossWorkers: "max",
    help: "Generation of a watched file in use: 1 at start, one more with every reload",
    labels: { file: { distinctMax: 32 } },
  },
  file_stale: {
    type: "gauge",
    acrossWorkers: "max",
    help: "Whether a watched file on disk is bad and an older content is in use: 1 or 0",
    labels: { file: { distinctMax: 32 } },
  },
  file_loaded_timestamp_seconds: {
    type: "gauge",
    acrossWorkers: "max",
    help: "When the content of a watched file in use was loaded, in seconds since the epoch",
    labels: { file: { distinctMax: 32 } },
  },
  certificate_end_timestamp_seconds: {
    type: "gauge",
    acrossWorkers: "min",
    help: "When a certificate or revocation list toward clients or database servers ends, of several the first, in seconds since the epoch; backend_server: shown by a server at the newest connection",
    labels: { certificate: certificateKinds },
  },
  certificate_warn_timestamp_seconds: {
    type: "gauge",
    acrossWorkers: "min",
    help: "From when on the end of that certificate or list is worth a warning: 30 days before, or a quarter of its life",
    labels: { certificate: certificateKinds },
  },
  worker_restarts_total: {
    type: "counter",
    help: "Workers (--workers) that ended without being asked and were started again",
    labels: {},
  },
  admin_requests_total: {
    type: "counter",
    help: "Requests to admin HTTP, by the status of the answer",
    labels: { status: { distinctMax: 16 } },
  },
  audit_write_failures_total: {
    type: "counter",
    help: "Failed writes to the audit log (disk full, file gone)",
    labels: {},
  },
  dropped_lines_total: {
    type: "counter",
    help: "Lines that could not be written and were dropped",
    labels: { output: ["log", "audit", "queries"] },
  },
  uncaught_errors_total: {
    type: "counter",
    help: "Exceptions and rejections that nothing caught (a bug); the log has the stack",
    labels: {},
  },
} as const satisfies Record<string, MetricDefinition>;

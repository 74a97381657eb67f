// Turns the values of the flags into the gateway's options: what belongs together, what excludes each other, and what
// would have no effect (an error: no flag does nothing).

import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseIpNetwork } from "../base/ip-network.ts";
import type {
  BackendOptions,
  GatewayOptions,
  LimitOptions,
  ListenOptions,
  TableAclOptions,
} from "../server/gateway-options.ts";
import type { LogLevel } from "../telemetry/logger.ts";
import type { QueryLogOptions } from "../telemetry/query-log.ts";
import { UsageError } from "./arguments.ts";
import { parseBackendUrl } from "./backend-url.ts";
import { type Complain, readAuthOptions, readTlsOptions, type ServeSettings } from "./login-options.ts";

/** What the process does around the gateway. */
export interface ProcessOptions {
  readonly logLevel: LogLevel;
  readonly logFormat: "json" | "text";
  /** null: stderr. */
  readonly logFile: string | null;
  /** null: between the lines of the log. */
  readonly auditLogFile: string | null;
  /** null: no query log. */
  readonly queryLog: QueryLogOptions | null;
  readonly pidFile: string | null;
  /** Processes that serve; 1: this one alone. */
  readonly workers: number;
}

/** All that `serve` needs. */
export interface ServeOptions {
  readonly gateway: GatewayOptions;
  readonly process: ProcessOptions;
  /** Whether the command line itself holds a password: it is then wiped from the process list. */
  readonly secretInArguments: boolean;
}

/**
 * Makes the options. `homeDirectory` and `environment` decide the default data directory.
 * @throws UsageError with one line per mistake.
 */
export function makeServeOptions(
  settings: ServeSettings,
  surroundings: {
    readonly homeDirectory: string;
    readonly environment: Readonly<Record<string, string | undefined>>;
  },
  usersFrom: "flags" | "hook" = "flags",
): ServeOptions {
  const mistakes: string[] = [];
  const complain: Complain = (sentence) => mistakes.push(sentence);
  const { values } = settings;
  const listen = listenOptions(settings, complain);
  const auth = readAuthOptions(settings, complain, usersFrom);
  const clientTls = readTlsOptions(settings, listen.unixSocketPath !== null, complain);
  const tableAcl = tableAclOptions(settings, complain);
  const buffer = bufferLimits(settings, complain);
  const backend = backendOptions(settings, surroundings, complain);
  const queryLog = queryLogOptions(settings, complain);
  checkVersionText(values.mysql_server_version, complain);
  complainOfNoEffect(settings, complain);
  const admin = adminOptions(settings, complain);
  checkPool(values, complain);
  const workers = workerCount(values.workers, values.backend_pool_size, complain);
  if (mistakes.length > 0 || auth === null || backend === null) throw new UsageError(mistakes.join("\n"));
  return {
    gateway: {
      listen,
      serverVersion: values.mysql_server_version,
      auth,
      clientTls,
      requireSecureTransport: values.mysql_server_require_secure_transport,
      tableAcl,
      backend,
      backendPool: {
        connectionsMax: values.backend_pool_size,
        waitTimeoutMs: values.backend_pool_wait_timeout,
        idleTimeoutMs: values.backend_idle_timeout,
        lifetimeMs: values.backend_max_lifetime,
        minIdle: values.backend_pool_min_idle,
      },
      buffer,
      localInfile: values.local_infile,
      callerIdComment: values.caller_id_comment,
      limits: limitOptions(values),
      ...timeOptions(values),
      admin,
    },
    process: {
      logLevel: values.log_level,
      logFormat: values.log_format,
      logFile: values.log_file,
      auditLogFile: values.audit_log_file,
      queryLog,
      pidFile: values.pid_file,
      workers,
    },
    secretInArguments:
      (settings.sourceOf("backend") === "command line" && values.backend !== "embedded") ||
      settings.sourceOf("mysql_auth_server_static_string") === "command line",
  };
}

function timeOptions(values: ServeSettings["values"]): Pick<GatewayOptions, "timeouts" | "shutdown"> {
  return {
    timeouts: {
      connectMs: values.mysql_server_connect_timeout,
      idleMs: values.mysql_server_idle_timeout,
      readMs: values.mysql_server_read_timeout,
      writeMs: values.mysql_server_write_timeout,
      queryMs: values.mysql_server_query_timeout,
    },
    shutdown: {
      lameduckMs: values.lameduck_period,
      drainOnTerm: values.mysql_server_drain_onterm,
      timeoutMs: values.onterm_timeout,
    },
  };
}

function bufferLimits(settings: ServeSettings, complain: Complain): GatewayOptions["buffer"] {
  const { values } = settings;
  for (const name of ["buffer_window", "buffer_size"] as const) {
    if (settings.isSet(name) && !values.enable_buffer)
      complain(`Flag --${name} has no effect with --enable_buffer=false`);
  }
  return {
    enabled: values.enable_buffer,
    windowMs: values.buffer_window,
    statementsMax: values.buffer_size,
  };
}

function limitOptions(values: ServeSettings["values"]): LimitOptions {
  return {
    connectionsMax: values.mysql_server_max_connections,
    connectionsPerUserMax: values.mysql_server_max_connections_per_user,
    packetBytesMax: values.max_allowed_packet,
    preparedStatementsMax: values.max_prepared_stmt_count,
    statementBufferBytesMax: values.statement_buffer_bytes,
  };
}

function complainOfNoEffect(settings: ServeSettings, complain: Complain): void {
  const { values } = settings;
  if (values.mysql_server_drain_onterm && values.onterm_timeout === 0) {
    complain("Flag --mysql_server_drain_onterm has no effect with --onterm_timeout=0");
  }
}

/** More are of no use on any machine, and each costs memory. */
const workersMax = 256;

function checkPool(
  { backend_pool_size, backend_pool_min_idle }: ServeSettings["values"],
  complain: Complain,
): void {
  if (backend_pool_min_idle > backend_pool_size) {
    complain(
      `Flag --backend_pool_min_idle must be at most --backend_pool_size (${backend_pool_size}): current value is ${backend_pool_min_idle}`,
    );
  }
}

function workerCount(text: string, poolSize: number, complain: Complain): number {
  const count = text === "auto" ? Math.min(availableParallelism(), workersMax) : Number(text);
  if (!(text === "auto" || /^[0-9]{1,3}$/.test(text)) || count < 1 || count > workersMax) {
    complain(`Flag --workers must be a number from 1 to ${workersMax}, or auto: current value is "${text}"`);
    return 1;
  }
  if (count > poolSize) {
    complain(`Flag --backend_pool_size must be at least the number of --workers: each needs a connection`);
  }
  return count;
}

function listenOptions(settings: ServeSettings, complain: Complain): ListenOptions {
  const { values } = settings;
  const tcp = values.mysql_server_port !== -1;
  if (!tcp && values.mysql_server_socket_path === null) {
    complain("Nobody could connect: --mysql_server_port=-1 needs --mysql_server_socket_path");
  }
  if (!tcp && settings.isSet("mysql_server_bind_address")) {
    complain("Flag --mysql_server_bind_address has no effect with --mysql_server_port=-1");
  }
  const socketPath = values.mysql_server_socket_path;
  if (socketPath !== null && Buffer.byteLength(socketPath) > 107) {
    complain("Flag --mysql_server_socket_path must have at most 107 bytes: the system allows no more");
  }
  const networks = values.proxy_protocol_trusted;
  for (const network of networks) {
    if (parseIpNetwork(network) === null) {
      complain(
        `Flag --proxy_protocol_trusted must list addresses or networks: current value is "${network}"`,
      );
    }
  }
  if (values.proxy_protocol && networks.length === 0) {
    complain("Flag --proxy_protocol needs --proxy_protocol_trusted: headers are believed from nobody else");
  }
  if (!values.proxy_protocol && networks.length > 0) {
    complain("Flag --proxy_protocol_trusted has no effect without --proxy_protocol");
  }
  return {
    tcp: tcp ? { host: values.mysql_server_bind_address, port: values.mysql_server_port } : null,
    unixSocketPath: socketPath,
    proxyProtocolTrusted: networks,
    keepAlivePeriodMs: values.mysql_server_keepalive_period,
  };
}

function tableAclOptions(settings: ServeSettings, complain: Complain): TableAclOptions | null {
  const { values } = settings;
  const dryRun = values.queryserver_config_enable_table_acl_dry_run;
  if (values.table_acl_config === null) {
    const idle = [
      "table_acl_config_reload_interval",
      "queryserver_config_strict_table_acl",
      "queryserver_config_enable_table_acl_dry_run",
      "queryserver_config_acl_exempt_acl",
    ] as const;
    for (const name of idle) if (settings.isSet(name)) complain(`Flag --${name} needs --table_acl_config`);
    return null;
  }
  if (dryRun && settings.isSet("queryserver_config_strict_table_acl")) {
    complain(
      "Flag --queryserver_config_strict_table_acl has no effect with --queryserver_config_enable_table_acl_dry_run",
    );
  }
  return {
    path: values.table_acl_config,
    reloadIntervalMs: values.table_acl_config_reload_interval,
    strict: values.queryserver_config_strict_table_acl,
    dryRun,
    exempt: values.queryserver_config_acl_exempt_acl,
  };
}

function backendOptions(
  settings: ServeSettings,
  surroundings: Parameters<typeof makeServeOptions>[1],
  complain: Complain,
): BackendOptions | null {
  const { values } = settings;
  const passwordFile = values.backend_password_file;
  if (values.topology_file !== null) {
    for (const name of ["backend", "backend_password_file", "embedded_datadir"] as const) {
      if (settings.isSet(name))
        complain(`Flag --${name} has no effect with --topology_file: give one of them, not both`);
    }
    return { kind: "topology", path: values.topology_file };
  }
  if (values.backend === "embedded") {
    if (passwordFile !== null)
      complain("Flag --backend_password_file has no effect with the embedded backend");
    const dataDirectory = values.embedded_datadir ?? defaultDataDirectory(surroundings);
    return { kind: "embedded", dataDirectory };
  }
  if (settings.isSet("embedded_datadir")) complain("Flag --embedded_datadir needs --backend=embedded");
  const url = parseBackendUrl(values.backend);
  if (typeof url === "string") {
    const place =
      settings.sourceOf("backend") === "environment"
        ? "Environment variable GATEHOUSE_BACKEND"
        : "Flag --backend";
    complain(`${place} ${url}`);
    return null;
  }
  const { password } = url;
  if (password !== null && passwordFile !== null) {
    complain("Give the backend's password in --backend or in --backend_password_file, not in both");
  }
  return {
    kind: "server",
    address: url.address,
    tls: url.tls,
    user: url.user,
    password:
      passwordFile !== null
        ? { kind: "file", path: passwordFile }
        : { kind: "inline", reveal: () => password ?? "" },
    database: url.database,
  };
}

function adminOptions(settings: ServeSettings, complain: Complain): GatewayOptions["admin"] {
  const { bind_address: host, port, admin_token_file: tokenFile } = settings.values;
  if (port !== -1) return { host, port, tokenFile };
  for (const name of ["bind_address", "admin_token_file"] as const) {
    if (settings.isSet(name)) complain(`Flag --${name} needs --port`);
  }
  return null;
}

/** As VTGate: the file alone records everything; with one of the others, what these choose. */
function queryLogOptions(settings: ServeSettings, complain: Complain): QueryLogOptions | null {
  const { values } = settings;
  const path = values.log_queries_to_file;
  const sampleRate = values.querylog_sample_rate;
  const slowMs = values.querylog_time_threshold;
  if (path === null) {
    for (const name of ["querylog_sample_rate", "querylog_time_threshold"] as const)
      if (settings.isSet(name)) complain(`Flag --${name} needs --log_queries_to_file`);
    return null;
  }
  if (sampleRate === 0 && slowMs === null) {
    complain("Nothing would be recorded: --querylog_sample_rate=0 needs --querylog_time_threshold");
  }
  return {
    path,
    sampleRate: sampleRate ?? (slowMs === null ? 1 : 0),
    slowMs: slowMs ?? Number.POSITIVE_INFINITY,
  };
}

function defaultDataDirectory(surroundings: Parameters<typeof makeServeOptions>[1]): string {
  const base = surroundings.environment.XDG_DATA_HOME ?? join(surroundings.homeDirectory, ".local", "share");
  return join(base, "gatehouse", "embedded");
}

function checkVersionText(version: string | null, complain: Complain): void {
  if (version !== null && !/^\d+\.\d+\.\d+[!-~]{0,50}$/.test(version)) {
    complain(
      "Flag --mysql_server_version must be a version such as 8.0.40 or 8.0.40-name, at most 60 characters",
    );
  }
}

// Puts the parts together for one server: pool, health and router, with one way to log in. The gateway makes one of
// these for --backend and for the embedded database.

import type { Clock } from "../base/clock.ts";
import type { BackendAccount, Tablet } from "../routing/route.ts";
import { SingleBackendRouter } from "../routing/single-backend-router.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import {
  announcedCapabilities,
  bytesChangingCapabilities,
  CLIENT_LONG_PASSWORD,
} from "../wire/capabilities.ts";
import type { ServerFacts } from "./backend-connection.ts";
import type { BackendTlsContexts } from "./backend-tls.ts";
import { ConnectionPool } from "./connection-pool.ts";
import { firstVerdict } from "./first-verdict.ts";
import { makeLogin } from "./gateway-login.ts";
import { type HealthStatus, HealthWatch, type LearnedServer } from "./health.ts";
import { placeOfTablet } from "./outage.ts";
import { type BufferLimits, OutageBuffer } from "./outage-buffer.ts";
import { defaultPoolLimits, type PoolLimits, type ReadyServers } from "./pool-settings.ts";
import { exportPools, observePools } from "./pool-telemetry.ts";

/** One server and how to use it. */
export interface SingleBackendOptions {
  readonly tablet: Tablet;
  /** The account as it is now; a higher generation replaces the connections of the one before. */
  readonly account: () => BackendAccount;
  /** Schema of sessions that name none; null: none. */
  readonly database: string | null;
  readonly limits: Pick<PoolLimits, "connectionsMax" | "waitTimeoutMs" | "idleTimeoutMs"> &
    Partial<PoolLimits>;
  readonly buffer: BufferLimits;
  /** See PoolTools. @default none */
  readonly sessionAssignments?: string;
  /** Whether clients are offered LOAD DATA LOCAL. @default true */
  readonly localInfile?: boolean;
  /** Of the gateway: the server's administrator sees it among the connection attributes. */
  readonly version: string;
  readonly tlsContexts: BackendTlsContexts;
  /** Between two health checks, in milliseconds. @default 1000 */
  readonly healthIntervalMs?: number;
  /** Told what the server is, before any session gets to it and whenever it may have changed. */
  readonly onServer?: (server: LearnedServer) => void;
}

/** What of the process it uses. */
export interface SingleBackendTools {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The parts, at work. */
export interface SingleBackendParts {
  readonly pool: ConnectionPool;
  readonly outages: OutageBuffer;
  readonly router: SingleBackendRouter;
  readonly health: HealthWatch;
  /** What greetings announce: the server as last known, else a stand-in. */
  serverFacts(): ServerFacts;
  /** Ends health checks and idle connections; leases end as they come back. */
  close(): Promise<void>;
}

const healthTimeoutMs = 2000;
const healthLoginTimeoutMs = 5000;

/** Announced until the server has been reached for the first time: what every server that we serve can do. */
export const unknownServer: ServerFacts = {
  versionText: "8.0.40-gatehouse",
  flavour: "mysql",
  versionNumber: 80040,
  capabilities: (bytesChangingCapabilities | CLIENT_LONG_PASSWORD) >>> 0,
  collation: 255,
};

/**
 * Starts it; resolves after the first health check, whether or not the server could be reached, and after a second at
 * most. Never rejects.
 */
export async function startSingleBackend(
  options: SingleBackendOptions,
  tools: SingleBackendTools,
): Promise<SingleBackendParts> {
  const { tablet, account } = options;
  const { clock, logger, metrics } = tools;
  const login = makeLogin(options.version, options.tlsContexts);
  const pool = new ConnectionPool(
    { ...defaultPoolLimits, ...options.limits },
    {
      clock,
      logIn: login,
      observer: observePools(metrics, logger, clock),
      sessionAssignments: options.sessionAssignments ?? null,
      random: Math.random,
      ready: () => readyServer(options, health.status),
    },
  );
  exportPools(metrics, () => pool.snapshot());
  const up = metrics.gauge("backend_up", { tablet: tablet.alias });
  const outages = new OutageBuffer(options.buffer, {
    clock,
    metrics,
    onSuspect: () => health.askNow(),
    // There is no other server that could take over.
    follows: () => "nothing",
  });
  const health = new HealthWatch(
    {
      tablet,
      account,
      intervalMs: () => options.healthIntervalMs ?? 1000,
      loginTimeoutMs: healthLoginTimeoutMs,
      timeoutMs: healthTimeoutMs,
    },
    {
      logIn: login,
      onLogin: (server) => {
        options.onServer?.(server);
        pool.reopen(tablet);
      },
      onResult: (result) => {
        if (result.kind === "seen") outages.release(placeOfTablet(tablet));
      },
      onChange: (status, detail) => {
        up.set(status.ready ? 1 : 0);
        const fields = { tablet: tablet.alias, server_version: status.server?.versionText ?? null };
        if (status.ready) logger.info("The database server is ready", fields);
        else logger.warn("The database server is not ready", { ...fields, reason: status.reason, detail });
      },
    },
  );
  await firstVerdict(health.start());
  pool.keepReady();
  return {
    pool,
    outages,
    health,
    router: new SingleBackendRouter(options),
    serverFacts: () => health.status.server ?? unknownServer,
    close: async () => {
      health.stop();
      outages.close();
      await pool.close();
    },
  };
}

/** The one server, while it is well. */
function readyServer(
  { tablet, account, localInfile }: SingleBackendOptions,
  { ready, server }: HealthStatus,
): ReadyServers {
  return {
    servers: ready ? [{ tablet, account: account() }] : [],
    announced: announcedCapabilities((server ?? unknownServer).capabilities, localInfile ?? true),
  };
}

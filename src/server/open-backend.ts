// Opens the servers behind the gateway: an embedded child or one server, with its pool.

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { type BackendLoginTools, logIn } from "../backend/backend-login.ts";
import { BackendTlsContexts } from "../backend/backend-tls.ts";
import { ConnectionPool } from "../backend/connection-pool.ts";
import { EmbeddedError, type EmbeddedServer, startEmbedded } from "../backend/embedded/start-embedded.ts";
import { defaultPoolLimits, type PoolLimits, type PoolObserver } from "../backend/pool-settings.ts";
import type { BackendAccount, Route, Tablet } from "../routing/route.ts";
import type { GreetingFacts } from "../session/session-services.ts";
import type { BackendSide } from "./backend-side.ts";
import type { GatewayOptions, SecretSource } from "./gateway-options.ts";
import { type GatewayTools, StartError } from "./gateway-seam.ts";

/** Greeted until the server was seen for the first time. */
const unknownServer: GreetingFacts = {
  versionText: "8.0.40-gatehouse",
  collation: 45,
  backendCapabilities: 0xffff_ffff,
};

/** How long the first look at the server may take, in milliseconds. */
const FIRST_LOOK_MS = 10_000;

interface Opened {
  readonly route: Route;
  readonly notes: readonly string[];
  readonly stop: () => Promise<void>;
}

/** @throws StartError when the embedded server cannot run. */
export async function openBackend(options: GatewayOptions, tools: GatewayTools): Promise<BackendSide> {
  const opened = await openServer(options, tools);
  const loginTools: BackendLoginTools = {
    tlsContexts: new BackendTlsContexts(tools.clock),
    attributes: new Map([["program_name", "gatehouse"]]),
  };
  const pool = new ConnectionPool(poolLimitsOf(options), {
    clock: tools.clock,
    observer: observerOf(tools),
    logIn: (request) => logIn(request, loginTools),
    sessionAssignments: null,
  });
  const { tablet, account } = opened.route;
  let greeting = unknownServer;
  let fault: string | null = null;
  try {
    const request = {
      tablet,
      account,
      clientCapabilities: 0x01ff_ffff,
      collation: null,
      timeoutMs: FIRST_LOOK_MS,
    };
    const { server, channel } = await logIn(request, loginTools);
    channel.destroy();
    greeting = {
      versionText: options.serverVersion ?? server.versionText,
      collation: server.collation,
      backendCapabilities: server.capabilities,
    };
  } catch (error) {
    fault = `The backend cannot be reached: ${error instanceof Error ? error.message : String(error)}`;
    tools.logger.warn(fault);
  }
  return {
    pool,
    router: () => ({ generation: 1, route: () => opened.route }),
    greeting: () => greeting,
    notReadyBecause: () => fault,
    notes: opened.notes,
    stop: async () => {
      await pool.close();
      await opened.stop();
    },
  };
}

async function openServer(options: GatewayOptions, tools: GatewayTools): Promise<Opened> {
  const { backend } = options;
  if (backend.kind === "embedded") return openEmbedded(backend.dataDirectory, tools);
  const tablet: Tablet = { alias: "backend", address: backend.address, tls: backend.tls };
  const account: BackendAccount = {
    name: "default",
    user: backend.user,
    password: passwordOf(backend.password),
    generation: 1,
  };
  return { route: { tablet, account, database: backend.database }, notes: [], stop: async () => {} };
}

async function openEmbedded(directory: string, tools: GatewayTools): Promise<Opened> {
  let server: EmbeddedServer;
  try {
    server = await startEmbedded({
      directory,
      environment: process.env,
      clock: tools.clock,
      random: randomBytes,
      isRoot: process.getuid?.() === 0,
    });
  } catch (error) {
    if (error instanceof EmbeddedError) throw new StartError(error.message, { cause: error });
    throw error;
  }
  const note = `The embedded database serves (${server.version}, data in ${server.directory}): set --backend to use a server of your own`;
  tools.logger.warn(note);
  const tablet: Tablet = {
    alias: "embedded",
    address: server.address,
    tls: { mode: "DISABLED", ca: null, cert: null, key: null },
  };
  return {
    route: { tablet, account: server.account, database: null },
    notes: [note],
    stop: () => server.stop(),
  };
}

function passwordOf(source: SecretSource): () => string {
  if (source.kind === "inline") return source.reveal;
  const text = readFileSync(source.path, "utf8").replace(/\r?\n$/, "");
  return () => text;
}

function poolLimitsOf({ backendPool }: GatewayOptions): PoolLimits {
  return {
    ...defaultPoolLimits,
    connectionsMax: backendPool.connectionsMax,
    waitTimeoutMs: backendPool.waitTimeoutMs,
    idleTimeoutMs: backendPool.idleTimeoutMs,
  };
}

function observerOf({ metrics, logger }: GatewayTools): PoolObserver {
  const waited = metrics.histogram("backend_wait_seconds");
  const timeouts = metrics.counter("backend_wait_timeouts_total");
  return {
    loginFinished: (tablet, outcome) => metrics.counter("backend_connects_total", { tablet, outcome }).add(),
    waited: (elapsedMs) => waited.observe(elapsedMs / 1000),
    waitTimedOut: () => timeouts.add(),
    connectionClosed: (tablet, reason) => logger.info("A backend connection was closed", { tablet, reason }),
    loginFailed: (tablet, account, reason) =>
      logger.error("Cannot log in to the backend", { tablet, account, reason }),
  };
}

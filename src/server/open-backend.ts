// Opens the servers behind the gateway: an embedded child or one server, watched, with its pool.

import type { LearnedServer } from "../backend/health.ts";
import { startSingleBackend } from "../backend/single-backend.ts";
import type { Tablet } from "../routing/route.ts";
import type { ReadingServer } from "../session/reading.ts";
import { type BackendAccountSource, fixedAccount, openBackendAccount } from "./backend-account.ts";
import { watchBackendCertificates } from "./backend-certificates.ts";
import type { BackendSide } from "./backend-side.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import type { GatewayTools } from "./gateway-seam.ts";
import { type EmbeddedDatabase, openEmbedded } from "./open-embedded.ts";
import { openTopologySide } from "./open-topology.ts";
import { readingServerOf } from "./reading-server.ts";
import type { ReportTools } from "./reload-report.ts";
import { tabletRow } from "./tablet-row.ts";
import { openTopology } from "./topology-source.ts";

/** The servers before they are started: their files are read and good. */
export interface PreparedBackend {
  /**
   * Resolves once the server has been asked for the first time, whether or not it could be reached, and after a second
   * at most; `onServer` is told what it is then and whenever that may have changed.
   * @throws StartError when the embedded server cannot run.
   */
  start(onServer: (server: LearnedServer) => void): Promise<BackendSide>;
  /** Reads the password file again. */
  reload(trigger: string): Promise<void>;
  /** Stops watching files. */
  close(): void;
}

interface Opened {
  readonly tablet: Tablet;
  readonly account: BackendAccountSource;
  readonly database: string | null;
  readonly notes: readonly string[];
  readonly stop: () => Promise<void>;
}

/** Reads what the backend needs. @throws FileProblemsError when the password file is not good. */
export async function prepareBackend(
  options: GatewayOptions,
  tools: GatewayTools & ReportTools,
): Promise<PreparedBackend> {
  const { backend } = options;
  if (backend.kind === "embedded") {
    const elsewhere = tools.seat?.embedded ?? null;
    return {
      start: async (onServer) => {
        const database =
          elsewhere === null
            ? await openEmbedded(backend.dataDirectory, tools)
            : { access: elsewhere, stop: async () => {} };
        return watchServer(servedBy(database), options, tools, onServer);
      },
      reload: async () => {},
      close: () => {},
    };
  }
  if (backend.kind === "topology") {
    const source = await openTopology(backend.path, process.env, tools);
    return {
      start: (onServer) => openTopologySide(source, options, tools, onServer),
      reload: source.reload,
      close: source.close,
    };
  }
  const account = await openBackendAccount(backend, tools.clock, tools);
  const tablet: Tablet = { alias: "backend", address: backend.address, tls: backend.tls };
  const server = { tablet, account, database: backend.database, notes: [], stop: async () => {} };
  return {
    start: (onServer) => watchServer(server, options, tools, onServer),
    reload: account.reload,
    close: account.close,
  };
}

async function watchServer(
  opened: Opened,
  options: GatewayOptions,
  tools: GatewayTools,
  onServer: (server: LearnedServer) => void,
): Promise<BackendSide> {
  const certificates = await watchBackendCertificates(() => [opened.tablet], tools);
  const parts = await startSingleBackend(
    {
      tlsContexts: certificates.contexts,
      tablet: opened.tablet,
      account: () => opened.account.current(),
      database: opened.database,
      limits: options.backendPool,
      localInfile: options.localInfile,
      buffer: options.buffer,
      version: tools.version,
      onServer,
    },
    tools,
  );
  let reading: ReadingServer | null = null;
  // A new password may be what a refused login was waiting for.
  opened.account.subscribe(() => parts.health.askNow());
  return {
    pool: parts.pool,
    outages: parts.outages,
    router: () => parts.router,
    greeting: () => {
      const { versionText, collation, capabilities } = parts.serverFacts();
      return {
        versionText: options.serverVersion ?? versionText,
        collation,
        backendCapabilities: capabilities,
      };
    },
    readingServer: () => {
      reading = readingServerOf(parts.health.status.server, reading);
      return reading;
    },
    tablets: () => [
      tabletRow(
        opened.tablet,
        parts.health.status,
        [],
        parts.pool.snapshot(),
        options.backendPool.connectionsMax,
      ),
    ],
    expiries: () => certificates.expiries(),
    primaries: () => ({}),
    notReadyBecause: () => parts.health.status.reason,
    notes: () => opened.notes,
    stop: async () => {
      certificates.close();
      await parts.close();
      await opened.stop();
    },
  };
}

function servedBy({ access, stop }: EmbeddedDatabase): Opened {
  const { socketPath, user, password, note } = access;
  return {
    tablet: {
      alias: "embedded",
      address: { kind: "unix", path: socketPath },
      tls: { mode: "DISABLED", ca: null, cert: null, key: null },
    },
    account: fixedAccount({ name: "default", user, password: () => password, generation: 1 }),
    database: null,
    notes: [note],
    stop,
  };
}

// Opens the servers of a topology: pools, health, router, and what clients are told of all of them together.

import { AccountRights } from "../backend/account-rights.ts";
import { ConnectionPool } from "../backend/connection-pool.ts";
import { firstVerdict } from "../backend/first-verdict.ts";
import { makeLogin } from "../backend/gateway-login.ts";
import type { LearnedServer } from "../backend/health.ts";
import { OutageBuffer } from "../backend/outage-buffer.ts";
import { defaultPoolLimits, type PoolTools } from "../backend/pool-settings.ts";
import { exportPools, observePools } from "../backend/pool-telemetry.ts";
import { unknownServer } from "../backend/single-backend.ts";
import { TopologyWatch } from "../backend/topology-watch.ts";
import type { Router } from "../routing/router.ts";
import type { Topology } from "../routing/topology.ts";
import { TopologyRouter } from "../routing/topology-router.ts";
import type { ReadingServer } from "../session/reading.ts";
import type { GreetingFacts } from "../session/session-services.ts";
import { watchBackendCertificates } from "./backend-certificates.ts";
import type { BackendSide } from "./backend-side.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import type { GatewayTools } from "./gateway-seam.ts";
import { readingServerOf } from "./reading-server.ts";
import { readyServers } from "./ready-servers.ts";
import type { TopologySource } from "./topology-source.ts";
import { notesOn, notReadyBecause, serversOf, tabletRows } from "./topology-view.ts";

/**
 * Starts them; resolves after the first health checks, whether or not the servers could be reached, and after a second
 * at most. `onServer`: told what the servers are together, whenever that may have changed.
 */
export async function openTopologySide(
  source: TopologySource,
  options: GatewayOptions,
  tools: GatewayTools,
  onServer: (server: LearnedServer) => void,
): Promise<BackendSide> {
  const { clock, logger, metrics } = tools;
  const certificates = await watchBackendCertificates(() => serversOf(source.current()), tools);
  const logIn = makeLogin(tools.version, certificates.contexts);
  const rights = new AccountRights(logger, (tablet) => watch.follows(tablet) !== "nothing");
  const ready = () => readyServers(source, watch, options.localInfile);
  const pool = makePool(options, tools, { logIn, ready, grants: rights });
  exportPools(metrics, () => pool.snapshot());
  const outages = new OutageBuffer(options.buffer, {
    clock,
    metrics,
    onSuspect: (place) => {
      if (place.startsWith("tablet:")) watch.askNow(place.slice("tablet:".length));
      else watch.askKeyspace(place.slice("keyspace:".length));
    },
    follows: (tablet) => watch.follows(tablet),
  });
  const watch = new TopologyWatch(source.current(), {
    logIn,
    account: () => source.account("monitor"),
    pool,
    outages,
    logger,
    metrics,
    clock,
    primaries: tools.seat?.primaries ?? {},
    random: Math.random,
    onAgreement: onServer,
  });
  const routerOf = (topology: Topology): Router =>
    new TopologyRouter({
      topology,
      states: watch,
      account: (name) => source.account(name),
      foldsCase: () => (watch.server?.lowerCaseTableNames ?? 0) !== 0,
    });
  let router = routerOf(source.current());
  source.subscribe((topology) => {
    router = routerOf(topology);
    void watch.adopt(topology).then(() => pool.keepReady());
    void certificates.look();
  });
  // A new password may be what refused logins were waiting for.
  source.onPassword(() => watch.askNow());
  let reading: ReadingServer | null = null;
  await firstVerdict(watch.start());
  pool.keepReady();
  return {
    pool,
    outages,
    router: () => router,
    greeting: () => greetingOf(watch, options.serverVersion),
    readingServer: () => (reading = readingServerOf(watch.server, reading, watch.newestVersionNumber)),
    tablets: () => tabletRows(source.current(), watch, pool, options.backendPool.connectionsMax),
    expiries: () => certificates.expiries(),
    primaries: () => watch.primaries,
    notReadyBecause: () => notReadyBecause(source.current(), watch),
    notes: () => [...notesOn(source, watch), ...rights.notes()],
    stop: async () => {
      certificates.close();
      watch.stop();
      await pool.close();
    },
  };
}

function makePool(
  options: GatewayOptions,
  { clock, logger, metrics }: GatewayTools,
  parts: Pick<PoolTools, "logIn" | "ready" | "grants">,
): ConnectionPool {
  const observer = observePools(metrics, logger, clock);
  return new ConnectionPool(
    { ...defaultPoolLimits, ...options.backendPool },
    { clock, observer, sessionAssignments: null, random: Math.random, ...parts },
  );
}

function greetingOf(watch: TopologyWatch, serverVersion: string | null): GreetingFacts {
  const { versionText, collation, capabilities } = watch.server ?? unknownServer;
  watch.announce(capabilities);
  return { versionText: serverVersion ?? versionText, collation, backendCapabilities: capabilities };
}

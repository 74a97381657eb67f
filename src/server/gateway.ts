// createGateway(): puts the parts together, starts and stops them. The only place that knows all of them; it decides
// nothing that a client can see.

import { randomInt } from "node:crypto";
import { createHookedAuthorizer } from "../acl/hooked-authorizer.ts";
import { type AdminServer, startAdminServer } from "../admin/admin-server.ts";
import type { Readiness, UserActivitySnapshot, UsersPart } from "../admin/admin-sources.ts";
import { loadPageAssets } from "../admin/page/page-reply.ts";
import { parseIpNetwork } from "../base/ip-network.ts";
import { runInSteps } from "../base/steps.ts";
import type { EntryReference } from "../identity/identity.ts";
import { createCommandAnalyzer } from "../session/analyze-command.ts";
import { ByteBudget } from "../session/byte-budget.ts";
import type { ClientTransport } from "../session/client-transport.ts";
import { runSession } from "../session/run-session.ts";
import { newSessionMetrics } from "../session/session-metrics.ts";
import { SessionRegistry } from "../session/session-registry.ts";
import type { SessionServices } from "../session/session-services.ts";
import { createStatementDecider } from "../session/statement-decider.ts";
import type { Counter, Gauge } from "../telemetry/metrics.ts";
import { noProxyUsers } from "../users/proxy-users.ts";
import type { UserDirectory } from "../users/user-directory.ts";
import { type AdminView, createAdminView } from "./admin-view.ts";
import type { BackendSide } from "./backend-side.ts";
import { drainSessions, lameduck } from "./drain.ts";
import { exportEntryMetrics } from "./entry-metrics.ts";
import { type Expiry, exportExpiries } from "./expiry.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import { type CreateGateway, type Gateway, type GatewayTools, StartError } from "./gateway-seam.ts";
import { hookedRouter } from "./hooked-router.ts";
import { listenFailure, listenPlaces, tryListenPlaces } from "./listen-places.ts";
import { type Listener, listen } from "./listener.ts";
import { exportSessionMetrics } from "./metrics-export.ts";
import { type OpenedFiles, openFiles } from "./open-files.ts";
import { nameCaseOf } from "./reading-server.ts";
import { sessionLimitsOf } from "./session-limits.ts";
import { UserActivity } from "./user-activity.ts";
import { workerDuties } from "./workers/worker-duties.ts";

/** Deadlines of sessions are looked at this often, in milliseconds: the precision of every timeout toward clients. */
const SWEEP_MS = 100;

/** Makes a gateway. @throws FileProblemsError, StartError */
export const createGateway: CreateGateway = async (options, tools) =>
  new RunningGateway(options, tools, await openFiles(options, tools));

class RunningGateway implements Gateway {
  readonly #options: GatewayOptions;
  readonly #tools: GatewayTools;
  readonly #files: OpenedFiles;
  readonly #registry: SessionRegistry;
  readonly #activity: UserActivity;
  readonly #startedMs: number;
  readonly #hurry = new AbortController();
  /** Handles are kept: finding them costs more than moving them. */
  readonly #connections: Readonly<
    Record<"tcp" | "unix", { readonly accepted: Counter; readonly open: Gauge }>
  >;
  #backend: BackendSide | null = null;
  #listener: Listener | null = null;
  #admin: AdminServer | null = null;
  #view: AdminView | null = null;
  #sweep: NodeJS.Timeout | null = null;
  #draining = false;
  #refusesLogins = false;
  #stopping: Promise<void> | null = null;
  #unwatch: () => void = () => {};

  constructor(options: GatewayOptions, tools: GatewayTools, files: OpenedFiles) {
    this.#options = options;
    this.#tools = tools;
    this.#files = files;
    this.#registry = new SessionRegistry(() => tools.seat?.idPrefix ?? randomInt(2 ** 12));
    this.#startedMs = tools.clock.wallMs();
    this.#activity = new UserActivity(tools.clock, this.#registry);
    const connections = (transport: "tcp" | "unix") => ({
      accepted: tools.metrics.counter("client_connections_total", { transport }),
      open: tools.metrics.gauge("client_connections", { transport }),
    });
    this.#connections = { tcp: connections("tcp"), unix: connections("unix") };
    const users = files.users;
    if (users === null) return;
    users.prepare((directory, previous) => this.#activity.prepare(directory, previous));
    users.subscribe((directory, previous) => this.#endRemoved(directory, previous));
  }

  async start(): Promise<void> {
    const { clock, metrics, logger } = this.#tools;
    // Workers share places that the first process has tried.
    if (this.#tools.seat === undefined) await tryListenPlaces(this.#options);
    const backend = await this.#files.backend.start((server) =>
      this.#files.tableAcl.learnNameCase(nameCaseOf(server.lowerCaseTableNames)),
    );
    this.#backend = backend;
    const services = this.#services(backend);
    this.#sweep = setInterval(() => this.#registry.sweep(clock.monotonicMs()), SWEEP_MS);
    exportSessionMetrics(metrics, {
      sessions: services.metrics,
      registry: this.#registry,
      statementBudget: services.statementBudget,
      preparedStatements: services.preparedStatements,
    });
    exportEntryMetrics(metrics, (ownMax) => {
      const users = this.#files.users?.current();
      return users === undefined ? null : this.#activity.totals(users, ownMax);
    });
    exportExpiries(metrics, () => this.#expiries(backend));
    const tls = this.#files.tls;
    try {
      this.#listener = await listen({
        listen: this.#options.listen,
        proxyTrusted: this.#options.listen.proxyProtocolTrusted.map(networkOf),
        tls: tls === null ? null : () => tls.current(),
        onClient: (transport) => this.#serve(transport, services),
        logger,
        isShared: this.#tools.seat !== undefined,
      });
      const admin = this.#options.admin;
      const seat = this.#tools.seat;
      if (admin !== null || seat !== undefined) this.#view = this.#createView(backend, services);
      if (seat !== undefined && this.#view !== null)
        seat.attach(workerDuties(this.#registry, this.#view, metrics, () => backend.primaries()));
      if (admin !== null && this.#view !== null) {
        const context = {
          sources: this.#view,
          metrics,
          version: this.#tools.version,
          assets: loadPageAssets(),
        };
        const token = () => this.#files.token?.current() ?? null;
        this.#admin = await startAdminServer({ ...admin, token }, context, logger);
      }
    } catch (error) {
      throw listenFailure(error, listenPlaces(this.#options));
    }
  }

  get addresses(): readonly string[] {
    const at = this.#listener?.at;
    const addresses: string[] = [];
    if (at?.tcp)
      addresses.push(
        at.tcp.host.includes(":") ? `[${at.tcp.host}]:${at.tcp.port}` : `${at.tcp.host}:${at.tcp.port}`,
      );
    if (at?.unixSocketPath) addresses.push(at.unixSocketPath);
    return addresses;
  }

  reload(trigger: string): Promise<void> {
    return this.#files.reload(trigger);
  }

  stop(_reason: string): Promise<void> {
    if (this.#stopping !== null) this.#hurry.abort();
    this.#stopping ??= this.#stopOnce();
    return this.#stopping;
  }

  async #stopOnce(): Promise<void> {
    const { shutdown } = this.#options;
    this.#draining = true;
    if (shutdown.lameduckMs > 0) await lameduck(shutdown, this.#hurry.signal);
    this.#refusesLogins = !shutdown.drainOnTerm;
    await this.#listener?.close();
    await drainSessions(this.#registry, shutdown, this.#tools.clock, this.#hurry.signal);
    if (this.#sweep !== null) clearInterval(this.#sweep);
    await this.#backend?.stop();
    await this.#admin?.close();
    this.#view?.close();
    this.#files.close();
    this.#unwatch();
  }

  #serve(transport: ClientTransport, services: SessionServices): void {
    const { accepted, open } = this.#connections[transport.peer.transport];
    accepted.add();
    open.add(1);
    void runSession(transport, services).then(() => open.add(-1));
  }

  #services(backend: BackendSide): SessionServices {
    const { clock, logger, audit, queryLog } = this.#tools;
    const { limits } = this.#options;
    const { authorizer, router } = this.#judges(backend);
    return {
      clock,
      logger,
      audit,
      metrics: newSessionMetrics(),
      queryLog,
      registry: this.#registry,
      siblings: this.#tools.seat?.siblings ?? null,
      authenticator: this.#files.judge.authenticator,
      authorizer,
      router,
      decider: createStatementDecider(
        authorizer,
        createCommandAnalyzer(() => backend.readingServer()),
        () => backend.router().routedBy,
      ),
      pool: backend.pool,
      outages: backend.outages,
      greeting: () => backend.greeting(),
      readingServer: () => backend.readingServer(),
      limits: sessionLimitsOf(this.#options),
      proxyUsers: this.#options.auth.kind === "static" ? this.#options.auth.proxyUsers : noProxyUsers,
      requireSecureTransport: this.#options.requireSecureTransport,
      localInfile: this.#options.localInfile,
      callerIdComment: this.#options.callerIdComment,
      statementBudget: new ByteBudget(limits.statementBufferBytesMax),
      preparedStatements: { count: 0 },
      refusesLogins: () => this.#refusesLogins,
      onLogin: (identity) => this.#activity.recordLogin(identity),
    };
  }

  /** The gateway's own, or with what hooks say put before. */
  #judges(backend: BackendSide): Pick<SessionServices, "authorizer" | "router"> {
    const own = () => this.#files.tableAcl.authorizer;
    const { authorizer: hook, router } = this.#tools.hooks ?? {};
    const hooked = hook === undefined ? null : createHookedAuthorizer(own, hook.authorize);
    if (hooked !== null) this.#unwatch = hook?.watch?.(() => hooked.changed()) ?? this.#unwatch;
    return {
      authorizer: hooked === null ? own : () => hooked,
      router: router === undefined ? () => backend.router() : () => hookedRouter(backend.router(), router),
    };
  }

  #createView(backend: BackendSide, services: SessionServices): AdminView {
    return createAdminView({
      clock: this.#tools.clock,
      audit: this.#tools.audit,
      registry: this.#registry,
      sessions: services.metrics,
      backend,
      judge: () => ({ judging: services.authorizer().judging, acl: this.#files.tableAcl.acl() }),
      files: this.#files.watched,
      expiries: () => this.#expiries(backend),
      startedMs: this.#startedMs,
      readiness: () => this.#readiness(),
      userActivity: (part) => this.#userActivity(part),
    });
  }

  #expiries(backend: BackendSide): readonly Expiry[] {
    return [...(this.#files.tls?.expiries() ?? []), ...backend.expiries()];
  }

  #endRemoved(directory: UserDirectory, previous: UserDirectory): void {
    const auth = this.#options.auth;
    if (auth.kind !== "static" || !auth.disconnectRemoved) return;
    const hasEntry = (users: UserDirectory, entry: EntryReference) =>
      (users.entriesOf(entry.user) ?? []).some((one) => one.fingerprint === entry.fingerprint);
    for (const session of [...this.#registry.all()]) {
      const { identity } = session;
      const isGone = [identity?.entry, identity?.baseEntry].some(
        (entry) => entry != null && hasEntry(previous, entry) && !hasEntry(directory, entry),
      );
      if (isGone) session.requestEnd("entry_removed");
    }
  }

  #readiness(): Readiness {
    const reasons: string[] = [];
    if (this.#draining) reasons.push("The gateway is draining");
    if (this.#options.auth.kind === "static" && this.#files.users === null)
      reasons.push("No users file is loaded");
    const backend =
      this.#backend?.notReadyBecause() ?? (this.#backend === null ? "The backend is starting" : null);
    if (backend !== null) reasons.push(backend);
    const notes = [...(this.#backend?.notes() ?? [])];
    if (this.#files.tableAcl.stale())
      notes.push("The table ACL file on disk cannot be loaded: the last good content is in use");
    return { ready: reasons.length === 0, reasons, notes };
  }

  async #userActivity(part: UsersPart): Promise<UserActivitySnapshot | null> {
    const users = this.#files.users;
    if (users === null) return null;
    const file = { stale: users.stale(), loadedAtMs: users.loadedAtMs() };
    return runInSteps(this.#activity.snapshot(users.current(), file, part));
  }
}

function networkOf(text: string) {
  const network = parseIpNetwork(text);
  if (network === null)
    throw new StartError(`Cannot trust '${text}' for PROXY headers: it is no address and no CIDR`);
  return network;
}

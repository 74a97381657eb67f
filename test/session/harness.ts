// A real session between a scripted client and a scripted backend, in memory. What lies between is the session alone:
// everybody may log in as anybody, and nothing is refused unless the test says so.

import type { Duplex } from "node:stream";
import { duplexPair } from "node:stream";
import { type Authorizer, permitAll } from "../../src/acl/authorizer.ts";
import { type AuthExchange, type AuthOutcome, decided } from "../../src/auth/auth-exchange.ts";
import type { LoginRequest } from "../../src/auth/login-request.ts";
import type { BackendConnectionId } from "../../src/backend/backend-connection.ts";
import type {
  AcquireRequest,
  BackendLease,
  BackendPool,
  SessionVariables,
} from "../../src/backend/backend-pool.ts";
import type { Outages } from "../../src/backend/outage.ts";
import { converseOn } from "../../src/backend/pooled-connection.ts";
import { PreparedCopies } from "../../src/backend/prepared-copies.ts";
import { DuplexChannel } from "../../src/base/duplex-channel.ts";
import { SqlError } from "../../src/errors/sql-error.ts";
import type { Identity } from "../../src/identity/identity.ts";
import type { Peer } from "../../src/identity/peer.ts";
import type { Route } from "../../src/routing/route.ts";
import { createCommandAnalyzer } from "../../src/session/analyze-command.ts";
import { ByteBudget } from "../../src/session/byte-budget.ts";
import { runSession } from "../../src/session/run-session.ts";
import { newSessionMetrics } from "../../src/session/session-metrics.ts";
import { SessionRegistry } from "../../src/session/session-registry.ts";
import type { LoginJudge, SessionLimits, SessionServices } from "../../src/session/session-services.ts";
import type { SiblingProcesses } from "../../src/session/sibling-processes.ts";
import { createStatementDecider } from "../../src/session/statement-decider.ts";
import type { AnalysisContext } from "../../src/sql/analyzed-text.ts";
import { bareStatement, type StatementSummary } from "../../src/sql/statement-summary.ts";
import type { QueryLog } from "../../src/telemetry/query-log.ts";
import { noProxyUsers } from "../../src/users/proxy-users.ts";
import { emptyUserDirectory, type UserEntry } from "../../src/users/user-directory.ts";
import { announcedCapabilities } from "../../src/wire/capabilities.ts";
import { FrameReader, toFrames } from "../support/raw/frame-reader.ts";
import { logIn } from "../support/raw/login.ts";
import { RawClient } from "../support/raw/raw-client.ts";

/** Answers one command of the gateway: the bytes to send back, or null to send nothing. */
export type Script = (command: Buffer, backend: ScriptedBackend) => Uint8Array | null;

/** The server's end of one backend connection. */
export class ScriptedBackend {
  readonly stream: Duplex;
  readonly commands: Buffer[] = [];
  released = false;
  closedBecause: string | null = null;
  cancelled = 0;
  /** How often the session's variables were asked for. */
  asked = 0;

  constructor(stream: Duplex) {
    this.stream = stream;
  }

  /** Reads commands for ever and answers each by `script`. */
  async serve(script: Script): Promise<void> {
    const reader = new FrameReader(this.stream);
    for (;;) {
      const frame = await reader.readFrame();
      this.commands.push(frame.payload);
      const reply = script(frame.payload, this);
      if (reply !== null) this.stream.write(reply);
    }
  }
}

/** A clock that stands still until it is moved. */
export class ManualClock {
  nowMs = 1_000_000;
  wallMs = (): number => this.nowMs;
  monotonicMs = (): number => this.nowMs;
}

export const okReply = (statusFlags = 2): Buffer =>
  toFrames(Buffer.from([0, 0, 0, statusFlags & 0xff, statusFlags >> 8, 0, 0]), 1);

export const errReply = (code: number, message: string): Buffer =>
  toFrames(Buffer.concat([Buffer.from([0xff, code & 0xff, code >> 8]), Buffer.from(`#HY000${message}`)]), 1);

const context: AnalysisContext = {
  modes: null,
  flavour: "mysql",
  version: 80040,
  characterSet: "utf8",
  defaultSchema: null,
  lowerCaseTableNames: 0,
};

const route: Route = {
  keyspace: null,
  tabletType: "primary",
  tablet: {
    alias: "backend",
    address: { kind: "unix", path: "/none" },
    tls: { mode: "DISABLED", ca: null, cert: null, key: null },
  },
  account: { name: "default", user: "service", password: () => "", generation: 1 },
  database: null,
};

const entry: UserEntry = {
  user: "app",
  index: 0,
  fingerprint: "f",
  userData: "app_data",
  groups: [],
  credentials: [],
  sourceHost: { text: "%", admits: () => true },
  spiffeId: null,
  proxyFor: [],
  accountLocked: false,
  requireSecureTransport: false,
  notBeforeMs: null,
  notAfterMs: null,
  maxConnections: null,
};

export function identityOf(request: LoginRequest): Identity {
  return {
    loginUser: request.user,
    authUser: request.user,
    authHost: "%",
    proxyUser: null,
    callerId: { username: "app_data", groups: [] },
    entry: { user: request.user, index: 0, generation: 1, fingerprint: "f" },
    baseEntry: null,
    plugin: "mysql_native_password",
    spiffeId: null,
    peer: request.peer,
  };
}

const openDoor: LoginJudge = {
  greetingPlugin: "mysql_native_password",
  newScramble: () => new Uint8Array(20).fill(0x41),
  authenticate: (request: LoginRequest): AuthExchange => {
    const user = {
      loginUser: request.user,
      entry,
      directory: emptyUserDirectory,
      plugin: "mysql_native_password",
      spiffeId: null,
    };
    const outcome: AuthOutcome = { kind: "accepted", user };
    return decided(outcome);
  },
  identify: (_user, request) => ({ identity: identityOf(request), base: null }),
};

/** What decides how texts are read. */
export type TextVariables = Pick<SessionVariables, "sqlMode" | "characterSet" | "database">;

export interface HarnessOptions {
  readonly siblings?: SiblingProcesses;
  readonly script?: Script;
  readonly authorizer?: Authorizer;
  readonly limits?: Partial<SessionLimits>;
  readonly analyze?: (text: string) => readonly StatementSummary[];
  /** Texts are analysed for real, as a server that tells these variables reads them. */
  readonly variables?: () => TextVariables;
  readonly outages?: Outages;
  readonly acquire?: (request: AcquireRequest) => SqlError | null;
  readonly queryLog?: QueryLog;
}

/** Everything of one test. */
export class Harness {
  readonly clock = new ManualClock();
  readonly registry = new SessionRegistry(() => 7);
  readonly metrics = newSessionMetrics();
  readonly backends: ScriptedBackend[] = [];
  /** One for each of `backends`. */
  readonly leases: BackendLease[] = [];
  readonly audit: { kind: string; record: object }[] = [];
  readonly services: SessionServices;
  readonly sessions: Promise<void>[] = [];
  readonly #options: HarnessOptions;

  constructor(options: HarnessOptions = {}) {
    this.#options = options;
    const authorizer = (): Authorizer => options.authorizer ?? permitAll;
    const analyze = options.analyze ?? (() => [{ ...bareStatement("SELECT"), readOnly: true }]);
    this.services = {
      clock: this.clock,
      logger: quiet,
      audit: { record: (kind, record) => void this.audit.push({ kind, record }) },
      metrics: this.metrics,
      queryLog: options.queryLog ?? null,
      registry: this.registry,
      siblings: options.siblings ?? null,
      authenticator: openDoor,
      authorizer,
      router: () => ({
        generation: 1,
        routedBy: "nothing",
        schemas: null,
        route: (_identity, { database }) => ({ ...route, database: database ?? route.database }),
      }),
      decider: createStatementDecider(
        authorizer,
        options.variables === undefined
          ? (text) => ({
              analyzed: {
                statements: analyze(Buffer.from(text).toString()),
                parameterCount: 0,
                uncertain: null,
                executableParts: [],
              },
              context,
              isPlainListing: () => true,
            })
          : createCommandAnalyzer(() => this.services.readingServer()),
        () => "nothing",
      ),
      pool: this.#pool(),
      outages: options.outages ?? noOutages,
      greeting: () => ({ versionText: "8.0.40-test", collation: 45, backendCapabilities: 0xffffffff }),
      readingServer: () => ({ flavour: "mysql", versionNumber: 80040, lowerCaseTableNames: 0 }),
      limits: { ...limits, ...options.limits },
      proxyUsers: noProxyUsers,
      requireSecureTransport: false,
      localInfile: true,
      callerIdComment: false,
      statementBudget: new ByteBudget(1 << 30),
      preparedStatements: { count: 0 },
      refusesLogins: () => false,
      onLogin: () => {},
    };
  }

  #pool(): BackendPool {
    let serial = 0;
    const acquire = async (request: AcquireRequest): Promise<BackendLease | SqlError> => {
      const refused = this.#options.acquire?.(request) ?? null;
      if (refused instanceof SqlError) return refused;
      const [mine, theirs] = duplexPair();
      const backend = new ScriptedBackend(theirs);
      this.backends.push(backend);
      backend.serve(this.#options.script ?? (() => okReply())).catch(() => {});
      const variables = this.#options.variables;
      const lease = leaseOver(new DuplexChannel(mine), backend, request, ++serial, () => {
        backend.asked += 1;
        const told = variables?.() ?? {
          sqlMode: "",
          characterSet: "utf8mb4",
          database: request.route.database,
        };
        return { ...told, rowCount: 0, foundRows: null, asked: new Map([["sql_mode", told.sqlMode]]) };
      });
      this.leases.push(lease);
      return lease;
    };
    return { acquire, close: async () => {} };
  }

  /** The client's end of a new session, not yet logged in. */
  connect(peer: Partial<Peer> = {}): Duplex {
    const [mine, theirs] = duplexPair();
    const from: Peer = {
      transport: "tcp",
      address: "192.0.2.1",
      port: 1,
      host: "192.0.2.1",
      tls: null,
      ...peer,
    };
    this.sessions.push(
      runSession({ channel: new DuplexChannel(mine), peer: from, tls: null }, this.services),
    );
    return theirs;
  }

  /** A client that is logged in. */
  async login(user = "app", options: { capabilities?: number; database?: string } = {}): Promise<RawClient> {
    const client = await RawClient.over(this.connect());
    const result = await logIn(client, { user, password: "x", plugin: "mysql_native_password", ...options });
    if (!result.ok) throw new Error(`login refused: ${JSON.stringify(result)}`);
    return client;
  }
}

/** Nothing waits. */
export const noOutages: Outages = {
  ticket: () => ({ serial: 0, deadlineMs: 0, attempts: 0 }),
  wait: async (_place, _ticket, _signal, failure) => failure,
  follows: () => "nothing",
};

const quiet: SessionServices["logger"] = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: (message, fields) => {
    throw new Error(`${message}: ${JSON.stringify(fields)} ${String(fields?.err)}`);
  },
  child: () => quiet,
};

const limits: SessionLimits = {
  connectTimeoutMs: 10_000,
  idleTimeoutMs: 8 * 3600_000,
  readTimeoutMs: Number.POSITIVE_INFINITY,
  writeTimeoutMs: 60_000,
  queryTimeoutMs: Number.POSITIVE_INFINITY,
  allowedPacketBytesMax: 64 << 20,
  connectionsMax: 100,
  connectionsPerUserMax: 0,
  preparedStatementsMax: 100,
};

function leaseOver(
  channel: DuplexChannel,
  backend: ScriptedBackend,
  request: AcquireRequest,
  serial: number,
  variables: () => SessionVariables,
): BackendLease {
  return {
    serial,
    onCut: null,
    route: request.route,
    connection: {
      id: serial as BackendConnectionId,
      server: {
        versionText: "8.0.40",
        flavour: "mysql",
        versionNumber: 80040,
        capabilities: announcedCapabilities(0xffffffff, true),
        collation: 45,
      },
      capabilities: request.capabilities,
      loginCollation: request.collation,
      names: { client: "utf8mb4", results: "utf8mb4", collation: "utf8mb4_general_ci" },
      prepared: new PreparedCopies(),
      send: (_permit, bytes) => channel.write(bytes),
      whenWritable: (callback) => channel.whenWritable(callback),
      get unwrittenBytes() {
        return channel.unwrittenBytes;
      },
      setReceiver: (receiver) => channel.setReceiver(receiver),
      pause: () => channel.pause(),
      resume: () => channel.resume(),
      get closed() {
        return channel.closed;
      },
    },
    offer: () => {},
    keep: () => {},
    readVariables: async () => variables(),
    hideLastReply: async () => true,
    tellLastError: async () => true,
    readRunning: async () => new Map(),
    readUserVariable: async () => ({ value: null }),
    readGrants: async () => ["GRANT USAGE ON *.* TO `service`@`%`"],
    readWritePosition: async () => ({ kind: "none" }),
    awaitWritePosition: async () => false,
    prepareStatement: async ({ permit, payload }) => {
      const loggedIn = { channel, capabilities: request.capabilities };
      const [reply] = await converseOn(loggedIn, [{ permit, payload }], 10_000).catch(() => []);
      return reply?.kind === "prepared" || reply?.kind === "err" ? reply : null;
    },
    release: () => {
      backend.released = true;
      channel.destroy();
    },
    close: (reason) => {
      backend.closedBecause = reason;
      channel.destroy();
    },
    cancel: async () => {
      backend.cancelled += 1;
    },
  };
}

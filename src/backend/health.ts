// Whether a server can be used, and what it is: one connection of its own with the service account, asked again and
// again. The last known facts stay when the server is gone, so that greetings do not change with every hiccup.

import type { BackendAccount, Tablet } from "../routing/route.ts";
import type { ProbeResult, TabletObservation } from "../routing/tablet-observation.ts";
import type { ServerFacts } from "./backend-connection.ts";
import type { BackendLoginRequest, LoggedIn } from "./backend-login.ts";
import { BackendLoginError, type BackendLoginErrorKind } from "./login-error.ts";
import { converseOn } from "./pooled-connection.ts";
import { type ProbeScope, probeCommands, readProbe } from "./tablet-probe.ts";

/** What a server is, beyond its greeting. */
export interface LearnedServer extends ServerFacts {
  /** 0: names of schemas and tables are case-sensitive; 1 and 2: they are not. */
  readonly lowerCaseTableNames: number;
  /** `@@read_only` or the like: it refuses writes. */
  readonly readOnly: boolean;
  /** What its monitor asks for. */
  readonly observation: TabletObservation;
}

/** The newest verdict. */
export interface HealthStatus {
  readonly ready: boolean;
  /** Why not: a sentence without names or numbers of the service account; null when ready. */
  readonly reason: string | null;
  /** Last known; null: never reached. */
  readonly server: LearnedServer | null;
}

/** How a server is watched. Times in milliseconds. */
export interface HealthOptions {
  readonly tablet: Tablet;
  /** The account as it is now: a new generation logs in anew. */
  readonly account: () => BackendAccount;
  /** Between two questions, while it answers; asked each time. */
  readonly intervalMs: () => number;
  readonly loginTimeoutMs: number;
  /** For one question: a stalled answer is a failure. */
  readonly timeoutMs: number;
  /** The monitors that want to know more than whether it is there. @default none */
  readonly scope?: ProbeScope;
}

/** What watching needs. */
export interface HealthTools {
  readonly logIn: (request: BackendLoginRequest) => Promise<LoggedIn>;
  /** The verdict or its reason has changed; `detail` is for the log. */
  readonly onChange: (status: HealthStatus, detail: string | null) => void;
  /** A fresh login has worked: the server may be another one, or the same after a restart. */
  readonly onLogin: (server: LearnedServer) => void;
  /** After every check, whether or not anything has changed. @default nobody is told */
  readonly onResult?: (result: ProbeResult) => void;
  /** From 0 to 1: spreads the checks of many gateways and servers. @default none: the interval as it is */
  readonly random?: () => number;
}

/** Pauses after failures, in milliseconds: doubling, longer where the account is refused (it could be locked). */
const firstPauseMs = 100;
const longestPauseMs = 1000;
const refusedPauseMs = 10_000;
/** After a check, for those who ask for another one, in milliseconds. */
const quietMs = 20;

const reasons: Readonly<Record<BackendLoginErrorKind, string>> = {
  unreachable: "cannot be reached",
  timeout: "does not answer in time",
  access_denied: "refuses the service account",
  too_many_connections: "has no connection left",
  client_wish: "refuses the login",
  refused: "refuses the login",
  tls: "cannot be talked to over TLS as configured",
  unsuitable: "lacks what the gateway needs",
  protocol: "does not speak as a database server does",
};

/** Watches one server. */
export class HealthWatch {
  readonly #options: HealthOptions;
  readonly #tools: HealthTools;
  #status: HealthStatus;
  #connection: { readonly loggedIn: LoggedIn; readonly generation: number } | null = null;
  #timer: NodeJS.Timeout | null = null;
  #probing = false;
  /** Whether somebody asked for a check while one was under way, or just over: what that one saw may be older. */
  #askAgain = false;
  /** Runs for a moment after each check: many may ask for one at a time. */
  #quiet: NodeJS.Timeout | null = null;
  /** The credential that the server refused last; null: none. */
  #refusedGeneration: number | null = null;
  #failures = 0;
  readonly #stopping = new AbortController();

  constructor(options: HealthOptions, tools: HealthTools) {
    this.#options = options;
    this.#tools = tools;
    this.#status = { ready: false, reason: this.#sentence("has not been asked yet"), server: null };
  }

  get status(): HealthStatus {
    return this.#status;
  }

  /** Begins to watch. Resolves after the first verdict, whatever it is; never rejects. */
  start(): Promise<void> {
    return this.#probe();
  }

  /** Asks at once, e.g. when sessions have lost their connections. */
  askNow(): void {
    if (this.#stopping.signal.aborted) return;
    // Asking again and again with a wrong password could lock the account.
    if (this.#refusedGeneration === this.#options.account().generation) return;
    if (this.#probing || this.#quiet !== null) this.#askAgain = true;
    else void this.#probe();
  }

  stop(): void {
    this.#stopping.abort();
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#quiet !== null) clearTimeout(this.#quiet);
    this.#hangUp();
  }

  async #probe(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#probing = true;
    this.#askAgain = false;
    const { generation } = this.#options.account();
    try {
      const server = await this.#ask();
      this.#failures = 0;
      this.#refusedGeneration = null;
      this.#settle({ ready: true, reason: null, server }, null);
      this.#tell({ kind: "seen", observation: server.observation });
      this.#schedule(this.#options.intervalMs() * (0.9 + 0.2 * (this.#tools.random?.() ?? 0.5)));
    } catch (error) {
      this.#hangUp();
      const kind = error instanceof BackendLoginError ? error.kind : "protocol";
      const detail = error instanceof Error ? error.message : String(error);
      // What is wrong with a certificate is what people have to know, and tells nothing that is secret.
      const reason = kind === "tls" ? `${reasons.tls} (${detail})` : reasons[kind];
      this.#settle({ ready: false, reason: this.#sentence(reason), server: this.#status.server }, detail);
      this.#tell({ kind: isBlindness(kind) ? "blind" : "failed", reason });
      this.#schedule(this.#pauseMs(kind));
      this.#failures += 1;
      this.#refusedGeneration = kind === "access_denied" ? generation : null;
    }
    this.#probing = false;
    if (this.#stopping.signal.aborted) return;
    this.#quiet = setTimeout(() => {
      this.#quiet = null;
      if (this.#askAgain) this.askNow();
    }, quietMs);
    this.#quiet.unref();
  }

  #tell(result: ProbeResult): void {
    if (!this.#stopping.signal.aborted) this.#tools.onResult?.(result);
  }

  /** Over the connection at hand, where that still works; else over a new one. */
  async #ask(): Promise<LearnedServer> {
    const kept = this.#connection;
    if (
      kept !== null &&
      !kept.loggedIn.channel.closed &&
      kept.generation === this.#options.account().generation
    ) {
      try {
        return await this.#question(kept.loggedIn);
      } catch {
        // The server may have been restarted: only a new login tells.
      }
    }
    this.#hangUp();
    const { tablet, account: currentAccount, loginTimeoutMs } = this.#options;
    const account = currentAccount();
    const loggedIn = await this.#tools.logIn({
      tablet,
      account,
      clientCapabilities: 0,
      collation: null,
      timeoutMs: loginTimeoutMs,
      signal: this.#stopping.signal,
    });
    this.#connection = { loggedIn, generation: account.generation };
    const server = await this.#question(loggedIn);
    this.#tools.onLogin(server);
    return server;
  }

  async #question(loggedIn: LoggedIn): Promise<LearnedServer> {
    const { scope = [], timeoutMs } = this.#options;
    const replies = await converseOn(loggedIn, probeCommands(scope, loggedIn.server), timeoutMs);
    const answer = readProbe(scope, replies);
    // A server that goes away is noticed at once, not at the next question.
    loggedIn.channel.setReceiver({
      onBytes: () => loggedIn.channel.destroy(),
      onClosed: () => this.askNow(),
    });
    return { ...loggedIn.server, ...answer, readOnly: answer.observation.readOnly };
  }

  #settle(status: HealthStatus, detail: string | null): void {
    const before = this.#status;
    this.#status = status;
    if (this.#stopping.signal.aborted) return;
    if (before.ready !== status.ready || before.reason !== status.reason)
      this.#tools.onChange(status, detail);
  }

  #pauseMs(kind: BackendLoginErrorKind): number {
    if (kind === "access_denied") return refusedPauseMs;
    return Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(this.#failures, 16));
  }

  #schedule(delayMs: number): void {
    if (this.#stopping.signal.aborted) return;
    this.#timer = setTimeout(() => void this.#probe(), delayMs);
    this.#timer.unref();
  }

  #hangUp(): void {
    const connection = this.#connection;
    this.#connection = null;
    if (connection === null) return;
    connection.loggedIn.channel.setReceiver({ onBytes: () => {}, onClosed: () => {} });
    connection.loggedIn.channel.destroy();
  }

  #sentence(predicate: string): string {
    return `Database server '${this.#options.tablet.alias}' ${predicate}`;
  }
}

/** The server is there and does not let the account in: that says nothing about its state. */
function isBlindness(kind: BackendLoginErrorKind): boolean {
  return kind === "access_denied" || kind === "too_many_connections";
}

// Whether a server can be used, and what it is: one connection of its own with the service account, asked again and
// again. The last known facts stay when the server is gone, so that greetings do not change with every hiccup.

import type { BackendAccount, Tablet } from "../routing/route.ts";
import type { ServerFacts } from "./backend-connection.ts";
import type { BackendLoginRequest, LoggedIn } from "./backend-login.ts";
import { type HousekeepingReply, queryCommand } from "./housekeeping.ts";
import { BackendLoginError, type BackendLoginErrorKind, quoteServer } from "./login-error.ts";
import { converseOn } from "./pooled-connection.ts";

/** What a server is, beyond its greeting. */
export interface LearnedServer extends ServerFacts {
  /** 0: names of schemas and tables are case-sensitive; 1 and 2: they are not. */
  readonly lowerCaseTableNames: number;
  /** `@@read_only`, as a number: 0 for a server that takes writes. */
  readonly readOnly: boolean;
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
  /** Between two questions, while all is well. */
  readonly intervalMs: number;
  readonly loginTimeoutMs: number;
  /** For one question: a stalled answer is a failure. */
  readonly timeoutMs: number;
}

/** What watching needs. */
export interface HealthTools {
  readonly logIn: (request: BackendLoginRequest) => Promise<LoggedIn>;
  /** The verdict or its reason has changed; `detail` is for the log. */
  readonly onChange: (status: HealthStatus, detail: string | null) => void;
  /** A fresh login has worked: the server may be another one, or the same after a restart. */
  readonly onLogin: (server: LearnedServer) => void;
}

const probe = queryCommand("SELECT @@lower_case_table_names, @@global.read_only");

/** Pauses after failures, in milliseconds: doubling, longer where the account is refused (it could be locked). */
const firstPauseMs = 100;
const longestPauseMs = 5000;
const refusedPauseMs = 10_000;

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
    if (!this.#probing && !this.#stopping.signal.aborted) void this.#probe();
  }

  stop(): void {
    this.#stopping.abort();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#hangUp();
  }

  async #probe(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#probing = true;
    try {
      const server = await this.#ask();
      this.#failures = 0;
      this.#settle({ ready: true, reason: null, server }, null);
      this.#schedule(this.#options.intervalMs);
    } catch (error) {
      this.#hangUp();
      const failure = error instanceof BackendLoginError ? error : null;
      const reason = this.#sentence(reasons[failure?.kind ?? "protocol"]);
      const detail = error instanceof Error ? error.message : String(error);
      this.#settle({ ready: false, reason, server: this.#status.server }, detail);
      this.#schedule(this.#pauseMs(failure?.kind ?? "protocol"));
      this.#failures += 1;
    }
    this.#probing = false;
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
    const [reply] = await converseOn(loggedIn, [probe], this.#options.timeoutMs);
    const learned = learn(loggedIn.server, reply);
    // A server that goes away is noticed at once, not at the next question.
    loggedIn.channel.setReceiver({
      onBytes: () => loggedIn.channel.destroy(),
      onClosed: () => this.askNow(),
    });
    return learned;
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

function learn(server: ServerFacts, reply: HousekeepingReply | undefined): LearnedServer {
  if (reply?.kind === "err") {
    const { code, message } = reply.error;
    throw new BackendLoginError("refused", `The server answered ${code}: ${quoteServer(message)}`, { code });
  }
  const [lowerCase, readOnly] = reply?.kind === "rows" ? (reply.rows[0] ?? []) : [];
  if (lowerCase == null || readOnly == null) {
    throw new BackendLoginError("protocol", "The server does not tell its settings");
  }
  // MariaDB 12 has OFF, ON and further words for read_only.
  const writable = readOnly === "0" || readOnly.toUpperCase() === "OFF";
  return { ...server, lowerCaseTableNames: Number(lowerCase) || 0, readOnly: !writable };
}

// runSession(): one client from accept to end. Straight-line code over the stages of the walk; the only place where a
// session's mistakes are caught, so that no session's failure is another's.

import type { ByteChannel } from "../base/byte-channel.ts";
import { sqlError } from "../errors/sql-error.ts";
import type { Identity } from "../identity/identity.ts";
import { forgetIdentity } from "./admit.ts";
import type { ClientTransport } from "./client-transport.ts";
import type { CommandLoop } from "./command-loop.ts";
import type { ConnectionId } from "./connection-ids.ts";
import { handshake, type LoginPhase } from "./handshake.ts";
import { login } from "./login.ts";
import { type RunningCommand, runningOf } from "./other-sessions.ts";
import { PreparedStatements } from "./prepared-statements.ts";
import { endWithError } from "./reply.ts";
import { newSessionState, type SessionState } from "./session.ts";
import { auditDisconnect } from "./session-audit.ts";
import type { SessionEnd, SessionEndCode } from "./session-end.ts";
import { isSessionEnd, sessionEnd } from "./session-end.ts";
import { countUp } from "./session-metrics.ts";
import type { EndRequest, RegisteredSession } from "./session-registry.ts";
import type { SessionServices } from "./session-services.ts";
import { type SessionView, viewOfSession } from "./session-view.ts";
import { connectionPlace } from "./sibling-processes.ts";

/** Serves one client until it is gone. Never rejects. */
export async function runSession(transport: ClientTransport, services: SessionServices): Promise<void> {
  const { registry, limits, metrics, siblings } = services;
  const hasPlace =
    siblings === null
      ? registry.size < limits.connectionsMax
      : await siblings.take(connectionPlace, limits.connectionsMax);
  const id = hasPlace ? registry.takeId() : null;
  if (id === null) {
    if (hasPlace) siblings?.giveBack(connectionPlace);
    refuseConnection(transport, services);
    return;
  }
  const live = new LiveSession(id, transport, services);
  registry.add(live);
  const end = await live.run();
  if (live.identity !== null) forgetIdentity(services, live.identity);
  registry.remove(live);
  siblings?.giveBack(connectionPlace);
  countUp(metrics.sessionsEnded, end.code);
  if (live.identity !== null && decidedByUs.has(end.code)) auditDisconnect(services, live.state, end.code);
  services.logger.debug("A session has ended", { connection_id: id, end: end.code, detail: end.detail });
}

/** Ends that the client did not bring about. */
const decidedByUs: ReadonlySet<SessionEndCode> = new Set<SessionEndCode>([
  "idle_timeout",
  "read_timeout",
  "write_timeout",
  "query_timeout",
  "killed",
  "entry_removed",
  "ended_by_operator",
  "shutdown",
  "internal_error",
]);

/** Over the limit: 1040 in place of the greeting, without SQLSTATE, since no capabilities are known. */
function refuseConnection(transport: ClientTransport, services: SessionServices): void {
  const to = {
    channel: transport.channel,
    capabilities: 0,
    statusFlags: 0,
    sequence: 0,
    metrics: services.metrics,
  };
  const end = endWithError(to, sqlError("ER_CON_COUNT_ERROR"), "limit");
  countUp(services.metrics.connectionsRefused, "max_connections");
  countUp(services.metrics.sessionsEnded, end.code);
  transport.channel.end();
}

/** A session as the registry sees it, through login and command phase. */
class LiveSession implements RegisteredSession {
  readonly id: ConnectionId;
  readonly state: SessionState;
  readonly #transport: ClientTransport;
  readonly #services: SessionServices;
  readonly #phase: LoginPhase;
  readonly #loginDeadlineMs: number;
  #loop: CommandLoop | null = null;
  #timedOut = false;

  constructor(id: ConnectionId, transport: ClientTransport, services: SessionServices) {
    const now = services.clock.monotonicMs();
    this.id = id;
    this.state = newSessionState(
      id,
      transport.peer,
      new PreparedStatements(services.preparedStatements, services.statementBudget),
      now,
    );
    this.#transport = transport;
    this.#services = services;
    this.#phase = { exchange: null, channel: transport.channel };
    this.#loginDeadlineMs = now + services.limits.connectTimeoutMs;
  }

  get identity(): Identity | null {
    return this.state.identity;
  }

  get deadlineMs(): number {
    if (this.#loop !== null) return this.#loop.deadlineMs;
    return this.#timedOut ? Number.POSITIVE_INFINITY : this.#loginDeadlineMs;
  }

  /** All stages; whatever goes wrong in them becomes this session's end. */
  async run(): Promise<SessionEnd> {
    try {
      const end = await this.#stages();
      if (!this.#channel.closed) this.#channel.end();
      return end;
    } catch (error) {
      this.#services.metrics.sessionFailures += 1;
      this.#services.logger.error("A session failed", { err: error, connection_id: this.id });
      this.#channel.destroy();
      return sessionEnd("internal_error");
    }
  }

  async #stages(): Promise<SessionEnd> {
    const shaken = await handshake(this.#transport, this.state, this.#services, this.#phase);
    if (isSessionEnd(shaken)) return shaken;
    const entered = await login(shaken, this.state, this.#services);
    if (isSessionEnd(entered)) return entered;
    this.#loop = entered.loop;
    return entered.loop.run(entered.exchange);
  }

  get #channel(): ByteChannel {
    return this.#phase.channel;
  }

  onDeadline(nowMs: number): void {
    if (this.#loop !== null) {
      this.#loop.onDeadline(nowMs);
      return;
    }
    // The login's deadline: the stage that waits for a packet is told, and answers 1159 by itself.
    this.#timedOut = true;
    if (this.#phase.exchange === null) this.#channel.destroy();
    else this.#phase.exchange.abort();
  }

  kill(scope: "query" | "connection"): void {
    if (scope === "query") this.#loop?.cancel("killed");
    else if (this.#loop === null) this.#channel.destroy();
    else this.#loop.end(sessionEnd("killed"));
  }

  requestEnd(reason: EndRequest): void {
    if (this.#loop === null) this.#channel.destroy();
    else this.#loop.requestEnd(reason);
  }

  forceEnd(reason: "shutdown" | "ended_by_operator"): void {
    if (this.#loop === null) this.#channel.destroy();
    else this.#loop.end(sessionEnd(reason));
  }

  get running(): RunningCommand | null {
    return this.#loop === null ? null : runningOf(this.#loop);
  }

  view(nowMs: number): SessionView {
    return viewOfSession(this.state, this.#loop, nowMs);
  }
}

// The command phase of a session: bytes of the client become commands, each is answered once, then the next is read.
// One command at a time; what a client sends ahead waits. The story of one command: onBytes -> #start -> its handler in
// commands/ -> forward (relay) or a reply of our own -> #finish.

import type { Permit } from "../acl/permit.ts";
import type { ByteChannel } from "../base/byte-channel.ts";
import type { MysqlErrorSymbol } from "../errors/mysql-errors.ts";
import { sqlError } from "../errors/sql-error.ts";
import type { CutManner } from "../routing/judge-keyspace.ts";
import { replySequenceOf } from "../wire/command-boundary.ts";
import { COM_QUIT } from "../wire/commands.ts";
import { LocalFileTracker } from "../wire/local-file-tracker.ts";
import { PacketCollector } from "../wire/packet-collector.ts";
import { ResponseBoundary } from "../wire/response-boundary.ts";
import { lastingStatusFlags, STATUS_AUTOCOMMIT, STATUS_IN_TRANS } from "../wire/status-flags.ts";
import { BackendHolder } from "./backend-holder.ts";
import { ClientInput, type InputOwner, STARVED_WAIT_MS } from "./client-input.ts";
import { CANCEL_GRACE_MS, endOverdue, idleDeadline, judgeDeadline } from "./command-deadline.ts";
import { type CommandInHand, nothingInHand } from "./command-in-hand.ts";
import { handleAgain, handleCommand } from "./commands/command-table.ts";
import { contextOf, inspectReply, toldErrorOf } from "./inspect-reply.ts";
import { commandKindOf } from "./latency.ts";
import { judgeLoss, mayEndFirst, tellLoss } from "./lost-backend.ts";
import type { PacketExchange } from "./packet-exchange.ts";
import { addressTo } from "./prepared-command.ts";
import { noteQuery, type QueryNote, settleQuery } from "./query-note.ts";
import type { RelayObserver } from "./relay.ts";
import { Relay } from "./relay.ts";
import type { ReplyTo } from "./reply.ts";
import { endWithError, internalError, replyError } from "./reply.ts";
import { replyFilterFor } from "./reply-filter.ts";
import { keepForSecondTry, leaveForPrimary } from "./second-try.ts";
import type { SessionState } from "./session.ts";
import type { HandlerResult, SessionEnd } from "./session-end.ts";
import { expectsNothing, isSessionEnd, relaying, sessionEnd } from "./session-end.ts";
import type { EndRequest } from "./session-registry.ts";
import type { SessionServices } from "./session-services.ts";

/** Replies that a client has not taken, in bytes; beyond, its next command waits. */
const UNTAKEN_REPLY_BYTES_MAX = 1024 * 1024;

/** Serves the commands of one logged-in session. */
export class CommandLoop implements InputOwner, RelayObserver {
  readonly state: SessionState;
  readonly services: SessionServices;
  readonly channel: ByteChannel;
  readonly relay: Relay;
  readonly backend: BackendHolder;
  readonly #input: ClientInput;
  #phase: "idle" | "busy" | "ended" = "idle";
  inHand: CommandInHand = nothingInHand;
  /** For the query log; null: the command under way is not recorded. */
  #note: QueryNote | null = null;
  #replySequence = 1;
  /** When the command under way began, or the last one ended; monotonic milliseconds. */
  phaseSinceMs = 0;
  #cancelled: "killed" | "timeout" | null = null;
  /** The command under way, where its refusal by this server may mean that another one takes it; else null. */
  #kept: Buffer | null = null;
  #endRequested: EndRequest | null = null;
  /** COM_CHANGE_USER reads packets by itself. */
  #login: PacketExchange | null = null;
  #partialSinceMs: number | null = null;
  #resolve: (end: SessionEnd) => void = () => {};
  /** Monotonic milliseconds; read by the registry's sweep. */
  deadlineMs = Number.POSITIVE_INFINITY;

  constructor(state: SessionState, services: SessionServices, channel: ByteChannel) {
    this.state = state;
    this.services = services;
    this.channel = channel;
    this.#input = new ClientInput(
      channel,
      services.limits.allowedPacketBytesMax,
      services.statementBudget,
      this,
    );
    this.relay = new Relay(
      channel,
      new ResponseBoundary(state.capabilities),
      new PacketCollector(),
      this,
      services.clock,
      services.metrics,
    );
    this.backend = new BackendHolder(state, services, this.relay);
  }

  /** Serves until the session ends, beginning with what `login` read behind its last packet. Never rejects. */
  run(login: PacketExchange): Promise<SessionEnd> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#input.listen(login.detach());
      this.#rest();
    });
  }

  /** A login takes over the client's packets; it has the time that a first login has. */
  beginLogin(exchange: PacketExchange): void {
    this.#login = exchange;
    this.state.statusFlags = STATUS_AUTOCOMMIT;
    this.state.pinnedBecause = null;
    this.deadlineMs = this.services.clock.monotonicMs() + this.services.limits.connectTimeoutMs;
  }

  /** The login is over: commands come next, beginning with what it read too much. */
  endLogin(exchange: PacketExchange): void {
    this.#login = null;
    this.#input.listen(exchange.detach());
  }

  get ended(): boolean {
    return this.#phase === "ended";
  }

  /** Whether the server has a transaction open for this session. */
  get inTransaction(): boolean {
    return (this.state.statusFlags & STATUS_IN_TRANS) !== 0;
  }

  /** Where a reply of our own to the command under way goes. */
  get replyTo(): ReplyTo {
    return {
      channel: this.channel,
      capabilities: this.state.capabilities,
      statusFlags: this.state.statusFlags,
      sequence: this.#replySequence,
      metrics: this.services.metrics,
      note: this.#note,
      leaves: (rowCount) => this.state.following.noteOwnAnswer(rowCount),
    };
  }

  // ---- the client's bytes ----

  get idle(): boolean {
    return this.#phase === "idle";
  }

  onClientClosed(error: Error | null): void {
    this.end(sessionEnd("client_gone", error?.message ?? null));
  }

  onInputError(symbol: MysqlErrorSymbol, replySequence: number): void {
    this.#replySequence = replySequence;
    this.end(endWithError(this.replyTo, sqlError(symbol), "protocol_error"));
  }

  onPartial(starved: boolean): void {
    const waitMs = starved ? STARVED_WAIT_MS : this.services.limits.readTimeoutMs;
    // The time runs from the command's first byte; what trickles in does not renew it.
    if (this.#partialSinceMs === null) this.#partialSinceMs = this.services.clock.monotonicMs();
    if (waitMs < Number.POSITIVE_INFINITY) this.deadlineMs = this.#partialSinceMs + waitMs;
  }

  onFileContent(bytes: Uint8Array): void {
    if (this.inHand.permit !== null) this.relay.sendMore(this.inHand.permit, bytes);
  }

  // ---- one command ----

  /** `frames` may alias the channel's read buffer: whoever keeps it past this call copies it. */
  onCommand(frames: Uint8Array): void {
    this.#phase = "busy";
    this.#partialSinceMs = null;
    this.backend.begin();
    this.services.metrics.bytesFromClients += frames.length;
    const { limits } = this.services;
    this.phaseSinceMs = this.services.clock.monotonicMs();
    this.deadlineMs = this.phaseSinceMs + Math.min(limits.queryTimeoutMs, limits.writeTimeoutMs);
    this.#replySequence = replySequenceOf(frames);
    if (this.services.queryLog !== null)
      this.#note = noteQuery(this.services.queryLog, this.services, frames);
    const command = frames.length > 4 ? (frames[4] ?? 0) : -1;
    if (this.#endRequested === "drain" && !this.inTransaction && command !== COM_QUIT)
      this.end(endWithError(this.replyTo, sqlError("ER_SERVER_SHUTDOWN"), "shutdown"));
    else this.#answer(() => handleCommand(this, command, frames));
  }

  #answer(handle: () => HandlerResult | Promise<HandlerResult>): void {
    try {
      const result = handle();
      if (result instanceof Promise)
        result.then((value) => this.#settle(value)).catch((error) => this.onFailure(error));
      else this.#settle(result);
    } catch (error) {
      this.onFailure(error);
    }
  }

  #settle(result: HandlerResult): void {
    if (this.#phase === "ended" || result === relaying) return;
    if (isSessionEnd(result)) this.end(result);
    else this.#finish();
  }

  /** A mistake of ours ends this session only. */
  onFailure(error: unknown): void {
    this.services.metrics.sessionFailures += 1;
    this.services.logger.error("A command handler failed", { err: error, connection_id: this.state.id });
    if (!this.ended) this.end(endWithError(this.replyTo, internalError(), "internal_error"));
  }

  #finish(): void {
    if (this.#input.expectsFile) {
      // The server reads no file any more: what the client still sends is no command, whatever it looks like.
      this.backend.drop("it answered before the end of the file that it wanted");
      this.end(sessionEnd("protocol_error", "the answer came before the end of the file"));
      return;
    }
    const keyspace = this.relay.lease?.route.keyspace ?? this.state.target.keyspace;
    const elapsedMs = this.services.clock.monotonicMs() - this.phaseSinceMs;
    this.services.metrics.commandLatency.observe(keyspace, commandKindOf(this.inHand.text), elapsedMs);
    if (this.#note !== null) this.#settleNote(this.#note, "answered");
    this.inHand = nothingInHand;
    this.#kept = null;
    this.#cancelled = null;
    this.#input.commandDone();
    if (this.channel.unwrittenBytes > UNTAKEN_REPLY_BYTES_MAX) {
      this.channel.pause();
      this.channel.whenWritable(() => this.#rest());
      return;
    }
    this.#rest();
  }

  #settleNote(note: QueryNote, how: "answered" | "cut"): void {
    this.#note = null;
    settleQuery(this, note, how);
  }

  /** Between two commands. */
  #rest(): void {
    if (this.#phase === "ended") return;
    this.#phase = "idle";
    this.phaseSinceMs = this.services.clock.monotonicMs();
    this.deadlineMs = idleDeadline(this.phaseSinceMs, this.services.limits, this.state.following.settings);
    this.#leaveIfDue();
    if (this.backend.stateLost) this.end(sessionEnd("backend_lost"));
    this.#endIfRequested();
    if (this.ended) return;
    this.backend.rest(this.phaseSinceMs);
    this.channel.resume();
    this.#input.serve();
  }

  // ---- toward the backend ----

  /**
   * Sends a permitted command to the session's backend connection, acquiring one where there is none, and relays the
   * reply. `frames` as the client sent them.
   */
  forward(permit: Permit, frames: Uint8Array, inHand: CommandInHand): HandlerResult | Promise<HandlerResult> {
    this.inHand = inHand;
    const { text } = inHand;
    const lost = this.backend.recallLeftovers(text);
    if (lost !== null) return replyError(this.replyTo, lost);
    if (!this.backend.ready) return this.#acquireAndForward(permit, Buffer.from(frames));
    this.#sendToBackend(permit, frames);
    return relaying;
  }

  async #acquireAndForward(permit: Permit, frames: Buffer): Promise<HandlerResult> {
    const { lease } = this.relay;
    const { command, statementIds, text } = this.inHand;
    do {
      const failure = await this.backend.acquire(text);
      if (this.#phase === "ended") return relaying;
      if (failure !== null) return replyError(this.replyTo, failure);
    } while (!this.backend.ready);
    if (statementIds !== undefined && lease !== this.relay.lease) {
      // A copy of a statement is good on its own connection only.
      addressTo(frames, statementIds.client);
      return handleAgain(this, command, frames);
    }
    this.#sendToBackend(permit, frames);
    return relaying;
  }

  #sendToBackend(permit: Permit, frames: Uint8Array): void {
    this.#kept = keepForSecondTry(this, frames);
    if (this.inHand.text !== null) this.backend.noteText(this.inHand.text);
    this.relay.send(permit, this.inHand.command, frames, replyFilterFor(this, this.inHand));
  }

  onReplyComplete(): void {
    const { summary } = this.relay.boundary;
    const { errorCode, statusFlags } = summary;
    const { text, command } = this.inHand;
    if (text === null) this.state.following.noteCommand(command, errorCode !== 0);
    else
      this.state.following.noteReply(summary, text, this.relay.lease?.connection.server.flavour ?? "mysql");
    if (errorCode === 0) this.state.statusFlags = statusFlags & lastingStatusFlags;
    else if (this.#note !== null) this.#note.errorCode ??= errorCode;
    this.inHand.after?.(errorCode === 0);
    this.#finish();
  }

  onInspect(payload: Buffer, sequence: number): Uint8Array | null {
    const kept = this.#kept;
    if (kept !== null && this.#cancelled === null && leaveForPrimary(this, payload)) {
      this.#answer(() => handleAgain(this, this.inHand.command, kept));
      return null;
    }
    const verdict = inspectReply(payload, contextOf(this, this.#cancelled));
    if (this.relay.boundary.inspectKind === "err" && verdict.kind === "forward")
      this.state.following.toldError = toldErrorOf(payload, verdict.payload);
    if (verdict.kind === "forward") return verdict.payload;
    if (verdict.kind === "local_file") {
      this.#input.expectFile(new LocalFileTracker(sequence));
      return payload;
    }
    this.backend.drop(verdict.reason);
    this.#settle(replyError(this.replyTo, verdict.error));
    return null;
  }

  onBackendCut(manner: CutManner, reason: string): void {
    this.relay.leaving = { manner, reason };
    this.#leaveIfDue();
  }

  #leaveIfDue(): void {
    const { leaving } = this.relay;
    const replyDue = this.#phase === "busy" && this.relay.active;
    if (leaving === null || mayEndFirst(leaving.manner, replyDue, this.inTransaction)) return;
    this.relay.leaving = null;
    this.onBackendFailed(leaving.reason, this.relay.forwardedBytes);
  }

  onBackendFailed(reason: string, forwardedBytes: number): void {
    if (this.#phase === "ended") return;
    const replyDue = this.#phase === "busy" && this.relay.active;
    const verdict = judgeLoss(this, replyDue, forwardedBytes);
    const { asking } = this.backend;
    this.backend.drop(reason);
    // Whoever asks the server something answers the client, too.
    if (asking) return;
    const result = tellLoss(this, verdict, reason);
    if (result !== null) this.#settle(result);
  }

  // ---- deadlines, KILL, the end ----

  /** Called by the sweep when `deadlineMs` has passed. */
  onDeadline(nowMs: number): void {
    if (this.#phase === "ended") return;
    if (this.#login !== null) {
      this.deadlineMs = Number.POSITIVE_INFINITY;
      this.#login.abort();
      return;
    }
    const waiting = {
      phase: this.#phase,
      partial: this.#input.partial,
      starved: this.#input.starved,
      cancelled: this.#cancelled !== null,
      startedMs: this.phaseSinceMs,
      blockedSinceMs: this.relay.blockedSinceMs,
    };
    const verdict = judgeDeadline(waiting, this.services.limits, nowMs);
    if (verdict.kind === "wait") this.deadlineMs = verdict.untilMs;
    else if (verdict.kind === "cancel") this.cancel("timeout");
    else this.end(endOverdue(verdict.kind, this.replyTo));
  }

  /** Cancels the command under way, if there is one. */
  cancel(reason: "killed" | "timeout"): void {
    if (this.#phase !== "busy") return;
    this.#cancelled = reason;
    this.deadlineMs = this.services.clock.monotonicMs() + CANCEL_GRACE_MS;
    this.backend.cancel(reason === "timeout" ? "ER_QUERY_TIMEOUT" : "ER_QUERY_INTERRUPTED");
  }

  /** Ends the session as soon as it is between commands and outside a transaction. */
  requestEnd(reason: EndRequest): void {
    if (this.#phase === "ended") return;
    this.#endRequested = reason;
    if (this.#phase === "idle") this.#endIfRequested();
  }

  #endIfRequested(): void {
    const reason = this.#endRequested;
    if (reason !== null && reason !== "drain" && !this.inTransaction) this.end(sessionEnd(reason));
  }

  /** Ends the session now, whatever it is doing; later calls change nothing. */
  end(end: SessionEnd): void {
    if (this.#phase === "ended") return;
    this.#phase = "ended";
    this.deadlineMs = Number.POSITIVE_INFINITY;
    if (this.#note !== null) this.#settleNote(this.#note, "cut");
    this.backend.end(end.code);
    this.state.prepared.clear();
    this.#input.clear();
    if (expectsNothing(end) && this.channel.unwrittenBytes === 0) this.channel.destroy();
    else this.channel.end();
    this.#resolve(end);
  }
}

// A session's hold on its backend connection: getting one when a command needs it, giving it back, ending it. Knows
// nothing of commands.

import type { Authorizer } from "../acl/authorizer.ts";
import type {
  BackendLease,
  BackendPool,
  Handover,
  LeaseTaker,
  OwedLeftovers,
} from "../backend/backend-pool.ts";
import { type Outages, placeOfTablet } from "../backend/outage.ts";
import { CancelSource } from "../base/cancel-signal.ts";
import { SqlError, sqlError } from "../errors/sql-error.ts";
import type { Route } from "../routing/route.ts";
import { NoPrimary, type Router } from "../routing/router.ts";
import { STATUS_IN_TRANS } from "../wire/status-flags.ts";
import { acquireLease, type Patience } from "./acquire-lease.ts";
import { acquireWithOwnWrites, type RequestLease } from "./acquire-own-writes.ts";
import { type LastReply, settleLastReply } from "./ask-backend.ts";
import { LEFTOVERS_KEPT_MS } from "./following.ts";
import { boundBy, lostAgain, lostBefore, notePin, pinnedBecause } from "./lost-backend.ts";
import { readsAsBefore } from "./reading.ts";
import type { Relay } from "./relay.ts";
import { releaseNotes } from "./release-notes.ts";
import { leadsAlike, routeText } from "./route-text.ts";
import type { SessionState } from "./session.ts";
import { countUp, type SessionMetrics } from "./session-metrics.ts";
import type { StatementText } from "./statement-text.ts";

/** What the holder asks of the gateway. */
export interface HolderServices {
  readonly authorizer: () => Authorizer;
  readonly pool: BackendPool;
  readonly outages: Outages;
  readonly router: () => Router;
  readonly metrics: SessionMetrics;
}

/** FOUND_ROWS() of statements that were prepared is put right up to here; texts are told the number itself. */
const RECALLED_ROWS_MAX = 1000;

/** Holds at most one lease; its bytes go through the relay. */
export class BackendHolder implements LeaseTaker {
  readonly #state: SessionState;
  readonly #services: HolderServices;
  readonly #relay: Relay;
  #acquiring: CancelSource | null = null;
  /** What the command under way was cancelled for; null: it was not. */
  #interruption: "ER_QUERY_INTERRUPTED" | "ER_QUERY_TIMEOUT" | null = null;
  #ended = false;
  /** Why the present connection must not serve another session; null: it may. */
  #spoiled: string | null = null;
  /** What the last reply was to the client, where the server would tell of another; null: it would not. */
  #lastReply: LastReply | null = null;
  /** Between two commands. */
  #resting = false;
  /** Whether a command may have entered or dropped a schema unseen: the next session must not rely on ours. */
  schemaUncertain = false;
  /** The schema that the connection was put into, by the name that its server knows; null: none. */
  #serverSchema: string | null = null;
  /** The default schema with which a connection was had last; null: none. */
  #confirmedSchema: string | null = null;
  /** What the command under way has waited for, and will before it gets a connection. */
  readonly #patience: Patience = { ticket: null, first: null };
  /** How often the command under way has lost a connection before anything of it was sent. */
  #losses = 0;
  /** The command under way was refused by a server that is not the primary: it is sent again. */
  isSecondTry = false;
  /** Whether a question of ours is under way, and with it whoever answers the client if the connection is lost. */
  asking = false;
  /** State of the session was lost with a connection: it ends after the reply that says so. */
  stateLost = false;

  constructor(state: SessionState, services: HolderServices, relay: Relay) {
    this.#state = state;
    this.#services = services;
    this.#relay = relay;
  }

  /** Whether a command may be sent at once: otherwise `acquire` comes before. */
  get ready(): boolean {
    return this.#relay.lease !== null && this.#lastReply === null && this.#interruption === null;
  }

  /** The client has seen `rows` rows of the last reply and must not learn of the others. */
  hideLastReply(rows: number): void {
    this.#lastReply = { rows, isRecalled: false };
  }

  /** A text asks for leftovers of the statement before it; the error, when they are lost. */
  recallLeftovers(text: StatementText | null): SqlError | null {
    if (text === null || (text.asksFor.length === 0 && !text.readsMessages)) return null;
    const { following } = this.#state;
    const error = following.errorToTell(text);
    if (error !== null) this.#lastReply ??= { error };
    const lost = following.lostFor(text);
    if (lost !== null) {
      const feature = `asking for the ${lost} of a statement whose backend connection has been left since`;
      return sqlError("ER_NOT_SUPPORTED_YET", { feature });
    }
    // What this connection has to say is another session's, or our own.
    if (following.isToBeHiddenFor(text))
      this.#lastReply = { rows: Math.min(following.foundRows, RECALLED_ROWS_MAX), isRecalled: true };
    return null;
  }

  /**
   * Makes sure that the session holds a connection; the error, when it cannot have one. `text`: what is to be sent over
   * it, which may decide where it leads; null: no text.
   */
  async acquire(text: StatementText | null): Promise<SqlError | null> {
    const asked = await this.ask(text, "it was closed before it was used", () =>
      Promise.resolve(true as const),
    );
    return asked instanceof SqlError ? asked : null;
  }

  /**
   * Asks something of ours over the session's connection, and makes sure that it holds one. A connection that is lost
   * meanwhile is replaced, for nothing of the command was sent yet: at once the first time, then as long as statements
   * wait out outages. `silence`: why a connection is closed over which the question gets no answer (null). The error is
   * to be told to the client: the question was not answered.
   */
  async ask<Answer>(
    text: StatementText | null,
    silence: string,
    question: (lease: BackendLease) => Promise<Answer | null>,
  ): Promise<Answer | SqlError> {
    const bound = this.#relay.lease === null ? null : boundBy(this.#state);
    for (;;) {
      const failure = this.#relay.lease === null ? await this.#acquireSchema(text) : null;
      if (failure !== null) return failure;
      const lease = this.#relay.lease;
      const last = this.#lastReply;
      let answer: Answer | null = null;
      if (lease !== null) {
        this.asking = true;
        const settled = last === null || (await settleLastReply(lease, last)) !== null;
        if (settled) this.#noteLastReply(true);
        answer = settled ? await question(lease) : null;
        this.asking = false;
      }
      const isHeld = lease !== null && this.#relay.lease === lease;
      if (isHeld && answer !== null && !lease.connection.closed) {
        this.#relay.attach(lease);
        return this.#interruption === null ? answer : sqlError(this.#interruption);
      }
      if (isHeld) this.drop(silence);
      const lost = this.#noteLoss(lease, bound) ?? this.recallLeftovers(text);
      if (lost !== null) return lost;
    }
  }

  /** `settled`: the connection at hand says the same now; else it is left. */
  #noteLastReply(settled: boolean): void {
    this.#state.following.noteLastReply(this.#lastReply, settled);
    this.#lastReply = null;
  }

  /** A connection was lost before the command was sent; the error, when that cannot be mended by another one. */
  #noteLoss(lease: BackendLease | null, bound: "transaction" | "state" | null): SqlError | null {
    if (this.#ended) return sqlError("ER_QUERY_INTERRUPTED");
    if (bound === "state") this.stateLost = true;
    if (bound !== null) return lostBefore(bound);
    if (this.#interruption !== null) return sqlError(this.#interruption);
    this.#losses += 1;
    if (this.#losses > 1 && lease !== null) this.#waitFor(lease, lostAgain());
    return null;
  }

  #waitFor({ route }: BackendLease, failure: SqlError): void {
    this.#patience.first = { place: placeOfTablet(route.tablet), failure };
  }

  async #acquireSchema(text: StatementText | null): Promise<SqlError | null> {
    const failure = await this.#acquire(text);
    if (failure?.symbol !== "ER_BAD_DB_ERROR" || this.#state.database !== this.#confirmedSchema)
      return failure;
    // Another session has dropped it. Here its own statements would still find the server, without that schema.
    this.#state.database = null;
    return this.#acquire(text);
  }

  async #acquire(text: StatementText | null): Promise<SqlError | null> {
    const { following } = this.#state;
    if (this.#interruption !== null) return sqlError(this.#interruption);
    const acquiring = new CancelSource();
    this.#acquiring = acquiring;
    // The connection that was left is still being asked.
    const known = following.whenAnswered();
    if (known !== null) await known;
    const request: RequestLease = (readsMayLeave) => {
      const { capabilities, collation } = this.#state;
      const route = this.#route(text, readsMayLeave);
      if (route instanceof SqlError || route instanceof NoPrimary) return route;
      const { settings, multiStatements, insertId } = following;
      const follows = { settings, multiStatements, insertId: insertId ?? "0" };
      return { route, capabilities, collation, signal: acquiring, ...follows };
    };
    const lease = await acquireWithOwnWrites({
      ownWrites: this.#state.ownWrites,
      request,
      acquire: (wanted) => acquireLease(wanted, this.#services, acquiring, this.#patience),
      signal: acquiring,
      giveBack: (unused) => unused.release({ handover: following.describe(unused.route.database) }),
    });
    this.#acquiring = null;
    const interruption = acquiring.aborted ? sqlError(this.#interruption ?? "ER_QUERY_INTERRUPTED") : null;
    if (lease instanceof SqlError) return interruption ?? lease;
    if (this.#ended || interruption !== null) {
      lease.release({ handover: following.describe(lease.route.database) });
      return interruption ?? sqlError("ER_QUERY_INTERRUPTED");
    }
    this.#confirmedSchema = this.#state.database;
    this.schemaUncertain = false;
    this.#spoiled = null;
    this.#serverSchema = lease.route.database;
    this.#relay.attach(lease);
    const { judging } = this.#services.authorizer();
    return readsAsBefore(this.#state, lease, judging) ? null : sqlError("ER_SERVER_ISNT_AVAILABLE");
  }

  // ---- between two commands ----

  /** A command begins: the connection is not to be taken. What the last one waited for counts no more. */
  begin(): void {
    this.#resting = false;
    this.#interruption = null;
    this.#losses = 0;
    this.isSecondTry = false;
    this.#patience.ticket = null;
    this.#patience.first = null;
    this.#relay.lease?.keep();
  }

  /**
   * A command has ended: where the session can do without its connection, another one may have it. Not before the client
   * has taken the last chunk of the reply, which lies in the connection's read buffer: the next session's bytes would
   * overwrite it.
   */
  rest(nowMs: number): void {
    this.#resting = true;
    const lease = this.#relay.lease;
    if (lease === null) return;
    this.#confirmedSchema = this.#state.database;
    if (this.holdsBecause !== null) return;
    const { lingersBecause } = this.#state.following;
    const sinceMs = lingersBecause === null ? nowMs : nowMs + LEFTOVERS_KEPT_MS;
    if (this.#relay.blockedSinceMs === null) lease.offer(this, sinceMs);
    else {
      this.#relay.whenClientHasTakenAll(() => {
        if (this.#resting && this.#relay.lease === lease) lease.offer(this, sinceMs);
      });
    }
  }

  /** Why the connection cannot be left now; null: it can. */
  get holdsBecause(): string | null {
    const { statusFlags, following } = this.#state;
    return pinnedBecause(this.#state) ?? this.#spoiled ?? following.holdsBecause(statusFlags);
  }

  describe(): Handover {
    const present = this.serverSchemas(null).present ?? this.#relay.lease?.route.database;
    return this.#state.following.describe(present ?? null);
  }

  onTaken(): OwedLeftovers | null {
    const { following } = this.#state;
    this.#relay.detach();
    this.#noteLastReply(false);
    return following.leave();
  }

  #route(text: StatementText | null, readsMayLeave = true): Route | SqlError | NoPrimary {
    const held = this.#relay.lease?.route ?? null;
    return routeText(this.#state, this.#services.router(), held, text, { readsMayLeave });
  }

  /**
   * Leaves the connection at hand where a text leads to another server, or to another schema of it. The error: it may
   * not be sent, or the session cannot leave.
   */
  place(text: StatementText | null): SqlError | null {
    const lease = this.#relay.lease;
    if (lease === null || this.#services.router().routedBy === "nothing") return null;
    const route = this.#route(text);
    if (route instanceof SqlError) return route;
    if (route === lease.route) return null;
    const { following } = this.#state;
    // What it asks for is on this connection alone.
    if (text !== null && text.asksFor.length > 0 && following.lingersBecause !== null) return null;
    const isHere = !(route instanceof NoPrimary) && leadsAlike(route, lease.route);
    if (isHere && route.database === this.#serverSchema) return null;
    this.release();
    return null;
  }

  /** The connection at hand was put into another schema: its server's name for it; null: into none. */
  noteServerSchema(database: string | null): void {
    this.#serverSchema = database;
  }

  /** The schema of the connection at hand as its server knows it, and what the server calls `name`. */
  serverSchemas(name: string | null): { readonly present: string | null; readonly named: string | null } {
    const { schemas } = this.#services.router();
    if (schemas === null) return { present: this.#state.database, named: name };
    return { present: this.#serverSchema, named: name === null ? null : schemas.databaseOf(name) };
  }

  /** Cancels what runs, or the wait for a connection, which then ends with this error. */
  cancel(why: "ER_QUERY_INTERRUPTED" | "ER_QUERY_TIMEOUT"): void {
    this.#interruption = why;
    this.#acquiring?.abort();
    if (this.#relay.active) void this.#relay.lease?.cancel();
  }

  /** What a text leaves behind on the connection that it is sent over. */
  noteText(text: StatementText): void {
    if (text.pins !== null) this.pin(text.pins);
    this.#state.following.noteSent(text);
    // Only where reads may go elsewhere than writes does anybody ask.
    if (this.#services.router().routedBy === "everything") this.#state.ownWrites.note(text);
    this.#spoiled ??= text.spoils;
    if (text.pins !== null || text.dropsSchema) this.schemaUncertain = true;
  }

  /** The session stays on its connection until that is reset, or what binds it is taken away. */
  pin(because: string): void {
    if (notePin(this.#state, because)) countUp(this.#services.metrics.pins, because);
  }

  /**
   * Gives the connection back between two commands: it is reset and may serve another session. Not before the client
   * has taken the last chunk of the reply, which lies in the connection's read buffer: the next session's bytes would
   * overwrite it.
   */
  release(goesOn = true): void {
    const lease = this.#relay.lease;
    if (lease === null) return;
    const handover = this.describe();
    const notes = releaseNotes(handover, this.schemaUncertain, this.holdsBecause, this.#state.capabilities);
    this.#relay.detach();
    const spoiled = this.#spoiled;
    const owed = goesOn ? this.#state.following.leave() : null;
    if (spoiled !== null) {
      owed?.tell(null);
      this.#relay.whenClientHasTakenAll(() => lease.close(spoiled));
      return;
    }
    notes.owed = owed;
    this.#relay.whenClientHasTakenAll(() => lease.release(notes));
  }

  /** Gives the connection back to be reset: what is on it is not what the session should have. */
  giveUp(): void {
    this.schemaUncertain = true;
    this.release();
  }

  /** Ends the connection: it is lost, or not to be believed. With it a transaction that was open on it. */
  drop(reason: string): void {
    this.#noteLastReply(false);
    this.#state.following.lose();
    this.#state.statusFlags &= ~STATUS_IN_TRANS;
    this.#relay.detach()?.close(reason);
  }

  /**
   * Leaves the server, which has refused a command because of its role, for the one that takes it; `failure` is what the
   * client is told if there is none in time.
   */
  leave(failure: SqlError): void {
    const lease = this.#relay.lease;
    if (lease === null) return;
    this.#waitFor(lease, failure);
    this.isSecondTry = true;
    this.drop("it refused a statement: it is not the primary");
  }

  /** The session ends. A command under way is cancelled on the server before its connection is closed. */
  end(why: string): void {
    this.#ended = true;
    this.#acquiring?.abort();
    if (!this.#relay.active) {
      this.release(false);
      return;
    }
    const lease = this.#relay.detach();
    if (lease !== null) void endBusyLease(lease, why);
  }
}

async function endBusyLease(lease: BackendLease, why: string): Promise<void> {
  await lease.cancel();
  lease.close(why);
}

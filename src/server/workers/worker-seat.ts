// A worker's end of its channel to the first process: what it is told, what it asks, and what of the gateway in it can be
// asked. When the first process is gone, the worker ends too.

import type { AdminSources } from "../../admin/admin-sources.ts";
import type { SessionView } from "../../session/session-view.ts";
import type { SiblingProcesses } from "../../session/sibling-processes.ts";
import { AnswerBook } from "./answer-book.ts";
import type { FromWorker, Question, ToWorker, WorkerStart } from "./messages.ts";
import { Places } from "./places.ts";
import type { WorkerReport } from "./worker-report.ts";

/** The channel; `process` of a forked worker, or a test's. */
export interface WorkerChannel {
  send(message: FromWorker): void;
  onMessage(listener: (message: ToWorker) => void): void;
  /** The first process is gone. */
  onClosed(listener: () => void): void;
  /** Nothing is said any more; the process may end. */
  close(): void;
}

/** What the gateway of this worker can be asked. */
export interface WorkerDuties {
  /** The login user of a live session; null: there is none with this id. */
  ownerOf(id: number): string | null;
  sessions(): readonly SessionView[];
  /** Whom it writes to: aliases by keyspace. */
  primaries(): Readonly<Record<string, string>>;
  kill(id: number, scope: "query" | "connection"): void;
  /** Recorded in the audit log. */
  endSession(id: number, from: string): void;
  report(withSessions: boolean): Promise<WorkerReport>;
  users: AdminSources["userActivity"];
}

/** What the process of this worker does when it is told. */
export interface WorkerOrders {
  stop(reason: string): void;
  reload(trigger: string): void;
  reopen(): void;
}

/** See the file's head. */
export class WorkerSeat {
  /** What sessions use. */
  readonly siblings: SiblingProcesses;
  /** Resolves when the first process has said what this worker is to be. */
  readonly started: Promise<WorkerStart>;
  readonly #channel: WorkerChannel;
  readonly #places: Places;
  readonly #answers = new AnswerBook();
  readonly #orders: WorkerOrders;
  #duties: WorkerDuties | null = null;
  #onStart: (start: WorkerStart) => void = () => {};

  constructor(channel: WorkerChannel, orders: WorkerOrders) {
    this.#channel = channel;
    this.#orders = orders;
    const places = new Places({
      ask: (place, request) => channel.send({ kind: "ask", place, ...request }),
      giveBack: (place) => channel.send({ kind: "return", place }),
    });
    this.#places = places;
    this.siblings = {
      take: (place, max) => places.take(place, max),
      giveBack: (place) => places.giveBack(place),
      ownerOf: async (id) => {
        const owner = await this.#answers.ask((number) => channel.send({ kind: "owner", number, id }));
        return typeof owner === "string" ? owner : null;
      },
      sessions: async () =>
        ((await this.#answers.ask((number) => channel.send({ kind: "sessions", number }))) ??
          []) as readonly SessionView[],
      kill: (id, scope) => channel.send({ kind: "kill", id, scope }),
    };
    this.started = new Promise((resolve) => {
      this.#onStart = resolve;
    });
    channel.onMessage((message) => this.#take(message));
    channel.onClosed(() => {
      this.#answers.close();
      orders.stop("the first process is gone");
      // Nobody would start it again: it does not wait for its clients.
      orders.stop("the first process is gone");
    });
    channel.send({ kind: "hello" });
  }

  /** From now on questions about sessions are answered. */
  attach(duties: WorkerDuties): void {
    this.#duties = duties;
  }

  ready(addresses: readonly string[]): void {
    this.#channel.send({ kind: "ready", addresses });
  }

  failed(message: string): void {
    this.#channel.send({ kind: "failed", message });
  }

  #take(message: ToWorker): void {
    switch (message.kind) {
      case "start":
        this.#onStart(message.start);
        return;
      case "stop":
        this.#orders.stop(message.reason);
        return;
      case "reload":
        this.#orders.reload(message.trigger);
        return;
      case "reopen":
        this.#orders.reopen();
        return;
      case "granted":
        this.#places.granted(message.place, message.granted);
        return;
      case "kill":
        this.#duties?.kill(message.id, message.scope);
        return;
      case "end_session":
        this.#duties?.endSession(message.id, message.from);
        return;
      case "answer":
        this.#answers.settle(message.number, message.answer);
        return;
      case "question":
        void this.#answer(message.question).then((answer) =>
          this.#channel.send({ kind: "answer", number: message.number, answer }),
        );
    }
  }

  async #answer(question: Question): Promise<unknown> {
    switch (question.about) {
      case "used":
        return this.#places.shrink(question.place);
      case "owner":
        return this.#duties?.ownerOf(question.id) ?? null;
      case "primaries":
        return this.#duties?.primaries() ?? {};
      case "sessions":
        return this.#duties?.sessions() ?? [];
      case "users":
        return (await this.#duties?.users(question.part)) ?? null;
      case "report":
        return (await this.#duties?.report(question.withSessions)) ?? null;
    }
  }
}

// A worker as the first process sees it: what is said to it, what it answers, and when it is gone.

import { AnswerBook } from "./answer-book.ts";
import type { FromWorker, Question, ToWorker, WorkerStart } from "./messages.ts";

/** A process that runs this program as a worker; a test passes one of its own. */
export interface WorkerProcess {
  readonly id: number;
  readonly pid: number | null;
  /** Messages to a process that is gone are lost. */
  send(message: ToWorker): void;
  /** Ends it as SIGKILL does. */
  kill(): void;
  onMessage(listener: (message: FromWorker) => void): void;
  /** `how`: an exit code or a signal, for the log. */
  onExit(listener: (how: string) => void): void;
}

/** How its start ended. */
export type WorkerBeginning = Extract<FromWorker, { readonly kind: "ready" | "failed" }>;

/** See the file's head. */
export class WorkerHandle {
  /** Never rejects: a worker that is gone before it is ready has failed. */
  readonly ready: Promise<WorkerBeginning>;
  /** Resolves with what is known about its end. */
  readonly gone: Promise<string>;
  wasReady = false;
  readonly #process: WorkerProcess;
  readonly #answers = new AnswerBook();
  #listener: (message: FromWorker) => void = () => {};
  #listens = false;
  /** What it is to be told when it listens: to stop at once; null: nothing. */
  #stop: ToWorker | null = null;

  constructor(process: WorkerProcess) {
    this.#process = process;
    this.gone = new Promise((resolve) => process.onExit(resolve));
    this.ready = new Promise((resolve) => {
      process.onMessage((message) => {
        if (message.kind === "ready") this.wasReady = true;
        if (message.kind === "ready" || message.kind === "failed") resolve(message);
        else if (message.kind === "answer") this.#answers.settle(message.number, message.answer);
        else this.#listener(message);
      });
      void this.gone.then((how) => resolve({ kind: "failed", message: `A worker has ended: ${how}` }));
    });
    void this.gone.then(() => this.#answers.close());
  }

  get id(): number {
    return this.#process.id;
  }

  get pid(): number | null {
    return this.#process.pid;
  }

  send(message: ToWorker): void {
    if (this.#listens) this.#process.send(message);
    else if (message.kind === "stop") this.#stop = message;
  }

  kill(): void {
    this.#process.kill();
  }

  /** Every message but answers and the end of its start. */
  onMessage(listener: (message: FromWorker) => void): void {
    this.#listener = listener;
  }

  /** It says hello first: whatever is sent before would find no listener. */
  start(start: WorkerStart): void {
    const listener = this.#listener;
    this.#listener = (message) => {
      if (message.kind !== "hello") {
        listener(message);
        return;
      }
      this.#listens = true;
      this.send({ kind: "start", start });
      if (this.#stop !== null) this.send(this.#stop);
    };
  }

  /** null: it does not answer in time, or is gone. */
  ask(question: Question): Promise<unknown> {
    return this.#answers.ask((number) => this.send({ kind: "question", number, question }));
  }
}

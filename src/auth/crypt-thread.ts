// Runs SHA-256 crypt in a thread of its own: a full login takes it milliseconds, which the event loop must not spend.
// The thread is started by the first password and gets the function's text, so it is the same from the compiled files
// and from the sources.

import { Worker } from "node:worker_threads";
import { sha256Crypt } from "../users/sha256-crypt.ts";

/** One password to hash with one salt. */
export interface CryptJob {
  /** 20 bytes. */
  readonly salt: Uint8Array;
  readonly rounds: number;
}

/** The thread. */
export interface CryptThread {
  /**
   * The hashes of `password`, one per job.
   * @throws Error when the thread cannot run or was closed.
   */
  crypt(password: Uint8Array, jobs: readonly CryptJob[]): Promise<readonly string[]>;
  close(): void;
}

/** A question to the thread. */
interface CryptQuestion {
  readonly id: number;
  readonly password: Uint8Array;
  readonly jobs: readonly CryptJob[];
}

interface Waiting {
  readonly resolve: (hashes: readonly string[]) => void;
  readonly reject: (error: Error) => void;
}

const threadSource = `
"use strict";
const { hash } = require("node:crypto");
const { parentPort } = require("node:worker_threads");
const sha256Crypt = ${sha256Crypt.toString()};
const sha256 = (bytes) => hash("sha256", bytes, "buffer");
parentPort.on("message", ({ id, password, jobs }) => {
  const hashes = jobs.map(({ salt, rounds }) => sha256Crypt(password, salt, rounds, sha256));
  parentPort.postMessage({ id, hashes });
});
`;

/** Makes the thread's owner; the thread itself begins with the first question and never keeps the process alive. */
export function createCryptThread(): CryptThread {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | null = null;
  let lastId = 0;
  let closed = false;

  const fail = (from: Worker, error: Error): void => {
    if (worker !== from) return;
    worker = null;
    const failed = [...waiting.values()];
    waiting.clear();
    for (const question of failed) question.reject(error);
  };
  const start = (): Worker => {
    const started = new Worker(threadSource, { eval: true, name: "gatehouse-crypt", env: {}, execArgv: [] });
    started.on("message", ({ id, hashes }: { id: number; hashes: readonly string[] }) => {
      waiting.get(id)?.resolve(hashes);
      waiting.delete(id);
    });
    started.on("error", (cause) => fail(started, new Error("The thread for passwords failed", { cause })));
    started.on("exit", () => fail(started, new Error("The thread for passwords ended")));
    // After the listeners: adding one takes the hold on the process again.
    started.unref();
    return started;
  };

  return {
    crypt: (password, jobs) =>
      new Promise((resolve, reject) => {
        if (closed) throw new Error("The thread for passwords is closed");
        worker ??= start();
        lastId += 1;
        waiting.set(lastId, { resolve, reject });
        const question: CryptQuestion = { id: lastId, password: new Uint8Array(password), jobs };
        worker.postMessage(question);
      }),
    close: () => {
      closed = true;
      const running = worker;
      if (running === null) return;
      fail(running, new Error("The thread for passwords is closed"));
      void running.terminate();
    },
  };
}

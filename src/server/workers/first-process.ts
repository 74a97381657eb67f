// The first of several processes (`--workers`): it starts the others, keeps what they share, and starts those again
// that crash. It serves no client: connections go to the workers through node:cluster.
// https://nodejs.org/api/cluster.html

import { randomBytes, randomInt } from "node:crypto";
import { generateRsaKeyPem } from "../../auth/rsa-key.ts";
import type { GatewayOptions } from "../gateway-options.ts";
import { type Gateway, type GatewayTools, StartError } from "../gateway-seam.ts";
import { listenFailure, listenPlaces, tryListenPlaces } from "../listen-places.ts";
import { removeStaleSocket } from "../listener.ts";
import { type EmbeddedDatabase, openEmbedded } from "../open-embedded.ts";
import { FirstAdmin } from "./first-admin.ts";
import type { FromWorker, Question, WorkerStart } from "./messages.ts";
import { PlaceBroker } from "./place-broker.ts";
import { WorkerHandle, type WorkerProcess } from "./worker-handle.ts";

/** Starts a process that runs this program as a worker. */
export type ForkWorker = () => WorkerProcess;

/** A worker that crashes is started again after this time, in milliseconds; twice as long each time it does not get ready. */
const restartMs = 200;
const restartMsMax = 10_000;

/** A worker that is told to stop has so long beside the time of its sessions, in milliseconds; then it is killed. */
const workerGraceMs = 10_000;

const ID_PREFIXES = 2 ** 12;

/** A gateway that serves through its workers. */
export interface FirstGateway extends Gateway {
  /** Log files are opened anew in all workers. */
  reopen(): void;
}

/** Makes the first process of `options.workers`. */
export function createFirstProcess(
  options: GatewayOptions,
  tools: GatewayTools,
  workers: number,
  fork: ForkWorker,
): FirstGateway {
  return new FirstProcess(options, tools, workers, fork);
}

class FirstProcess implements FirstGateway {
  readonly #options: GatewayOptions;
  readonly #tools: GatewayTools;
  readonly #count: number;
  readonly #fork: ForkWorker;
  readonly #workers = new Map<number, WorkerHandle>();
  readonly #broker = new PlaceBroker(
    (worker, place) => this.#workers.get(worker)?.ask({ about: "used", place }) as Promise<number | null>,
  );
  readonly #fingerprintKey = randomBytes(32).toString("base64");
  readonly #prefixStart = randomInt(ID_PREFIXES);
  #prefixNext = 0;
  #embedded: EmbeddedDatabase | null = null;
  #admin: FirstAdmin | null = null;
  #rsaKeyPem: string | null = null;
  #tcpPort: number | null = null;
  #addresses: readonly string[] = [];
  #restartMs = restartMs;
  #restarting: NodeJS.Timeout | null = null;
  #stopping: Promise<void> | null = null;

  constructor(options: GatewayOptions, tools: GatewayTools, workers: number, fork: ForkWorker) {
    this.#options = options;
    this.#tools = tools;
    this.#count = workers;
    this.#fork = fork;
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  async start(): Promise<void> {
    const { backend, auth, admin, listen } = this.#options;
    this.#tcpPort = await tryListenPlaces(this.#options);
    if (listen.unixSocketPath !== null) await removeStaleSocket(listen.unixSocketPath);
    if (backend.kind === "embedded") this.#embedded = await openEmbedded(backend.dataDirectory, this.#tools);
    if (auth.kind === "static" && auth.rsaPrivateKeyFile === null)
      this.#rsaKeyPem = await generateRsaKeyPem();
    // The first one tells what is wrong with files and ports, once.
    await this.#startWorker();
    const others = Array.from({ length: this.#count - 1 }, () => this.#startWorker());
    await Promise.all(others);
    if (admin !== null) {
      try {
        this.#admin = await FirstAdmin.start(admin, this.#tools, () => [...this.#workers.values()]);
      } catch (error) {
        throw listenFailure(error, listenPlaces(this.#options));
      }
    }
  }

  async reload(trigger: string): Promise<void> {
    for (const worker of this.#workers.values()) worker.send({ kind: "reload", trigger });
    await this.#admin?.reload(trigger);
  }

  reopen(): void {
    for (const worker of this.#workers.values()) worker.send({ kind: "reopen" });
  }

  stop(reason: string): Promise<void> {
    // Also the second and third time: workers hurry then.
    for (const worker of this.#workers.values()) worker.send({ kind: "stop", reason });
    this.#stopping ??= this.#stopOnce();
    return this.#stopping;
  }

  async #stopOnce(): Promise<void> {
    // Nobody is started again that one would wait for.
    if (this.#restarting !== null) clearTimeout(this.#restarting);
    const workers = [...this.#workers.values()];
    const { lameduckMs, timeoutMs } = this.#options.shutdown;
    const late = setTimeout(() => this.#killLate(), lameduckMs + timeoutMs + workerGraceMs);
    await Promise.all(workers.map((worker) => worker.gone));
    clearTimeout(late);
    await this.#admin?.close();
    await this.#embedded?.stop();
  }

  #killLate(): void {
    for (const worker of this.#workers.values()) {
      this.#tools.logger.error("A worker does not stop: it is killed", { worker_pid: worker.pid });
      worker.kill();
    }
  }

  /** @throws StartError with the worker's own sentence when it cannot start. */
  async #startWorker(): Promise<void> {
    const primaries = await this.#primaries();
    if (this.#stopping !== null) return;
    const worker = new WorkerHandle(this.#fork());
    this.#workers.set(worker.id, worker);
    this.#broker.workerCame(worker.id);
    worker.onMessage((message) => this.#take(worker, message));
    void worker.gone.then((how) => this.#workerGone(worker, how));
    worker.start(this.#startOf(primaries));
    const began = await worker.ready;
    if (began.kind === "failed") throw new StartError(began.message);
    this.#restartMs = restartMs;
    this.#addresses = began.addresses;
    this.#tools.logger.info("A worker is ready", { worker: worker.id, worker_pid: worker.pid });
  }

  /** Of whichever worker knows; two that disagree are about to change. */
  async #primaries(): Promise<Readonly<Record<string, string>>> {
    const answers = await this.#askOthers(null, { about: "primaries" });
    return Object.assign({}, ...(answers as Readonly<Record<string, string>>[]).reverse());
  }

  #startOf(primaries: Readonly<Record<string, string>>): WorkerStart {
    const prefix = (this.#prefixStart + this.#prefixNext) % ID_PREFIXES;
    this.#prefixNext += 1;
    return {
      idPrefix: prefix === 0 ? this.#freshPrefix() : prefix,
      workers: this.#count,
      fingerprintKey: this.#fingerprintKey,
      rsaKeyPem: this.#rsaKeyPem,
      embedded: this.#embedded?.access ?? null,
      tcpPort: this.#tcpPort,
      primaries,
    };
  }

  /** Connection ids never begin with 0. */
  #freshPrefix(): number {
    this.#prefixNext += 1;
    return (this.#prefixStart + this.#prefixNext - 1) % ID_PREFIXES;
  }

  #workerGone(worker: WorkerHandle, how: string): void {
    this.#workers.delete(worker.id);
    this.#broker.workerWent(worker.id);
    this.#admin?.workerWent(worker.id);
    if (this.#stopping !== null || !worker.wasReady) return;
    this.#tools.logger.error("A worker is gone, with its sessions: another one is started", {
      worker: worker.id,
      worker_pid: worker.pid,
      how,
    });
    this.#tools.metrics.counter("worker_restarts_total").add();
    this.#restart();
  }

  #restart(): void {
    if (this.#stopping !== null) return;
    const waitMs = this.#restartMs;
    this.#restartMs = Math.min(2 * waitMs, restartMsMax);
    this.#restarting = setTimeout(() => {
      this.#startWorker().catch((error: Error) => {
        if (this.#stopping !== null) return;
        this.#tools.logger.error("A worker does not start", { reason: error.message });
        this.#restart();
      });
    }, waitMs);
  }

  #take(worker: WorkerHandle, message: FromWorker): void {
    switch (message.kind) {
      case "ask": {
        const { place, max, used, wanted } = message;
        void this.#broker
          .ask(worker.id, place, { max, used, wanted })
          .then((granted) => worker.send({ kind: "granted", place, granted }));
        return;
      }
      case "return":
        this.#broker.giveBack(worker.id, message.place);
        return;
      case "owner":
        void this.#ownerOf(message.id, worker).then((answer) =>
          worker.send({ kind: "answer", number: message.number, answer }),
        );
        return;
      case "sessions":
        void this.#askOthers(worker, { about: "sessions" }).then((answers) =>
          worker.send({ kind: "answer", number: message.number, answer: answers.flat() }),
        );
        return;
      case "kill":
        for (const other of this.#workers.values()) {
          if (other !== worker) other.send({ kind: "kill", id: message.id, scope: message.scope });
        }
    }
  }

  async #ownerOf(id: number, asker: WorkerHandle): Promise<string | null> {
    const answers = await this.#askOthers(asker, { about: "owner", id });
    return (answers.find((answer) => typeof answer === "string") as string | undefined) ?? null;
  }

  /** Of those that answer. */
  async #askOthers(asker: WorkerHandle | null, question: Question): Promise<unknown[]> {
    const others = [...this.#workers.values()].filter((worker) => worker !== asker);
    const answers = await Promise.all(others.map((worker) => worker.ask(question)));
    return answers.filter((answer) => answer !== null);
  }
}

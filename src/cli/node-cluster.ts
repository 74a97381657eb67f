// node:cluster as the workers' code sees it: how a worker is started, and both ends of its channel.
// https://nodejs.org/api/cluster.html

import cluster from "node:cluster";
import type { ForkWorker } from "../server/workers/first-process.ts";
import type { FromWorker, ToWorker } from "../server/workers/messages.ts";
import type { WorkerChannel } from "../server/workers/worker-seat.ts";

/** Starts this program again with the same arguments, as a worker. */
export const forkWorker: ForkWorker = () => {
  const worker = cluster.fork();
  return {
    id: worker.id,
    pid: worker.process.pid ?? null,
    // Without a callback, the end of the channel would be an uncaught error.
    send: (message) => void (worker.isConnected() && worker.send(message, () => {})),
    kill: () => void worker.process.kill("SIGKILL"),
    onMessage: (listener) => void worker.on("message", (message: FromWorker) => listener(message)),
    onExit: (listener) =>
      void worker.on("exit", (code, signal) =>
        listener(signal === null ? `exit code ${code}` : `signal ${signal}`),
      ),
  };
};

/** This process's channel to the first one; null: this is no worker. */
export function channelOfWorker(): WorkerChannel | null {
  const { worker } = cluster;
  if (!cluster.isWorker || worker === undefined) return null;
  return {
    send: (message) => void (process.connected && process.send?.(message, undefined, undefined, () => {})),
    onMessage: (listener) => void worker.on("message", (message: ToWorker) => listener(message)),
    close: () => {
      if (process.connected) process.disconnect();
    },
    onClosed: (listener) => void process.on("disconnect", listener),
  };
}

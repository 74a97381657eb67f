// What a worker is told before it can hear, and how it is ended.
import { expect, it } from "vitest";
import type { FromWorker, ToWorker, WorkerStart } from "../../../src/server/workers/messages.ts";
import { WorkerHandle } from "../../../src/server/workers/worker-handle.ts";

const start = { idPrefix: 1 } as WorkerStart;

function makeWorker() {
  const sent: ToWorker["kind"][] = [];
  let say: (message: FromWorker) => void = () => {};
  const handle = new WorkerHandle({
    id: 1,
    pid: 2,
    send: (message) => void sent.push(message.kind),
    kill: () => {},
    onMessage: (listener) => {
      say = listener;
    },
    onExit: () => {},
  });
  handle.start(start);
  return { handle, sent, say: (message: FromWorker) => say(message) };
}

it("tells a worker to stop as soon as it listens, if it did not yet, and once", () => {
  const { handle, sent, say } = makeWorker();
  handle.send({ kind: "stop", reason: "SIGTERM" });
  handle.send({ kind: "stop", reason: "SIGTERM" });
  expect(sent).toEqual([]);
  say({ kind: "hello" });
  expect(sent).toEqual(["start", "stop"]);
  handle.send({ kind: "stop", reason: "SIGTERM" });
  expect(sent).toEqual(["start", "stop", "stop"]);
});

it("tells a worker nothing else before it listens", () => {
  const { handle, sent, say } = makeWorker();
  handle.send({ kind: "reopen" });
  say({ kind: "hello" });
  expect(sent).toEqual(["start"]);
});

// The end of the process when its log takes no lines, when something is left in it, and when all is well.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { endProcess, letProcessEnd, stopLimitMs } from "../../../src/cli/process-end.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const never = (): Promise<void> => new Promise(() => {});

function watched() {
  const calls: string[] = [];
  const ending = {
    exitNow: (code: number) => void calls.push(`exit ${code}`),
    killNow: () => void calls.push("kill"),
  };
  return { calls, ending, complain: (text: string) => void calls.push(text) };
}

it("lets the process end by itself, and ends one that does not", async () => {
  const { calls, ending, complain } = watched();
  await letProcessEnd(ending, async () => {}, 0, complain);
  await vi.advanceTimersByTimeAsync(6999);
  expect(calls).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(calls).toEqual([expect.stringMatching(/stopped, but something is left/), "exit 0"]);
});

it("kills a process whose log takes no lines, for its exit would wait for them", async () => {
  const { calls, ending, complain } = watched();
  const end = letProcessEnd(ending, never, 0, complain);
  await vi.advanceTimersByTimeAsync(9999);
  expect(calls).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  await end;
  expect(calls).toEqual(["kill"]);
});

it("ends at once for somebody without patience, after the last lines", async () => {
  const { calls, ending } = watched();
  await endProcess(ending, async () => {}, 1);
  void endProcess(ending, never, 1);
  await vi.advanceTimersByTimeAsync(500);
  expect(calls).toEqual(["exit 1", "kill"]);
});

it("gives a stop the time of its sessions and fifteen seconds, with an embedded database a minute more", () => {
  const shutdown = { lameduckMs: 1000, timeoutMs: 2000, drainOnTerm: true };
  expect(stopLimitMs({ shutdown, backend: { kind: "topology", path: "" } })).toBe(18_000);
  expect(stopLimitMs({ shutdown, backend: { kind: "embedded", dataDirectory: "" } })).toBe(78_000);
});

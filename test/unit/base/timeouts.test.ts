import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startTimeout } from "../../../src/base/timeouts.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  // Whatever a test has left behind ends, and the common timer with it.
  vi.advanceTimersByTime(100_000);
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe("startTimeout()", () => {
  it.each([0, 1, 40, 100, 250, 5000])(
    "ends a wait of %i ms not before its time, and not much later",
    (timeoutMs) => {
      for (const offsetMs of [0, 37, 99]) {
        startTimeout(1, () => {});
        vi.advanceTimersByTime(offsetMs);
        const ended = vi.fn();
        startTimeout(timeoutMs, ended);
        vi.advanceTimersByTime(Math.max(0, timeoutMs - 1));
        expect(ended).not.toHaveBeenCalled();
        vi.advanceTimersByTime(202);
        expect(ended).toHaveBeenCalledTimes(1);
        vi.advanceTimersByTime(10_000);
        expect(ended).toHaveBeenCalledTimes(1);
      }
    },
  );

  it("never ends a wait that was cancelled, in whatever order", () => {
    const ended = vi.fn();
    const timeouts = [1, 2, 3, 4, 5].map(() => startTimeout(300, ended));
    for (const index of [2, 0, 4, 4, 3]) timeouts[index]?.cancel();
    vi.advanceTimersByTime(10_000);
    expect(ended).toHaveBeenCalledTimes(1);
  });

  it("goes on when one wait's end cancels others and begins new ones", () => {
    const ended: string[] = [];
    const others = ["a", "b"].map((name) => startTimeout(1000, () => ended.push(name)));
    startTimeout(100, () => {
      ended.push("first");
      for (const other of others) other.cancel();
      startTimeout(100, () => ended.push("second"));
    });
    startTimeout(1000, () => ended.push("c"));
    vi.advanceTimersByTime(2000);
    expect(ended).toEqual(["first", "second", "c"]);
  });
});

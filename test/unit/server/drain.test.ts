// When sessions are left alone, told to go, and cut off.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { drainSessions } from "../../../src/server/drain.ts";
import type { EndRequest, SessionRegistry } from "../../../src/session/session-registry.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Sessions that never end by themselves; notes what they are told, and when. */
function staying() {
  const told: string[] = [];
  const beganMs = Date.now();
  const note = (what: string) => told.push(`${what} ${Date.now() - beganMs}`);
  const session = {
    requestEnd: (reason: EndRequest) => note(reason),
    forceEnd: (reason: string) => note(`force ${reason}`),
  };
  const registry = { all: () => [session], whenEmpty: () => new Promise<void>(() => {}) };
  return { told, registry: registry as unknown as SessionRegistry };
}

const clock = { wallMs: () => Date.now(), monotonicMs: () => Date.now() };

describe("drainSessions()", () => {
  it.each<[boolean, number, string[]]>([
    [false, 10_000, ["shutdown 0", "force shutdown 10000"]],
    [true, 60_000, ["drain 55000", "force shutdown 60000"]],
    [true, 4000, ["drain 3000", "force shutdown 4000"]],
    [true, 0, ["drain 0", "force shutdown 0"]],
  ])("drainOnTerm %s, %d ms: %j", async (drainOnTerm, timeoutMs, expected) => {
    const { told, registry } = staying();
    const done = drainSessions(registry, { drainOnTerm, timeoutMs }, clock, new AbortController().signal);
    await vi.runAllTimersAsync();
    await done;
    expect(told).toEqual(expected);
  });

  it("ends at once when hurried, whenever that comes", async () => {
    for (const afterMs of [0, 1000]) {
      const { told, registry } = staying();
      const hurry = new AbortController();
      const done = drainSessions(registry, { drainOnTerm: true, timeoutMs: 60_000 }, clock, hurry.signal);
      await vi.advanceTimersByTimeAsync(afterMs);
      hurry.abort();
      await vi.advanceTimersByTimeAsync(500);
      await done;
      expect(told).toEqual([`drain ${afterMs}`, `force shutdown ${afterMs}`]);
    }
  });
});

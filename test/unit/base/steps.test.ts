// Work on large files rests often enough: counted in steps, not in time.
import { describe, expect, it } from "vitest";
import { stepsOfJsonFile } from "../../../src/base/json-file.ts";
import { runAtOnce, runInSteps, type Steps } from "../../../src/base/steps.ts";
import { stepsOfChanges } from "../../../src/users/directory-changes.ts";
import { readUsersFile } from "../../../src/users/users-file.ts";

function counted<T>(steps: Steps<T>): { readonly count: number; readonly value: T } {
  for (let count = 1; ; count += 1) {
    const step = steps.next();
    if (step.done) return { count, value: step.value };
  }
}

const users = Object.fromEntries(
  Array.from({ length: 3000 }, (_, index) => [`user${index}`, [{ Password: `secret-${index}` }]]),
);
const schema = {
  type: "object",
  additionalProperties: {
    type: "array",
    items: { type: "object", additionalProperties: false, properties: { Password: { type: "string" } } },
  },
};

describe("steps", () => {
  it("runInSteps() lets events be handled in the middle of the work, and runAtOnce() does the same work", async () => {
    const state = { events: 0, done: false };
    const tick = (): void => {
      state.events += 1;
      if (!state.done) setImmediate(tick);
    };
    setImmediate(tick);
    // Without breaths no event is ever handled: the work would go on until it gives up.
    function* work(): Steps<number> {
      const until = performance.now() + 4000;
      while (state.events < 3 && performance.now() < until) yield;
      return 7;
    }
    expect(await runInSteps(work())).toBe(7);
    state.done = true;
    expect(state.events).toBeGreaterThanOrEqual(3);
    expect(runAtOnce(work())).toBe(7);
  });

  it("of a large JSON file: reading, validating and finding places rest", () => {
    const text = JSON.stringify(users);
    const request = { path: "u.json", schema, membersStandAlone: true };
    const good = counted(stepsOfJsonFile({ ...request, text }));
    expect(good.value.ok).toBe(true);
    expect(good.count).toBeGreaterThan(text.length / 10_000 + 3000 / 100);
    if (good.value.ok)
      expect(counted(good.value.stepsOfPlaces()).count).toBeGreaterThan(text.length / 10_000);

    const bad = text.replace('"secret-2999"', "5").replace('"secret-150"', "6");
    const parts = counted(stepsOfJsonFile({ ...request, text: bad }));
    const whole = runAtOnce(stepsOfJsonFile({ path: "u.json", schema, text: bad }));
    if (parts.value.ok || whole.ok) throw new Error("taken for good");
    expect(parts.value.problems).toEqual(whole.problems);
    expect(parts.value.problems.map(({ pointer }) => pointer)).toEqual([
      "/user150/0/Password",
      "/user2999/0/Password",
    ]);
  });

  it("of a reload: the comparison with the users before rests at every user", () => {
    const before = readUsersFile(JSON.stringify(users), "u.json", 1);
    const after = readUsersFile(JSON.stringify({ ...users, user7: [{ Password: "new" }] }), "u.json", 2);
    if (!before.ok || !after.ok) throw new Error("bad users");
    const { count, value } = counted(stepsOfChanges(before.directory, after.directory));
    expect(value.usersChanged).toEqual(["user7"]);
    expect(count).toBeGreaterThan(3000);
  });
});

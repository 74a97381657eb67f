import { describe, expect, it } from "vitest";
import { FairQueue, queueFull } from "../../../src/auth/fair-queue.ts";

/** A job that ends when it is told. */
function controlled() {
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  const job = (name: string) => () =>
    new Promise<string>((resolve) => {
      started.push(name);
      ends.set(name, () => resolve(name));
    });
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.();
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  };
  return { started, job, end };
}

describe("FairQueue", () => {
  it("lets addresses take turns, and each address keep its order", async () => {
    const queue = new FairQueue({ runningMax: 1, waitingMax: 100, waitingPerAddressMax: 50 });
    const { started, job, end } = controlled();
    const all = ["a1", "a2", "a3", "a4", "b1", "c1", "b2"].map((name) => queue.run(name[0] ?? "", job(name)));
    for (const expected of ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]) {
      expect(started.at(-1)).toBe(expected);
      await end(expected);
    }
    expect(await Promise.all(all)).toEqual(["a1", "a2", "a3", "a4", "b1", "c1", "b2"]);
  });

  it("never runs more than it may, also when a job begins between the end of one and the start of the next", async () => {
    const queue = new FairQueue({ runningMax: 2, waitingMax: 100, waitingPerAddressMax: 100 });
    let running = 0;
    let runningMost = 0;
    const job = async (): Promise<void> => {
      running += 1;
      runningMost = Math.max(runningMost, running);
      await Promise.resolve();
      running -= 1;
    };
    const late: Promise<unknown>[] = [];
    const first = Array.from({ length: 20 }, (_, index) =>
      queue.run(`${index % 3}`, job).then(() => late.push(queue.run("late", job))),
    );
    await Promise.all(first);
    await Promise.all(late);
    expect(late).toHaveLength(20);
    expect(runningMost).toBe(2);
    expect(running).toBe(0);
  });

  it("refuses beyond the share of an address, and beyond all places", async () => {
    const queue = new FairQueue({ runningMax: 1, waitingMax: 3, waitingPerAddressMax: 2 });
    const { job, end } = controlled();
    const running = queue.run("a", job("a1"));
    const waiting = [queue.run("a", job("a2")), queue.run("a", job("a3"))];
    expect(await queue.run("a", job("a4"))).toBe(queueFull);
    waiting.push(queue.run("b", job("b1")));
    expect(await queue.run("c", job("c1"))).toBe(queueFull);
    for (const name of ["a1", "a2", "b1", "a3"]) await end(name);
    expect(await Promise.all([running, ...waiting])).toEqual(["a1", "a2", "a3", "b1"]);
    const again = queue.run("c", job("c2"));
    await end("c2");
    expect(await again).toBe("c2");
  });

  it("goes on after a job that fails", async () => {
    const queue = new FairQueue({ runningMax: 1, waitingMax: 9, waitingPerAddressMax: 9 });
    const failing = queue.run("a", () => Promise.reject(new Error("no")));
    const next = queue.run("a", async () => "yes");
    await expect(failing).rejects.toThrow("no");
    expect(await next).toBe("yes");
  });
});

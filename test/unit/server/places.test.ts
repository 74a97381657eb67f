// Limits over several processes: whatever workers take and give back, and whenever they crash, the limit is never
// exceeded; and nobody is refused while a place is free.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PlaceBroker } from "../../../src/server/workers/place-broker.ts";
import { Places } from "../../../src/server/workers/places.ts";

/** Workers whose messages take turns of the event loop, each direction in order. */
class Cluster {
  readonly broker = new PlaceBroker((worker, place) => this.#question(worker, place));
  readonly #workers = new Map<number, Places>();

  constructor(count: number) {
    for (let worker = 1; worker <= count; worker += 1) this.start(worker);
  }

  start(worker: number): Places {
    const isMe = () => this.#workers.get(worker) === places;
    const places: Places = new Places({
      ask: (place, request) =>
        void later().then(async () => {
          if (!isMe()) return;
          const granted = await this.broker.ask(worker, place, request);
          await later();
          if (isMe()) places.granted(place, granted);
        }),
      giveBack: (place) => void later().then(() => isMe() && this.broker.giveBack(worker, place)),
    });
    this.#workers.set(worker, places);
    this.broker.workerCame(worker);
    return places;
  }

  crash(worker: number): void {
    this.#workers.delete(worker);
    this.broker.workerWent(worker);
  }

  of(worker: number): Places {
    const places = this.#workers.get(worker);
    if (places === undefined) throw new Error("no such worker");
    return places;
  }

  async #question(worker: number, place: string): Promise<number | null> {
    await later();
    const used = this.#workers.get(worker)?.shrink(place) ?? null;
    await later();
    return used;
  }
}

const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 12; turn += 1) await later();
};

describe("places over several workers", () => {
  it("are as many as the limit, wherever they are asked for at once", async () => {
    const cluster = new Cluster(3);
    const asked = [1, 2, 3, 1, 2, 3, 1, 1, 1];
    const taken = await Promise.all(asked.map((worker) => cluster.of(worker).take("p", 4)));
    expect(taken.filter((one) => one)).toHaveLength(4);
  });

  it("count what was taken before there was a limit", async () => {
    const cluster = new Cluster(2);
    for (const worker of [1, 2, 2]) expect(cluster.of(worker).take("p", null)).toBe(true);
    expect(await cluster.of(1).take("p", 4)).toBe(true);
    expect(await cluster.of(2).take("p", 4)).toBe(false);
  });

  it("of a worker that crashed are free", async () => {
    const cluster = new Cluster(2);
    expect(await cluster.of(1).take("p", 1)).toBe(true);
    expect(await cluster.of(2).take("p", 1)).toBe(false);
    cluster.crash(1);
    expect(await cluster.of(2).take("p", 1)).toBe(true);
  });

  it("follow a limit that is lowered", async () => {
    const cluster = new Cluster(2);
    for (let count = 0; count < 6; count += 1) expect(await cluster.of(1).take("p", 100)).toBe(true);
    expect(await cluster.of(1).take("p", 6)).toBe(false);
    cluster.of(1).giveBack("p");
    expect(await cluster.of(2).take("p", 6)).toBe(true);
    expect(await cluster.of(1).take("p", 6)).toBe(false);
  });

  it("are never more than the limit, and never refused while one is free", async () => {
    const step = fc.record({
      worker: fc.integer({ min: 1, max: 3 }),
      act: fc.constantFrom("take", "take", "take", "give", "crash", "wait"),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 9 }),
        fc.array(step, { maxLength: 60 }),
        async (max, steps) => {
          const cluster = new Cluster(3);
          const held = new Map([1, 2, 3].map((worker) => [worker, 0]));
          let crashes = 0;
          const take = async (worker: number): Promise<boolean> => {
            const generation = crashes;
            const places = cluster.of(worker);
            const taken = await places.take("p", max);
            if (taken && (generation === crashes || cluster.of(worker) === places))
              held.set(worker, (held.get(worker) ?? 0) + 1);
            return taken;
          };
          for (const { worker, act } of steps) {
            if (act === "take") void take(worker);
            else if (act === "wait") await settled();
            else if (act === "give" && (held.get(worker) ?? 0) > 0) {
              cluster.of(worker).giveBack("p");
              held.set(worker, (held.get(worker) ?? 0) - 1);
            } else if (act === "crash") {
              crashes += 1;
              cluster.crash(worker);
              cluster.start(worker);
              held.set(worker, 0);
            }
            const sum = [...held.values()].reduce((total, count) => total + count, 0);
            expect(sum).toBeLessThanOrEqual(max);
          }
          await settled();
          await settled();
          const sum = [...held.values()].reduce((total, count) => total + count, 0);
          expect(await take(1)).toBe(sum < max);
        },
      ),
      { numRuns: 300 },
    );
  });
});

// Limits that hold over several processes, in the first one: who may use how many of the places of a limit. Exact: the
// sum of what is granted never exceeds the limit. A process that has room left asks nobody; one that has not gets some of
// what is free, or of what the others do not use. Knows no channel: asking a worker is a function.

/** Asks a worker how many places it uses, taking back what it held beyond; null: it does not answer. */
export type AskUsed = (worker: number, place: string) => Promise<number | null>;

interface Place {
  /** By worker: what it may use without asking. */
  readonly granted: Map<number, number>;
  /** One request at a time. */
  queue: Promise<unknown>;
  /** Requests that are queued or under way. */
  pending: number;
}

/** See the file's head. */
export class PlaceBroker {
  readonly #places = new Map<string, Place>();
  readonly #workers = new Set<number>();
  readonly #askUsed: AskUsed;

  constructor(askUsed: AskUsed) {
    this.#askUsed = askUsed;
  }

  workerCame(worker: number): void {
    this.#workers.add(worker);
  }

  /** Its sessions are gone with it. */
  workerWent(worker: number): void {
    this.#workers.delete(worker);
    for (const place of [...this.#places.keys()]) this.giveBack(worker, place);
  }

  /**
   * Grants `wanted` places to a worker that uses `used`, as far as `max` allows, and some more where many are free.
   * Returns how many it may use now, altogether.
   */
  ask(worker: number, name: string, request: { max: number; used: number; wanted: number }): Promise<number> {
    const place = this.#placeOf(name);
    place.pending += 1;
    const granting = place.queue.then(() => this.#grant(worker, name, place, request));
    place.queue = granting
      .catch(() => {})
      .then(() => {
        place.pending -= 1;
        this.#forgetIfEmpty(name, place);
      });
    return granting;
  }

  /** A worker that uses none any more. */
  giveBack(worker: number, name: string): void {
    const place = this.#places.get(name);
    if (place === undefined) return;
    place.granted.delete(worker);
    this.#forgetIfEmpty(name, place);
  }

  #placeOf(name: string): Place {
    let place = this.#places.get(name);
    if (place === undefined) {
      place = { granted: new Map(), queue: Promise.resolve(), pending: 0 };
      this.#places.set(name, place);
      // Until now nobody asked for this limit: what the workers use already is theirs.
      place.queue = this.#learn(place, name, [...this.#workers]);
    }
    return place;
  }

  #forgetIfEmpty(name: string, place: Place): void {
    if (place.pending === 0 && place.granted.size === 0) this.#places.delete(name);
  }

  async #grant(
    worker: number,
    name: string,
    place: Place,
    { max, used, wanted }: { max: number; used: number; wanted: number },
  ): Promise<number> {
    // It asks because it has no more: what it was granted beyond the present limit is void.
    const own = used;
    place.granted.set(worker, own);
    const others = [...this.#workers].filter((one) => one !== worker);
    if (max - sumOf(place) < wanted) await this.#learn(place, name, others);
    const free = Math.max(0, max - sumOf(place));
    // What many are free of is handed out in lots, so that most logins ask nobody.
    const lot = Math.floor(free / (4 * this.#workers.size));
    const granted = own + Math.min(free, Math.max(wanted, Math.min(lot, lotMax)));
    if (this.#workers.has(worker)) place.granted.set(worker, granted);
    return granted;
  }

  async #learn(place: Place, name: string, workers: readonly number[]): Promise<void> {
    await Promise.all(
      workers.map(async (worker) => {
        const used = await this.#askUsed(worker, name);
        if (used === null || !this.#workers.has(worker)) return;
        if (used === 0) place.granted.delete(worker);
        else place.granted.set(worker, used);
      }),
    );
  }
}

const lotMax = 64;

function sumOf({ granted }: Place): number {
  let sum = 0;
  for (const count of granted.values()) sum += count;
  return sum;
}

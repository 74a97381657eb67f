// Limits that hold over several processes, in a worker: what it uses, what it was granted, and who waits. Knows no
// channel.

/** What is to be told to the first process. */
export interface PlaceMessages {
  ask(place: string, request: { max: number; used: number; wanted: number }): void;
  giveBack(place: string): void;
}

interface Place {
  used: number;
  granted: number;
  /** Whether the first process keeps account of it: a limit was seen. */
  limited: boolean;
  /** The newest limit. */
  max: number;
  /** How many of `waiting` the request under way is for; 0: none is. */
  asked: number;
  waiting: ((taken: boolean) => void)[];
}

/** See the file's head. */
export class Places {
  readonly #places = new Map<string, Place>();
  readonly #messages: PlaceMessages;

  constructor(messages: PlaceMessages) {
    this.#messages = messages;
  }

  /** See SiblingProcesses.take. */
  take(name: string, max: number | null): boolean | Promise<boolean> {
    const place = this.#placeOf(name);
    if (max === null) {
      place.used += 1;
      place.granted = Math.max(place.granted, place.used);
      return true;
    }
    place.max = max;
    if (place.limited && place.waiting.length === 0 && place.used < Math.min(place.granted, max)) {
      place.used += 1;
      return true;
    }
    return new Promise((resolve) => {
      place.waiting.push(resolve);
      this.#ask(name, place);
    });
  }

  giveBack(name: string): void {
    const place = this.#places.get(name);
    if (place === undefined) return;
    place.used -= 1;
    const next = place.limited ? place.waiting.shift() : undefined;
    if (next !== undefined) {
      place.used += 1;
      if (place.asked > 0) place.asked -= 1;
      next(true);
    } else if (place.used <= 0 && place.asked === 0) {
      this.#places.delete(name);
      if (place.limited) this.#messages.giveBack(name);
    }
  }

  /** The first process has answered: so many may be used, altogether. */
  granted(name: string, granted: number): void {
    const place = this.#places.get(name);
    if (place === undefined) {
      // Whoever asked is gone.
      if (granted > 0) this.#messages.giveBack(name);
      return;
    }
    place.limited = true;
    place.granted = granted;
    let answered = place.asked;
    place.asked = 0;
    while (place.waiting.length > 0 && place.used < granted) {
      place.used += 1;
      answered -= 1;
      place.waiting.shift()?.(true);
    }
    for (; answered > 0; answered -= 1) place.waiting.shift()?.(false);
    this.#ask(name, place);
    if (place.used === 0 && place.waiting.length === 0) {
      this.#places.delete(name);
      this.#messages.giveBack(name);
    }
  }

  /** The first process needs what is not used here. Returns how many are. */
  shrink(name: string): number {
    const place = this.#places.get(name);
    if (place === undefined) return 0;
    place.limited = true;
    place.granted = place.used;
    return place.used;
  }

  #placeOf(name: string): Place {
    let place = this.#places.get(name);
    if (place === undefined) {
      place = { used: 0, granted: 0, limited: false, max: 0, asked: 0, waiting: [] };
      this.#places.set(name, place);
    }
    return place;
  }

  #ask(name: string, place: Place): void {
    if (place.asked > 0 || place.waiting.length === 0) return;
    place.asked = place.waiting.length;
    this.#messages.ask(name, { max: place.max, used: place.used, wanted: place.waiting.length });
  }
}

// Time limits of waits that nearly always end before: one timer of Node's for all of them. A timer for each, set and
// cleared again, costs every login some microseconds.

/** Limits are kept to within this time, in milliseconds: a wait ends that much late at most. */
const GRAIN_MS = 100;

/** A limit that runs. */
export interface RunningTimeout {
  /** Ends it; later calls change nothing. */
  cancel(): void;
}

class Timeout implements RunningTimeout {
  #ticksLeft: number;
  #onTimeout: (() => void) | null;
  /** The list of those that run, both ways. */
  previous: Timeout | null = null;
  next: Timeout | null = null;

  constructor(timeoutMs: number, onTimeout: () => void) {
    // The tick under way is not a whole one.
    this.#ticksLeft = Math.ceil(timeoutMs / GRAIN_MS) + 1;
    this.#onTimeout = onTimeout;
  }

  cancel(): void {
    if (this.#onTimeout === null) return;
    this.#onTimeout = null;
    remove(this);
  }

  /** A grain of time has passed. */
  tick(): void {
    this.#ticksLeft -= 1;
    if (this.#ticksLeft > 0) return;
    const onTimeout = this.#onTimeout;
    this.cancel();
    onTimeout?.();
  }
}

let first: Timeout | null = null;
let ticking: NodeJS.Timeout | null = null;

/** Calls `onTimeout` once when `timeoutMs` are over, unless it is cancelled before. It keeps no process alive. */
export function startTimeout(timeoutMs: number, onTimeout: () => void): RunningTimeout {
  const timeout = new Timeout(timeoutMs, onTimeout);
  timeout.next = first;
  if (first !== null) first.previous = timeout;
  first = timeout;
  if (ticking === null) {
    ticking = setInterval(tickAll, GRAIN_MS);
    ticking.unref();
  }
  return timeout;
}

/** Goes on ticking for one grain after the last one has ended: the next login is near. */
function tickAll(): void {
  if (first === null) {
    if (ticking !== null) clearInterval(ticking);
    ticking = null;
  }
  for (let timeout = first; timeout !== null; ) {
    // One that another one's end has cancelled ends this round: the rest have a grain more.
    const { next } = timeout;
    timeout.tick();
    timeout = next;
  }
}

function remove(timeout: Timeout): void {
  if (timeout.previous === null) first = timeout.next;
  else timeout.previous.next = timeout.next;
  if (timeout.next !== null) timeout.next.previous = timeout.previous;
  timeout.previous = null;
  timeout.next = null;
}

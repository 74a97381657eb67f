// Long work in steps: written once as a generator that yields where it may rest, done at once or with breaths between,
// so that what else the process does goes on. Knows nothing of the work.

/** Work that yields where it may rest: often, as a yield costs next to nothing. */
export type Steps<T> = Generator<undefined, T>;

/** So long is worked between two breaths, in milliseconds. */
const workMs = 5;

/** Does all of it now. */
export function runAtOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** Does it with a breath every few milliseconds: events that wait are handled meanwhile. */
export async function runInSteps<T>(steps: Steps<T>): Promise<T> {
  let beganMs = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (performance.now() - beganMs < workMs) continue;
    await breathe();
    beganMs = performance.now();
  }
}

/** Resolves when events that wait have been handled. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

// How long a start waits for servers that do not answer.

/** Milliseconds; greetings announce a stand-in until a server was reached. */
const firstVerdictWaitMs = 1000;

/** Resolves when `verdict` does, and after a second at most. */
export function firstVerdict(verdict: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, firstVerdictWaitMs);
    void verdict.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

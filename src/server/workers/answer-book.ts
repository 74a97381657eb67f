// Questions to another process and who waits for the answers: numbered, with a deadline.

/** An answer that takes longer is none, in milliseconds. */
const answerTimeoutMs = 2000;

/** See the file's head. */
export class AnswerBook {
  readonly #waiting = new Map<number, (answer: unknown) => void>();
  #number = 0;
  #closed = false;

  /** `send` is given the question's number. Resolves to null when no answer comes in time. */
  ask(send: (number: number) => void): Promise<unknown> {
    if (this.#closed) return Promise.resolve(null);
    this.#number += 1;
    const number = this.#number;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.settle(number, null), answerTimeoutMs);
      this.#waiting.set(number, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      send(number);
    });
  }

  settle(number: number, answer: unknown): void {
    const resolve = this.#waiting.get(number);
    this.#waiting.delete(number);
    resolve?.(answer);
  }

  /** The other side is gone: nobody waits any longer. */
  close(): void {
    this.#closed = true;
    for (const number of [...this.#waiting.keys()]) this.settle(number, null);
  }
}

// A bounded queue for work that clients cause before they are authenticated. Each address has a share of the places
// and addresses take turns, so one that asks a lot neither fills the queue nor delays the others.

/** What {@link FairQueue.run} resolves to when there is no place. */
export const queueFull: unique symbol = Symbol("queue full");

/** The limits of one queue, in jobs. */
export interface FairQueueLimits {
  /** Jobs that run at a time. */
  readonly runningMax: number;
  /** Jobs that wait, all addresses together. */
  readonly waitingMax: number;
  /** Jobs that wait, of one address. */
  readonly waitingPerAddressMax: number;
}

/** Runs jobs by address in turn. */
export class FairQueue {
  private readonly limits: FairQueueLimits;
  /** The waiting jobs by address; the first address is the next to be served. No empty lists. */
  private readonly waiting = new Map<string, (() => void)[]>();
  private waitingCount = 0;
  private running = 0;

  constructor(limits: FairQueueLimits) {
    this.limits = limits;
  }

  /** Runs `job` when it is its turn; rejects as the job does. */
  async run<T>(address: string, job: () => Promise<T>): Promise<T | typeof queueFull> {
    if (this.running >= this.limits.runningMax) {
      const line = this.waiting.get(address) ?? [];
      const isFull =
        this.waitingCount >= this.limits.waitingMax || line.length >= this.limits.waitingPerAddressMax;
      if (isFull) return queueFull;
      // The job that ends hands its running place over, so nobody can slip in between.
      await new Promise<void>((resolve) => {
        line.push(resolve);
        this.waiting.set(address, line);
        this.waitingCount += 1;
      });
    } else {
      this.running += 1;
    }
    try {
      return await job();
    } finally {
      this.startNext();
    }
  }

  private startNext(): void {
    for (const [address, line] of this.waiting) {
      const start = line.shift();
      this.waiting.delete(address);
      if (line.length > 0) this.waiting.set(address, line);
      this.waitingCount -= 1;
      start?.();
      return;
    }
    this.running -= 1;
  }
}

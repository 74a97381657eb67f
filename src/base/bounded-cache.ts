// A cache that never grows beyond its limits, in entries and in bytes. Second chance ("clock") instead of strict LRU:
// a hit only sets a flag, so reading stays as cheap as the map itself. Never emptied as a whole.

/** The limits of one cache. */
export interface BoundedCacheOptions<K, V> {
  readonly entriesMax: number;
  /** Sum of `bytesOf` over all entries. @default no limit */
  readonly bytesMax?: number;
  /** What an entry costs, key included. @default 0 */
  readonly bytesOf?: (key: K, value: V) => number;
}

interface Slot<V> {
  value: V;
  bytes: number;
  /** Read since it was last passed over: lives one round longer. */
  used: boolean;
}

/** Keeps what is asked for often, within its limits. */
export class BoundedCache<K, V> {
  private readonly slots = new Map<K, Slot<V>>();
  private readonly entriesMax: number;
  private readonly bytesMax: number;
  private readonly bytesOf: (key: K, value: V) => number;
  private bytesHeld = 0;
  private evicted = 0;

  constructor(options: BoundedCacheOptions<K, V>) {
    this.entriesMax = options.entriesMax;
    this.bytesMax = options.bytesMax ?? Number.POSITIVE_INFINITY;
    this.bytesOf = options.bytesOf ?? (() => 0);
  }

  get size(): number {
    return this.slots.size;
  }

  /** Bytes of all entries as `bytesOf` counts them. */
  get bytes(): number {
    return this.bytesHeld;
  }

  /** Entries that had to go for newer ones, since the start. */
  get evictions(): number {
    return this.evicted;
  }

  get(key: K): V | undefined {
    const slot = this.slots.get(key);
    if (slot === undefined) return undefined;
    slot.used = true;
    return slot.value;
  }

  /** Keeps the entry and lets others go for it. False: it alone is over the limits, nothing is kept under this key. */
  set(key: K, value: V): boolean {
    this.delete(key);
    const bytes = this.bytesOf(key, value);
    if (bytes > this.bytesMax || this.entriesMax < 1) return false;
    while (this.slots.size >= this.entriesMax || this.bytesHeld + bytes > this.bytesMax) this.evictOne();
    this.slots.set(key, { value, bytes, used: false });
    this.bytesHeld += bytes;
    return true;
  }

  delete(key: K): boolean {
    const slot = this.slots.get(key);
    if (slot === undefined) return false;
    this.bytesHeld -= slot.bytes;
    return this.slots.delete(key);
  }

  /** Drops the entries for which `keep` is false: for reloads, which invalidate only what changed. */
  retain(keep: (key: K, value: V) => boolean): void {
    for (const [key, slot] of this.slots) {
      if (!keep(key, slot.value)) this.delete(key);
    }
  }

  private evictOne(): void {
    for (const [key, slot] of this.slots) {
      this.slots.delete(key);
      if (slot.used) {
        // Moved behind all others; the loop meets it again unmarked, so it ends after one round at most.
        slot.used = false;
        this.slots.set(key, slot);
        continue;
      }
      this.bytesHeld -= slot.bytes;
      this.evicted += 1;
      return;
    }
  }
}

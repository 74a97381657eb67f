import { describe, expect, it } from "vitest";
import { BoundedCache } from "../../../src/base/bounded-cache.ts";
import { deadlineAfter, expired, settleBy } from "../../../src/base/deadline.ts";

describe("BoundedCache", () => {
  it("keeps what is read and lets go of what is not", () => {
    const cache = new BoundedCache<string, number>({ entriesMax: 3 });
    for (const [index, key] of ["a", "b", "c"].entries()) cache.set(key, index);
    expect(cache.get("a")).toBe(0);
    cache.set("d", 3);
    expect(cache.get("a")).toBe(0);
    expect(cache.get("b")).toBeUndefined();
    expect(cache.size).toBe(3);
    expect(cache.evictions).toBe(1);
  });

  it("evicts even when every entry was read", () => {
    const cache = new BoundedCache<number, number>({ entriesMax: 2 });
    for (let key = 0; key < 100; key++) {
      cache.set(key, key);
      expect(cache.get(key)).toBe(key);
      expect(cache.size).toBeLessThanOrEqual(2);
    }
  });

  it("counts bytes over sets, replacements, deletions and evictions", () => {
    const cache = new BoundedCache<string, string>({
      entriesMax: 100,
      bytesMax: 10,
      bytesOf: (_key, value) => value.length,
    });
    expect(cache.set("a", "12345")).toBe(true);
    expect(cache.set("a", "123")).toBe(true);
    expect(cache.bytes).toBe(3);
    expect(cache.set("b", "1234567")).toBe(true);
    expect(cache.bytes).toBe(10);
    expect(cache.set("c", "1")).toBe(true);
    expect(cache.bytes).toBe(8);
    expect(cache.set("big", "12345678901")).toBe(false);
    expect(cache.get("big")).toBeUndefined();
    expect(cache.get("c")).toBe("1");
    cache.delete("b");
    expect(cache.bytes).toBe(1);
  });

  it("drops only what retain() names", () => {
    const cache = new BoundedCache<string, number>({ entriesMax: 10, bytesMax: 10, bytesOf: () => 1 });
    for (const key of ["a", "b", "c"]) cache.set(key, 1);
    cache.retain((key) => key !== "b");
    expect([cache.get("a"), cache.get("b"), cache.get("c"), cache.bytes]).toEqual([1, undefined, 1, 2]);
  });
});

describe("settleBy()", () => {
  it("gives the result, the failure, or expired", async () => {
    let nowMs = 0;
    const clock = { wallMs: () => 0, monotonicMs: () => nowMs };
    const deadline = deadlineAfter(5, clock);
    expect(await settleBy(Promise.resolve(7), deadline)).toBe(7);
    await expect(settleBy(Promise.reject(new Error("x")), deadline)).rejects.toThrow("x");
    expect(await settleBy(new Promise(() => {}), deadline)).toBe(expired);
    nowMs = 6;
    expect(deadline.expired()).toBe(true);
    expect(deadline.remainingMs()).toBe(0);
  });
});

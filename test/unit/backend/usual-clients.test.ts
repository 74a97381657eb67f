// Which connections are kept ready: those of the clients that come most.
import { describe, expect, it } from "vitest";
import { UsualClients, wellKnownClients } from "../../../src/backend/usual-clients.ts";
import {
  CLIENT_DEPRECATE_EOF,
  CLIENT_LOCAL_FILES,
  CLIENT_MULTI_RESULTS,
  poolKeyOf,
} from "../../../src/wire/capabilities.ts";

const all = 0xffff_ffff;

describe("shares()", () => {
  it("expects the well-known clients until the first one has come", () => {
    const shares = new UsualClients().shares(4, all);
    expect(shares.map(({ capabilities, collations: [collation] }) => ({ capabilities, collation }))).toEqual(
      Object.values(wellKnownClients),
    );
    expect(shares.map(({ count }) => count)).toEqual([1, 1, 1, 1]);
  });

  it("counts clients as one that these servers make equal", () => {
    const shares = new UsualClients().shares(4, CLIENT_MULTI_RESULTS);
    expect(shares).toEqual([
      { capabilities: CLIENT_MULTI_RESULTS, collations: [224, 45, 255, 33], count: 4 },
    ]);
    const notLocal = new UsualClients().shares(8, ~CLIENT_LOCAL_FILES >>> 0);
    expect(notLocal.every(({ capabilities }) => (capabilities & CLIENT_LOCAL_FILES) === 0)).toBe(true);
  });

  it("divides by how often kinds come, the first one first", () => {
    const usual = new UsualClients();
    for (let times = 0; times < 30; times += 1) usual.note(CLIENT_DEPRECATE_EOF, 255);
    for (let times = 0; times < 10; times += 1) usual.note(CLIENT_MULTI_RESULTS, 45);
    const counts = (count: number): readonly number[][] =>
      usual.shares(count, all).map((share) => [share.capabilities, share.count]);
    expect(counts(1)).toEqual([[CLIENT_DEPRECATE_EOF, 1]]);
    expect(counts(8)).toEqual([
      [CLIENT_DEPRECATE_EOF, 6],
      [CLIENT_MULTI_RESULTS, 2],
    ]);
    expect(counts(0)).toEqual([]);
  });

  it("never gives more than there are, whatever has come", () => {
    const usual = new UsualClients();
    for (let kind = 0; kind < 100; kind += 1) usual.note(poolKeyOf(kind << 1), 45);
    for (const count of [1, 2, 3, 5, 100])
      expect(usual.shares(count, all).reduce((sum, share) => sum + share.count, 0)).toBe(count);
    expect(usual.shares(100, all).length).toBeLessThanOrEqual(4);
  });

  it("forgets what came long ago, but not who came last", () => {
    const usual = new UsualClients();
    for (let times = 0; times < 64; times += 1) usual.note(CLIENT_DEPRECATE_EOF, 255);
    for (let minute = 1; minute <= 10; minute += 1) usual.fade(minute * 60_000);
    usual.note(CLIENT_MULTI_RESULTS, 45);
    expect(usual.shares(1, all)).toEqual([
      { capabilities: CLIENT_MULTI_RESULTS, collations: [45], count: 1 },
    ]);
    for (let minute = 11; minute <= 5000; minute += 1) usual.fade(minute * 60_000);
    expect(usual.shares(1, all)).toEqual([
      { capabilities: CLIENT_MULTI_RESULTS, collations: [45], count: 1 },
    ]);
  });

  it("tells the collations that came, the last one first", () => {
    const usual = new UsualClients();
    for (const collation of [8, 33, 8, 45, 255, 63, 255]) usual.note(0, collation);
    expect(usual.shares(2, all)).toEqual([{ capabilities: 0, collations: [255, 63, 45, 8], count: 2 }]);
  });
});

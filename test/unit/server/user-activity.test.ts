import { describe, expect, it } from "vitest";
import type { UserActivitySnapshot, UsersPart } from "../../../src/admin/admin-sources.ts";
import { runAtOnce } from "../../../src/base/steps.ts";
import type { Identity } from "../../../src/identity/identity.ts";
import { UserActivity } from "../../../src/server/user-activity.ts";
import type { UserDirectory, UserEntry } from "../../../src/users/user-directory.ts";
import { readUsersFile } from "../../../src/users/users-file.ts";
import { digestOfEntries, stepsOfDirectoryDigest } from "../../../src/users/users-file-entry.ts";

function directory(generation: number, users: Readonly<Record<string, readonly string[]>>): UserDirectory {
  const file = Object.fromEntries(
    Object.entries(users).map(([user, passwords]) => [
      user,
      passwords.map((Password) => ({ Password, UserData: `${user}_data` })),
    ]),
  );
  const read = readUsersFile(JSON.stringify(file), "users.json", generation);
  if (!read.ok) throw new Error("bad users");
  return read.directory;
}

function entry(of: UserDirectory, user: string, index: number): UserEntry {
  const found = of.entriesOf(user)?.[index];
  if (found === undefined) throw new Error("no such entry");
  return found;
}

const login = (own: UserEntry, base: UserEntry | null = null): Identity =>
  ({ entry: own, baseEntry: base }) as unknown as Identity;

const all: UsersPart = { users: null, holding: "", from: 0, limit: 100, proof: null };
const nobody = { countOfEntry: () => 0, heldByEntries: 0 };
const file = { stale: false, loadedAtMs: 1 };

const told = ({ entries }: UserActivitySnapshot) =>
  entries.map((one) => [one.user, one.index, one.countingSinceMs, one.lastLoginMs, one.logins]);

describe("UserActivity", () => {
  it("counts each entry since it stands in the file unchanged", () => {
    let nowMs = 100;
    const activity = new UserActivity({ wallMs: () => nowMs, monotonicMs: () => 0 }, nobody);
    const reload = (next: UserDirectory, previous: UserDirectory): void => {
      const finish = runAtOnce(activity.prepare(next, previous));
      finish();
    };
    const first = directory(1, { u: ["a", "b"], v: ["x"] });
    nowMs = 200;
    activity.recordLogin(login(entry(first, "u", 0)));
    activity.recordLogin(login(entry(first, "u", 1)));
    nowMs = 300;
    const second = directory(2, { u: ["c", "a"], v: ["x"] });
    // Between the work before the swap and the swap itself somebody logs in.
    const finish = runAtOnce(activity.prepare(second, first));
    activity.recordLogin(login(entry(first, "u", 0)));
    finish();
    nowMs = 400;
    activity.recordLogin(login(entry(second, "u", 0)));
    expect(told(runAtOnce(activity.snapshot(second, file, all)))).toEqual([
      ["u", 0, 300, 400, 1],
      ["u", 1, 100, 300, 2],
      ["v", 0, 100, null, 0],
    ]);
    nowMs = 500;
    const third = directory(3, { u: ["b", "c"], v: ["x"] });
    reload(third, second);
    expect(told(runAtOnce(activity.snapshot(third, file, all)))).toEqual([
      ["u", 0, 500, null, 0],
      ["u", 1, 300, 400, 1],
      ["v", 0, 100, null, 0],
    ]);
  });

  it("counts a mapped proxy user's login at the base's entry, too: who retires it takes it from somebody", () => {
    const activity = new UserActivity({ wallMs: () => 5, monotonicMs: () => 0 }, nobody);
    const users = directory(1, { u: ["own"], b: ["base", "unused"] });
    activity.recordLogin(login(entry(users, "u", 0), entry(users, "b", 0)));
    expect(told(runAtOnce(activity.snapshot(users, file, all)))).toEqual([
      ["u", 0, 5, 5, 1],
      ["b", 0, 5, 5, 1],
      ["b", 1, 5, null, 0],
    ]);
  });

  it("tells a part, and how much there is", () => {
    const activity = new UserActivity({ wallMs: () => 5, monotonicMs: () => 0 }, nobody);
    const users = directory(1, { shop: ["1", "2"], SHOPPING: ["3"], other: ["4"] });
    const part = (change: Partial<UsersPart>) => {
      const snapshot = runAtOnce(activity.snapshot(users, file, { ...all, ...change }));
      return [snapshot.total, snapshot.matching, snapshot.entries.map((one) => `${one.user}${one.index}`)];
    };
    expect(part({})).toEqual([4, 4, ["shop0", "shop1", "SHOPPING0", "other0"]]);
    expect(part({ from: 1, limit: 2 })).toEqual([4, 4, ["shop1", "SHOPPING0"]]);
    expect(part({ holding: "Shop", limit: 1 })).toEqual([4, 3, ["shop0"]]);
    expect(part({ holding: "other_data" })).toEqual([4, 1, ["other0"]]);
    expect(part({ users: ["shop"] })).toEqual([4, 2, ["shop0", "shop1"]]);
    expect(part({ users: ["nobody"] })).toEqual([4, 0, []]);
  });

  it("says whether the asker has the same entries of a user, in the same order", () => {
    const activity = new UserActivity({ wallMs: () => 5, monotonicMs: () => 0 }, nobody);
    const users = directory(1, { shop: ["1", "2"] });
    const key = "ab".repeat(32);
    const proven = (of: UserDirectory, withKey = key) => {
      const digest = digestOfEntries(of.entriesOf("shop") ?? [], Buffer.from(key, "hex"));
      const part = { ...all, users: ["shop"], proof: { key: withKey, digest } };
      return runAtOnce(activity.snapshot(users, file, part)).proven;
    };
    expect(proven(directory(9, { shop: ["1", "2"] }))).toBe(true);
    expect(proven(directory(9, { shop: ["2", "1"] }))).toBe(false);
    expect(proven(directory(9, { shop: ["1", "3"] }))).toBe(false);
    expect(proven(directory(9, { shop: ["1"] }))).toBe(false);
    for (const bad of ["", "zz", "ab", "a".repeat(5000)]) expect(proven(users, bad)).toBe(false);
    expect(runAtOnce(activity.snapshot(users, file, all)).proven).toBeNull();
  });

  it("says whether the asker has the same file", () => {
    const activity = new UserActivity({ wallMs: () => 5, monotonicMs: () => 0 }, nobody);
    const users = directory(1, { shop: ["1", "2"], other: ["4"] });
    const key = "0123456789abcdef".repeat(4);
    const proven = (of: UserDirectory) => {
      const digest = runAtOnce(stepsOfDirectoryDigest(of, Buffer.from(key, "hex")));
      return runAtOnce(activity.snapshot(users, file, { ...all, proof: { key, digest } })).proven;
    };
    expect(proven(directory(9, { shop: ["1", "2"], other: ["4"] }))).toBe(true);
    expect(proven(directory(9, { shop: ["1", "3"], other: ["4"] }))).toBe(false);
    expect(proven(directory(9, { shop: ["1"], other: ["2", "4"] }))).toBe(false);
    expect(proven(directory(9, { shop: ["1", "2"] }))).toBe(false);
  });
});

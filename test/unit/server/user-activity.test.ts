import { describe, expect, it } from "vitest";
import type { Identity } from "../../../src/identity/identity.ts";
import { UserActivity } from "../../../src/server/user-activity.ts";
import type { UserDirectory, UserEntry } from "../../../src/users/user-directory.ts";

function directory(generation: number, fingerprints: readonly string[]): UserDirectory {
  const entries = fingerprints.map((fingerprint, index) => ({
    user: "u",
    index,
    fingerprint,
    userData: "d",
    credentials: [{ kind: "sha2" }],
  }));
  return {
    generation,
    userNames: ["u"],
    entriesOf: () => entries as unknown as UserEntry[],
  } as unknown as UserDirectory;
}

function login(fingerprint: string): Identity {
  return {
    entry: { user: "u", index: 0, generation: 1, fingerprint },
    baseEntry: null,
  } as unknown as Identity;
}

describe("UserActivity", () => {
  it("counts each entry since it stands in the file unchanged", () => {
    let nowMs = 100;
    const activity = new UserActivity({ wallMs: () => nowMs, monotonicMs: () => 0 });
    activity.adopt(directory(1, ["a", "b"]));
    nowMs = 200;
    activity.recordLogin(login("a"));
    activity.recordLogin(login("gone"));
    nowMs = 300;
    const second = directory(2, ["c", "a"]);
    activity.adopt(second);
    activity.recordLogin(login("c"));
    expect(activity.snapshot(second, false, (_user, fingerprint) => (fingerprint === "a" ? 7 : 0))).toEqual({
      countingSinceMs: 100,
      generation: 2,
      stale: false,
      entries: [
        {
          user: "u",
          index: 0,
          fingerprint: "c",
          userData: "d",
          credentialKinds: ["sha2"],
          countingSinceMs: 300,
          lastLoginMs: 300,
          liveSessions: 0,
          logins: 1,
        },
        {
          user: "u",
          index: 1,
          fingerprint: "a",
          userData: "d",
          credentialKinds: ["sha2"],
          countingSinceMs: 100,
          lastLoginMs: 200,
          liveSessions: 7,
          logins: 1,
        },
      ],
    });
  });

  it("counts a mapped proxy user's login at the base's entry, too: who retires it takes it from somebody", () => {
    const activity = new UserActivity({ wallMs: () => 5, monotonicMs: () => 0 });
    const users = directory(1, ["own", "base", "unused"]);
    activity.adopt(users);
    const base = { user: "u", index: 1, generation: 1, fingerprint: "base" };
    activity.recordLogin({ ...login("own"), baseEntry: base });
    const { entries } = activity.snapshot(users, false, () => 0);
    expect(entries.map(({ fingerprint, logins, lastLoginMs }) => [fingerprint, logins, lastLoginMs])).toEqual(
      [
        ["own", 1, 5],
        ["base", 1, 5],
        ["unused", 0, null],
      ],
    );
  });
});

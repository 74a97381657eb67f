import { expect, it } from "vitest";
import { describeChanges } from "../../../src/users/directory-changes.ts";
import { directoryOf } from "./support.ts";

it("describeChanges() names users and entries, never their secrets", () => {
  const old = directoryOf({
    gone: [{ Password: "p1" }],
    same: [{ Password: "p2", Comment: "a" }],
    rotated: [{ Password: "old" }, { Password: "new" }],
    swapped: [{ Password: "a" }, { Password: "b" }],
  });
  const next = directoryOf({
    same: [{ Password: "p2", Comment: "b" }],
    rotated: [{ Password: "new" }, { Password: "newer" }],
    swapped: [{ Password: "b" }, { Password: "a" }],
    fresh: [{ Password: "p3" }],
  });
  expect(describeChanges(old, next)).toEqual({
    usersAdded: ["fresh"],
    usersRemoved: ["gone"],
    usersChanged: ["rotated", "swapped"],
    entriesAdded: ["rotated[1]", "fresh[0]"],
    entriesRemoved: ["gone[0]", "rotated[0]"],
  });
  expect(describeChanges(next, next)).toEqual({
    usersAdded: [],
    usersRemoved: [],
    usersChanged: [],
    entriesAdded: [],
    entriesRemoved: [],
  });
});

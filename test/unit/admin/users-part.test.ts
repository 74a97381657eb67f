import { describe, expect, it } from "vitest";
import { usersJson } from "../../../src/admin/api-answers.ts";
import { quietSources } from "../../support/admin-sources.ts";

describe("usersJson", () => {
  const activity = quietSources().userActivity();
  const entries = ["shop", "SHOPPING", "other"].flatMap((user) =>
    (activity?.entries ?? []).map((entry) => ({ ...entry, user })),
  );
  const make = (holding: string, limit: number) =>
    usersJson.make({ countingSinceMs: 0, generation: 1, stale: false, entries }, "1", { holding, limit });

  it("keeps the first of those that hold a text, and tells how many there are", () => {
    const all = make("", Number.POSITIVE_INFINITY);
    expect([all.total, all.matching, all.entries.length]).toEqual([3, 3, 3]);
    const some = make("shop", 1);
    expect([some.total, some.matching, some.entries.map(({ user }) => user)]).toEqual([3, 2, ["shop"]]);
  });
});

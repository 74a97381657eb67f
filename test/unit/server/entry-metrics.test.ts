import { describe, expect, it } from "vitest";
import type { Identity } from "../../../src/identity/identity.ts";
import { exportEntryMetrics } from "../../../src/server/entry-metrics.ts";
import { UserActivity } from "../../../src/server/user-activity.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { readUsersFile } from "../../../src/users/users-file.ts";

describe("exportEntryMetrics()", () => {
  it("puts entries beyond the label's limit together, and loses none of their logins", async () => {
    const users = Object.fromEntries(
      Array.from({ length: 1500 }, (_, index) => [`u${index}`, [{ Password: `p${index}` }]]),
    );
    const read = readUsersFile(JSON.stringify(users), "users.json", 1);
    if (!read.ok) throw new Error("bad users");
    let nowMs = 0;
    const activity = new UserActivity(
      { wallMs: () => nowMs, monotonicMs: () => 0 },
      { countOfEntry: () => 1, heldByEntries: 1500 },
    );
    for (const user of read.directory.userNames) {
      const [entry] = read.directory.entriesOf(user) ?? [];
      if (entry === undefined) throw new Error("no entry");
      const identity = { entry, baseEntry: null } as unknown as Identity;
      for (let login = 0; login < 2; login += 1) activity.recordLogin(identity);
      nowMs += 1000;
    }
    const metrics = createMetrics({ processMetrics: false });
    exportEntryMetrics(metrics, (ownMax) => activity.totals(read.directory, ownMax));
    const text = await metrics.text();
    const total = [...text.matchAll(/^gatehouse_entry_logins_total\{.*\} (\d+)$/gm)];
    expect(total.length).toBe(1000);
    expect(total.reduce((sum, [, value]) => sum + Number(value), 0)).toBe(3000);
    expect(text).toContain('gatehouse_entry_last_login_timestamp_seconds{user="other",entry="other"} 1499\n');
    expect(text).toContain(
      `gatehouse_entry_sessions{user="u0",entry="${read.directory.entriesOf("u0")?.[0]?.fingerprint}"} 1\n`,
    );
    expect(text).toContain('gatehouse_entry_sessions{user="other",entry="other"} 501\n');
  });
});

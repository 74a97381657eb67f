import { describe, expect, it } from "vitest";
import type { DenialRecord } from "../../../src/acl/denial.ts";
import { RecentDenials } from "../../../src/session/recent-denials.ts";
import { identityOf } from "../../session/harness.ts";

const identity = identityOf({
  user: "u",
  peer: { transport: "tcp", address: "192.0.2.1", port: 1, host: "192.0.2.1", tls: null },
} as never);
const record = (name: string): DenialRecord => ({
  statementKind: "SELECT",
  object: "table",
  name,
  role: "reader",
  rule: null,
  reason: "why",
});

describe("RecentDenials", () => {
  it("counts a kind once, the latest first, and forgets what was not met for longest", () => {
    const denials = new RecentDenials();
    const note = (name: string, ms: number) =>
      denials.note(identity, { record: record(name), code: 1142 }, "denied", ms);
    note("first", 1);
    note("second", 2);
    note("first", 3);
    expect(denials.all().map(({ record: { name }, count, lastMs }) => [name, count, lastMs])).toEqual([
      ["first", 2, 3],
      ["second", 1, 2],
    ]);
    for (let index = 0; index < 199; index += 1) note(`t${index}`, 10 + index);
    const names = denials.all().map(({ record: { name } }) => name);
    expect([names.length, names.includes("first"), names.includes("second")]).toEqual([200, true, false]);
  });
});

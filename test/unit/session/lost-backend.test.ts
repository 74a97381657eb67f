import { describe, expect, it } from "vitest";
import { judgeLostBackend } from "../../../src/session/lost-backend.ts";

const idle = {
  replyDue: false,
  forwardedBytes: 0,
  inTransaction: false,
  pinnedBecause: null,
  readOnly: false,
  commits: false,
};
const due = { ...idle, replyDue: true };

describe("judgeLostBackend()", () => {
  it.each([
    ["idle, nothing held", idle, false, null],
    ["idle in a transaction", { ...idle, inTransaction: true }, true, null],
    ["idle with state", { ...idle, pinnedBecause: "x" }, true, null],
    ["a read, no byte seen", { ...due, readOnly: true }, false, 1317],
    ["a read, bytes seen", { ...due, readOnly: true, forwardedBytes: 1 }, true, null],
    ["a read with state", { ...due, readOnly: true, pinnedBecause: "x" }, true, 1053],
    ["an autocommitted write", due, true, null],
    ["in a transaction", { ...due, inTransaction: true }, false, 1213],
    ["in a transaction with state", { ...due, inTransaction: true, pinnedBecause: "x" }, true, 1053],
    ["COMMIT", { ...due, inTransaction: true, commits: true }, true, null],
  ])("%s", (_name, situation, ends, code) => {
    const verdict = judgeLostBackend(situation);
    expect([verdict.ends, verdict.error?.code ?? null]).toEqual([ends, code]);
  });
});

// The reply to a prepared CALL with OUT parameters, as MySQL 9.7.4 and MariaDB 10.11 sent it (classic EOF).
import { describe, expect, it } from "vitest";
import { COM_PING, COM_STMT_EXECUTE } from "../../../src/wire/commands.ts";
import { ResponseBoundary } from "../../../src/wire/response-boundary.ts";

const frame = (sequence: number, hex: string): Buffer => {
  const payload = Buffer.from(hex, "hex");
  return Buffer.concat([Buffer.from([payload.length, 0, 0, sequence]), payload]);
};

const replyOf = (eofBehindRow: string): Buffer =>
  Buffer.concat([
    frame(1, "02"),
    frame(2, "036465660473686f70046f757473046f757473016201620c3f000b000000030000000000"),
    frame(3, "036465660473686f70046f757473046f757473016301630c3f0050000000fd0000000000"),
    frame(4, "fe00000a10"),
    frame(5, "00000800000003696e21"),
    frame(6, eofBehindRow),
    frame(7, "00000002000000"),
  ]);

describe("ResponseBoundary", () => {
  it.each([
    ["MySQL, which forgets MORE_RESULTS behind OUT parameters", "fe00000200"],
    ["MariaDB, which does not", "fe00000a10"],
  ])("finds the OK behind OUT parameters of %s", (_, eof) => {
    const reply = replyOf(eof);
    for (let cut = 1; cut < reply.length; cut++) {
      const boundary = new ResponseBoundary(0);
      boundary.begin(COM_STMT_EXECUTE);
      const first = boundary.feed(reply, 0, cut);
      expect(boundary.state).toBe("more");
      expect(boundary.feed(reply, first, reply.length)).toBe(reply.length);
      expect(boundary.state).toBe("complete");
      boundary.begin(COM_PING);
      const ok = frame(1, "00000002000000");
      expect(boundary.feed(ok, 0, ok.length)).toBe(ok.length);
      expect(boundary.state).toBe("complete");
    }
  });
});

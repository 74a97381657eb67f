import { describe, expect, it } from "vitest";
import { callerComment } from "../../../src/session/caller-comment.ts";

describe("callerComment()", () => {
  it("tells names as they are", () => {
    expect(callerComment({ user_data: "web_1", user: "anna@home.example" })).toBe(
      "/* gatehouse:user_data='web_1',user='anna@home.example' */ ",
    );
  });

  it.each(["*/ DROP TABLE t; /*", "a'b\"c`d\\e", "/*!50000 x */", "-- x\n#y\0?;", "é\u{1f600}", "%2A"])(
    "holds nothing that a server could read, whatever the name: %j",
    (name) => {
      const comment = callerComment({ user: name });
      const [, written = ""] = /^\/\* gatehouse:user='([A-Za-z0-9_.@%-]+)' \*\/ $/.exec(comment) ?? [];
      expect(decodeURIComponent(written)).toBe(name);
    },
  );

  it("is bounded, and never cut inside an encoded byte", () => {
    const comment = callerComment({ user: "é".repeat(5000) });
    expect(comment.length).toBeLessThan(300);
    expect(comment).toMatch(/^\/\* gatehouse:user='(%[0-9A-F]{2})+' \*\/ $/);
  });
});

// What a change of modes or character set could make of a text that was prepared.
import { describe, expect, it } from "vitest";
import { defaultReadingModes, readingModesOf } from "../../../src/sql/dialect.ts";
import { mayReadOtherwise, readingTraitsOf, type TextReading } from "../../../src/sql/reading-traits.ts";

const usual: TextReading = { modes: defaultReadingModes, characterSet: "utf8" };
const under = (sqlMode: string): TextReading => ({ modes: readingModesOf(sqlMode), characterSet: "utf8" });
const named = (characterSet: TextReading["characterSet"]): TextReading => ({ ...usual, characterSet });

describe("a prepared text", () => {
  it.each([
    ["SELECT a FROM t WHERE a IN (?) AND b = 'x'", []],
    ['SELECT "a"', ["ANSI_QUOTES"]],
    ["SELECT '\\''", ["NO_BACKSLASH_ESCAPES"]],
    ["SELECT 'é'", ["latin1", "gbk"]],
    ["SELECT COUNT (*), NOW() FROM t", ["IGNORE_SPACE"]],
    ["SELECT count/**/(*) FROM t", ["IGNORE_SPACE"]],
    ["SELECT COUNT(*), `a` FROM t", []],
  ] as const)("%s may be read otherwise under %s only", (text, others) => {
    const traits = readingTraitsOf(Buffer.from(text).toString("latin1"));
    const found = [
      ...["ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "IGNORE_SPACE", "STRICT_ALL_TABLES"].filter((mode) =>
        mayReadOtherwise(traits, usual, under(mode)),
      ),
      ...(["latin1", "gbk"] as const).filter((name) => mayReadOtherwise(traits, usual, named(name))),
    ];
    expect(found).toEqual(others);
    expect(mayReadOtherwise(traits, usual, usual)).toBe(false);
  });

  it("is never certain where letters are no letters, in other grammars, and where nothing is known", () => {
    expect(mayReadOtherwise(0, usual, named("unreadable"))).toBe(true);
    expect(mayReadOtherwise(0, usual, under("ORACLE"))).toBe(true);
    expect(mayReadOtherwise(0, usual, { modes: null, characterSet: "utf8" })).toBe(true);
    const unknown: TextReading = { modes: null, characterSet: "utf8" };
    expect(mayReadOtherwise(0, unknown, unknown)).toBe(false);
    expect(mayReadOtherwise(readingTraitsOf('"'), unknown, unknown)).toBe(true);
  });
});

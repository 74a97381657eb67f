import { describe, expect, it } from "vitest";
import { analyzeText } from "../../../src/sql/analyze.ts";
import { characterSetClass } from "../../../src/sql/dialect.ts";
import { coverWide } from "../../../src/sql/wide-characters.ts";
import { contextOf } from "./support.ts";

describe("coverWide()", () => {
  it.each([
    // The second byte is a backslash, a backtick, a letter.
    ["gbk", "'\x95\x5c', \x81\x60a", "'xx', xxa"],
    ["gbk", "'\x81\x30\x81\x30'", "'xxxx'"],
    ["big5", "'\xa5\x5c' x", "'xx' x"],
    ["sjis", "'\x83\x5c\xb1\\'' y", "'xxx\\'' y"],
    ["gbk", "plain", "plain"],
  ] as const)("%s: %s", (characterSet, text, expected) => {
    expect(coverWide(text, characterSet)).toBe(expected);
    expect(coverWide(text, characterSet).length).toBe(text.length);
  });

  it.each([
    ["gbk", "'\x80\\''", "'x\\''"],
    ["gbk", "'\xff'", "'x'"],
    ["gbk", "\x81", "x"],
    ["gbk", "'\x81'", "'x'"],
    ["big5", "'\x88\\' x", "'x\\' x"],
    ["sjis", "\xfd\x40", "x@"],
  ] as const)("%s: takes a byte that begins no character alone: %s", (characterSet, text, expected) => {
    expect(coverWide(text, characterSet)).toBe(expected);
  });
});

describe("a text of wide characters", () => {
  const tokensOf = (text: string, name: string) => {
    const context = contextOf("mysql", { characterSet: characterSetClass(name) });
    const analyzed = analyzeText(Buffer.from(text, "latin1"), context);
    const [only] = analyzed.statements;
    return {
      uncertain: analyzed.uncertain !== null,
      tokens: only?.identityTokens.map(({ start, end }) => [start, end]),
    };
  };

  it("is not certain, and yet tells where identities are", () => {
    expect(tokensOf("SELECT '\x95\x5c', USER(), '\x95\x5c USER()'", "gbk")).toEqual({
      uncertain: true,
      tokens: [[13, 19]],
    });
    expect(tokensOf("SELECT \xc4\xe3\xba\xc3.user, USER() FROM \xc4\xe3", "gb18030").tokens).toEqual([
      [18, 24],
    ]);
    expect(tokensOf("SELECT 'a', USER()", "gbk")).toEqual({ uncertain: false, tokens: [[12, 18]] });
  });
});

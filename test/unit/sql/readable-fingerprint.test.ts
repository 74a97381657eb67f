// Fingerprints for people: no value of a text may stand in one, however the text is written.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AnalysisContext } from "../../../src/sql/analyzed-text.ts";
import { defaultReadingModes } from "../../../src/sql/dialect.ts";
import { readableFingerprint } from "../../../src/sql/readable-fingerprint.ts";

const unknown: AnalysisContext = {
  modes: null,
  flavour: "mysql",
  version: 80040,
  characterSet: "utf8",
  defaultSchema: null,
  lowerCaseTableNames: 0,
};
const known: AnalysisContext = { ...unknown, modes: defaultReadingModes };
const read = (text: string, context = known) => readableFingerprint(Buffer.from(text), context);

describe("readableFingerprint()", () => {
  it.each([
    [
      "select a.b , count( * ) from `t x` where x=1 and y>='s'",
      "SELECT a.b, count(*) FROM `t x` WHERE x = ? AND y >= ?",
    ],
    [
      "SELECT a.b,count(*) FROM `t x` /* pw */ WHERE x= 27 AND y >=\n'it''s'",
      "SELECT a.b, count(*) FROM `t x` WHERE x = ? AND y >= ?",
    ],
    ["insert into t(a,b) values (1,'x'),(2,'y')", "INSERT INTO t(a, b) VALUES (?, ...)"],
    ["select x'41', 0x12, b'1', n'q', _utf8'z', -5, 1e3, .5", "SELECT ?, ?, ?, ?, _utf8 ?, - ?, ?, ?"],
    ["create user 'u'@'h' identified by 'pw'", "CREATE user ?@? identified BY ?"],
    ["set @x := 'q', @@session.sql_mode='x', @'odd' = 1", "SET @x := ?, @@session.sql_mode = ?, @? = ?"],
    ["update Status set n = n+1 where id in ( 3 )", "UPDATE Status SET n = n + ? WHERE id IN (?)"],
    ["select 1; select 2", "SELECT ?; SELECT ?"],
    ["select * from t where id = 550e8400abc and k = 0123abc", "SELECT * FROM t WHERE id = ? ? AND k = ?"],
  ])("reads %s", (text, shape) => {
    expect(read(text)).toMatchObject({ shape, reason: null });
  });

  it.each([
    ["select 'open", known, "not_readable", "SELECT"],
    ["select 1 /* open", known, "not_readable", "SELECT"],
    ["select \0", known, "not_readable", "SELECT"],
    ["hunter2", known, "unknown_statement", null],
    ["'secret' select", known, "unknown_statement", null],
    ["select 'a\\' , secret, \\'b'", unknown, "unknown_modes", "SELECT"],
    ["select 1", { ...known, modes: { ...defaultReadingModes, oracle: true } }, "unknown_modes", "SELECT"],
    ["select 'O'Brien' from t where a in ('D'Arcy')", known, "odd_quotes", "SELECT"],
    ["/*!40000 select 1 */", known, "executable_comment", "SELECT"],
    ["/*!99999 it's */ select 'secret'", known, "executable_comment", null],
    ["", known, "unknown_statement", null],
  ] as [string, AnalysisContext, string, string | null][])("tells nothing of %s", (text, context, reason) => {
    expect(read(text, context)).toMatchObject({ shape: null, reason });
  });

  it("keeps to itself what stands in double quotes where these may be strings", () => {
    expect(read('select "secret" , "it\'s" from t', unknown).shape).toBe("SELECT ?, ? FROM t");
    const ansi = { ...known, modes: { ...defaultReadingModes, ansiQuotes: true } };
    expect(read('select "Name" from t', ansi).shape).toBe('SELECT "Name" FROM t');
  });

  it("reads UTF-8 where the character set is not known, but no byte that may be half a character", () => {
    const unsafe = { ...unknown, characterSet: "unsafe" } as const;
    expect(read("select 'grün' from straße", unsafe).shape).toBe("SELECT ? FROM straße");
    expect(readableFingerprint(Buffer.from("select '\xb5\x60 secret'", "latin1"), unsafe).shape).toBeNull();
    expect(read("select '\u00b5` secret'", unsafe).shape).toBeNull();
  });

  it("never tells a value, whatever stands around it", () => {
    const piece = fc.constantFrom(
      " ",
      ",",
      "(",
      ")",
      "=",
      "select ",
      "from t ",
      "''",
      '"',
      "'",
      "\\",
      "/*",
      "*/",
      "--",
      "#",
      "\n",
      "@",
      ";",
      "é",
      "0x",
      "b'",
      "n",
    );
    const modes = fc.constantFrom(null, defaultReadingModes, {
      ...defaultReadingModes,
      noBackslashEscapes: true,
    });
    let readable = 0;
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 12 }),
        fc.array(piece, { maxLength: 12 }),
        modes,
        (before, after, mode) => {
          const text = `select ${before.join("")} 'zqxsecret' ${after.join("")}`;
          const { shape } = read(text, { ...known, modes: mode });
          if (shape === null) return;
          readable += 1;
          // Whatever the server's real mode is, where that is not known.
          const readings = mode === null ? [false, true] : [mode.noBackslashEscapes];
          if (readings.some((noEscapes) => isQuoted(text, noEscapes))) expect(shape).not.toContain("zqx");
        },
      ),
      { numRuns: 3000 },
    );
    expect(readable).toBeGreaterThan(50);
  });
});

/** An independent look, by a regular expression: does the value stand in a string, or in a comment? */
function isQuoted(text: string, noEscapes: boolean): boolean {
  const string = noEscapes
    ? /'(?:[^']|'')*'|"(?:[^"]|"")*"/
    : /'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*"/;
  const comment = "/\\*[\\s\\S]*?\\*/|#[^\\n]*|--(?=\\s)[^\\n]*";
  return !text.replaceAll(new RegExp(`${string.source}|${comment}`, "g"), " ").includes("zqx");
}

import { describe, expect, it } from "vitest";
import { analyzeText } from "../../../src/sql/analyze.ts";
import type { LexOptions } from "../../../src/sql/dialect.ts";
import { characterSetClass, parseServerVersion, readingModesOf } from "../../../src/sql/dialect.ts";
import { resolveExecutableComments } from "../../../src/sql/executable-comment.ts";
import { lex } from "../../../src/sql/lexer.ts";
import { TokenKind, tokensMax } from "../../../src/sql/tokens.ts";
import { contextOf } from "./support.ts";

const mysql: LexOptions = {
  ansiQuotes: false,
  noBackslashEscapes: false,
  flavour: "mysql",
  version: 90_704,
  characterSet: "utf8",
};
const mariadb: LexOptions = { ...mysql, flavour: "mariadb", version: 101_119 };

const letters = Object.fromEntries(Object.entries(TokenKind).map(([name, kind]) => [kind, name]));

const utf8 = (bytes: string) => Buffer.from(bytes, "latin1").toString("utf8");

/** `word:SELECT number:1`: kinds and texts; a trailing `!` and the reason where it was refused. */
function read(text: string, options: LexOptions = mysql): string {
  const tokens = lex(Buffer.from(text, "utf8").toString("latin1"), options);
  const parts: string[] = [];
  for (let index = 0; index < tokens.count; index += 1) {
    const kind = tokens.kind(index);
    const isKeyword = kind === TokenKind.word && tokens.word(index) !== "";
    const name = isKeyword ? "key" : (letters[kind] ?? "?");
    parts.push(kind === TokenKind.mark ? tokens.word(index) : `${name}:${utf8(tokens.slice(index))}`);
  }
  if (tokens.refusal !== null) parts.push(`! ${tokens.refusal.reason}`);
  return parts.join(" ");
}

describe("lex() reads", () => {
  it.each([
    ["SELECT*FROM`t1`", "key:SELECT * key:FROM quoted:`t1`"],
    ["select 1--1 FROM t1", "key:select number:1 - - number:1 key:FROM word:t1"],
    ["select 1 -- 1\nFROM t", "key:select number:1 key:FROM word:t"],
    ["select 1 --\x7fx", "key:select number:1"],
    ["select 1 --\x01x", "key:select number:1"],
    ["select 1 --", "key:select number:1"],
    ["select 1 # x", "key:select number:1"],
    ["select 1 /* ' */ from t", "key:select number:1 key:from word:t"],
    ["select 1 /*/ from */ from t", "key:select number:1 key:from word:t"],
    ["1e0FROM t", "number:1e0 key:FROM word:t"],
    ["1e+5FROM t", "number:1e+5 key:FROM word:t"],
    ["1.FROM t", "number:1. key:FROM word:t"],
    [".5FROM t", "number:.5 key:FROM word:t"],
    ["1.5e-3FROM t", "number:1.5e-3 key:FROM word:t"],
    ["1e+x", "word:1e + word:x"],
    ["0x41FROM", "word:0x41FROM"],
    ["0x41 FROM", "number:0x41 key:FROM"],
    ["0X41", "word:0X41"],
    ["0b01 0b2", "number:0b01 word:0b2"],
    ["1a 1_ 1$", "word:1a word:1_ word:1$"],
    ["\\NFROM t", "number:\\N key:FROM word:t"],
    ["db1.select", "word:db1 . word:select"],
    ["db1.5tab", "word:db1 . word:5tab"],
    ["`db1`.5tab", "quoted:`db1` number:.5 word:tab"],
    ["`db1`.select", "quoted:`db1` . word:select"],
    ["select.a", "word:select . word:a"],
    ["select.`a`", "key:select . quoted:`a`"],
    ["from . a", "key:from . word:a"],
    ["a.1.2", "word:a . word:1 . word:2"],
    [
      "x'41' X'4a' b'01' n'a' N'b' xy'z'",
      "string:x'41' string:X'4a' string:b'01' string:n'a' string:N'b' word:xy string:'z'",
    ],
    ["_utf8mb4'x' 'a''b' \"c\"", `word:_utf8mb4 string:'x' string:'a''b' string:"c"`],
    ["'a\\'b' FROM", "string:'a\\'b' key:FROM"],
    ["`a``b` `a\\`", "quoted:`a``b` quoted:`a\\`"],
    [
      "@a @'a b' @`c` @ x @a.b$c",
      "variable:@a variable:@'a b' variable:@`c` variable:@ word:x variable:@a.b$c",
    ],
    ["u@localhost 'u'@'%'", "word:u variable:@localhost string:'u' variable:@'%'"],
    [
      "@@kill @@global.x @@session . y @@`z`",
      "systemVariable:@@ key:kill systemVariable:@@ key:global . word:x systemVariable:@@ key:session . word:y systemVariable:@@ quoted:`z`",
    ],
    ["a? ?", "word:a parameter:? parameter:?"],
    ["été 表", "word:été word:表"],
    ["a.été", "word:a . word:été"],
    ["$1 a$$b t.$x$ $a", "word:$1 word:a$$b word:t . word:$x$ word:$a"],
  ])("%s", (text, expected) => {
    expect(read(text)).toBe(expected);
    expect(read(text, mariadb)).toBe(expected);
  });

  it("quotes and backslashes as sql_mode says", () => {
    expect(read('"a""b"', { ...mysql, ansiQuotes: true })).toBe('quoted:"a""b"');
    expect(read("'a\\' FROM b -- '", { ...mysql, noBackslashEscapes: true })).toBe(
      "string:'a\\' key:FROM word:b",
    );
    expect(read('@"a\\" FROM b -- "', { ...mysql, ansiQuotes: true })).toBe(
      'variable:@"a\\" key:FROM word:b',
    );
    expect(read("n'a\\' FROM b -- '", { ...mysql, noBackslashEscapes: true })).toBe(
      "string:n'a\\' key:FROM word:b",
    );
  });

  it("MariaDB's ranges and dollars", () => {
    expect(read("1..10", mariadb)).toBe("number:1 . . number:10");
    expect(read("1..10")).toBe("number:1. number:.10");
    expect(read("$$ $a$", mariadb)).toBe("word:$$ word:$a$");
  });
});

describe("lex() refuses", () => {
  it.each([
    ["'a", "a string without an end"],
    ["'a\\'", "a string without an end"],
    ["x'4'", "a malformed hexadecimal or binary literal"],
    ["x'zz'", "a malformed hexadecimal or binary literal"],
    ["b'12'", "a malformed hexadecimal or binary literal"],
    ["`a", "a quoted name without an end"],
    ["``", "an empty name"],
    ["`a\0b`", "a quoted name with bytes that are no characters"],
    ["/* a", "a comment without an end"],
    ["/*! a", "an executable comment without an end"],
    ["/*! /*! a */", "an executable comment inside another"],
    ["/*!999999 /* a */", "a comment without an end"],
    ["1.5e", "a number with an exponent that has no digits"],
    ["a \0 b", "a NUL byte"],
    ["# a \0 b\n", "a NUL byte"],
    ["@'a", "a variable whose name has no end"],
    ["@@ a", "a system variable without a name"],
    ["1--/*! 2 */", "two dashes before the mark of an executable comment"],
    ["/*! 1--*/ 2", "two dashes before the mark of an executable comment"],
  ])("%j", (text, reason) => {
    for (const options of [mysql, mariadb]) expect(read(text, options)).toContain(`! ${reason}`);
  });

  it("MySQL's dollar quotes", () => {
    expect(read("SELECT $$")).toContain("! a dollar-quoted text");
    expect(read("SELECT $a$ ' $a$")).toContain("! a dollar-quoted text");
  });

  it("bytes that are no characters of a name, and NUL only where servers do", () => {
    const of = (bytes: string, characterSet: LexOptions["characterSet"]) =>
      lex(bytes, { ...mysql, characterSet }).refusal?.reason ?? "read";
    const noName = "a byte that is no character of a name";
    for (const bytes of ["a\xa0b", "\xe9 ", "\xc0\x80", "\xed\xa0\x80", "\xf8\x80\x80\x80", "a\xe4\xb8"]) {
      expect(of(bytes, "utf8"), bytes).toBe(noName);
      expect(of(`'${bytes}'`, "utf8")).toBe("read");
      expect(of(`/*${bytes}*/`, "utf8")).toBe("read");
      expect(of(`\`${bytes}\``, "utf8")).toBe("a quoted name with bytes that are no characters");
    }
    expect(of("caf\xe9", "latin1")).toBe("read");
    expect(of("`caf\xa0`", "latin1")).toBe("read");
    // A space to servers: `FROM\xa0secret` must not become one name.
    for (const bytes of ["FROM\xa0secret", "a\xd7", "a\x80", "--\xa0"])
      expect(of(bytes, "latin1")).toBe(noName);
    expect(of("caf\xe9", "ascii")).toBe(noName);
    expect(of("`caf\xe9`", "ascii")).toBe("a quoted name with bytes that are no characters");
    expect(of("'caf\xe9'", "ascii")).toBe("read");
    expect(of("'a'", "unsafe")).toBe("read");
    expect(of("'\xe9\\'", "unsafe")).toMatch(/character set/);
    expect(of("a", "unreadable")).toMatch(/character set/);
    expect(of("'a\0b' /* \0 */", "utf8")).toBe("read");
  });
});

/** [text, MySQL 9.7.4 reads, MariaDB 10.11.19 reads], all measured. */
const executable: readonly (readonly [string, string, string])[] = [
  ["/*! 1 */", "number:1", "number:1"],
  ["/*!50000 1 */", "number:1", "number:1"],
  ["/*!500001*/", "refused", ""],
  ["/*!50000 '*/' */ 2", "string:'*/' number:2", "string:'*/' number:2"],
  ["/*!80000 1 */", "number:1", ""],
  ["/*!090100 1 */", "number:1", ""],
  ["/*!90704 1 */", "number:1", ""],
  ["/*!90705 1 */", "", ""],
  ["/*!100100 1 */", "", "number:1"],
  ["/*!101119 1 */", "", "number:1"],
  ["/*!101120 1 */", "", ""],
  ["/*!999999 1 */", "", ""],
  ["/*!999999*/ 2", "number:2", "number:2"],
  ["/*!100000+1*/", "refused", "+ number:1"],
  ["/*!00000 1 */", "number:1", "number:1"],
  ["/*!5000 1 */", "number:5000 number:1", "number:5000 number:1"],
  ["/*M! 1 */", "", "number:1"],
  ["/*M!100100 1 */", "", "number:1"],
  ["/*M!80000 1 */", "", "number:1"],
  ["/*m! 1 */", "", ""],
  ["/* ! 1 */", "", ""],
  ["/*!99999 1 /* x */ , 3 */ 4", "number:4", "number:4"],
  ["/*! 1 /* x */ , 3 */ 4", "number:1 , number:3 number:4", "number:1 , number:3 number:4"],
  ["/*! 1 /*!99999 x */ , 3 */ 4", "number:1 , number:3 number:4", "number:1 , number:3 number:4"],
  ["/*!50000 # x */\n + 1 */", "+ number:1", "+ number:1"],
  ["/*!50000 ; 1 */", "; number:1", "; number:1"],
  ["a /*!*/ b", "word:a word:b", "word:a word:b"],
];

describe("executable comments", () => {
  it.each(executable)("%s", (text, onMysql, onMariadb) => {
    const shown = (options: LexOptions) =>
      read(text, options).includes("!") ? "refused" : read(text, options);
    expect(shown(mysql)).toBe(onMysql);
    expect(shown(mariadb)).toBe(onMariadb);
  });

  it("have five digits on MySQL 5.7, and a sixth is refused where nobody is sure", () => {
    expect(read("/*!100100 1 */", { ...mysql, version: 50_744 })).toBe("number:0 number:1");
    expect(read("/*!080013 1 */", { ...mysql, version: 80_030 })).toContain("!");
    expect(read("/*!080013 1 */", { ...mysql, version: 80_400 })).toBe("number:1");
  });

  it("can be resolved: what is left reads the same everywhere, at the same offsets", () => {
    let tried = 0;
    for (const [text] of executable) {
      for (const options of [mysql, mariadb]) {
        const tokens = lex(text, options);
        if (tokens.refusal !== null) continue;
        const bytes = resolveExecutableComments(Buffer.from(text), tokens.executableParts);
        const resolved = Buffer.from(bytes).toString();
        expect(resolved).toHaveLength(text.length);
        expect(read(resolved, mysql)).toBe(read(text, options));
        expect(read(resolved, mariadb)).toBe(read(text, options));
        tried += 1;
      }
    }
    expect(tried).toBeGreaterThan(40);
  });

  it("hints are kept apart", () => {
    const tokens = lex("SELECT /*+ SET_VAR(a=1) */ 1", mysql);
    expect(tokens.hints).toEqual([10, 24]);
    expect(tokens.text.slice(10, 24)).toBe(" SET_VAR(a=1) ");
  });
});

describe("literals of a list", () => {
  it.each([
    ["(1,2,3)", "( literals:1,2,3 )"],
    ["(1)", "( number:1 )"],
    ["(-1,'a',NULL,_utf8'x',DEFAULT)", "( literals:-1,'a',NULL,_utf8'x',DEFAULT )"],
    ["(1,a,2)", "( number:1 , word:a , number:2 )"],
    ["(1,2,f(3,4))", "( literals:1,2 , word:f ( literals:3,4 ) )"],
    ["(1,(SELECT a),2)", "( number:1 , ( key:SELECT word:a ) , number:2 )"],
    ["1,2", "number:1 , number:2"],
    ["(t.NULL,1)", "( word:t . word:NULL , number:1 )"],
    ["v (1,2),(3,4),(5,6) w", "word:v ( literals:1,2),(3,4),(5,6 ) word:w"],
    ["(1,2),(a,4)", "( literals:1,2 ) , ( word:a , number:4 )"],
  ])("%s become one token", (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  it("so 16 MiB of rows have few tokens, and time is linear", () => {
    const row = "(1,'abc',-2.5,NULL),";
    const text = `INSERT INTO t VALUES ${row.repeat(Math.ceil((16 << 20) / row.length))}(1)`;
    const tokens = lex(text, mysql);
    expect(tokens.refusal).toBeNull();
    expect(tokens.count).toBeLessThan(20);
  });

  it("and a text with too many other tokens is refused within bounded memory", () => {
    const tokens = lex("a,".repeat(tokensMax), mysql);
    expect(tokens.refusal?.reason).toBe("too many tokens");
    expect(tokens.count).toBe(tokensMax);
  });
});

describe("parentheses", () => {
  const problem = (text: string) => lex(text, mysql).matchParentheses()?.reason ?? null;
  it("are matched within each statement", () => {
    const tokens = lex("f((a), b)", mysql);
    expect(tokens.matchParentheses()).toBeNull();
    expect([1, 2].map((index) => tokens.match(index))).toEqual([7, 4]);
    for (const text of ["(", ")", "(;)", "())("]) expect(problem(text), text).toMatch(/partner/);
    expect(problem("(a);(b)")).toBeNull();
    expect(problem("(".repeat(100_000))).toBe("too many nested parentheses");
  });
});

describe("what a server says of itself", () => {
  it("gives family and version", () => {
    expect(parseServerVersion("8.0.44-35.1")).toEqual({ flavour: "mysql", version: 80_044 });
    expect(parseServerVersion("9.7.4")).toEqual({ flavour: "mysql", version: 90_704 });
    expect(parseServerVersion("5.5.5-10.11.19-MariaDB-1~deb12")).toEqual({
      flavour: "mariadb",
      version: 101_119,
    });
    expect(parseServerVersion("11.4.2-MariaDB")).toEqual({ flavour: "mariadb", version: 110_402 });
    expect(parseServerVersion("nonsense")).toBeNull();
  });

  it("gives modes and character sets", () => {
    expect(readingModesOf("")).toMatchObject({ ansiQuotes: false, noBackslashEscapes: false });
    expect(readingModesOf("ansi, NO_BACKSLASH_ESCAPES")).toMatchObject({
      ansiQuotes: true,
      ignoreSpace: true,
      noBackslashEscapes: true,
    });
    expect(readingModesOf("ORACLE")).toMatchObject({ oracle: true, ansiQuotes: true });
    expect(readingModesOf("MSSQL")).toMatchObject({ oracle: true });
    expect(readingModesOf("4")).toBeNull();
    expect(readingModesOf("a b")).toBeNull();
    const sets = ["UTF8MB4", "latin1", "koi8r", "gbk", "nosuch", "swe7"].map(characterSetClass);
    expect(sets).toEqual(["utf8", "latin1", "ascii", "gbk", "unsafe", "unreadable"]);
  });
});

describe("rows of a long list", () => {
  const tokensOf = (row: (index: number) => string, rows = 5000) => {
    const text = `INSERT INTO t VALUES ${Array.from({ length: rows }, (_, index) => row(index)).join(", ")}`;
    return lex(text, mysql).count;
  };

  it("that differ in literals only are read once", () => {
    expect(
      tokensOf((index) => `(${index}, NOW(), 'x${index}', a + ${index % 2 === 0 ? "NULL" : index})`),
    ).toBeLessThan(3000);
    expect(tokensOf((index) => `(${index}, CONCAT(UPPER('x${index}'), ?))`)).toBeLessThan(3000);
  });

  it.each([
    ["names", (index: number) => `(${index}, f${index % 7}(1))`],
    ["identity functions, each of which may be replaced", (index: number) => `(${index}, USER())`],
    ["variables", (index: number) => `(${index}, f(@a), @@b)`],
    ["quoted names", (index: number) => `(${index}, \`f\`(1))`],
    ["more than literals", (index: number) => (index % 2 === 0 ? "(1, f(1))" : "(1, f(1, 2), 3)")],
  ])("that differ in %s are all kept", (_, row) => {
    expect(tokensOf(row)).toBeGreaterThan(5000 * 5);
  });

  it("name every table of theirs", () => {
    const rows = Array.from({ length: 3000 }, (_, index) => `(${index}, (SELECT 1 FROM t${index % 50}))`);
    const text = `INSERT INTO t VALUES ${rows.join(",")}`;
    const [summary] = analyzeText(Buffer.from(text), contextOf("mariadb", { defaultSchema: "d" })).statements;
    expect(summary?.reads).toHaveLength(50);
  });
});

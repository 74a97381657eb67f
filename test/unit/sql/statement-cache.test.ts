import { describe, expect, it } from "vitest";
import { analyzeText } from "../../../src/sql/analyze.ts";
import { fingerprint } from "../../../src/sql/fingerprint.ts";
import { lex } from "../../../src/sql/lexer.ts";
import { internContext, StatementCache } from "../../../src/sql/statement-cache.ts";
import { contextOf } from "./support.ts";

const context = internContext(contextOf("mysql", { defaultSchema: "d" }));
const shape = (sql: string) =>
  fingerprint(
    lex(sql, {
      ansiQuotes: false,
      noBackslashEscapes: false,
      flavour: "mysql",
      version: 90_704,
      characterSet: "utf8",
    }),
  );

describe("fingerprint()", () => {
  it.each([
    ["SELECT a FROM t WHERE b = 1", "select  a\nFROM t /* x */ where b = 25"],
    ["SELECT 'a', 1.5", "SELECT 'b''c', 0x41"],
    ["SELECT a IN (1,2,3)", "SELECT a IN (4,5)"],
    ["INSERT INTO t VALUES (1,'a'),(2,'b')", "INSERT INTO t VALUES (3,'c')"],
  ])("is the same for %j and %j", (one, other) => {
    expect(shape(one)).toBe(shape(other));
  });

  it.each([
    ["SELECT a FROM t", "SELECT a FROM T"],
    ["SELECT a FROM status", "SELECT a FROM Status"],
    ["SELECT count(a)", "SELECT count (a)"],
    ["SELECT 1", "SELECT '1'"],
    ["SELECT 1", "SELECT ?"],
    ["SELECT `a`", "SELECT a"],
    ["SELECT 'a'", "SELECT `'a'`"],
    ["SELECT `a b`", "SELECT `a` b"],
    ["SELECT a.b", "SELECT a . b"],
    ["SELECT @a", "SELECT @b"],
    ["SELECT -1", "SELECT 1"],
    ["SELECT f()", "SELECT f(1)"],
  ])("is not the same for %j and %j", (one, other) => {
    expect(shape(one)).not.toBe(shape(other));
  });
});

describe("StatementCache", () => {
  it("gives the same object for the same text, and for another of its shape", () => {
    const cache = new StatementCache();
    const of = (sql: string) => cache.analyze(Buffer.from(sql), context);
    const first = of("SELECT a FROM t WHERE b = 1");
    expect(of("SELECT a FROM t WHERE b = 1")).toBe(first);
    expect(of("SELECT a FROM t WHERE b = 2")).toBe(first);
    expect(of("SELECT a FROM t2 WHERE b = 2")).not.toBe(first);
    expect(cache.figures).toMatchObject({ textHits: 1, shapeHits: 1, misses: 2 });
    const other = internContext(contextOf("mysql", { defaultSchema: "e" }));
    expect(
      cache.analyze(Buffer.from("SELECT a FROM t WHERE b = 1"), other).statements[0]?.reads[0]?.schema,
    ).toBe("e");
  });

  it("shares nothing where a literal, or a place in the text, is part of the answer", () => {
    const cache = new StatementCache();
    const pairs = [
      ["PREPARE s FROM 'SELECT * FROM a'", "PREPARE s FROM 'SELECT * FROM b'"],
      ["SET sql_mode = 'ANSI'", "SET sql_mode = ''"],
      ["KILL 1", "KILL 2"],
      ["LOAD DATA LOCAL INFILE 'a' INTO TABLE t", "LOAD DATA LOCAL INFILE 'b' INTO TABLE t"],
      ["SELECT 'a', USER()", "SELECT 'abc', USER()"],
      ["SELECT 1 FROM t WHERE (", "SELECT 100 FROM t WHERE ("],
      ["SELECT 1 /*!50000 FROM a */", "SELECT 1 /*!99999 FROM a */"],
      ["SELECT /*+ SET_VAR(a=1) */ 1", "SELECT /*+ SET_VAR(b=1) */ 1"],
      ["SELECT 1 INTO OUTFILE 'a'", "SELECT 1 INTO OUTFILE 'b'"],
    ] as const;
    for (const pair of pairs) {
      for (const sql of [...pair, ...pair]) {
        const text = Buffer.from(sql);
        expect(cache.analyze(text, context), sql).toEqual(analyzeText(text, context));
      }
    }
    expect(cache.figures.shapeHits).toBe(0);
  });

  it("never holds more bytes than it may, and keeps what is asked for often", () => {
    const cache = new StatementCache({ bytesMax: 50_000 });
    const often = Buffer.from("SELECT often FROM t");
    const first = cache.analyze(often, context);
    for (let count = 0; count < 2000; count += 1) {
      cache.analyze(Buffer.from(`SELECT c${count} FROM t`), context);
      expect(cache.analyze(often, context)).toBe(first);
      expect(cache.figures.bytes).toBeLessThanOrEqual(50_000);
    }
    expect(cache.figures.evictions).toBeGreaterThan(1000);
    expect(cache.figures.entries).toBeLessThan(100);
    cache.clear();
    expect(cache.figures).toMatchObject({ entries: 0, bytes: 0 });
  });

  it("keeps texts of a known shape from the second time on", () => {
    const cache = new StatementCache();
    const of = (id: number) => cache.analyze(Buffer.from(`SELECT a FROM t WHERE b = ${id}`), context);
    for (let id = 0; id < 5000; id += 1) of(id);
    expect(cache.figures).toMatchObject({ entries: 2, shapeHits: 4999, textHits: 0 });
    of(4998);
    of(4998);
    expect(cache.figures).toMatchObject({ entries: 3, shapeHits: 5000, textHits: 1 });
  });

  it("keeps one that is used while all others go, whichever is the oldest", () => {
    const cache = new StatementCache({ bytesMax: 3000 });
    const of = (name: string) => cache.analyze(Buffer.from(`SHOW TABLES LIKE '${name}'`), context);
    const first = of("first");
    for (let count = 0; count < 50; count += 1) {
      of(`x${count}`);
      expect(of("first")).toBe(first);
    }
    cache.clear();
    expect(of("first")).not.toBe(first);
    expect(cache.figures.entries).toBe(1);
  });

  it("does not keep long texts", () => {
    const cache = new StatementCache({ textBytesMax: 100 });
    const text = Buffer.from(`SELECT '${"x".repeat(200)}' FROM t`);
    expect(cache.analyze(text, context)).toEqual(cache.analyze(text, context));
    expect(cache.figures).toMatchObject({ misses: 2, entries: 0 });
  });

  it("wants contexts that are one object per value", () => {
    expect(internContext(contextOf("mysql", { defaultSchema: "d" }))).toBe(context);
    expect(internContext(contextOf("mysql", { defaultSchema: "x", modes: null }))).toBe(
      internContext(contextOf("mysql", { defaultSchema: "x", modes: null })),
    );
    expect(() => new StatementCache().analyze(Buffer.from("SELECT 1"), contextOf("mysql"))).toThrow(
      /internContext/,
    );
  });
});

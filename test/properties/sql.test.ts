// Properties of the analysis: nothing that comes in breaks it or takes long, lexical changes do not change the meaning, and
// the cache answers as the analyser does.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { analyzeText } from "../../src/sql/analyze.ts";
import type { AnalyzedText } from "../../src/sql/analyzed-text.ts";
import type { Flavour, LexOptions } from "../../src/sql/dialect.ts";
import { findKill, mayContainKill } from "../../src/sql/kill.ts";
import { lex } from "../../src/sql/lexer.ts";
import { reservedWords } from "../../src/sql/reserved-words.ts";
import { rewriteIdentity } from "../../src/sql/rewrite.ts";
import { internContext, StatementCache } from "../../src/sql/statement-cache.ts";
import { statementHeads } from "../../src/sql/statement-heads.ts";
import { TokenKind } from "../../src/sql/tokens.ts";
import { wordNames } from "../../src/sql/words.ts";
import { RandomStatements } from "../support/random-statements.ts";
import { contextOf } from "../unit/sql/support.ts";

const runs = Number(process.env.GATEHOUSE_PROPERTY_RUNS ?? "300");
const flavours: readonly Flavour[] = ["mysql", "mariadb"];

const fixture: readonly { sql: string; on: string; mode?: string }[] = JSON.parse(
  readFileSync(new URL("../fixtures/sql/statements.json", import.meta.url), "utf8"),
);

/** The reason that only a fault of ours gives. */
const fault = "a statement that the analysis failed on";

function expectSound(text: Uint8Array): void {
  for (const flavour of flavours) {
    for (const modes of [null, contextOf(flavour).modes]) {
      const analyzed = analyzeText(text, contextOf(flavour, { modes }));
      expect(analyzed.statements.length).toBeGreaterThan(0);
      expect(analyzed.statements.map((one) => one.uncertain?.reason)).not.toContain(fault);
      const killed = analyzed.statements.some((one) => one.kill !== null);
      if (killed)
        expect(mayContainKill(text) || /prepare|immediate/i.test(Buffer.from(text).toString("latin1"))).toBe(
          true,
        );
    }
  }
}

describe("whatever comes in", () => {
  it("random bytes are analysed", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => expectSound(bytes)),
      { numRuns: runs },
    );
  });

  it("random tokens are analysed", () => {
    const pieces = [
      ...wordNames.filter((word) => word !== ""),
      "a",
      "t1",
      "`b`",
      "'x'",
      '"y"',
      "1",
      "?",
      "@v",
      "@@",
      "/*!50000",
      "*/",
      "\n",
      ".",
    ];
    const soup = fc.array(fc.constantFrom(...pieces), { maxLength: 40 });
    const statement = fc
      .tuple(fc.constantFrom(...statementHeads), soup)
      .map(([head, rest]) => [head, ...rest].join(" "));
    fc.assert(
      fc.property(statement, (sql) => expectSound(Buffer.from(sql))),
      { numRuns: runs * 3 },
    );
  });

  it("statements are analysed when cut anywhere", () => {
    const cut = fc
      .constantFrom(...fixture)
      .chain(({ sql }) => fc.nat(sql.length).map((end) => sql.slice(0, end)));
    fc.assert(
      fc.property(cut, (sql) => expectSound(Buffer.from(sql))),
      { numRuns: runs },
    );
  });

  it("statements are analysed with any token left out or doubled", () => {
    const options: LexOptions = {
      ansiQuotes: false,
      noBackslashEscapes: false,
      flavour: "mysql",
      version: 90_704,
      characterSet: "utf8",
    };
    const changed = fc
      .tuple(fc.constantFrom(...fixture), fc.nat(60), fc.boolean())
      .map(([{ sql }, index, doubled]) => {
        const text = Buffer.from(sql).toString("latin1");
        const tokens = lex(text, options);
        const at = tokens.count === 0 ? 0 : index % tokens.count;
        const [start, end] = [tokens.start(at), tokens.end(at)];
        return (
          text.slice(0, doubled ? end : start) +
          (doubled ? ` ${text.slice(start, end)}` : " ") +
          text.slice(end)
        );
      });
    fc.assert(
      fc.property(changed, (sql) => expectSound(Buffer.from(sql, "latin1"))),
      { numRuns: runs },
    );
  });

  it.each([
    ["open parentheses", "(".repeat(1 << 20)],
    ["nested calls", `SELECT ${"f(".repeat(199)}${")".repeat(199)}`],
    ["nested queries", `${"SELECT (".repeat(199)}1${")".repeat(199)}`],
    ["nested derived tables", `${"SELECT * FROM (".repeat(199)}SELECT 1${") a".repeat(199)}`],
    ["nested WITH", `${"WITH a AS (".repeat(199)}SELECT 1${") SELECT 1".repeat(199)}`],
    ["set operators", `SELECT 1${" UNION SELECT 1".repeat(1 << 16)}`],
    ["joins", `SELECT 1 FROM t${" JOIN t ON 1".repeat(1 << 16)}`],
    ["different tables", `SELECT 1 FROM t${Array.from({ length: 1 << 15 }, (_, n) => `,t${n}`).join("")}`],
    [
      "elements of WITH",
      `WITH ${Array.from({ length: 1 << 15 }, (_, n) => `a${n} AS (SELECT 1)`).join()} SELECT 1`,
    ],
    ["statements", "SELECT 1;".repeat(1 << 16)],
    ["semicolons", ";".repeat(1 << 20)],
    ["EXPLAIN", `${"EXPLAIN ".repeat(1 << 16)}SELECT 1`],
    ["SET STATEMENT", `${"SET STATEMENT a=1 FOR ".repeat(1 << 14)}SELECT 1`],
    ["braces", `SELECT * FROM ${"{oj ".repeat(1 << 16)}t`],
    ["blocks", `CREATE PROCEDURE p() ${"BEGIN ".repeat(1 << 16)}`],
    ["IF in IF", `CREATE PROCEDURE p() ${"IF 1 THEN ".repeat(1 << 16)}`],
    ["labels", `CREATE PROCEDURE p() ${"a:".repeat(1 << 16)}`],
    ["handlers", `CREATE PROCEDURE p() BEGIN ${"DECLARE EXIT HANDLER FOR 1 BEGIN ".repeat(1 << 14)}`],
    ["dots", `SELECT ${"a.".repeat(1 << 18)}a`],
    ["quotes", `SELECT ${"'a' ".repeat(1 << 18)}`],
    ["hints of many statements", "SELECT /*+ SET_VAR(a=1) */ 1;".repeat(1 << 15)],
    [
      "columns of many tables",
      `UPDATE ${Array.from({ length: 1 << 14 }, (_, n) => `t${n}`).join()} SET ${Array.from({ length: 1 << 14 }, (_, n) => `t${n}.x=1`).join()}`,
    ],
    [
      "targets of DELETE",
      `DELETE ${Array.from({ length: 1 << 14 }, (_, n) => `t${n}`).join()} FROM ${Array.from({ length: 1 << 14 }, (_, n) => `t${n}`).join()}`,
    ],
    ["executable comments", `SELECT 1${"/*! +1 */".repeat(1 << 16)}`],
    ["skipped comments", `SELECT 1${"/*!99999 /* */ */".repeat(1 << 16)}`],
    ["unended skipped comments", "/*!99999 /* */".repeat(1 << 16)],
    ["hints", `SELECT ${"/*+ SET_VAR(a=1) */".repeat(1 << 15)} 1`],
    ["spaces in a hint", `SELECT /*+ SET_VAR${" ".repeat(1 << 20)} */ 1`],
    ["assignments", `SET ${Array.from({ length: 1 << 15 }, () => "a=1").join()}`],
    ["columns", `UPDATE a, b SET ${Array.from({ length: 1 << 15 }, () => "x=1").join()}`],
    ["tables of DROP", `DROP TABLE ${Array.from({ length: 1 << 15 }, (_, n) => `t${n}`).join()}`],
    ["identity tokens", `SELECT ${Array.from({ length: 1 << 13 }, () => "USER()").join()}`],
    ["a prepared text", `PREPARE s FROM '${"SELECT 1 UNION ".repeat(1 << 15)}SELECT 1'`],
    ["kill", "kill ".repeat(1 << 18)],
  ])("%s take no time out of proportion", (_, sql) => {
    const text = Buffer.from(sql);
    const started = performance.now();
    for (const flavour of flavours) {
      const analyzed = analyzeText(text, contextOf(flavour));
      expect(analyzed.statements.map((one) => one.uncertain?.reason)).not.toContain(fault);
    }
    // A quadratic step would take minutes.
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

/** What lexical changes must leave alone: everything but places, and reasons, which name places. */
function meaning(analyzed: AnalyzedText): unknown {
  return analyzed.statements.map(({ identityTokens, unnamedItems, ownShow, uncertain, ...rest }) => ({
    ...rest,
    ownShow: ownShow?.what,
    identity: identityTokens.map(({ name, place, global }) => [name, place, global]),
    unnamed: unnamedItems.length,
    uncertain: uncertain?.symbol ?? null,
  }));
}

const separators = [
  " ",
  "\n",
  "\t ",
  "/**/",
  " /* ; ' ` */ ",
  " -- , secret\n",
  "#x\n",
  "/*!99999 , secret */",
  "\r\n",
];

const blanks = separators.filter((one) => one.trim() === "");

/** The same statement with other white space, comments, and case of reserved words. */
function mutant(sql: string, mode: string, flavour: Flavour, numbers: readonly number[]): string {
  const text = Buffer.from(sql).toString("latin1");
  const modes = contextOf(flavour, { mode }).modes;
  const tokens = lex(text, {
    ansiQuotes: modes?.ansiQuotes === true,
    noBackslashEscapes: modes?.noBackslashEscapes === true,
    flavour,
    version: contextOf(flavour).version,
    characterSet: "utf8",
  });
  let result = "";
  let opened = false;
  for (let index = 0; index < tokens.count; index += 1) {
    const number = numbers[index % numbers.length] ?? 0;
    const start = tokens.start(index);
    const gap = index > 0 && text.slice(tokens.end(index - 1), start) !== "";
    if (gap || index === 0) {
      // `*` and a comment right after it would end an executable one.
      if (result.endsWith("*")) result += " ";
      // With IGNORE_SPACE a comment between a function and its parenthesis is more than space.
      const isCall = tokens.word(index) === "(" && modes?.ignoreSpace === true;
      const choices = isCall ? blanks : separators;
      result += choices[number % choices.length];
      // Once in a while the rest stands in an executable comment.
      const plain = tokens.executableParts.length === 0 && tokens.hints.length === 0;
      if (gap && !opened && !isCall && plain && number % 7 === 0) {
        result += "/*!50000 ";
        opened = true;
      }
    }
    const written = tokens.slice(index);
    const isReserved = tokens.kind(index) === TokenKind.word && reservedWords.has(tokens.word(index));
    result += isReserved && number % 2 === 0 ? written.toLowerCase() : written;
  }
  return Buffer.from(opened ? `${result} */` : result, "latin1").toString();
}

describe("lexical changes", () => {
  for (const flavour of flavours) {
    it(`do not change the meaning (${flavour})`, () => {
      const options = {
        ansiQuotes: false,
        noBackslashEscapes: false,
        flavour,
        version: contextOf(flavour).version,
      } as const;
      const own = fixture.filter(({ sql, on }) => {
        if (on !== "both" && on !== flavour) return false;
        // Resolved comments and unreadable texts have no tokens to write again; a name may end where a space begins.
        const tokens = lex(Buffer.from(sql).toString("latin1"), { ...options, characterSet: "utf8" });
        return (
          tokens.refusal === null &&
          tokens.executableParts.length + tokens.hints.length === 0 &&
          tokens.count > 0
        );
      });
      expect(own.length).toBeGreaterThan(200);
      const numbers = fc.array(fc.nat(1000), { minLength: 12, maxLength: 12 });
      fc.assert(
        fc.property(fc.constantFrom(...own), numbers, ({ sql, mode = "" }, choice) => {
          const changed = mutant(sql, mode, flavour, choice);
          const context = contextOf(flavour, { mode, defaultSchema: "d" });
          expect(meaning(analyzeText(Buffer.from(changed), context)), changed).toEqual(
            meaning(analyzeText(Buffer.from(sql), context)),
          );
        }),
        { numRuns: runs },
      );
    });
  }
});

describe("random statements", () => {
  it("are answered by the cache as by the analyser", () => {
    const cache = new StatementCache({ bytesMax: 200_000 });
    for (const flavour of flavours) {
      const context = internContext(contextOf(flavour, { defaultSchema: "d" }));
      const random = new RandomStatements(23);
      for (let count = 0; count < runs; count += 1) {
        const sql = random.next();
        // The same shape with other literals.
        for (const text of [sql, sql.replace(/\b1\b/g, "22"), sql]) {
          const bytes = Buffer.from(text);
          expect(cache.analyze(bytes, context)).toEqual(analyzeText(bytes, context));
        }
      }
    }
    expect(cache.figures.shapeHits).toBeGreaterThan(runs / 3);
    expect(cache.figures.textHits).toBeGreaterThan(runs / 3);
  });

  it("hold no KILL and lose no byte to a rewriting that has nothing to do", () => {
    const random = new RandomStatements(29);
    const values = {
      user: "u@h",
      currentUser: "u@%",
      currentRole: null,
      connectionId: 1,
      proxyUser: null,
      externalUser: null,
      rowsOf: () => "SELECT 1",
      shownVariables: () => "SELECT 1",
      proxyUsers: {
        check: false,
        mysqlNativePassword: false,
        cachingSha2Password: false,
        sha256Password: false,
      },
    };
    for (let count = 0; count < runs; count += 1) {
      const text = Buffer.from(random.next());
      const context = contextOf("mysql", { defaultSchema: "d" });
      expect(rewriteIdentity(text, analyzeText(text, context), values, context)).toBe(text);
      const options = {
        ansiQuotes: false,
        noBackslashEscapes: false,
        flavour: "mysql",
        version: 90_704,
        characterSet: "utf8",
      } as const;
      expect(findKill(text.toString("latin1"), options)).toBeNull();
    }
  });
});

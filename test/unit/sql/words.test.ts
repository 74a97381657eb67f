// A keyword that the lexer does not know would never be met by the analyser that asks for it: every word in capitals that
// the sources compare with must be known.
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { lex } from "../../../src/sql/lexer.ts";
import { statementHeads } from "../../../src/sql/statement-heads.ts";
import { wordNames, wordSet } from "../../../src/sql/words.ts";

const folder = resolve(import.meta.dirname, "../../../src/sql");
/** Files with words in capitals that are no keywords: names of functions, of modes, of kinds. */
const others = new Set([
  "builtin-functions.ts",
  "dialect.ts",
  "plain-statement.ts",
  "statement-summary.ts",
  "words.ts",
  "object-name.ts",
]);

describe("the words of the lexer", () => {
  it("hold every word that the analyser asks for", () => {
    const known = new Set(wordNames);
    const unknown: string[] = [];
    let seen = 0;
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".ts") && !others.has(name))) {
      const source = readFileSync(join(folder, file), "utf8").replace(/\/\/.*|\/\*[\s\S]*?\*\//g, "");
      for (const [, text = ""] of source.matchAll(/"([A-Z][A-Z_ ]+)"/g)) {
        for (const word of text.split(" ")) {
          seen += 1;
          if (!known.has(word) && !word.startsWith("ER_")) unknown.push(`${file}: ${word}`);
        }
      }
    }
    expect(seen).toBeGreaterThan(500);
    expect(unknown.filter((line) => !/: (UNKNOWN|EMPTY|COMPOUND|SQL_)$/.test(line))).toEqual([]);
  });

  it("are found in any case, and nothing else is", () => {
    const options = {
      ansiQuotes: false,
      noBackslashEscapes: false,
      flavour: "mysql",
      version: 90_704,
      characterSet: "utf8",
    } as const;
    for (const word of wordNames.filter((name) => name.length > 1)) {
      const text = `${word} ${word.toLowerCase()} x${word} ${word}x \`${word}\` a.${word} ${word}.a`;
      const tokens = lex(text, options);
      const found = Array.from({ length: tokens.count }, (_, index) => tokens.word(index)).filter(
        (name) => name === word,
      );
      expect(found, word).toHaveLength(2);
      tokens.release();
    }
  });

  it("are wanted by sets at load", () => {
    expect(() => wordSet("SELECT CONJURE")).toThrow(/CONJURE/);
    expect(statementHeads.length).toBeGreaterThan(50);
    for (const head of statementHeads) expect(wordNames).toContain(head);
  });
});

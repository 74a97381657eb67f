import { describe, expect, it } from "vitest";
import type { LexOptions } from "../../../src/sql/dialect.ts";
import { findKill, mayContainKill } from "../../../src/sql/kill.ts";

const mysql: LexOptions = {
  ansiQuotes: false,
  noBackslashEscapes: false,
  flavour: "mysql",
  version: 90_704,
  characterSet: "utf8",
};
const mariadb: LexOptions = { ...mysql, flavour: "mariadb", version: 101_119 };

function find(text: string, options = mysql): string {
  const kill = findKill(text, options);
  return kill === null ? "none" : `${kill.scope} ${kill.of ?? kill.id}`;
}

describe("findKill()", () => {
  it.each([
    ["KILL 5", "connection 5"],
    ["kill/**/5;", "connection 5"],
    [" -- x\n KiLl\tConnection 5 ; ; ", "connection 5"],
    ["KILL QUERY 5", "query 5"],
    ["/*!50000 KILL */ query 5", "query 5"],
    ["KILL /*! QUERY */ 5", "query 5"],
    ["KILL '5'", "connection 5"],
    ["KILL HARD QUERY 5", "query 5"],
    ["KILL SOFT CONNECTION 5", "connection 5"],
    ["KILL QUERY ID 5", "query null"],
    ["KILL USER bob", "connection null"],
    ["KILL CONNECTION USER bob@localhost", "connection null"],
    ["KILL ?", "connection null"],
    ["KILL QUERY ?", "query null"],
    ["KILL 1+1", "connection null"],
    ["KILL Connection_Id ( )", "connection CONNECTION_ID()"],
    ["KILL QUERY connection_id();", "query CONNECTION_ID()"],
    ["KILL CONNECTION_ID() + 1", "connection null"],
    ["KILL HARD CONNECTION @Id_1", "connection @Id_1"],
    ["KILL @`a b`", "connection null"],
    ["KILL @a + 1", "connection null"],
    ["SELECT 1; KILL CONNECTION_ID()", "connection null"],
    ["KILL (5)", "connection null"],
    ["KILL 99999999999999999999", "connection null"],
    ["KILL @@pseudo_thread_id", "connection null"],
    ["KILL", "connection null"],
    ["SELECT 1; KILL 5", "connection null"],
    ["KILL 5; SELECT 1", "connection null"],
    ["BEGIN NOT ATOMIC KILL 5; END", "connection null"],
    ["CREATE PROCEDURE p() KILL 5", "connection null"],
    ["SET STATEMENT max_statement_time=1 FOR KILL 5", "connection null"],
    ["PREPARE s FROM 'KILL 5'", "connection null"],
    ["PREPARE s FROM 'K\\ILL 5'", "connection null"],
    ["PREPARE s FROM x'4B494C4C2035'", "connection null"],
    ["EXECUTE IMMEDIATE 'kil' 'l 5'", "connection null"],
    ["EXECUTE IMMEDIATE CONCAT('kil', 'l 5')", "connection null"],
    ["KILL 5; SELECT 'unterminated", "connection null"],
    ["/*! /*! KILL 5 */", "connection null"],
    ["SELECT 1", "none"],
    ["SELECT 'KILL 5'", "none"],
    ["SELECT `KILL`, t.kill, @kill, @@kill FROM kill_list -- KILL 5", "none"],
    ["/* KILL */ SELECT 1", "none"],
    ["SELECT 1 /*!999999 KILL 5 */", "none"],
    ["PREPARE s FROM 'SELECT skills FROM t'", "none"],
    ["", "none"],
  ])("%s", (text, expected) => {
    expect(find(text)).toBe(expected);
    expect(find(text, mariadb)).toBe(expected);
  });

  it("reads the text as the modes say", () => {
    expect(find("SELECT 'a\\'; KILL 5 -- '")).toBe("none");
    expect(find("SELECT 'a\\'; KILL 5 -- '", { ...mysql, noBackslashEscapes: true })).toBe("connection null");
    expect(find("/*M! KILL */ 5")).toBe("none");
    expect(find("/*M! KILL */ 5", mariadb)).toBe("connection 5");
  });
});

describe("mayContainKill()", () => {
  it("finds the letters at any place and in any case, and nothing else", () => {
    for (let before = 0; before < 9; before += 1) {
      for (let after = 0; after < 9; after += 1) {
        const around = ["x".repeat(before), "x".repeat(after)];
        for (const word of ["kill", "KILL", "kIlL"]) {
          expect(mayContainKill(Buffer.from(around.join(word)))).toBe(true);
        }
        for (const word of ["kil", "ill", "kiil", "kll", "kil l"]) {
          expect(mayContainKill(Buffer.from(around.join(word))), around.join(word)).toBe(false);
        }
      }
    }
    expect(mayContainKill(Buffer.from(""))).toBe(false);
  });
});

// Every known way round a table ACL, through lexer, analyser and authoriser, as both flavours read it.
import { describe, expect, it } from "vitest";
import { createTableAclAuthorizer } from "../../../src/acl/table-acl-authorizer.ts";
import { SqlError } from "../../../src/errors/sql-error.ts";
import { analyzeText } from "../../../src/sql/analyze.ts";
import type { AnalysisContext } from "../../../src/sql/analyzed-text.ts";
import { readingModesOf } from "../../../src/sql/dialect.ts";
import { type Bypass, bypasses } from "./bypass-corpus.ts";
import { aclOf, identityOf } from "./support.ts";

const owner = ["owner"];
const acl = aclOf([
  [["d.t", "d.t2", "d.mine"], { readers: owner, writers: owner, admins: owner }],
  ["d.secret"],
]);
const authorizer = createTableAclAuthorizer(acl, { strict: true, dryRun: false, exempt: [] });

function contextOf(flavour: "mysql" | "mariadb", bypass: Bypass): AnalysisContext {
  return {
    modes: readingModesOf(bypass.sqlMode ?? ""),
    flavour,
    version: flavour === "mysql" ? 90704 : 101119,
    characterSet: "utf8",
    defaultSchema: bypass.schema ?? "d",
    lowerCaseTableNames: 0,
  };
}

function verdictOf(sql: string, context: AnalysisContext): SqlError | null {
  for (const statement of analyzeText(Buffer.from(sql), context).statements) {
    const verdict = authorizer.authorize(identityOf("owner"), statement);
    if (verdict instanceof SqlError) return verdict;
  }
  return null;
}

describe.each(["mysql", "mariadb"] as const)("as %s reads it", (flavour) => {
  const read = bypasses.filter(({ only }) => only === undefined || only === flavour);

  it.each(read.map((bypass) => [bypass.sql, bypass] as const))("%s is refused", (sql, bypass) => {
    expect(verdictOf(sql, contextOf(flavour, bypass))).toBeInstanceOf(SqlError);
  });

  it.each(read.map((bypass) => [bypass.sql, bypass] as const))(
    "%s is refused when the modes are not known",
    (sql, bypass) => {
      expect(verdictOf(sql, { ...contextOf(flavour, bypass), modes: null })).toBeInstanceOf(SqlError);
    },
  );

  it("what the owner may do is not refused", () => {
    const context = contextOf(flavour, { sql: "", origin: "" });
    for (const sql of ["SELECT * FROM t", "INSERT INTO t2 SELECT * FROM d.t", "DROP TABLE mine"])
      expect(verdictOf(sql, context)).toBeNull();
  });
});

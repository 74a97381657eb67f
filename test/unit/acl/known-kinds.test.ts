// What the analyser calls statements and what the table ACL knows are one list.
import { describe, expect, it } from "vitest";
import { knownShowSubjects } from "../../../src/acl/show-rights.ts";
import { knownStatementKinds } from "../../../src/acl/statement-rights.ts";
import { analyzeText } from "../../../src/sql/analyze.ts";
import type { AnalysisContext } from "../../../src/sql/analyzed-text.ts";
import { defaultReadingModes } from "../../../src/sql/dialect.ts";
import { statementHeads } from "../../../src/sql/statement-heads.ts";
import { roleCases } from "../../e2e/acl/role-corpus.ts";
import { bypasses } from "./bypass-corpus.ts";

const context: AnalysisContext = {
  modes: defaultReadingModes,
  flavour: "mariadb",
  version: 101119,
  characterSet: "utf8",
  defaultSchema: "d",
  lowerCaseTableNames: 0,
};

/** Statements beside the corpora: one for each head and form that these lack. */
const further = [
  ...[
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT s",
    "RELEASE SAVEPOINT s",
    "START TRANSACTION",
    "XA START 'x'",
  ],
  ...["SET NAMES utf8mb4", "SET CHARACTER SET utf8mb4", "SET a = 1", "SET TRANSACTION READ ONLY", "USE d"],
  ...["GRANT SELECT ON t TO u", "REVOKE SELECT ON t FROM u", "SET PASSWORD = 'x'", "SET ROLE r", "HELP 'x'"],
  ...["CREATE USER u", "DROP USER u", "ALTER USER u", "RENAME USER u TO v", "CREATE ROLE r", "DROP ROLE r"],
  ...["FLUSH TABLES", "RESET MASTER", "PURGE BINARY LOGS TO 'x'", "SHUTDOWN", "KILL 5", "UNLOCK TABLES"],
  ...["CREATE DATABASE x", "ALTER DATABASE x CHARACTER SET utf8", "DROP DATABASE x", "DROP TRIGGER x"],
  ...["INSTALL PLUGIN x SONAME 'y'", "UNINSTALL PLUGIN x", "BINLOG 'x'", "CHANGE MASTER TO MASTER_HOST='x'"],
  ...["CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'h')", "DROP SERVER s", "DROP EVENT e"],
  ...["ALTER EVENT e DISABLE", "DROP FUNCTION f", "DROP PROCEDURE p", "ALTER PROCEDURE p COMMENT 'x'"],
  ...["DEALLOCATE PREPARE s", "EXECUTE s", "SIGNAL SQLSTATE '45000'", "GET DIAGNOSTICS @x = NUMBER", ""],
  ...["CREATE PACKAGE p", "DROP PACKAGE p", "START SLAVE", "STOP SLAVE", "CALL p()", "ANALYZE TABLE t"],
  ...["CACHE INDEX t IN c", "LOAD INDEX INTO CACHE t", "BACKUP STAGE START", "CHECK VIEW v", "REPAIR VIEW v"],
];

describe("the kinds of statements", () => {
  const texts = [
    ...roleCases.map(({ sql }) => sql.replaceAll(/\{(\w)\}/g, "$1_")),
    ...bypasses.map(({ sql }) => sql),
  ];
  const summaries = [...texts, ...further].flatMap(
    (sql) => analyzeText(Buffer.from(sql), context).statements,
  );

  it("that the analyser is sure of are all known to the table ACL", () => {
    const sure = summaries.filter(({ uncertain }) => uncertain === null);
    const kinds = new Set(sure.flatMap(({ kind, innerKinds }) => [kind, ...innerKinds]));
    expect(kinds.size).toBeGreaterThan(80);
    expect([...kinds].filter((kind) => !knownStatementKinds.includes(kind))).toEqual([]);
  });

  it("of SHOW are all known", () => {
    const subjects = knownShowSubjects.map((subject) => {
      const tail = /CREATE|CODE|COLUMNS|FIELDS|INDEX|KEYS/.test(subject) && subject !== "INDEX_STATISTICS";
      return analyzeText(Buffer.from(`SHOW ${subject} ${tail ? "FROM d.x" : ""}`), context).statements[0];
    });
    const shown = [...subjects, ...summaries].filter((summary) => summary?.kind === "SHOW");
    const found = new Set(shown.map((summary) => summary?.subject ?? "none"));
    expect(found.size).toBeGreaterThan(40);
    expect([...found].filter((subject) => !knownShowSubjects.includes(subject))).toEqual([]);
  });

  it("of heads: every statement that a head begins has a kind that is known, or is refused", () => {
    const strange = statementHeads
      .flatMap((head) => analyzeText(Buffer.from(`${head} x`), context).statements)
      .filter(({ uncertain, kind }) => uncertain === null && !knownStatementKinds.includes(kind));
    expect(strange.map(({ kind }) => kind)).toEqual([]);
  });
});

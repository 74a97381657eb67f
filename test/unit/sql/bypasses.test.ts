// Ways past table ACLs that were found in other programs, each in every spelling: the table must be named in the summary
// with the list that decides, or the statement is refused. Advisories: GHSA-mv22-c3rp-c6m4, GHSA-w6mx-whwj-6r3v and
// GHSA-8w3p-4xg5-rm9w of Vitess; the rest are forms that SQL libraries misread.
import { describe, expect, it } from "vitest";
import { analyzeText } from "../../../src/sql/analyze.ts";
import type { Flavour } from "../../../src/sql/dialect.ts";
import type { StatementSummary } from "../../../src/sql/statement-summary.ts";
import { contextOf } from "./support.ts";

const touching: readonly string[] = [
  // Names of common table expressions
  "WITH secret AS (SELECT * FROM secret) SELECT * FROM secret",
  "WITH a AS (SELECT * FROM secret), secret AS (SELECT 1) SELECT * FROM a",
  "WITH secret AS (SELECT 1) SELECT * FROM d.secret",
  "(WITH secret AS (SELECT 1) SELECT * FROM secret) UNION SELECT * FROM secret",
  "WITH SECRET AS (SELECT 1) SELECT * FROM (WITH b AS (SELECT * FROM secret) SELECT * FROM b) x",
  // dual
  "SELECT (SELECT x FROM secret) FROM dual",
  "SELECT 1 FROM dual UNION SELECT x FROM secret",
  "SELECT 1 FROM dual, secret",
  // Statements in statements
  "EXPLAIN SELECT * FROM secret",
  "DESCRIBE SELECT * FROM secret",
  "EXPLAIN ANALYZE SELECT * FROM secret",
  "EXPLAIN FORMAT=JSON SELECT * FROM secret",
  "ANALYZE SELECT * FROM secret",
  "DESC secret",
  "SET @x = (SELECT x FROM secret)",
  "SET SESSION sql_select_limit = (SELECT x FROM secret)",
  "SET @a = 1, @b = (SELECT x FROM secret)",
  "SHOW TABLES WHERE EXISTS (SELECT * FROM secret)",
  "SHOW STATUS WHERE 1 = (SELECT x FROM secret)",
  "DO (SELECT x FROM secret)",
  "CALL p((SELECT x FROM secret))",
  "PREPARE s FROM 'SELECT * FROM secret'",
  "EXECUTE IMMEDIATE 'SELECT * FROM secret'",
  "EXECUTE s USING (SELECT x FROM secret)",
  "SET STATEMENT max_statement_time=1 FOR SELECT * FROM secret",
  "BEGIN NOT ATOMIC SELECT * FROM secret; END",
  "IF 1 THEN SELECT * FROM secret; END IF",
  "BEGIN NOT ATOMIC DECLARE x TYPE OF secret.a; SELECT x; END",
  "BEGIN NOT ATOMIC DECLARE x, y TYPE OF d.secret.a DEFAULT 1; SELECT x; END",
  "BEGIN NOT ATOMIC DECLARE x ROW TYPE OF d.secret; SELECT 1; END",
  "BEGIN NOT ATOMIC DECLARE x ROW (y INT, z TYPE OF secret.a); SELECT 1; END",
  "BEGIN NOT ATOMIC DECLARE c CURSOR (x TYPE OF secret.a) FOR SELECT 1; OPEN c (1); END",
  "BEGIN NOT ATOMIC BEGIN DECLARE secret CURSOR FOR SELECT 1; END; BEGIN DECLARE r ROW TYPE OF secret; END; END",
  "CREATE PROCEDURE p(IN x TYPE OF secret.a) SELECT 1",
  "CREATE FUNCTION f(x INT) RETURNS TYPE OF secret.a RETURN 1",
  "HANDLER secret OPEN",
  "HANDLER secret READ FIRST",
  "KILL (SELECT x FROM secret)",
  "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = (SELECT x FROM secret)",
  // Definitions
  "CREATE TABLE mine AS SELECT * FROM secret",
  "CREATE TABLE mine LIKE secret",
  "CREATE TABLE mine (LIKE secret)",
  "CREATE TABLE mine (a INT) IGNORE SELECT * FROM secret",
  "CREATE TABLE mine (a INT) AS (SELECT * FROM secret)",
  "CREATE TABLE mine (a INT) WITH c AS (SELECT * FROM secret) SELECT * FROM c",
  "CREATE TABLE mine (a INT) ENGINE=MERGE UNION=(t, secret)",
  "CREATE TABLE mine (a INT REFERENCES secret (a))",
  "CREATE TEMPORARY TABLE mine TABLE secret",
  "CREATE VIEW v AS SELECT * FROM secret",
  "CREATE OR REPLACE ALGORITHM=MERGE SQL SECURITY INVOKER VIEW v AS (SELECT * FROM secret) WITH CHECK OPTION",
  "ALTER VIEW v AS SELECT * FROM secret",
  "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW INSERT INTO secret VALUES (NEW.a)",
  "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.a = (SELECT x FROM secret)",
  "CREATE TRIGGER tr BEFORE INSERT ON secret FOR EACH ROW SET NEW.a = 1",
  "CREATE PROCEDURE p() BEGIN DECLARE c CURSOR FOR SELECT * FROM secret; END",
  "CREATE FUNCTION f() RETURNS INT RETURN (SELECT x FROM secret)",
  "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM secret",
  "ALTER TABLE t RENAME secret",
  "ALTER TABLE t EXCHANGE PARTITION p WITH TABLE secret",
  "RENAME TABLE t TO x, secret TO t",
  "DROP TABLE t, secret",
  "TRUNCATE secret",
  "CREATE INDEX i ON secret (a)",
  // Odd commands
  "LOAD DATA LOCAL INFILE 'f' INTO TABLE secret",
  "LOAD DATA LOCAL INFILE 'f' INTO TABLE t SET a = (SELECT x FROM secret)",
  "REPAIR TABLE t, secret",
  "OPTIMIZE TABLE secret",
  "CHECKSUM TABLE secret",
  "LOCK TABLES t READ, secret READ",
  "SHOW CREATE TABLE secret",
  "SHOW COLUMNS FROM secret FROM d",
  "SHOW INDEX IN secret",
  // Executable comments
  "SELECT 1 /*!50000 FROM secret */",
  "SELECT * FROM t /*! , secret */",
  "SELECT * FROM t /*!50000,*/ /*!50000secret*/",
  // Forms that libraries misread
  "TABLE secret",
  "(TABLE secret)",
  "SELECT * FROM (TABLE secret) x",
  "SELECT * FROM t WHERE a IN (TABLE secret)",
  "SELECT * FROM t LEFT JOIN (t2, secret) ON 1",
  "SELECT * FROM {oj t LEFT JOIN secret ON 1}",
  "SELECT * FROM (((t, secret)))",
  "SELECT * FROM (((SELECT 1) x, secret))",
  "SELECT * FROM ((SELECT 1) x JOIN secret)",
  "SELECT * FROM t JOIN t2 JOIN secret ON t2.a = 1 ON t.a = 1",
  "SELECT * FROM t NATURAL JOIN secret",
  "SELECT STRAIGHT_JOIN * FROM t STRAIGHT_JOIN secret",
  "SELECT * FROM t AS a, secret",
  "SELECT * FROM t USE INDEX (i), secret",
  "SELECT * FROM t PARTITION (p), secret",
  "SELECT SQL_CACHE * FROM secret",
  "SELECT 1--1 FROM secret",
  "SELECT 1e0FROM secret",
  "SELECT 1.FROM secret",
  "SELECT*FROM`secret`",
  "SELECT * FROM d./*c*/secret",
  "SELECT * FROM d . secret",
  "SELECT a FROM t WHERE 1 != 1 AND EXISTS (SELECT * FROM secret)",
  "SELECT a FROM t ORDER BY (SELECT x FROM secret)",
  "SELECT a FROM t LIMIT 1 FOR UPDATE OF t; SELECT * FROM secret",
  "VALUES ROW((SELECT x FROM secret), 1)",
  "SELECT CASE WHEN (SELECT x FROM secret) THEN 1 END",
  "SELECT ((SELECT x FROM secret), 1) = (1, 1)",
  "SELECT GROUP_CONCAT(a ORDER BY (SELECT x FROM secret)) FROM t",
  "SELECT * FROM t, JSON_TABLE((SELECT x FROM secret), '$' COLUMNS (a INT PATH '$')) j",
  "SELECT * FROM t window, secret",
  "SELECT * FROM t FOR SYSTEM_TIME AS OF (SELECT x FROM secret)",
  "SELECT NEXT VALUE FOR secret",
  // Reads inside writes
  "UPDATE t, secret SET t.a = secret.b",
  "UPDATE t SET a = (SELECT x FROM secret)",
  "UPDATE IGNORE secret SET a = 1",
  "DELETE t FROM t JOIN secret",
  "DELETE FROM t USING t, secret",
  "DELETE FROM t WHERE a IN (SELECT x FROM secret)",
  "INSERT INTO t SELECT * FROM secret",
  "INSERT INTO t TABLE secret",
  "INSERT INTO t (SELECT * FROM secret)",
  "INSERT INTO t SELECT 1 ON DUPLICATE KEY UPDATE a = (SELECT x FROM secret)",
  "INSERT INTO t SET a = (SELECT x FROM secret)",
  "INSERT INTO t VALUES (1) RETURNING (SELECT x FROM secret)",
  "REPLACE INTO t VALUES (1, (SELECT x FROM secret))",
  // Several statements
  "SELECT 1; SELECT * FROM secret",
  "SELECT ';'; SELECT * FROM secret",
  "CREATE PROCEDURE p() SELECT 1; SELECT * FROM secret",
  "ALTER PROCEDURE p COMMENT ''; SELECT * FROM secret",
  "DROP PROCEDURE p; SELECT * FROM secret",
];

function mentions(summary: StatementSummary, name: string): boolean {
  if (summary.uncertain !== null) return true;
  return [summary.reads, summary.writes, summary.changes].some((list) =>
    list.some((table) => table.schema === "d" && table.name === name),
  );
}

describe("a statement that touches a table names it, or is refused", () => {
  for (const flavour of ["mysql", "mariadb"] as Flavour[]) {
    it.each(touching)(`${flavour}: %s`, (sql) => {
      const { statements } = analyzeText(Buffer.from(sql), contextOf(flavour, { defaultSchema: "d" }));
      expect(statements.some((one) => mentions(one, "secret"))).toBe(true);
    });

    it(`${flavour}: and nothing of it is read-only that is not proven`, () => {
      for (const sql of ["SELECT f_reads_secret()", "SELECT d.f()", "SELECT SLEEP(1)", "SELECT 1 INTO @a"]) {
        const [summary] = analyzeText(
          Buffer.from(sql),
          contextOf(flavour, { defaultSchema: "d" }),
        ).statements;
        expect(summary?.readOnly, sql).toBe(false);
        expect(summary?.writesBecause, sql).not.toBeNull();
      }
    });
  }

  it("by a function of MariaDB that is a stored one on MySQL", () => {
    const of = (flavour: Flavour) => {
      const context = contextOf(flavour, { defaultSchema: "d" });
      return analyzeText(Buffer.from("SELECT NEXTVAL(secret)"), context).statements[0];
    };
    expect(of("mariadb")?.writes.map(({ name }) => name)).toEqual(["secret"]);
    expect(of("mysql")?.routines.map(({ name }) => name)).toEqual(["NEXTVAL"]);
  });

  it("in quotes as sql_mode has it", () => {
    const context = contextOf("mysql", { defaultSchema: "d", mode: "ANSI_QUOTES" });
    const [quoted] = analyzeText(Buffer.from('SELECT * FROM "secret"'), context).statements;
    expect(quoted && mentions(quoted, "secret")).toBe(true);
    const escapes = contextOf("mysql", { defaultSchema: "d", mode: "NO_BACKSLASH_ESCAPES" });
    const [escaped] = analyzeText(Buffer.from("SELECT 'a\\' FROM secret -- '"), escapes).statements;
    expect(escaped && mentions(escaped, "secret")).toBe(true);
  });

  it("in a mode that is not known only what all modes read alike", () => {
    const unknown = contextOf("mysql", { defaultSchema: "d", modes: null });
    const refused = (sql: string) => analyzeText(Buffer.from(sql), unknown).uncertain?.reason ?? null;
    expect(refused("SELECT 'a' FROM t")).toBeNull();
    expect(refused("SELECT \"a\" FROM t WHERE b = 'x'")).toBeNull();
    expect(refused("SELECT 'a\\\\' FROM t")).toBeNull();
    expect(refused('SELECT * FROM "secret"')).toMatch(/sql_mode/);
    expect(refused("SELECT 'a\\' FROM secret -- '")).toMatch(/sql_mode/);
  });

  it("in a character set whose characters hold backslashes only plain ASCII is read", () => {
    const gbk = contextOf("mysql", { characterSet: "unsafe" });
    expect(analyzeText(Buffer.from("SELECT '\\'' FROM t"), gbk).uncertain).toBeNull();
    expect(
      analyzeText(Buffer.from("SELECT '\xe9\\' FROM secret -- '", "latin1"), gbk).uncertain,
    ).not.toBeNull();
  });
});

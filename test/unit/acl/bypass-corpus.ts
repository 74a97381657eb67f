// Ways round a table ACL that were found in gateways and their parsers, and what we found ourselves. The principal is reader,
// writer and admin of t, t2 and mine, and has no right on secret: every statement must be refused, in text and prepared.
// Sources: GHSA-mv22-c3rp-c6m4, GHSA-w6mx, vitessio/vitess#21134 and #21138, MaxScale MXS-4504, MXS-4548, MXS-4556.

export interface Bypass {
  readonly sql: string;
  /** Where it comes from, or what it plays on. */
  readonly origin: string;
  /** The sql_mode of the session; empty when absent. */
  readonly sqlMode?: string;
  /** The default schema; `d` when absent. Rights are on schema d. */
  readonly schema?: string;
  /** The flavour whose servers read the table; both when absent. */
  readonly only?: "mysql" | "mariadb";
}

const shadow = "a CTE takes the name of the table";
const dual = "DUAL exempts the rest";
const nested = "a carried statement";
const comment = "an executable comment";
const form = "a form that parsers misread";
const definition = "a read inside DDL";
const scope = "a nested WITH does not see the outer one's names: observed on MariaDB 10.11 and MySQL 9.7";
const arm = "a WITH in one arm of a UNION makes MySQL 9.7 forget the outer one's names in all that follow";

export const bypasses: readonly Bypass[] = [
  { sql: "WITH secret AS (SELECT * FROM secret) SELECT * FROM secret", origin: shadow },
  { sql: "WITH a AS (SELECT * FROM secret), secret AS (SELECT 1) SELECT * FROM a", origin: shadow },
  { sql: "WITH secret AS (SELECT 1) SELECT * FROM d.secret", origin: shadow },
  { sql: "(WITH secret AS (SELECT 1 a) SELECT * FROM secret) UNION SELECT a FROM secret", origin: shadow },
  { sql: "SELECT (WITH secret AS (SELECT 1 a) SELECT a FROM secret) FROM secret", origin: shadow },
  { sql: "INSERT INTO secret WITH secret AS (SELECT 1 a) SELECT * FROM secret", origin: shadow },
  {
    sql: "WITH secret AS (SELECT 1 a) SELECT * FROM (WITH x AS (SELECT a FROM secret) SELECT a FROM x) y",
    origin: scope,
    only: "mariadb",
  },
  {
    sql: "WITH secret AS (SELECT 1 a) SELECT (WITH x AS (SELECT a FROM secret) SELECT a FROM x)",
    origin: scope,
    only: "mariadb",
  },
  {
    sql: "WITH secret AS (SELECT 1 a) SELECT EXISTS (WITH x AS (SELECT a FROM secret WHERE a > 5) SELECT a FROM x)",
    origin: scope,
    only: "mariadb",
  },
  {
    sql: "WITH RECURSIVE secret AS (SELECT 1 a) SELECT * FROM (WITH x AS (SELECT a FROM secret) SELECT a FROM x) y",
    origin: scope,
    only: "mariadb",
  },
  {
    sql: "WITH secret AS (SELECT 1 a) (WITH x AS (SELECT a FROM secret) SELECT a FROM x)",
    origin: scope,
    only: "mysql",
  },
  {
    sql: "WITH secret AS (SELECT 1 a) SELECT 1 UNION (WITH x AS (SELECT 1) SELECT 1) UNION SELECT a FROM secret",
    origin: arm,
    only: "mysql",
  },
  {
    sql: "WITH secret AS (SELECT 1 a) SELECT 1 UNION (SELECT 2 UNION (WITH x AS (SELECT 1) SELECT 1)) UNION SELECT a FROM secret",
    origin: arm,
    only: "mysql",
  },
  {
    sql: "WITH secret AS (SELECT 1 a) (WITH x AS (SELECT 1 a) SELECT a FROM x) ORDER BY (SELECT a FROM secret)",
    origin: arm,
    only: "mysql",
  },
  {
    sql: "WITH secret AS (SELECT 1 a) SELECT 1 EXCEPT ((WITH x AS (SELECT 1) SELECT 1) LIMIT 1) EXCEPT SELECT y.a FROM (SELECT a FROM secret) y",
    origin: arm,
    only: "mysql",
  },
  { sql: "SELECT (SELECT a FROM secret) FROM dual", origin: dual },
  { sql: "SELECT 1 FROM dual UNION SELECT a FROM secret", origin: dual },
  { sql: "EXPLAIN SELECT * FROM secret", origin: nested },
  { sql: "DESCRIBE SELECT * FROM secret", origin: nested },
  { sql: "EXPLAIN ANALYZE SELECT * FROM secret", origin: nested },
  { sql: "ANALYZE SELECT * FROM secret", origin: nested, only: "mariadb" },
  { sql: "ANALYZE FORMAT=JSON DELETE FROM secret", origin: nested, only: "mariadb" },
  { sql: "SET STATEMENT max_statement_time=1 FOR SELECT * FROM secret", origin: nested, only: "mariadb" },
  { sql: "SET @x = (SELECT a FROM secret)", origin: nested },
  { sql: "SET SESSION sql_select_limit = (SELECT a FROM secret)", origin: nested },
  { sql: "SHOW TABLES WHERE EXISTS (SELECT * FROM secret)", origin: nested },
  { sql: "SHOW VARIABLES WHERE Variable_name IN (SELECT a FROM secret)", origin: nested },
  { sql: "DO (SELECT a FROM secret)", origin: nested },
  { sql: "CALL p((SELECT a FROM secret))", origin: nested },
  { sql: "PREPARE s FROM 'SELECT * FROM secret'", origin: nested },
  { sql: "PREPARE s FROM @x", origin: nested },
  { sql: "EXECUTE IMMEDIATE 'SELECT * FROM secret'", origin: nested, only: "mariadb" },
  { sql: "EXECUTE IMMEDIATE CONCAT('SELECT * FROM ', 'secret')", origin: nested, only: "mariadb" },
  { sql: "BEGIN NOT ATOMIC SELECT * FROM secret; END", origin: nested, only: "mariadb" },
  { sql: "IF (SELECT COUNT(*) FROM secret) > 0 THEN DELETE FROM t; END IF", origin: nested, only: "mariadb" },
  { sql: "CREATE TABLE mine AS SELECT * FROM secret", origin: definition },
  { sql: "CREATE TABLE mine LIKE secret", origin: definition },
  { sql: "CREATE TABLE mine (LIKE secret)", origin: definition },
  { sql: "CREATE TABLE mine (a INT) UNION=(t, secret)", origin: definition },
  { sql: "CREATE TABLE mine (a INT) ENGINE=MERGE UNION=(secret) INSERT_METHOD=LAST", origin: definition },
  { sql: "CREATE TABLE mine (a INT REFERENCES secret (a))", origin: definition },
  { sql: "CREATE VIEW mine AS SELECT * FROM secret", origin: definition },
  { sql: "ALTER VIEW mine AS SELECT * FROM secret", origin: definition },
  {
    sql: "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET @x = (SELECT a FROM secret)",
    origin: definition,
  },
  {
    sql: "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW INSERT INTO secret VALUES (NEW.a)",
    origin: definition,
  },
  { sql: "ALTER TABLE t RENAME TO secret", origin: definition },
  { sql: "RENAME TABLE secret TO mine", origin: definition },
  { sql: "RENAME TABLE t TO mine, secret TO t", origin: definition },
  { sql: "ALTER TABLE t EXCHANGE PARTITION p0 WITH TABLE secret", origin: definition },
  { sql: "CREATE PROCEDURE p2() SELECT * FROM secret", origin: definition },
  { sql: "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM secret", origin: definition },
  { sql: "LOAD DATA LOCAL INFILE 'f' INTO TABLE secret", origin: "an opaque statement" },
  { sql: "LOAD DATA INFILE 'f' INTO TABLE t", origin: "a file of the server" },
  { sql: "REPAIR TABLE secret", origin: "an opaque statement" },
  { sql: "OPTIMIZE TABLE secret", origin: "an opaque statement" },
  { sql: "ANALYZE TABLE t, secret", origin: "an opaque statement" },
  { sql: "TRUNCATE secret", origin: "an opaque statement" },
  { sql: "SELECT f_reads_secret()", origin: "a stored function" },
  { sql: "SELECT d.f_reads_secret() FROM t", origin: "a stored function" },
  { sql: "SELECT LOAD_FILE('/var/lib/mysql/d/secret.MYD')", origin: "a file of the server" },
  { sql: "SELECT 1 /*! FROM secret */", origin: comment },
  { sql: "SELECT a /*!50000 FROM secret */", origin: comment },
  { sql: "SELECT * FROM t /*! , secret */", origin: comment },
  { sql: "SELECT * FROM t /*M!100000 , secret */", origin: comment, only: "mariadb" },
  { sql: "SELECT * FROM t /*!80000 , secret */", origin: comment, only: "mysql" },
  { sql: "SELECT 1 /*!50000 ; DELETE FROM secret */", origin: comment },
  { sql: "TABLE secret", origin: form, only: "mysql" },
  { sql: "(TABLE secret)", origin: form, only: "mysql" },
  { sql: "SELECT * FROM (TABLE secret) x", origin: form, only: "mysql" },
  { sql: "SELECT * FROM t LEFT JOIN (t2, secret) ON 1", origin: form },
  { sql: "SELECT * FROM {oj t LEFT JOIN secret ON 1}", origin: form },
  { sql: "SELECT * FROM ((t JOIN secret))", origin: form },
  { sql: "SELECT * FROM t = x, secret = y", origin: form, only: "mariadb" },
  { sql: "SELECT * FROM d./*c*/secret", origin: form },
  { sql: "SELECT * FROM d . secret", origin: form },
  { sql: "SELECT 1e0FROM secret", origin: form },
  { sql: "SELECT 1.FROM secret", origin: form },
  { sql: "SELECT 1--1 FROM secret", origin: form },
  { sql: "SELECT\\NFROM secret", origin: form },
  { sql: "SELECT*FROM`secret`", origin: form },
  { sql: "SELECT * FROM t STRAIGHT_JOIN secret", origin: form },
  { sql: "SELECT NEXTVAL(secret)", origin: form, only: "mariadb" },
  { sql: "SELECT NEXT VALUE FOR secret", origin: form, only: "mariadb" },
  { sql: "UPDATE t, secret SET t.a = secret.a", origin: "a read inside a write" },
  { sql: "DELETE t FROM t JOIN secret", origin: "a read inside a write" },
  { sql: "DELETE FROM x USING secret AS x", origin: "a read inside a write" },
  {
    sql: "INSERT INTO t (a) SELECT a FROM t2 ON DUPLICATE KEY UPDATE a = (SELECT MAX(a) FROM secret)",
    origin: "a read inside a write",
  },
  {
    sql: "INSERT INTO t VALUES (1) RETURNING (SELECT MAX(a) FROM secret)",
    origin: "a read inside a write",
    only: "mariadb",
  },
  { sql: "UPDATE t SET a = 1 ORDER BY (SELECT a FROM secret) LIMIT 1", origin: "a read inside a write" },
  { sql: "SELECT * FROM t WHERE 1 != 1 AND EXISTS (SELECT * FROM secret)", origin: "an impossible WHERE" },
  { sql: "HANDLER secret OPEN", origin: "an odd command" },
  { sql: "HANDLER secret READ FIRST", origin: "an odd command" },
  { sql: "LOCK TABLES secret READ", origin: "an odd command" },
  { sql: "LOCK TABLES t READ, secret WRITE", origin: "an odd command" },
  { sql: "SHOW CREATE TABLE secret", origin: "an odd command" },
  { sql: "SHOW COLUMNS FROM secret FROM d", origin: "an odd command" },
  { sql: "SHOW INDEX FROM secret", origin: "an odd command" },
  { sql: "DESCRIBE secret", origin: "an odd command" },
  { sql: "CHECKSUM TABLE secret", origin: "an odd command" },
  { sql: "FLUSH TABLES secret FOR EXPORT", origin: "an odd command" },
  { sql: 'SELECT * FROM "secret"', origin: "the session's sql_mode", sqlMode: "ANSI_QUOTES" },
  {
    sql: "SELECT 'a\\' FROM secret -- ' FROM t",
    origin: "the session's sql_mode",
    sqlMode: "NO_BACKSLASH_ESCAPES",
  },
  { sql: "SELECT * FROM t", origin: "the default schema is part of the name", schema: "other" },
  { sql: "SELECT * FROM mysql.user", origin: "a system schema" },
  { sql: "SELECT * FROM MySQL.USER", origin: "a system schema" },
  { sql: "SELECT * FROM information_schema.tables", origin: "a system schema" },
  { sql: "SELECT * FROM t; DELETE FROM secret", origin: "a second statement" },
];

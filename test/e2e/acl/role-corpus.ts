// Statements with what the table ACL has to know of each: kind and lists, written by hand. `{t}` stands for a table, `{o}`
// for another, `{v}` a view, `{s}` a sequence, `{p}` a partitioned table, `{m}` one to exchange it with, `{n}` a new name.
import type { ObjectKind } from "./policy.ts";

export interface RoleCase {
  readonly sql: string;
  readonly kind: string;
  readonly subject?: string;
  readonly innerKinds?: readonly string[];
  readonly reads?: readonly ObjectKind[];
  readonly writes?: readonly ObjectKind[];
  readonly changes?: readonly ObjectKind[];
  readonly routines?: readonly string[];
  readonly updatableView?: boolean;
  readonly serverFiles?: boolean;
  readonly assigns?: readonly { readonly scope: "session" | "global"; readonly name: string }[];
  readonly schemas?: readonly { readonly name: string; readonly access: "see" | "change" }[];
  /** Why the gate refuses more than the server; without it both must agree. */
  readonly stricter?: string;
  /** The documented exception: a writer's own UPDATE or DELETE, which servers want SELECT for. */
  readonly ownRows?: true;
}

const select = { kind: "SELECT", reads: ["t"] } as const;
const temporary = "a temporary table is a table: its name needs a group";
const column = "servers show the columns of a table to everyone who holds any right on it";
const lock = "a lock for writing keeps every other writer out";
const trigger = "servers judge the body only when the trigger fires, with its definer's rights";
const updatable = "rows could be changed through the view, whose definer is the service account";
const maintenance = "rewrites the stored table: the admin's affair too";
const index = "index caches belong to the whole server";

export const roleCases: readonly RoleCase[] = [
  { sql: "SELECT * FROM {t}", ...select },
  { sql: "SELECT 1 FROM {t} LIMIT 0", ...select },
  { sql: "SELECT * FROM {t} FOR UPDATE", ...select },
  { sql: "SELECT * FROM {t} LOCK IN SHARE MODE", ...select },
  { sql: "SELECT * FROM {t} x JOIN {o} y USING (a)", kind: "SELECT", reads: ["t", "o"] },
  { sql: "SELECT (SELECT MAX(a) FROM {o}) FROM {t}", kind: "SELECT", reads: ["t", "o"] },
  { sql: "SELECT a FROM {t} UNION SELECT a FROM {o}", kind: "SELECT", reads: ["t", "o"] },
  { sql: "WITH {o} AS (SELECT * FROM {o}) SELECT * FROM {o}", kind: "SELECT", reads: ["o"] },
  { sql: "WITH c AS (SELECT * FROM {t}) SELECT * FROM c", ...select },
  { sql: "SELECT * FROM {v}", kind: "SELECT", reads: ["v"] },
  { sql: "DO (SELECT MAX(a) FROM {t})", kind: "DO", reads: ["t"] },
  { sql: "SET @x = (SELECT MAX(a) FROM {t})", kind: "SET", reads: ["t"] },
  { sql: "VALUES ((SELECT MAX(a) FROM {t}))", kind: "VALUES", reads: ["t"] },
  { sql: "SELECT * FROM {t} INTO @x, @y", ...select },
  { sql: "INSERT INTO {t} VALUES (2, 2)", kind: "INSERT", writes: ["t"] },
  { sql: "INSERT INTO {v} VALUES (2, 2)", kind: "INSERT", writes: ["v"] },
  { sql: "INSERT INTO {t} SELECT a + 5, b FROM {o}", kind: "INSERT", writes: ["t"], reads: ["o"] },
  {
    sql: "INSERT INTO {t} VALUES (3, (SELECT MAX(a) FROM {o}))",
    kind: "INSERT",
    writes: ["t"],
    reads: ["o"],
  },
  { sql: "INSERT INTO {t} VALUES (2, 2) RETURNING a", kind: "INSERT", writes: ["t"], reads: ["t"] },
  {
    sql: "INSERT INTO {t} VALUES (1, 2) ON DUPLICATE KEY UPDATE b = VALUES(b)",
    kind: "INSERT",
    writes: ["t"],
    reads: ["t"],
  },
  {
    sql: "INSERT INTO {t} VALUES (1, 2) ON DUPLICATE KEY UPDATE b = 3",
    kind: "INSERT",
    writes: ["t"],
    reads: ["t"],
  },
  { sql: "REPLACE INTO {t} VALUES (1, 2)", kind: "REPLACE", writes: ["t"] },
  { sql: "UPDATE {t} SET b = 1", kind: "UPDATE", writes: ["t"] },
  { sql: "UPDATE {t} SET b = 1 WHERE a = 1", kind: "UPDATE", writes: ["t"], ownRows: true },
  { sql: "UPDATE {t} SET b = b + 1", kind: "UPDATE", writes: ["t"], ownRows: true },
  {
    sql: "UPDATE {t} SET b = (SELECT MAX(a) FROM {o})",
    kind: "UPDATE",
    writes: ["t"],
    reads: ["o"],
  },
  {
    sql: "UPDATE {t} JOIN {o} ON {t}.a = {o}.a SET {t}.b = {o}.b",
    kind: "UPDATE",
    writes: ["t"],
    reads: ["o"],
    ownRows: true,
  },
  { sql: "DELETE FROM {t}", kind: "DELETE", writes: ["t"] },
  { sql: "DELETE FROM {t} WHERE a = 1", kind: "DELETE", writes: ["t"], ownRows: true },
  { sql: "DELETE FROM {t} RETURNING a", kind: "DELETE", writes: ["t"], reads: ["t"] },
  {
    sql: "DELETE {t} FROM {t} JOIN {o} ON {t}.a = {o}.a",
    kind: "DELETE",
    writes: ["t"],
    reads: ["o"],
    ownRows: true,
  },
  { sql: "TRUNCATE TABLE {t}", kind: "TRUNCATE", changes: ["t"] },
  { sql: "CREATE TABLE {n} (a INT)", kind: "CREATE TABLE", changes: ["n"] },
  { sql: "CREATE TABLE IF NOT EXISTS {t} (a INT)", kind: "CREATE TABLE", changes: ["t"] },
  { sql: "CREATE OR REPLACE TABLE {n} (a INT)", kind: "CREATE TABLE", changes: ["n"] },
  { sql: "CREATE TABLE {n} LIKE {t}", kind: "CREATE TABLE", changes: ["n"], reads: ["t"] },
  {
    sql: "CREATE TABLE {n} SELECT * FROM {t}",
    kind: "CREATE TABLE",
    changes: ["n"],
    writes: ["n"],
    reads: ["t"],
  },
  {
    sql: "CREATE TABLE {n} (a INT, FOREIGN KEY (a) REFERENCES {t} (a))",
    kind: "CREATE TABLE",
    changes: ["n"],
    reads: ["t"],
    stricter: "servers let a writer refer to his table",
  },
  { sql: "CREATE TEMPORARY TABLE {n} (a INT)", kind: "CREATE TABLE", changes: ["n"], stricter: temporary },
  {
    sql: "CREATE ALGORITHM = TEMPTABLE VIEW {n} AS SELECT * FROM {t}",
    kind: "CREATE VIEW",
    changes: ["n"],
    reads: ["t"],
    stricter: "servers let a writer, who cannot read it, make a view",
  },
  {
    sql: "CREATE VIEW {n} AS SELECT * FROM {t}",
    kind: "CREATE VIEW",
    changes: ["n"],
    reads: ["t"],
    updatableView: true,
    stricter: updatable,
  },
  {
    sql: "ALTER VIEW {v} AS SELECT * FROM {t}",
    kind: "ALTER VIEW",
    changes: ["v"],
    reads: ["t"],
    updatableView: true,
    stricter: updatable,
  },
  { sql: "DROP VIEW {v}", kind: "DROP VIEW", changes: ["v"] },
  { sql: "ALTER TABLE {t} ADD COLUMN c INT", kind: "ALTER TABLE", changes: ["t"] },
  { sql: "ALTER TABLE {t} RENAME TO {n}", kind: "ALTER TABLE", changes: ["t", "n"], writes: ["n"] },
  { sql: "ALTER TABLE {p} TRUNCATE PARTITION p0", kind: "ALTER TABLE", changes: ["p"] },
  { sql: "ALTER TABLE {p} DROP PARTITION p0", kind: "ALTER TABLE", changes: ["p"] },
  {
    sql: "ALTER TABLE {p} EXCHANGE PARTITION p0 WITH TABLE {m}",
    kind: "ALTER TABLE",
    changes: ["p", "m"],
    writes: ["p", "m"],
  },
  ...["ANALYZE", "OPTIMIZE", "REPAIR"].map(
    (verb): RoleCase => ({
      sql: `ALTER TABLE {p} ${verb} PARTITION p0`,
      kind: "ALTER TABLE",
      changes: ["p"],
      writes: ["p"],
      reads: ["p"],
      stricter: maintenance,
    }),
  ),
  {
    sql: "ALTER TABLE {p} CHECK PARTITION ALL",
    kind: "ALTER TABLE",
    changes: ["p"],
    reads: ["p"],
    stricter: maintenance,
  },
  { sql: "ALTER TABLE {m} ORDER BY b", kind: "ALTER TABLE", changes: ["m"] },
  { sql: "RENAME TABLE {t} TO {n}", kind: "RENAME TABLE", changes: ["t", "n"], writes: ["n"] },
  { sql: "CREATE INDEX i ON {t} (b)", kind: "CREATE INDEX", changes: ["t"] },
  { sql: "DROP INDEX i ON {t}", kind: "DROP INDEX", changes: ["t"] },
  { sql: "DROP TABLE {t}", kind: "DROP TABLE", changes: ["t"] },
  { sql: "DROP TABLE {t}, {o}", kind: "DROP TABLE", changes: ["t", "o"] },
  {
    sql: "CREATE TRIGGER x_ BEFORE INSERT ON {t} FOR EACH ROW SET NEW.b = 3",
    kind: "CREATE TRIGGER",
    changes: ["t"],
  },
  {
    sql: "CREATE TRIGGER x_ BEFORE INSERT ON {t} FOR EACH ROW INSERT INTO {o} VALUES (NEW.a, 3)",
    kind: "CREATE TRIGGER",
    innerKinds: ["INSERT"],
    changes: ["t"],
    writes: ["o"],
    stricter: trigger,
  },
  { sql: "EXPLAIN SELECT * FROM {t}", kind: "EXPLAIN", innerKinds: ["SELECT"], reads: ["t"] },
  { sql: "EXPLAIN UPDATE {t} SET b = 1", kind: "EXPLAIN", innerKinds: ["UPDATE"], writes: ["t"] },
  { sql: "EXPLAIN DELETE FROM {t}", kind: "EXPLAIN", innerKinds: ["DELETE"], writes: ["t"] },
  { sql: "ANALYZE UPDATE {t} SET b = 1", kind: "ANALYZE", innerKinds: ["UPDATE"], writes: ["t"] },
  { sql: "DESCRIBE {t}", kind: "DESCRIBE", reads: ["t"], stricter: column },
  { sql: "SHOW COLUMNS FROM {t}", kind: "SHOW", subject: "COLUMNS", reads: ["t"], stricter: column },
  { sql: "SHOW INDEX FROM {t}", kind: "SHOW", subject: "INDEX", reads: ["t"], stricter: column },
  { sql: "SHOW CREATE TABLE {t}", kind: "SHOW", subject: "CREATE TABLE", reads: ["t"], stricter: column },
  { sql: "SHOW CREATE VIEW {v}", kind: "SHOW", subject: "CREATE VIEW", reads: ["v"] },
  { sql: "CHECK TABLE {t}", kind: "CHECK TABLE", reads: ["t"], stricter: column },
  { sql: "CHECKSUM TABLE {t}", kind: "CHECKSUM TABLE", reads: ["t"] },
  { sql: "HANDLER {t} OPEN", kind: "HANDLER", reads: ["t"] },
  { sql: "LOCK TABLES {t} READ", kind: "LOCK TABLES", reads: ["t"] },
  { sql: "LOCK TABLES {t} WRITE", kind: "LOCK TABLES", writes: ["t"], stricter: lock },
  {
    sql: "LOCK TABLES {t} WRITE, {o} READ",
    kind: "LOCK TABLES",
    writes: ["t"],
    reads: ["o"],
    stricter: lock,
  },
  { sql: "ANALYZE TABLE {t}", kind: "ANALYZE TABLE", writes: ["t"] },
  { sql: "OPTIMIZE TABLE {t}", kind: "OPTIMIZE TABLE", changes: ["t"], stricter: maintenance },
  { sql: "REPAIR TABLE {t}", kind: "REPAIR TABLE", changes: ["t"], stricter: maintenance },
  { sql: "CACHE INDEX {t} IN default", kind: "CACHE INDEX", reads: ["t"], stricter: index },
  { sql: "FLUSH TABLES {t}", kind: "FLUSH", subject: "TABLES", changes: ["t"] },
  { sql: "SELECT NEXTVAL({s})", kind: "SELECT", reads: ["s"], writes: ["s"] },
  { sql: "SELECT SETVAL({s}, 5)", kind: "SELECT", writes: ["s"] },
  { sql: "SELECT LASTVAL({s})", kind: "SELECT", reads: ["s"] },
  { sql: "ALTER SEQUENCE {s} RESTART 5", kind: "ALTER SEQUENCE", changes: ["s"] },
  { sql: "DROP SEQUENCE {s}", kind: "DROP SEQUENCE", changes: ["s"] },
  { sql: "CREATE SEQUENCE {n}", kind: "CREATE SEQUENCE", changes: ["n"] },
  {
    sql: "DELETE HISTORY FROM {t}",
    kind: "DELETE HISTORY",
    writes: ["t"],
    stricter: "rows go away: the writer's affair too",
  },
  { sql: "PREPARE x FROM 'SELECT * FROM {t}'", kind: "PREPARE", innerKinds: ["SELECT"], reads: ["t"] },
  {
    sql: "EXECUTE IMMEDIATE 'DELETE FROM {t}'",
    kind: "EXECUTE IMMEDIATE",
    innerKinds: ["DELETE"],
    writes: ["t"],
  },
  {
    sql: "SET STATEMENT max_statement_time = 5 FOR SELECT * FROM {t}",
    kind: "SET STATEMENT",
    innerKinds: ["SELECT"],
    reads: ["t"],
  },
  { sql: "SELECT shop.f_ok()", kind: "SELECT", routines: ["f_ok"] },
  { sql: "SELECT shop.f_no()", kind: "SELECT", routines: ["f_no"] },
  { sql: "SELECT shop.f_no() FROM {t}", kind: "SELECT", reads: ["t"], routines: ["f_no"] },
  { sql: "CALL shop.p_ok()", kind: "CALL", routines: ["p_ok"] },
  { sql: "CALL shop.p_no()", kind: "CALL", routines: ["p_no"] },
  { sql: "SHOW TABLES", kind: "SHOW", subject: "TABLES" },
  {
    sql: "SHOW TABLES FROM shop",
    kind: "SHOW",
    subject: "TABLES",
    schemas: [{ name: "shop", access: "see" }],
  },
  {
    sql: "SHOW TABLES FROM mysql",
    kind: "SHOW",
    subject: "TABLES",
    schemas: [{ name: "mysql", access: "see" }],
  },
  { sql: "SHOW DATABASES", kind: "SHOW", subject: "DATABASES" },
  { sql: "SHOW VARIABLES LIKE 'version%'", kind: "SHOW", subject: "VARIABLES" },
  { sql: "SHOW ENGINE INNODB STATUS", kind: "SHOW", subject: "ENGINE" },
  { sql: "SHOW BINARY LOGS", kind: "SHOW", subject: "BINARY LOGS" },
  { sql: "SHOW MASTER STATUS", kind: "SHOW", subject: "MASTER STATUS" },
  { sql: "SHOW SLAVE HOSTS", kind: "SHOW", subject: "SLAVE HOSTS" },
  { sql: "SHOW EVENTS", kind: "SHOW", subject: "EVENTS" },
  { sql: "SHOW GRANTS FOR root@localhost", kind: "SHOW", subject: "GRANTS FOR" },
  { sql: "SHOW CREATE USER root@localhost", kind: "SHOW", subject: "CREATE USER FOR" },
  { sql: "SHOW CREATE FUNCTION shop.f_ok", kind: "SHOW", subject: "CREATE FUNCTION", routines: ["f_ok"] },
  {
    sql: "SHOW CREATE FUNCTION shop.f_no",
    kind: "SHOW",
    subject: "CREATE FUNCTION",
    routines: ["f_no"],
    stricter: "servers answer with NULL in the body's place",
  },
  { sql: "CREATE DATABASE other_", kind: "CREATE DATABASE", schemas: [{ name: "other_", access: "change" }] },
  { sql: "DROP DATABASE shop", kind: "DROP DATABASE", schemas: [{ name: "shop", access: "change" }] },
  {
    sql: "ALTER DATABASE shop CHARACTER SET utf8mb4",
    kind: "ALTER DATABASE",
    schemas: [{ name: "shop", access: "change" }],
  },
  {
    sql: "SET GLOBAL max_connections = 100",
    kind: "SET",
    assigns: [{ scope: "global", name: "max_connections" }],
  },
  { sql: "SET SESSION sql_log_bin = 0", kind: "SET", assigns: [{ scope: "session", name: "sql_log_bin" }] },
  {
    sql: "SET SESSION sort_buffer_size = 65536",
    kind: "SET",
    assigns: [{ scope: "session", name: "sort_buffer_size" }],
  },
  { sql: "SELECT 1 INTO OUTFILE '/nowhere/x'", kind: "SELECT", serverFiles: true },
  { sql: "FLUSH STATUS", kind: "FLUSH" },
  { sql: "RESET MASTER", kind: "RESET" },
  { sql: "PURGE BINARY LOGS TO 'x'", kind: "PURGE" },
  { sql: "CREATE USER other_@localhost", kind: "CREATE USER" },
  { sql: "GRANT SELECT ON shop.* TO root@localhost", kind: "GRANT" },
  { sql: "BINLOG 'x'", kind: "BINLOG" },
  { sql: "CREATE EVENT shop.e_ ON SCHEDULE EVERY 1 DAY DO SELECT 1", kind: "CREATE EVENT" },
  { sql: "INSTALL SONAME 'x'", kind: "INSTALL" },
  { sql: "BEGIN", kind: "BEGIN" },
  { sql: "COMMIT", kind: "COMMIT" },
];

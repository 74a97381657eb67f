// The place of the hostile client: a schema with tables of its own, a table that it has no right on, and things beside it of
// which it does not even know the names.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Connection } from "mysql2/promise";
import { scratchFolder } from "../../support/scratch.ts";

/** The ACL file. */
export function writeHostileAcl(): string {
  const path = join(scratchFolder("hostile"), "acl.json");
  const owner = { readers: ["eve"], writers: ["eve"], admins: ["eve"] };
  writeFileSync(
    path,
    JSON.stringify({
      table_groups: [
        { name: "own", table_names_or_prefixes: ["d.t", "d.t2", "d.my_%"], ...owner },
        { name: "others", table_names_or_prefixes: ["secret", "vault.%"], readers: ["owner"] },
      ],
      routines: [{ name: "ok", routine_names_or_prefixes: ["d.p_ok"], executors: ["eve"] }],
    }),
  );
  return path;
}

const ownTables = [
  "CREATE TABLE IF NOT EXISTS d.t (a INT PRIMARY KEY, b VARCHAR(60))",
  "CREATE TABLE IF NOT EXISTS d.t2 (a INT PRIMARY KEY, b VARCHAR(60))",
  "CREATE TABLE IF NOT EXISTS d.my_part (a INT PRIMARY KEY, b VARCHAR(60)) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20))",
  "INSERT IGNORE INTO d.t VALUES (1, 'one'), (2, 'two')",
];

const hoard = [
  "CREATE TABLE d.unlisted_hoard (hidden_a INT, CONSTRAINT hidden_fk FOREIGN KEY (hidden_a) REFERENCES d.t (a))",
  "INSERT INTO d.unlisted_hoard VALUES (1)",
];

/** Makes everything. */
export async function setUp(root: Connection): Promise<void> {
  for (const statement of [
    "CREATE DATABASE d",
    "CREATE DATABASE vault",
    ...ownTables,
    "CREATE TABLE d.secret (a INT PRIMARY KEY, b VARCHAR(60), hidden_column INT, KEY hidden_index (b)) COMMENT 'hidden-comment'",
    `INSERT INTO d.secret VALUES ${[1, 2, 3, 4, 5].map((one) => `(777000 + ${one}, 'hidden-value-${one}', 777001)`).join(", ")}`,
    "CREATE TRIGGER d.hidden_trigger BEFORE DELETE ON d.secret FOR EACH ROW SET @hidden = 1",
    ...hoard,
    "CREATE TABLE d.gone (a INT)",
    "CREATE VIEW d.unlisted_view AS SELECT * FROM d.gone",
    "DROP TABLE d.gone",
    "CREATE TABLE vault.gold (a INT)",
    "CREATE FUNCTION d.f_reads_secret() RETURNS VARCHAR(60) READS SQL DATA RETURN (SELECT MAX(b) FROM d.secret)",
    "CREATE PROCEDURE d.p_reads_secret() SELECT * FROM d.secret",
    "CREATE PROCEDURE d.p_ok(x INT) SELECT 1",
  ])
    await root.query(statement);
}

/** Undoes what attempts on the client's own tables did. */
export async function restore(root: Connection): Promise<void> {
  const [rows] = await root.query({ sql: "SHOW FULL TABLES FROM d", rowsAsArray: true });
  const names = new Map((rows as unknown as string[][]).map(([name = "", type = ""]) => [name, type]));
  for (const [name, type] of names) {
    if (/^my_(?!part$)/.test(name)) await root.query(`DROP ${type === "VIEW" ? "VIEW" : "TABLE"} d.${name}`);
  }
  let rebuilt = false;
  if (names.has("t")) {
    const [made] = await root.query({ sql: "SHOW CREATE TABLE d.t", rowsAsArray: true });
    const text = String((made as unknown as string[][])[0]?.[1]);
    if (!text.includes("`a` int") || !text.includes("PRIMARY KEY") || !text.includes("InnoDB")) {
      await root.query("SET foreign_key_checks = 0");
      await root.query("DROP TABLE d.t, d.unlisted_hoard");
      rebuilt = true;
    }
  }
  for (const statement of ownTables) await root.query(statement);
  if (rebuilt) for (const statement of hoard) await root.query(statement);
  await root.query("SET foreign_key_checks = 1");
  await root.query("DELETE FROM d.t WHERE a NOT IN (1, 2)");
}

/** What must not change. */
export async function secretState(root: Connection): Promise<string> {
  const parts: unknown[] = [];
  for (const sql of [
    "SELECT COUNT(*), SUM(a), GROUP_CONCAT(b ORDER BY a) FROM d.secret",
    "SELECT * FROM d.unlisted_hoard",
    "SHOW FULL COLUMNS FROM d.secret",
    "SELECT table_name FROM information_schema.tables WHERE table_schema = 'd' AND table_name NOT LIKE 'my%' ORDER BY 1",
    "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = 'd'",
    "SELECT routine_name FROM information_schema.routines WHERE routine_schema = 'd' ORDER BY 1",
  ]) {
    const [rows] = await root.query(sql);
    parts.push(rows);
  }
  return JSON.stringify(parts);
}

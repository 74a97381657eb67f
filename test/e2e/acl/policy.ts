// One policy in two forms: as an ACL file and as GRANTs of a limited account on a real server. Every combination of reader,
// writer and admin has tables of its own, so that a statement can be tried with every combination by its names alone.
import type { Connection } from "mysql2/promise";

type Flavour = "mysql" | "mariadb";

/** `r` reader, `w` writer, `a` admin. */
export const combinations = ["", "r", "w", "a", "rw", "ra", "wa", "rwa"] as const;
export type Combination = (typeof combinations)[number];

/** What kinds of objects there are; `n`: the name of a table that does not exist. */
export const objectKinds = ["t", "o", "v", "s", "p", "m", "n"] as const;
export type ObjectKind = (typeof objectKinds)[number];

export const schema = "shop";
export const limited = { user: "lim", password: "lim-password" } as const;

const privileges = {
  r: "SELECT, SHOW VIEW, REFERENCES",
  w: "INSERT, UPDATE, DELETE",
  a: "CREATE, ALTER, DROP, INDEX, CREATE VIEW, TRIGGER, DELETE HISTORY",
} as const;

const lists = { r: "readers", w: "writers", a: "admins" } as const;

export function nameOf(kind: ObjectKind, combination: Combination): string {
  return `${kind}_${combination}_`;
}

/** The ACL file of the policy. */
export function policyFile(): object {
  return {
    table_groups: combinations.map((combination) => ({
      name: `group_${combination}`,
      table_names_or_prefixes: objectKinds.map((kind) => `${schema}.${nameOf(kind, combination)}`),
      ...Object.fromEntries(
        [...combination].map((letter) => [lists[letter as keyof typeof lists], [limited.user]]),
      ),
    })),
    routines: [
      { name: "routines", routine_names_or_prefixes: [`${schema}.f_ok`, `${schema}.p_ok`], executors: ["*"] },
    ],
  };
}

const historyless = privileges.a.replace(", DELETE HISTORY", "");

function createStatement(kind: ObjectKind, name: string, flavour: Flavour): string {
  switch (kind) {
    case "t":
    case "o":
      return `CREATE TABLE ${schema}.${name} (a INT PRIMARY KEY, b INT)`;
    case "p":
      return `CREATE TABLE ${schema}.${name} (a INT, b INT) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20))`;
    case "m":
    case "n":
      return `CREATE TABLE ${schema}.${name} (a INT, b INT)`;
    case "s":
      // MySQL has none: a table stands for it.
      return `CREATE ${flavour === "mariadb" ? "SEQUENCE" : "TABLE"} ${schema}.${name}${flavour === "mariadb" ? "" : " (a INT)"}`;
    case "v":
      // Behind a gateway one account defines every view: here it is the limited one, with all rights on the base.
      return `CREATE DEFINER = ${limited.user}@localhost VIEW ${schema}.${name} AS SELECT a, b FROM ${schema}.base_`;
  }
}

function dropStatement(kind: ObjectKind, name: string): string {
  const word = kind === "v" ? "VIEW" : "TABLE";
  return `DROP ${word} IF EXISTS ${schema}.${name}`;
}

/** Makes schema, objects, routines and the limited account. */
export async function installPolicy(root: Connection, flavour: Flavour = "mariadb"): Promise<void> {
  const account = `${limited.user}@localhost`;
  const statements = [
    `CREATE DATABASE IF NOT EXISTS ${schema}`,
    `CREATE TABLE ${schema}.base_ (a INT PRIMARY KEY, b INT)`,
    `CREATE USER ${account} IDENTIFIED BY '${limited.password}'`,
    `GRANT LOCK TABLES, CREATE TEMPORARY TABLES ON ${schema}.* TO ${account}`,
    `GRANT ALL ON ${schema}.base_ TO ${account}`,
    `CREATE FUNCTION ${schema}.f_ok() RETURNS INT RETURN 1`,
    `CREATE FUNCTION ${schema}.f_no() RETURNS INT RETURN 1`,
    `CREATE PROCEDURE ${schema}.p_ok() SELECT 1`,
    `CREATE PROCEDURE ${schema}.p_no() SELECT 1`,
    `GRANT EXECUTE ON FUNCTION ${schema}.f_ok TO ${account}`,
    `GRANT EXECUTE ON PROCEDURE ${schema}.p_ok TO ${account}`,
  ];
  for (const statement of statements) await root.query(statement);
  for (const kind of objectKinds) {
    for (const combination of combinations) {
      const name = nameOf(kind, combination);
      await root.query(createStatement(kind, name, flavour));
      for (const letter of combination) {
        const all = privileges[letter as keyof typeof privileges];
        const granted = letter === "a" && flavour === "mysql" ? historyless : all;
        await root.query(`GRANT ${granted} ON ${schema}.${name} TO ${account}`);
      }
      if (kind === "n") await root.query(dropStatement(kind, name));
      if (kind === "t") await root.query(`INSERT INTO ${schema}.${name} VALUES (1, 1)`);
    }
  }
}

/** Makes the objects of `used` what they were before a statement. */
export async function restoreObjects(
  root: Connection,
  used: readonly { readonly kind: ObjectKind; readonly combination: Combination }[],
  flavour: Flavour = "mariadb",
): Promise<void> {
  await root.query("SET foreign_key_checks = 0");
  for (const { kind, combination } of used) {
    const name = nameOf(kind, combination);
    const words = flavour === "mariadb" ? ["TABLE", "VIEW", "SEQUENCE"] : ["TABLE", "VIEW"];
    const drops = words.map((word) => `DROP ${word} IF EXISTS ${schema}.${name}`);
    for (const drop of drops) await root.query(drop).catch(() => {});
    if (kind !== "n") await root.query(createStatement(kind, name, flavour));
    if (kind === "t") await root.query(`INSERT INTO ${schema}.${name} VALUES (1, 1)`);
  }
}

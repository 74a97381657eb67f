// Names without a schema that do not mean the default one, and values in definitions that name what is stored elsewhere.
import { describe, expect, it } from "vitest";
import { analyzeText } from "../../../src/sql/analyze.ts";
import type { Flavour } from "../../../src/sql/dialect.ts";
import { readingModesOf } from "../../../src/sql/dialect.ts";
import { internContext, StatementCache } from "../../../src/sql/statement-cache.ts";
import { contextOf, shownNames } from "./support.ts";

function summaryOf(flavour: Flavour, sql: string) {
  const { statements, uncertain } = analyzeText(
    Buffer.from(sql),
    contextOf(flavour, { defaultSchema: "here" }),
  );
  const [only] = statements;
  if (only === undefined) throw new Error("There is no statement");
  return { ...only, uncertain };
}

const both = ["mysql", "mariadb"] as const;

describe("what is stored in a schema", () => {
  const bodies = [
    "CREATE TRIGGER there.x BEFORE INSERT ON there.t FOR EACH ROW SET @x = (SELECT a FROM secret LIMIT 1)",
    "CREATE TRIGGER there.x BEFORE INSERT ON t FOR EACH ROW BEGIN SET @x = (SELECT a FROM secret LIMIT 1); END",
    "CREATE PROCEDURE there.p() SELECT a FROM secret",
    "CREATE PROCEDURE there.p() BEGIN DECLARE c CURSOR FOR SELECT a FROM secret; OPEN c; END",
    "CREATE FUNCTION there.f() RETURNS INT RETURN (SELECT MAX(a) FROM secret)",
  ];
  it.each(both.flatMap((flavour) => bodies.map((sql) => [flavour, sql] as const)))(
    "names what is in that schema: %s: %s",
    (flavour, sql) => {
      const summary = summaryOf(flavour, sql);
      expect(summary.uncertain).toBe(null);
      expect(shownNames(summary.reads)).toBe("there.secret");
    },
  );

  it.each(both)("calls what is in that schema: %s", (flavour) => {
    expect(shownNames(summaryOf(flavour, "CREATE PROCEDURE there.p() CALL q()").routines)).toBe("there.q");
  });

  it.each(both)("is in the default schema where none is written, and a view never minds: %s", (flavour) => {
    expect(shownNames(summaryOf(flavour, "CREATE PROCEDURE p() SELECT a FROM secret").reads)).toBe(
      "here.secret",
    );
    expect(shownNames(summaryOf(flavour, "CREATE VIEW there.v AS SELECT a FROM secret").reads)).toBe(
      "here.secret",
    );
  });

  it("takes its anchored types from there", () => {
    const sql =
      "CREATE PROCEDURE there.p(x TYPE OF secret.a) BEGIN DECLARE y TYPE OF other.a; SELECT x, y; END";
    expect(shownNames(summaryOf("mariadb", sql).reads)).toBe("there.secret there.other");
  });
});

describe("a foreign key", () => {
  it.each([
    "CREATE TABLE there.t (a INT, FOREIGN KEY (a) REFERENCES parent (a))",
    "CREATE TABLE there.t (a INT REFERENCES parent (a))",
    "ALTER TABLE there.t ADD FOREIGN KEY (a) REFERENCES parent (a)",
    "ALTER TABLE there.t ADD COLUMN (b INT, FOREIGN KEY (b) REFERENCES parent (a))",
    "CREATE TABLE here.t (a INT, FOREIGN KEY (a) REFERENCES there.parent (a))",
  ])("has its parent beside its table: %s", (sql) => {
    expect(shownNames(summaryOf("mysql", sql).reads)).toBe("there.parent");
    // MariaDB links that one, and looks for the right on the one of the default schema.
    const isWritten = sql.includes("there.parent");
    expect(shownNames(summaryOf("mariadb", sql).reads)).toBe(
      isWritten ? "there.parent" : "there.parent here.parent",
    );
  });

  it("leaves the tables of a MERGE table and the source of LIKE in the default schema", () => {
    const merged = summaryOf("mariadb", "CREATE TABLE there.t (a INT) ENGINE=MRG_MyISAM UNION=(one)");
    expect(shownNames(merged.reads)).toBe("here.one");
    expect(shownNames(summaryOf("mariadb", "CREATE TABLE there.t LIKE one").reads)).toBe("here.one");
  });
});

describe("a default of MariaDB without parentheses", () => {
  it.each([
    ["NEXT VALUE FOR secret", "here.secret", "here.secret"],
    ["NEXT VALUE FOR there.secret NOT NULL", "there.secret", "there.secret"],
    ["PREVIOUS VALUE FOR secret", "here.secret", ""],
    ["CASE WHEN 1 THEN NEXTVAL(secret) END", "here.secret", "here.secret"],
    ["CASE WHEN CASE 1 WHEN 1 THEN 0 END THEN 1 ELSE NEXTVAL(secret) END", "here.secret", "here.secret"],
    ["{d NEXTVAL(secret)}", "here.secret", "here.secret"],
    ["IF(1, NEXTVAL(secret), 2)", "here.secret", "here.secret"],
    ["LASTVAL(secret)", "here.secret", ""],
  ])("names the sequence: %s", (value, reads, writes) => {
    for (const sql of [
      `CREATE TABLE t (a INT DEFAULT ${value}, b INT)`,
      `ALTER TABLE t ALTER a SET DEFAULT ${value}`,
      `ALTER TABLE t ADD COLUMN (z INT DEFAULT ${value})`,
    ]) {
      const summary = summaryOf("mariadb", sql);
      expect(summary.uncertain).toBe(null);
      expect([shownNames(summary.reads), shownNames(summary.writes)]).toEqual([reads, writes]);
    }
  });

  it.each(["CASE WHEN 1 THEN USER() END", "{d USER()}", "@@proxy_user", "CONCAT(USER(), 1)"])(
    "tells of the service account: %s",
    (value) => {
      const { identityTokens } = summaryOf("mariadb", `CREATE TABLE t (a VARCHAR(99) DEFAULT ${value})`);
      expect(identityTokens.map(({ place }) => place)).toEqual(["stored"]);
    },
  );

  it.each([
    "CREATE TABLE t (a INT DEFAULT 1, b INT DEFAULT -1, c TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP) DEFAULT CHARSET utf8mb4 DEFAULT COLLATE utf8mb4_bin",
    "CREATE TABLE t (a DATETIME DEFAULT NOW() ON UPDATE NOW(), b CHAR(1) DEFAULT 'x', c INT DEFAULT NULL, d INT DEFAULT (1 + 1))",
    "ALTER TABLE t ALTER a DROP DEFAULT, DEFAULT CHARACTER SET latin1",
  ])("goes by, where it is a plain one: %s", (sql) => {
    for (const flavour of both) {
      const { uncertain, reads, writes, routines } = summaryOf(flavour, sql);
      expect({ uncertain, reads, writes, routines }).toEqual({
        uncertain: null,
        reads: [],
        writes: [],
        routines: [],
      });
    }
  });
});

describe("the parts of ALTER TABLE that servers want other rights for", () => {
  it.each([
    ["ALTER TABLE t ANALYZE PARTITION ALL", "here.t", "here.t"],
    ["ALTER TABLE t OPTIMIZE PARTITION p0", "here.t", "here.t"],
    ["ALTER TABLE t REPAIR PARTITION p0, p1", "here.t", "here.t"],
    ["ALTER TABLE t CHECK PARTITION ALL FOR UPGRADE", "here.t", ""],
    ["ALTER TABLE t REBUILD PARTITION p0", "", ""],
  ])("%s", (sql, reads, writes) => {
    for (const flavour of both) {
      const summary = summaryOf(flavour, sql);
      expect([shownNames(summary.reads), shownNames(summary.writes)]).toEqual([reads, writes]);
    }
  });

  it("MySQL keeps what replicas are not told of for administrators", () => {
    expect(summaryOf("mysql", "OPTIMIZE LOCAL TABLE t").kind).toBe("OPTIMIZE LOCAL TABLE");
    expect(summaryOf("mysql", "OPTIMIZE TABLE t").kind).toBe("OPTIMIZE TABLE");
    expect(summaryOf("mariadb", "OPTIMIZE LOCAL TABLE t").kind).toBe("OPTIMIZE TABLE");
  });

  it("MySQL reads the rows that it orders", () => {
    const sql = "ALTER TABLE t CHANGE b c INT, ORDER BY b";
    expect(shownNames(summaryOf("mysql", sql).reads)).toBe("here.t");
    expect(shownNames(summaryOf("mariadb", sql).reads)).toBe("");
  });
});

describe("values of MariaDB's INSERT that are computed from the target's columns", () => {
  it.each([
    ["INSERT INTO t (a) VALUES (b), (1)", ""],
    ["INSERT INTO t (a) VALUES (1), (b)", "here.t"],
    ["INSERT INTO t (a) VALUES (1), (2), ((SELECT b))", "here.t"],
    ["INSERT INTO t (a, b) VALUES (1, 2), (3, DEFAULT), (NOW(), 'x')", ""],
    ["INSERT INTO t (a, b) VALUES (1, 2), (3, DEFAULT(a))", "here.t"],
    ["REPLACE INTO t VALUES (b)", ""],
    ["INSERT INTO t SET a = b", ""],
  ])("are read in all rows but the first: %s", (sql, reads) => {
    const summary = summaryOf("mariadb", sql);
    expect(summary.uncertain).toBe(null);
    expect(shownNames(summary.reads)).toBe(reads);
  });
});

describe("a DELETE by aliases", () => {
  it("wants the right that MariaDB looks for in the default schema, too", () => {
    const sql = "DELETE x FROM there.t AS x, t2 AS y WHERE x.a = y.a";
    expect(shownNames(summaryOf("mariadb", sql).writes)).toBe("here.t there.t");
    expect(shownNames(summaryOf("mysql", sql).writes)).toBe("there.t");
    const plain = "DELETE t FROM there.t, t2";
    expect(shownNames(summaryOf("mariadb", plain).writes)).toBe("there.t");
  });
});

describe("names that look like others", () => {
  it.each(both)("a byte order mark is a part of a name: %s", (flavour) => {
    const marked = "\ufeffsecret";
    const sql = `WITH ${marked} AS (SELECT 1 a) SELECT * FROM t, secret, ${marked}`;
    expect(summaryOf(flavour, sql).reads.map(({ name }) => name)).toEqual(["t", "secret"]);
    expect(summaryOf(flavour, `SELECT * FROM ${marked}`).reads.map(({ name }) => name)).toEqual([marked]);
    expect(summaryOf(flavour, "SELECT \ufeffMAX(a) FROM t").routines.map(({ name }) => name)).toEqual([
      "\ufeffMAX",
    ]);
  });

  it.each(both)("a comment before the parenthesis makes a call of a stored function: %s", (flavour) => {
    const cache = new StatementCache();
    const context = internContext(
      contextOf(flavour, { defaultSchema: "here", modes: readingModesOf("IGNORE_SPACE") }),
    );
    const routines = (sql: string) =>
      cache
        .analyze(Buffer.from(sql), context)
        .statements.flatMap((one) => one.routines.map(({ name }) => name));
    for (const round of [1, 2]) {
      expect(routines(`SELECT MAX \n(a) + ${round} FROM t`)).toEqual([]);
      expect(routines(`SELECT MAX/**/(a) + ${round} FROM t`)).toEqual(["MAX"]);
      expect(routines(`SELECT MAX#\n(a) + ${round} FROM t`)).toEqual(["MAX"]);
      expect(routines(`SELECT MAX(a) + ${round} FROM t`)).toEqual([]);
    }
  });
});

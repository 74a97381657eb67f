import { describe, expect, it } from "vitest";
import { analyzeText } from "../../../src/sql/analyze.ts";
import { namesIdentity, untellableIdentity } from "../../../src/sql/identity-tokens.ts";
import { type IdentityValues, rewriteIdentity } from "../../../src/sql/rewrite.ts";
import { contextOf } from "./support.ts";

const values: IdentityValues = {
  user: "bob@h",
  currentUser: "base@%",
  currentRole: "NONE",
  connectionId: 42,
  proxyUser: null,
  externalUser: null,
  rowsOf: () => "SELECT 1",
  shownVariables: () => "SELECT 1",
  proxyUsers: {
    check: true,
    mysqlNativePassword: false,
    cachingSha2Password: true,
    sha256Password: false,
  },
};

/** The rewritten text with its long literals shortened: `<bob@h|USER()>`. */
function rewritten(sql: string, changes: Partial<IdentityValues> = {}): string {
  const text = Buffer.from(sql);
  const analyzed = analyzeText(text, contextOf("mysql"));
  const result = rewriteIdentity(text, analyzed, { ...values, ...changes }, contextOf("mysql"));
  return Buffer.from(result)
    .toString()
    .replace(
      /IF\(1, (?:_utf8mb4 x(?:'([0-9a-f]*)'|''([0-9a-f]*)'')|NULL), ([^()]+(?:\(\))?)\)/g,
      (_, plain, nested, like) => `<${Buffer.from(plain ?? nested ?? "", "hex")}|${like}>`,
    );
}

describe("rewriteIdentity()", () => {
  it.each([
    ["SELECT user ( )", "SELECT  <bob@h|USER()>  AS `user ( )`"],
    ["SELECT USER() AS u, CURRENT_USER x", "SELECT  <bob@h|USER()>  AS u,  <base@%|CURRENT_USER()>  x"],
    ["SELECT CURRENT_USER", "SELECT  <base@%|CURRENT_USER()>  AS `CURRENT_USER`"],
    ["SELECT(USER())FROM t", "SELECT( <bob@h|USER()> ) AS `(USER())`FROM t"],
    ["SELECT@@proxy_user", "SELECT <|@@proxy_user>  AS `@@proxy_user`"],
    ["SELECT @@`proxy_user`FROM t", "SELECT  <|@@proxy_user>  AS `@@``proxy_user```FROM t"],
    ["SELECT @@global.proxy_user", "SELECT @@global.proxy_user"],
    [
      "SELECT CONNECTION_ID(), @@pseudo_thread_id a",
      "SELECT  IF(1, CAST(42 AS UNSIGNED), CONNECTION_ID())  AS `CONNECTION_ID()`,  IF(1, CAST(42 AS UNSIGNED), @@pseudo_thread_id)  a",
    ],
    ["SELECT @@check_proxy_users c", "SELECT  CAST(1 AS SIGNED)  c"],
    ["SELECT DATABASE()", "SELECT DATABASE()"],
    ["SELECT (SELECT USER())", "SELECT (SELECT  <bob@h|USER()>  AS `USER()`) AS `(SELECT USER())`"],
    [
      "SELECT /*!50000 concat( */ USER() /*! ) */",
      "SELECT /*!50000 concat( */  <bob@h|USER()>  /*! ) AS `USER()  )` */",
    ],
    [
      "SELECT a FROM t WHERE u = USER() ORDER BY USER()",
      "SELECT a FROM t WHERE u =  <bob@h|USER()>  ORDER BY  <bob@h|USER()> ",
    ],
    [
      "SELECT 'USER()', `USER`, t.user, user, db.user() FROM t",
      "SELECT 'USER()', `USER`, t.user, user, db.user() FROM t",
    ],
    ["SELECT 1 /* USER() */ -- CURRENT_USER", "SELECT 1 /* USER() */ -- CURRENT_USER"],
    ["INSERT INTO t VALUES (USER(), ?)", "INSERT INTO t VALUES ( <bob@h|USER()> , ?)"],
    ["SELECT USER /*!50000 ( */ ) u", "SELECT  <bob@h|USER()> /*!50000*/ u"],
    ["SELECT /*!50000 USER ( */ ) u", "SELECT /*!50000  <bob@h|USER()> */ u"],
    ["SELECT id FROM information_schema.processlist", "SELECT id FROM  (SELECT 1) AS `processlist` "],
    ["TABLE INFORMATION_SCHEMA.PROCESSLIST LIMIT 1", " SELECT * FROM (SELECT 1) AS `PROCESSLIST`  LIMIT 1"],
    [
      "SELECT USER() LIKE 'a', USER() = _utf8'x', USER() 'b', USER() > DATE '2020-01-01' FROM t",
      "SELECT  <bob@h|USER()>  LIKE 'a' AS `USER() LIKE 'a'`,  <bob@h|USER()>  = _utf8'x' AS `USER() = _utf8'x'`,  <bob@h|USER()>  'b',  <bob@h|USER()>  > DATE '2020-01-01' AS `USER() > DATE '2020-01-01'` FROM t",
    ],
    [
      "SELECT USER(), x.y.z.w.v FROM a.b.c WHERE o = CURRENT_USER AND t.user() = user (\n) AND @@proxy_user IS NULL",
      "SELECT  <bob@h|USER()>  AS `USER()`, x.y.z.w.v FROM a.b.c WHERE o =  <base@%|CURRENT_USER()>  AND t.user() =  <bob@h|USER()>  AND  <|@@proxy_user>  IS NULL",
    ],
    ["INSERT INTO a.b.user () VALUES (USER())", "INSERT INTO a.b.user () VALUES ( <bob@h|USER()> )"],
    [
      "PREPARE s FROM 'SELECT USER() FROM a.b.c'",
      "PREPARE s FROM 'SELECT  <bob@h|USER()>  AS `USER()` FROM a.b.c'",
    ],
    ["SELECT id FROM ((information_schema.processlist p))", "SELECT id FROM    (SELECT 1)  p  "],
    [
      "SELECT information_schema.processlist.id + 1 FROM d.t",
      "SELECT processlist.id + 1 AS `information_schema.processlist.id + 1` FROM d.t",
    ],
    [
      "UPDATE performance_schema.threads SET instrumented = 'NO' WHERE processlist_user = USER()",
      "UPDATE performance_schema.threads SET instrumented = 'NO' WHERE processlist_user =  <bob@h|USER()> ",
    ],
    ["SELECT performance_schema . `threads`.* FROM d.t", "SELECT  `threads`.* FROM d.t"],
    [
      "SHOW SESSION VARIABLES WHERE Value = USER()",
      " SELECT * FROM (SELECT 1) AS `session_variables`  WHERE Value =  <bob@h|USER()>  ORDER BY CAST(`Variable_name` AS BINARY)",
    ],
    ["SELECT id FROM `INFORMATION_SCHEMA` . processlist p", "SELECT id FROM  (SELECT 1)  p"],
    ["SELECT 1; SELECT USER() a", "SELECT 1; SELECT  <bob@h|USER()>  a"],
    [
      "PREPARE s FROM 'SELECT USER() u, \\'it\\'\\'s\\', \"\\\\\\\\\" '",
      "PREPARE s FROM 'SELECT  <bob@h|USER()>  u, ''it''''s'', \"\\\\\\\\\" '",
    ],
    [
      "PREPARE s FROM 'SELECT 1, ?'; SELECT USER() a",
      "PREPARE s FROM 'SELECT 1, ?'; SELECT  <bob@h|USER()>  a",
    ],
  ])("%s", (sql, expected) => {
    // The heading of a text in an executable comment is shown without its marks.
    expect(rewritten(sql).replace("`concat(  USER()  )`", "`USER()  )`")).toBe(expected);
  });

  it("gives back the same bytes where nothing is to be replaced", () => {
    const text = Buffer.from("SELECT * FROM t");
    const analyzed = analyzeText(text, contextOf("mysql"));
    expect(namesIdentity(analyzed.statements)).toBe(false);
    expect(rewriteIdentity(text, analyzed, values, contextOf("mysql"))).toBe(text);
  });

  it("takes any name as it is, and no quote with it", () => {
    const hostile = "o'b`\\\"; DROP TABLE t -- é@h";
    const text = rewritten("SELECT USER() u", { user: hostile });
    expect(text).toBe(`SELECT  <${hostile}|USER()>  u`);
    const raw = Buffer.from("SELECT USER() u");
    const bytes = rewriteIdentity(
      raw,
      analyzeText(raw, contextOf("mysql")),
      { ...values, user: hostile },
      contextOf("mysql"),
    );
    expect(Buffer.from(bytes).toString()).not.toContain("DROP");
  });

  it("means the same to the analyser", () => {
    for (const sql of [
      "SELECT USER(), a FROM t WHERE b = CURRENT_USER",
      "UPDATE t SET a = CONNECTION_ID()",
    ]) {
      const text = Buffer.from(sql);
      const before = analyzeText(text, contextOf("mysql"));
      const after = analyzeText(
        rewriteIdentity(text, before, values, contextOf("mysql")),
        contextOf("mysql"),
      );
      expect(after.uncertain).toBeNull();
      expect(after.statements[0]?.reads).toEqual(before.statements[0]?.reads);
      expect(after.statements[0]?.routines).toEqual([]);
    }
  });

  it("cuts headings as servers do, never inside a character", () => {
    const sql = `SELECT CONCAT(USER(), '${"é".repeat(200)}')`;
    const heading = /AS `(.*)`$/.exec(rewritten(sql))?.[1] ?? "";
    expect(heading.length).toBeGreaterThan(100);
    expect(Buffer.byteLength(heading)).toBeLessThanOrEqual(255);
    expect(heading).not.toContain("\ufffd");
  });
});

describe("untellableIdentity()", () => {
  const stored = (sql: string) =>
    untellableIdentity(analyzeText(Buffer.from(sql), contextOf("mysql")).statements);
  it.each([
    ["CREATE VIEW v AS SELECT USER()", "USER() in what is stored"],
    ["CREATE TABLE t (a INT DEFAULT (CONNECTION_ID()))", "CONNECTION_ID() in what is stored"],
    ["CREATE PROCEDURE p() SELECT CURRENT_USER", "CURRENT_USER() in what is stored"],
    ["CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW SET NEW.a = USER()", "USER() in what is stored"],
    ["PREPARE s FROM 'SELECT USER()'", null],
    ["PREPARE s FROM 'CREATE VIEW v AS SELECT USER()'", "USER() in what is stored"],
    ["CREATE TABLE t SELECT USER()", null],
    ["CREATE DEFINER=CURRENT_USER VIEW v AS SELECT 1", null],
    ["CREATE VIEW v AS SELECT DATABASE()", null],
  ])("%s: %s", (sql, name) => {
    expect(stored(sql)).toBe(name);
  });

  it("is what there is too much of in one text", () => {
    const tooMuch = "more than 10000 mentions of USER() and the like in one text";
    const untold = (text: string) => stored(text) === tooMuch;
    expect(untold(`SELECT ${"USER(),".repeat(10_000)} 1`)).toBe(false);
    expect(untold(`SELECT ${"USER(),".repeat(10_001)} 1`)).toBe(true);
    expect(untold(`${"SELECT CURRENT_USER;".repeat(9_000)} SELECT ${"USER(),".repeat(2_000)} 1`)).toBe(true);
    expect(untold(`SELECT ${"'USER()',".repeat(20_000)} 1`)).toBe(false);
  });
});

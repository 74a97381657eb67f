import { describe, expect, it } from "vitest";
import { plainKindOf } from "../../../src/sql/plain-statement.ts";

const kindOf = (sql: string): string => {
  const bytes = Buffer.from(`\u0003${sql}`);
  return plainKindOf(bytes, 1, bytes.length);
};

describe("plainKindOf()", () => {
  it.each([
    ["select 1", "read"],
    ["SELECT c FROM sbtest1 WHERE id=123", "read"],
    ["  \n\tSeLeCt c from t where id in (1,2) and (a or b)", "read"],
    ["SELECT SUM(k), count( * ) FROM sbtest1 WHERE id BETWEEN 1 AND 100", "read"],
    ["INSERT INTO t VALUES (1,'a'), (2, 'b')", "write"],
    ["update t set a = a + 1 where id = 1", "write"],
    ["delete from t where id = 1", "write"],
    ["select a/b from t", "read"],
  ])("%s is plain: %s", (sql, kind) => expect(kindOf(sql)).toBe(kind));

  it.each([
    "",
    "selec",
    "select",
    "selectx 1",
    "select/**/1",
    "select 1 /* c */",
    "select 1; kill 5",
    "select 1 ;",
    "kill 5",
    "KILL 5",
    "select @a",
    "select @@version",
    "select b := 1",
    "select user()",
    "select current_user",
    "select CURRENT_USER",
    "select session_user()",
    "select current_role",
    "select a, CURRENT_ROLE as r from t",
    "select * from `PROCESSLIST`",
    "select id from information_schema.ProcessList",
    "select connection_id()",
    "select sleep(1)",
    "select get_lock('a', 1)",
    "select GET_LOCK ('a', 1)",
    "select f(1)",
    "select db.f(1)",
    "select previous value for s",
    "select NEXT VALUE\tFOR s",
    "select db.count(1)",
    "select count (1)",
    "select `f`(1)",
    'select "f"(1)',
    "select sql_calc_found_rows * from t",
    "select last_insert_id()",
    "select load_file('x')",
    "set autocommit = 0",
    "begin",
    "call p()",
    "with a as (select 1) select * from a",
  ])("%s is not plain", (sql) => expect(kindOf(sql)).toBe("no"));
});

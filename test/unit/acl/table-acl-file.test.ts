import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseNamePattern } from "../../../src/acl/name-pattern.ts";
import { parseTableAclFile } from "../../../src/acl/table-acl-file.ts";
import { formatProblem } from "../../../src/base/problem.ts";

function problemsOf(content: object | string): string[] {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  const result = parseTableAclFile({ text, path: "acl.json" });
  return result.ok ? [] : result.problems.map(formatProblem);
}

function withNames(...groups: readonly (readonly string[])[]): object {
  return {
    table_groups: groups.map((names, index) => ({ name: `g${index}`, table_names_or_prefixes: names })),
  };
}

describe("parseNamePattern()", () => {
  it.each([
    ["orders", { schema: null, name: "orders", isPrefix: false }],
    ["tmp_%", { schema: null, name: "tmp_", isPrefix: true }],
    ["%", { schema: null, name: "", isPrefix: true }],
    ["shop.orders", { schema: "shop", name: "orders", isPrefix: false }],
    ["shop.%", { schema: "shop", name: "", isPrefix: true }],
    ["shop.tmp_%", { schema: "shop", name: "tmp_", isPrefix: true }],
    ["`a.b`", { schema: null, name: "a.b", isPrefix: false }],
    ["`my.shop`.`a%b``c`", { schema: "my.shop", name: "a%b`c", isPrefix: false }],
    ["`a.b`%", { schema: null, name: "a.b", isPrefix: true }],
    ["größe", { schema: null, name: "größe", isPrefix: false }],
  ])("reads %s", (text, expected) => {
    expect(parseNamePattern(text)).toEqual({ text, ...expected });
  });

  it.each([
    ["b%c", "at the end only"],
    ["aaa%%", "at the end only"],
    ["%a", "at the end only"],
    ["sh%.orders", "'%' in the schema"],
    ["%.orders", "'%' in the schema"],
    ["*", "every name is '%'"],
    ["shop.*", "every name is '%'"],
    ["a.b.c", "written in backticks"],
    ["", "empty name"],
    [".a", "empty name"],
    ["a.", "empty name"],
    [" a", "white space"],
    ["a ", "white space"],
    ["`a", "close its backtick"],
    ["a`b`", "around a whole name"],
    ["`a`b", "nothing but a dot"],
    ["``", "the name is empty"],
    ["o\u0308", "normalisation form C"],
    ["x".repeat(65), "too long"],
  ])("refuses %s", (text, sentence) => {
    expect(parseNamePattern(text)).toContain(sentence);
  });
});

// The lists of names are those of Vitess's go/vt/tableacl/tableacl_test.go; overlap is allowed here.
describe("parseTableAclFile()", () => {
  it.each([
    ["no names", withNames([])],
    ["one name", withNames(["b"])],
    ["two names", withNames(["b", "a"])],
    ["a name, a longer prefix, a longer name", withNames(["aaa", "aaab%", "aaabb"])],
    ["a name and the prefix equal to it", withNames(["aaab", "aaab%"])],
    ["a prefix and a name under it", withNames(["aa%", "aaab"])],
    ["overlapping entries of two groups", withNames(["a%"], ["ab%", "a"])],
    ["the same name in two schemas", withNames(["a.t"], ["b.t"], ["t"])],
    ["names that differ in case", withNames(["T"], ["t"])],
    ["no group", { table_groups: [] }],
    ["$schema", { $schema: "../schemas/table-acl.schema.json", table_groups: [] }],
  ])("accepts %s", (_, content) => {
    expect(problemsOf(content)).toEqual([]);
  });

  it.each([
    ["an empty file", "", "acl.json"],
    ["a list", "[]", "must be an object"],
    ["no groups", "{}", "Missing key 'table_groups'"],
    ["% inside", withNames(["b%c"]), `Entry "b%c" of group "g0" must have '%' at the end only`],
    ["two %", withNames(["aaa%%"]), "at the end only"],
    ["the same name twice", withNames(["aa", "aa"]), `"aa" stands twice in group "g0"`],
    [
      "the same name in two groups",
      withNames(["aa"], ["aa"]),
      `"aa" of group "g1" matches as well as "aa" of group "g0"`,
    ],
    ["the same prefix in two groups", withNames(["aa%"], ["aa%"]), "matches as well as"],
    ["the same name in other quotes", withNames(["aa"], ["`aa`"]), "matches as well as"],
    ["system names that differ in case", withNames(["mysql.user"], ["MySQL.User"]), "matches as well as"],
    [
      "an unknown key",
      { table_groups: [{ name: "g", table_names_or_prefixes: [], reeders: [] }] },
      "did you mean 'readers'?",
    ],
    ["an unknown key at the top", { table_group: [] }, "did you mean 'table_groups'?"],
    [
      "a number as principal",
      { table_groups: [{ name: "g", table_names_or_prefixes: [], readers: [1] }] },
      "must be a string",
    ],
    [
      "a string instead of a list",
      { table_groups: [{ name: "g", table_names_or_prefixes: "t" }] },
      "must be a list",
    ],
    [
      "an empty principal",
      { table_groups: [{ name: "g", table_names_or_prefixes: [], readers: [""] }] },
      "must not be empty",
    ],
    ["a missing name", { table_groups: [{ table_names_or_prefixes: [] }] }, "Missing key 'name'"],
    [
      "routine names that differ in case only",
      {
        table_groups: [],
        routines: [
          { name: "r", routine_names_or_prefixes: ["F"] },
          { name: "s", routine_names_or_prefixes: ["f"] },
        ],
      },
      `"f" of group "s" matches as well as "F" of group "r"`,
    ],
  ])("refuses %s", (_, content, sentence) => {
    expect(problemsOf(content).join("\n")).toContain(sentence);
  });

  it("tells all problems at once, in the order of the file, each with line and column", () => {
    const text = `{
  "table_groups": [
    { "name": "a", "table_names_or_prefixes": ["x", "b%c"] },
    { "name": "b", "table_names_or_prefixes": ["x",
      "y."] }
  ]
}`;
    expect(problemsOf(text)).toEqual([
      `acl.json:3:53: Entry "b%c" of group "a" must have '%' at the end only: a name that holds '%' is written in backticks`,
      `acl.json:4:48: Entry "x" of group "b" matches as well as "x" of group "a": each name or prefix must stand once in the file`,
      `acl.json:5:7: Entry "y." of group "b" must not have an empty name`,
    ]);
  });

  it("accepts the example of the documentation", () => {
    const path = "docs/examples/table-acl.json";
    expect(problemsOf(readFileSync(path, "utf8"))).toEqual([]);
  });
});

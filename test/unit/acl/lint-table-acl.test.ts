import { describe, expect, it } from "vitest";
import { type LintContext, lintTableAcl } from "../../../src/acl/lint-table-acl.ts";
import { formatProblem } from "../../../src/base/problem.ts";
import { fileOf } from "./support.ts";

const nothingKnown: LintContext = { principals: null, schemas: null };

function warnings(groups: object[], context = nothingKnown, routines: object[] = []): string[] {
  const content = { table_groups: groups, routines };
  return lintTableAcl(fileOf(content), context).map((problem) => problem.message);
}

const group = (names: string[], lists: object = {}, name = `g${names.join()}`) => ({
  name,
  table_names_or_prefixes: names,
  ...lists,
});

describe("lintTableAcl()", () => {
  it.each([
    ["a plain file", [group(["orders", "shop.%"], { readers: ["u"] })]],
    ["a longer entry of another group", [group(["%"], { readers: ["u"] }), group(["secret"])]],
    ["the same group again behind another", [group(["%", "a1", "ab1"]), group(["a%"])]],
    [
      "an entry that another group's entry parts from its cover",
      [group(["%", "abc"], { readers: ["u"] }), group(["a%"], { readers: ["v"] })],
    ],
    [
      "an unqualified name that a qualified prefix of another group may meet",
      [group(["%", "t"], { readers: ["u"] }), group(["shop.%"])],
    ],
    ["tables of information_schema", [group(["information_schema.tables"], { readers: ["u"] })]],
  ])("is silent about %s", (_, groups) => {
    expect(warnings(groups)).toEqual([]);
  });

  it.each([
    ["a group without names", [group([], { readers: ["u"] }, "e")], [`Group "e" names nothing`]],
    ["a group name twice", [group(["a"], {}, "g"), group(["b"], {}, "g")], [`Group name "g" stands twice`]],
    [
      "an entry that a shorter one of its group covers",
      [group(["log_%", "log_a", "log_b%"], { readers: ["u"] }, "g")],
      [`Entry "log_a" of group "g" changes nothing: "log_%"`, `Entry "log_b%" of group "g" changes nothing`],
    ],
    [
      "names that differ in case only",
      [group(["Orders"]), group(["orders"])],
      [`"orders" differs from "Orders"`],
    ],
    [
      "who is allowed and denied",
      [group(["t"], { readers: ["u", "v"], deny_readers: ["u"] })],
      [`Principal "u" in readers of group "gt" is never reached: deny_readers has it too`],
    ],
    [
      "who is allowed where everyone is denied",
      [group(["t"], { writers: ["u"], deny_writers: ["*"] })],
      [`Principal "u" in writers of group "gt" is never reached: deny_writers has "*"`],
    ],
    [
      "a name beside *",
      [group(["t"], { readers: ["*", "u"] })],
      [`"u" in readers of group "gt" changes nothing`],
    ],
    ["a principal twice", [group(["t"], { readers: ["u", "u"] })], [`Principal "u" stands twice`]],
    [
      "hashes of the server's accounts",
      [group(["mysql.%"], { readers: ["u"] }, "m")],
      [`Entry "mysql.%" of group "m" shows the password hashes`],
    ],
    [
      "rights to change the server's tables",
      [group(["mysql.proc"], { writers: ["u"] }, "m")],
      [`lets writers change what belongs to the server`],
    ],
  ])("warns about %s", (_, groups, sentences) => {
    const found = warnings(groups);
    expect(found).toHaveLength(sentences.length);
    for (const [index, sentence] of sentences.entries()) expect(found[index]).toContain(sentence);
  });

  it("warns about principals that no user has, when the users are known", () => {
    const groups = [group(["t"], { readers: ["u", "gone"], deny_writers: ["lost"] })];
    const context = { ...nothingKnown, principals: new Set(["u"]) };
    expect(warnings(groups, context)).toEqual([
      `Principal "gone" in readers of group "gt" is no user's UserData or group`,
      `Principal "lost" in deny_writers of group "gt" is no user's UserData or group`,
    ]);
    expect(warnings(groups)).toEqual([]);
  });

  it("warns about schemas that do not exist, when the schemas are known", () => {
    const context = { ...nothingKnown, schemas: new Set(["shop"]) };
    expect(warnings([group(["shop.t", "sohp.t", "mysql.x", "t"])], context)).toEqual([
      `Entry "sohp.t" of group "gshop.t,sohp.t,mysql.x,t" is never reached: there is no schema "sohp"`,
    ]);
  });

  it("looks at routines too", () => {
    const routines = [{ name: "r", routine_names_or_prefixes: ["f_%", "f_x"], executors: ["gone"] }];
    const context = { ...nothingKnown, principals: new Set(["u"]) };
    expect(warnings([], context, routines)).toHaveLength(2);
  });

  it("names the place", () => {
    const file = fileOf({ table_groups: [group(["a"], {}, "g"), group([], {}, "h")] });
    const [problem] = lintTableAcl(file, nothingKnown);
    expect(problem && formatProblem(problem)).toMatch(/^acl\.json:1:\d+: Group "h" names nothing/);
  });
});

import { describe, expect, it } from "vitest";
import type { Role } from "../../../src/acl/role.ts";
import type { TableAcl } from "../../../src/acl/table-acl.ts";
import { aclOf } from "./support.ts";

const caller = (username: string, ...groups: string[]) => ({ username, groups });

/** `shop.orders` or `orders`; the entry that decided, with `+` or `-`, or `none`. */
function decided(acl: TableAcl, name: string, who = caller("u"), role: Role = "reader"): string {
  const [first = "", second] = name.split(".");
  const object = second === undefined ? { schema: null, name: first } : { schema: first, name: second };
  const { allowed, rule } = acl.decideTable(who, object, role);
  return rule === null ? "none" : `${allowed ? "+" : "-"}${rule.entry}`;
}

describe("the longest match", () => {
  const all = { readers: ["u"] };
  const acl = aclOf([
    ["%", all],
    ["ord%", all],
    ["orders", all],
    ["orders%", all],
    ["shop.%", all],
    ["shop.ord%", all],
    ["shop.orders", all],
    ["mysql.%", all],
    ["information_schema.TABLES", all],
  ]);
  it.each([
    ["db.x", "+%"],
    ["db.ord", "+ord%"],
    ["db.order", "+ord%"],
    ["db.orders", "+orders"],
    ["db.orders2", "+orders%"],
    ["orders", "+orders"],
    ["shop.x", "+shop.%"],
    ["shop.order", "+shop.ord%"],
    ["shop.orders", "+shop.orders"],
    ["shop.orders2", "+orders%"],
    ["mysql.user", "+mysql.%"],
    ["MYSQL.USER", "+mysql.%"],
    ["sys.x", "none"],
    ["performance_schema.threads", "none"],
    ["information_schema.tables", "+information_schema.TABLES"],
    ["INFORMATION_SCHEMA.columns", "none"],
  ])("for %s is %s", (name, entry) => {
    expect(decided(acl, name)).toBe(entry);
  });

  it("alone decides: a shorter match that allows does not count", () => {
    const narrow = aclOf([
      ["%", { readers: ["*"] }],
      ["secret", {}],
      ["t%", { readers: ["v"] }],
    ]);
    expect(decided(narrow, "a.secret")).toBe("-secret");
    expect(decided(narrow, "a.t1")).toBe("-t%");
    expect(decided(narrow, "a.x")).toBe("+%");
  });
});

describe("principals", () => {
  const acl = aclOf([
    ["t", { readers: ["u", "staff"], writers: ["w"], admins: ["a"] }],
    ["open", { readers: ["*"], deny_readers: ["bad", "outsiders"] }],
    ["closed", { readers: ["*"], writers: ["u"], deny_readers: ["*"] }],
  ]);
  it("match UserData or any of Groups, exactly", () => {
    expect(decided(acl, "d.t", caller("u"))).toBe("+t");
    expect(decided(acl, "d.t", caller("x", "other", "staff"))).toBe("+t");
    expect(decided(acl, "d.t", caller("U"))).toBe("-t");
    expect(decided(acl, "d.t", caller("x", "staf"))).toBe("-t");
    expect(decided(acl, "d.t", caller(""))).toBe("-t");
  });

  it("have only the roles they are listed for", () => {
    const roles: Role[] = ["reader", "writer", "admin"];
    const held = (name: string) => roles.filter((role) => decided(acl, "d.t", caller(name), role) === "+t");
    expect(held("u")).toEqual(["reader"]);
    expect(held("w")).toEqual(["writer"]);
    expect(held("a")).toEqual(["admin"]);
  });

  it("are denied by a deny list before any allow list, * included", () => {
    expect(decided(acl, "d.open", caller("anyone"))).toBe("+open");
    expect(decided(acl, "d.open", caller("bad"))).toBe("-open");
    expect(decided(acl, "d.open", caller("u", "outsiders"))).toBe("-open");
    expect(decided(acl, "d.closed", caller("u"))).toBe("-closed");
    expect(decided(acl, "d.closed", caller("u"), "writer")).toBe("+closed");
  });

  it("tell in the decision which list and which principal decided", () => {
    const rule = (name: string, ...groups: string[]) =>
      acl.decideTable(caller(name, ...groups), { schema: "d", name: "open" }, "reader").rule;
    expect(rule("x")).toEqual({ group: "g1", entry: "open", list: "readers", principal: "*" });
    expect(rule("x", "outsiders")).toEqual({
      group: "g1",
      entry: "open",
      list: "deny_readers",
      principal: "outsiders",
    });
  });
});

describe("letter case", () => {
  const groups = [
    ["%", { readers: ["u"] }],
    ["Secret", { deny_readers: ["u"] }],
    ["Shop.Orders", { readers: ["v"] }],
  ] as const;
  it("counts where lower_case_table_names is 0, but not for deny lists", () => {
    const acl = aclOf(groups, [], 0);
    expect(decided(acl, "d.Secret")).toBe("-Secret");
    expect(decided(acl, "d.SECRET")).toBe("-Secret");
    expect(decided(acl, "Shop.Orders")).toBe("-Shop.Orders");
    expect(decided(acl, "shop.orders")).toBe("+%");
  });

  it.each([1, 2] as const)("does not count where lower_case_table_names is %i", (mode) => {
    const acl = aclOf(groups, [], mode);
    expect(decided(acl, "d.SECRET")).toBe("-Secret");
    expect(decided(acl, "shop.orders")).toBe("-Shop.Orders");
    expect(decided(acl, "SHOP.ORDERS", caller("v"))).toBe("+Shop.Orders");
  });

  it("makes every group decide that a name cannot be told apart from", () => {
    const acl = aclOf(
      [
        ["T", { readers: ["u", "v"] }],
        ["t", { readers: ["v"] }],
      ],
      [],
      1,
    );
    expect(decided(acl, "d.t", caller("u"))).toBe("-t");
    expect(decided(acl, "d.T", caller("v"))).toBe("+t");
  });

  it("never counts for routines", () => {
    const acl = aclOf([], [["shop.F_%", { executors: ["u"] }]], 0);
    const decide = (schema: string, name: string) =>
      acl.decideRoutine(caller("u"), { schema, name }, "executor").allowed;
    expect(decide("shop", "f_x")).toBe(true);
    expect(decide("SHOP", "f_x")).toBe(false);
  });
});

describe("names that servers may compare otherwise", () => {
  it("are denied, whatever entry would match", () => {
    const acl = aclOf([["%", { readers: ["*"] }]]);
    expect(decided(acl, "d.to\u212aen")).toBe("none");
    expect(decided(acl, "\u0130nformation_schema.tables")).toBe("none");
    expect(decided(acl, "d.größe")).toBe("+%");
  });
});

describe("schemas", () => {
  const acl = aclOf(
    [
      ["shop.%", { admins: ["a", "b"], readers: ["r"] }],
      ["shop.secret", { admins: ["a"] }],
      ["tmp_%", { admins: ["a", "b"], deny_readers: ["x"] }],
      ["lone.t", { writers: ["w"] }],
      ["mysql.user", { readers: ["dba"] }],
      ["wide.%", { admins: ["b"] }],
    ],
    [["tools.f", { executors: ["e"] }]],
  );
  it("are reached through any role on anything that they may hold", () => {
    const reached = (name: string) =>
      ["shop", "lone", "mysql", "tools", "none"].filter((schema) => acl.reachesSchema(caller(name), schema));
    expect(reached("r")).toEqual(["shop"]);
    expect(reached("w")).toEqual(["lone"]);
    expect(reached("dba")).toEqual(["mysql"]);
    expect(reached("e")).toEqual(["tools"]);
    expect(reached("b")).toEqual(["shop", "lone", "tools", "none"]);
    expect(reached("x")).toEqual([]);
  });

  it("are one's own as a whole when no entry that reaches into them withholds the admin's role", () => {
    const whole = (name: string, schema: string) => acl.decideWholeSchema(caller(name), schema);
    expect(whole("a", "shop").allowed).toBe(true);
    expect(whole("b", "shop")).toMatchObject({ allowed: false, rule: { entry: "shop.secret" } });
    expect(whole("b", "wide").allowed).toBe(true);
    expect(whole("a", "wide")).toMatchObject({ allowed: false, rule: { entry: "wide.%" } });
    expect(whole("a", "other")).toEqual({ allowed: false, rule: null });
    expect(whole("dba", "mysql").allowed).toBe(false);
  });
});

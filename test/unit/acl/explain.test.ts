import { describe, expect, it } from "vitest";
import { explainStatement, explainUser } from "../../../src/acl/explain.ts";
import { explanationText } from "../../../src/acl/explain-text.ts";
import { createTableAclAuthorizer } from "../../../src/acl/table-acl-authorizer.ts";
import { bareStatement, type StatementSummary } from "../../../src/sql/statement-summary.ts";
import { aclOf, identityOf } from "./support.ts";

const table = (name: string) => ({ schema: "shop", name, qualified: false });
const insert: StatementSummary = {
  ...bareStatement("INSERT"),
  writes: [table("orders")],
  reads: [table("secret"), table("audit")],
  routines: [{ schema: "shop", name: "f" }],
};
const acl = aclOf([
  ["shop.%", { writers: ["app_rw"] }],
  ["secret", { readers: ["*"], deny_readers: ["web"] }],
  ["audit", { readers: ["boss"] }],
]);
const strict = { strict: true, dryRun: false, exempt: [] };
const identity = identityOf("app_rw", ["web"], "app");

describe("explainStatement()", () => {
  it("tells the rule for every right, also behind the first denial", () => {
    const authorizer = createTableAclAuthorizer(acl, strict);
    const explained = explainStatement(identity, insert, authorizer, "shop@primary on db1");
    expect(
      explained.rights.map(({ name, role, allowed, rule }) => [name, role, allowed, rule?.list ?? null]),
    ).toEqual([
      ["shop.orders", "writer", true, "writers"],
      ["shop.secret", "reader", false, "deny_readers"],
      ["shop.audit", "reader", false, null],
      ["shop.f", "executor", false, null],
    ]);
    expect(explained.answer).toMatchObject({ permitted: false, code: 1142, sqlState: "42000" });
  });

  it("reads as text", () => {
    const authorizer = createTableAclAuthorizer(acl, strict);
    const text = explanationText(explainUser(identity, authorizer), [
      explainStatement(identity, insert, authorizer, "shop@primary on db1"),
    ]);
    expect(text).toBe(`User         app (UserData app_rw; Groups web)

Statement    INSERT (not read-only)
Writer of    shop.orders: allowed by "shop.%" of group "g0", writers has "app_rw"
Reader of    shop.secret: denied by "secret" of group "g1", deny_readers has "web"
Reader of    shop.audit: denied by "audit" of group "g2", which lists nobody of the user as reader
Executor of  shop.f: denied, no entry names it
Answer       ERROR 1142 (42000): SELECT command denied to user 'app'@'192.0.2.7' for table 'secret'
             Entry "secret" of group "g1" lists principal "web" under deny_readers
Route        shop@primary on db1
`);
  });

  it("tells of dry runs, exemption, uncertainty and the absence of an ACL", () => {
    const dry = createTableAclAuthorizer(acl, { ...strict, dryRun: true });
    expect(explainStatement(identity, insert, dry).answer).toMatchObject({
      permitted: true,
      wouldDeny: { code: 1142 },
    });
    const exempt = createTableAclAuthorizer(acl, { ...strict, exempt: ["web"] });
    expect(explainUser(identity, exempt).exempt).toBe(true);
    expect(explainStatement(identity, insert, exempt).answer).toMatchObject({ permitted: true });
    expect(explainStatement(identity, insert, null).answer).toMatchObject({ permitted: true });
    const unclear: StatementSummary = {
      ...bareStatement("UNKNOWN"),
      uncertain: { symbol: "ER_PARSE_ERROR", reason: "unbalanced parenthesis" },
    };
    const explained = explainStatement(identity, unclear, createTableAclAuthorizer(acl, strict));
    expect(explained).toMatchObject({
      uncertain: "unbalanced parenthesis",
      answer: { permitted: false, code: 1064 },
    });
  });

  it("prints names without control characters and direction marks", () => {
    const nasty: StatementSummary = { ...bareStatement("SELECT"), reads: [table("a\x1b[31m\u202eb")] };
    const authorizer = createTableAclAuthorizer(acl, strict);
    const text = explanationText(explainUser(identity, authorizer), [
      explainStatement(identity, nasty, authorizer),
    ]);
    expect(text).not.toMatch(/[\x1b\u202e]/);
  });
});

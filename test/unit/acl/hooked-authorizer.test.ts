import { describe, expect, it } from "vitest";
import { permitAll } from "../../../src/acl/authorizer.ts";
import { AclDenial } from "../../../src/acl/denial.ts";
import { type AuthorizeHook, createHookedAuthorizer } from "../../../src/acl/hooked-authorizer.ts";
import { prepareTableAcl } from "../../../src/acl/table-acl.ts";
import { createTableAclAuthorizer } from "../../../src/acl/table-acl-authorizer.ts";
import type { Identity } from "../../../src/identity/identity.ts";
import { bareStatement, type StatementSummary } from "../../../src/sql/statement-summary.ts";

const identity: Identity = {
  loginUser: "u",
  authUser: "u",
  authHost: "%",
  proxyUser: null,
  callerId: { username: "data", groups: [] },
  entry: { user: "u", index: 0, generation: 1, fingerprint: "f" },
  baseEntry: null,
  plugin: "none",
  spiffeId: null,
  peer: { transport: "tcp", address: "192.0.2.1", port: 1, host: "192.0.2.1", tls: null },
};
const select = (schema: string): StatementSummary => ({
  ...bareStatement("SELECT"),
  reads: [{ schema, name: "t", qualified: true }],
});
const onlyShop: AuthorizeHook = (_identity, { reads, schemas }) =>
  [...reads.map(({ schema }) => schema), ...schemas.map(({ name }) => name)].every((name) => name === "shop")
    ? "allow"
    : { deny: "not shop" };

describe("createHookedAuthorizer()", () => {
  it("asks the hook about statements, schemas, rows of listings and USE", () => {
    const authorizer = createHookedAuthorizer(() => permitAll, onlyShop);
    expect(authorizer.authorize(identity, select("shop"))).not.toBeInstanceOf(Error);
    const denied = authorizer.authorize(identity, select("hidden"));
    expect(denied).toBeInstanceOf(AclDenial);
    expect(denied).toMatchObject({
      code: 1142,
      record: { object: "table", name: "hidden.t", reason: "not shop" },
    });
    expect(authorizer.authorizeSchema(identity, "hidden")).toMatchObject({ code: 1044 });
    const bare = bareStatement("USE");
    const use = { ...bare, effects: { ...bare.effects, use: "hidden" } };
    expect(authorizer.authorize(identity, use)).toMatchObject({ code: 1044 });
    expect([authorizer.mayRead(identity, "shop", "t"), authorizer.mayRead(identity, "hidden", "t")]).toEqual([
      true,
      false,
    ]);
    expect([authorizer.maySeeSchema(identity, "shop"), authorizer.maySeeSchema(identity, "hidden")]).toEqual([
      true,
      false,
    ]);
    expect(authorizer.grantsFor(identity)).toEqual(["GRANT USAGE ON *.* TO `u`@`%`"]);
  });

  it("never asks it about what cannot be judged", () => {
    const authorizer = createHookedAuthorizer(
      () => permitAll,
      () => "allow",
    );
    const unclear = {
      ...bareStatement("SELECT"),
      uncertain: { symbol: "ER_PARSE_ERROR", reason: "odd" },
    } as const;
    expect(authorizer.authorize(identity, unclear)).toMatchObject({ code: 1064 });
  });

  it("takes nothing but a verdict for one, above all no promise", () => {
    for (const answer of [true, undefined, Promise.resolve("allow"), { deny: 1 }, null, "yes"]) {
      const authorizer = createHookedAuthorizer(
        () => permitAll,
        () => answer as never,
      );
      expect(() => authorizer.authorize(identity, select("shop"))).toThrow(TypeError);
    }
  });

  it("allows only what the table ACL allows, too, and keeps the rules that were used", () => {
    const file = {
      path: "acl.json",
      tableGroups: [],
      routineGroups: [],
      positionOf: () => ({ line: 1, column: 1 }),
    };
    const acl = createTableAclAuthorizer(prepareTableAcl(file, 0), {
      strict: true,
      dryRun: false,
      exempt: [],
    });
    const authorizer = createHookedAuthorizer(
      () => acl,
      () => "allow",
    );
    expect(authorizer.authorize(identity, select("shop"))).toMatchObject({ code: 1142 });
    expect(authorizer.mayRead(identity, "shop", "t")).toBe(false);
  });

  it("grows its generation when the hook or the ACL below changes", () => {
    const authorizer = createHookedAuthorizer(() => permitAll, onlyShop);
    const before = authorizer.generation;
    authorizer.changed();
    expect(authorizer.generation).toBe(before + 1);
  });
});

import { describe, expect, it } from "vitest";
import { grantLines } from "../../../src/acl/grants.ts";
import { aclOf, identityOf } from "./support.ts";

const acl = aclOf(
  [
    ["%", { readers: ["u"], writers: ["app"] }],
    ["secret", { readers: ["app"] }],
    ["shop.%", { readers: ["*"], writers: ["u"], admins: ["u"] }],
    ["shop.audit_%", { readers: ["u"], deny_writers: ["*"] }],
    ["mysql.user", { readers: ["u"] }],
    ["`we``ird`", { readers: ["u"] }],
  ],
  [
    ["shop.%", { executors: ["u"] }],
    ["f_%", { executors: ["u"], admins: ["u"] }],
  ],
);

describe("grantLines()", () => {
  it("lists what is granted, then what longer entries withhold", () => {
    expect(grantLines(acl, { ...identityOf("u", [], "base"), authHost: "10.0.0.0/8" })).toEqual(
      [
        "GRANT USAGE ON *.* TO U",
        "GRANT SELECT, SHOW VIEW ON *.* TO U",
        "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, CREATE VIEW, SHOW VIEW, TRIGGER ON `shop`.* TO U",
        "GRANT SELECT, SHOW VIEW ON `shop`.`audit_%` TO U",
        "GRANT SELECT, SHOW VIEW ON `mysql`.`user` TO U",
        "GRANT SELECT, SHOW VIEW ON *.`we``ird` TO U",
        "REVOKE SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, CREATE VIEW, SHOW VIEW, TRIGGER ON *.`secret` FROM U",
        "REVOKE INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, CREATE VIEW, TRIGGER ON `shop`.`audit_%` FROM U",
        "REVOKE INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, CREATE VIEW, TRIGGER ON *.`we``ird` FROM U",
        "GRANT EXECUTE ON `shop`.* TO U",
        "GRANT EXECUTE, ALTER ROUTINE ON PROCEDURE *.`f_%` TO U",
        "GRANT EXECUTE, ALTER ROUTINE ON FUNCTION *.`f_%` TO U",
      ].map((line) => line.replace(/U$/, "`base`@`10.0.0.0/8`")),
    );
  });

  it("gives a stranger what everyone has", () => {
    expect(grantLines(acl, identityOf("x"))).toEqual([
      "GRANT USAGE ON *.* TO `x`@`%`",
      "GRANT SELECT, SHOW VIEW ON `shop`.* TO `x`@`%`",
      "REVOKE SELECT, SHOW VIEW ON *.`secret` FROM `x`@`%`",
      "REVOKE SELECT, SHOW VIEW ON `shop`.`audit_%` FROM `x`@`%`",
      "REVOKE SELECT, SHOW VIEW ON *.`we``ird` FROM `x`@`%`",
    ]);
  });

  it("is quick with thousands of entries", () => {
    const many = aclOf(
      Array.from({ length: 5000 }, (_, index) => [`t${index}%`, { readers: ["u"] }] as const),
    );
    const start = performance.now();
    expect(grantLines(many, identityOf("u")).length).toBe(5001);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

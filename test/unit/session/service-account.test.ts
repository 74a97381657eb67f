import { describe, expect, it } from "vitest";
import { hideServiceAccount } from "../../../src/session/service-account.ts";
import { grantsOfClient } from "../../../src/session/service-grants.ts";
import { identityOf } from "../../session/harness.ts";

const peer = { transport: "tcp", address: "192.0.2.1", port: 1, host: "192.0.2.1", tls: null } as const;
const identity = {
  ...identityOf({ user: "al'ice", peer } as unknown as Parameters<typeof identityOf>[0]),
  authHost: "10.%",
};
const hide = (message: string, code = 1142, service = "svc.x") =>
  hideServiceAccount(Buffer.from(message), service, identity, code).toString();

describe("hideServiceAccount()", () => {
  it.each([
    ["denied to user 'svc.x'@'10.0.0.9' for table 't'", "denied to user 'al'ice'@'192.0.2.1' for table 't'"],
    ["`r`@`%` is not granted to `svc.x`@`%`", "`r`@`%` is not granted to `al'ice`@`192.0.2.1`"],
    [
      "There is no such grant defined for user 'svc.x' on host '%' on table 't'",
      "There is no such grant defined for user 'al'ice' on host '192.0.2.1' on table 't'",
    ],
    [
      "User 'svc.x' has exceeded the 'max_questions' resource",
      "User 'al'ice' has exceeded the 'max_questions' resource",
    ],
    [
      "User svc.x already has more than 'max_user_connections'",
      "User al'ice already has more than 'max_user_connections'",
    ],
    ["'svc.x'@'a' and 'svc.x'@'b'", "'al'ice'@'192.0.2.1' and 'al'ice'@'192.0.2.1'"],
    ["'svcxx'@'a', svc.x, 'svc.x', 'asvc.x'@'a'", "'svcxx'@'a', svc.x, 'svc.x', 'asvc.x'@'a'"],
    ["'svc.x'@'cut", "'svc.x'@'cut"],
  ])("%s", (message, expected) => {
    expect(hide(message)).toBe(expected);
  });

  it("names the account's host where servers do", () => {
    expect(hide("Access denied for user 'svc.x'@'%' to database 'd'", 1044)).toBe(
      "Access denied for user 'al'ice'@'10.%' to database 'd'",
    );
  });

  it("reads wide characters, and leaves other bytes as they are", () => {
    const utf16 = Buffer.from("denied to 'svc.x'@'h'", "utf16le");
    expect(hideServiceAccount(utf16, "svc.x", identity, 1142).toString("utf16le")).toContain("'al'ice'@'192");
    const swapped = Buffer.from(utf16).swap16();
    const told = hideServiceAccount(swapped, "svc.x", identity, 1142);
    expect(Buffer.from(told).swap16().toString("utf16le")).toContain("'al'ice'@'192");
    const bytes = Buffer.from([0x61, 0xff, 0x80, 0x27]);
    expect(hideServiceAccount(bytes, "svc.x", identity, 1142)).toBe(bytes);
  });
});

describe("grantsOfClient()", () => {
  it.each([
    [
      "GRANT ALL PRIVILEGES ON *.* TO `svc`@`%` IDENTIFIED BY PASSWORD '*AB' WITH GRANT OPTION",
      "GRANT ALL PRIVILEGES ON *.* TO me WITH GRANT OPTION",
    ],
    [
      "GRANT USAGE ON *.* TO 'svc'@'%' IDENTIFIED VIA ed25519 USING 'secret' REQUIRE SSL WITH MAX_USER_CONNECTIONS 5",
      "GRANT USAGE ON *.* TO me",
    ],
    ['GRANT SELECT ON `a`.` TO ``x`` ` TO "svc"@"%"', "GRANT SELECT ON `a`.` TO ``x`` ` TO me"],
    ["GRANT `role`@`%` TO `svc`@`%` WITH ADMIN OPTION", "GRANT `role`@`%` TO me WITH ADMIN OPTION"],
    ["REVOKE SELECT ON `m`.* FROM `svc`@`%`", "REVOKE SELECT ON `m`.* FROM me"],
    ["SET DEFAULT ROLE `r` FOR `svc`@`%`", "SET DEFAULT ROLE `r` FOR me"],
  ])("%s", (line, expected) => {
    expect(grantsOfClient([line], "me")).toEqual([expected]);
  });

  it("leaves out whom the account may stand for, and what is not understood", () => {
    expect(
      grantsOfClient(["GRANT PROXY ON ``@`%` TO `svc`@`%` WITH GRANT OPTION", "something `svc`"], "me"),
    ).toEqual([]);
  });
});

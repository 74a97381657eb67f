// Which grants let an account write to a read-only server, in the words of real servers.
import { describe, expect, it } from "vitest";
import { passesReadOnly } from "../../../src/backend/account-rights.ts";
import { House } from "../../support/pool-house.ts";

const mariadb = { flavour: "mariadb", versionNumber: 101_119 } as const;
const older = { flavour: "mariadb", versionNumber: 100_618 } as const;
const mysql = { flavour: "mysql", versionNumber: 80_044 } as const;

describe("a service account that may write to a read-only server", () => {
  it.each([
    ["GRANT ALL PRIVILEGES ON *.* TO `app`@`%` IDENTIFIED BY PASSWORD '*00'", mariadb, "ALL PRIVILEGES"],
    ["GRANT SELECT, READ_ONLY ADMIN ON *.* TO `app`@`%`", mariadb, "READ_ONLY ADMIN"],
    ["GRANT SUPER ON *.* TO `app`@`%`", older, "SUPER"],
    ["GRANT SELECT, SUPER ON *.* TO `app`@`%`", mysql, "SUPER"],
    ["GRANT CONNECTION_ADMIN,ROLE_ADMIN ON *.* TO `app`@`%`", mysql, "CONNECTION_ADMIN"],
  ])("has it from %s", (line, server, privilege) => {
    expect(passesReadOnly(["GRANT USAGE ON *.* TO `app`@`%`", line], server)).toBe(privilege);
  });

  it.each([
    ["GRANT SUPER ON *.* TO `app`@`%`", mariadb],
    ["GRANT ALL PRIVILEGES ON `shop`.* TO `app`@`%`", mariadb],
    ["GRANT CONNECTION ADMIN ON *.* TO `app`@`%`", mariadb],
    ["GRANT USAGE ON *.* TO `SUPER`@`%`", mysql],
    ["GRANT `super` TO `app`@`%`", mysql],
  ])("is none with %s", (line, server) => {
    expect(passesReadOnly([line], server)).toBeNull();
  });

  it("is asked once for each credential, and only where that is wanted", async () => {
    const told: string[] = [];
    const grants = { wanted: () => true, told: (...found: unknown[]) => void told.push(String(found[3])) };
    const house = new House({}, {}, { grants });
    const leases = [await house.lease(), await house.lease()];
    for (const lease of leases) lease.release();
    // The server in memory does not know the question.
    expect(told).toEqual([]);
    const count = (one: House): number =>
      one.backend.connections
        .flatMap(({ commands }) => commands)
        .filter((text) => text.includes("SHOW GRANTS")).length;
    expect(count(house)).toBe(1);
    const other = new House({}, {}, { grants: { ...grants, wanted: () => false } });
    (await other.lease()).release();
    expect(count(other)).toBe(0);
  });
});

// MySQL's own example of proxy users, typed with the command line clients that are at hand: what they print is what a real
// server prints there.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commandLines, runCommandLine } from "../support/command-line.ts";
import type { DatabaseServer } from "../support/database-server.ts";
import { type GatewayProcess, startGateway } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { mysqldCommand, startMysql } from "../support/mysql-server.ts";
import { removeFolder, scratchFolder } from "../support/scratch.ts";

const users = {
  employee_base: [{ Password: "base_pw", AccountLocked: true, SourceHost: "localhost" }],
  employee: [{ Password: "empl_pw", ProxyFor: "employee_base", SourceHost: "localhost" }],
};
const everything = ["employee_base"];
const acl = {
  table_groups: [
    {
      name: "employees",
      table_names_or_prefixes: ["employees.%"],
      readers: everything,
      writers: everything,
      admins: everything,
    },
  ],
};
const question = "SELECT USER(), CURRENT_USER(), @@session.proxy_user, @@external_user;\nSHOW GRANTS;\n";

describe.each([
  { flavour: "mariadb", start: startMariadb, present: true },
  { flavour: "mysql", start: startMysql, present: mysqldCommand !== null },
])("MySQL's transcript, before $flavour", ({ start, present }) => {
  let server: DatabaseServer;
  let folder = "";
  const gateways: GatewayProcess[] = [];
  beforeAll(async () => {
    if (!present) return;
    folder = scratchFolder("transcript");
    server = await start({ skipNetworking: true });
    await server.admin("CREATE DATABASE employees");
  });
  afterAll(async () => {
    for (const gateway of gateways) await gateway.stop();
    await server?.stop();
    if (folder !== "") removeFolder(folder);
  });

  async function gatewayWith(flags: Record<string, boolean>): Promise<GatewayProcess> {
    const file = join(folder, "acl.json");
    writeFileSync(file, JSON.stringify(acl));
    const gateway = await startGateway({
      backend: server,
      users,
      flags: { ...flags, table_acl_config: file },
    });
    gateways.push(gateway);
    return gateway;
  }

  it.skipIf(!present)("is the same through the gateway", async () => {
    const on = {
      check_proxy_users: true,
      caching_sha2_password_proxy_users: true,
      mysql_native_password_proxy_users: true,
    };
    const [mapping, off] = [await gatewayWith(on), await gatewayWith({})];
    expect(commandLines.length).toBeGreaterThan(0);
    for (const { command } of commandLines) {
      const as = (user: string, password: string, gateway = mapping) =>
        runCommandLine(command, { user, password, socketPath: gateway.socketPath }, question);
      const mapped = await as("employee", "empl_pw");
      expect(mapped.stderr).toBe("");
      expect(mapped.stdout.split("\n")).toEqual([
        "employee@localhost\temployee_base@localhost\t'employee'@'localhost'\tNULL",
        "GRANT USAGE ON *.* TO `employee_base`@`localhost`",
        expect.stringMatching(/^GRANT SELECT, INSERT, .* ON `employees`\.\* TO `employee_base`@`localhost`$/),
        "",
      ]);
      expect((await as("employee_base", "base_pw")).stderr).toMatch(
        /ERROR 3118 \(HY000\).*Access denied for user 'employee_base'@'localhost'\. Account is locked/,
      );
      expect((await as("employee", "wrong")).stderr).toMatch(
        /ERROR 1045 \(28000\).*Access denied for user 'employee'@'localhost' \(using password: YES\)/,
      );
      expect((await as("employee", "empl_pw", off)).stdout.split("\n")).toEqual([
        "employee@localhost\temployee@localhost\tNULL\tNULL",
        "GRANT USAGE ON *.* TO `employee`@`localhost`",
        "",
      ]);
    }
  });
});

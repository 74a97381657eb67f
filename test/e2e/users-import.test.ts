// `gatehouse users import` against real servers: what their own account tables hold becomes entries.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { systemClock } from "../../src/base/clock.ts";
import type { CommandContext } from "../../src/cli/command.ts";
import { runCommand } from "../../src/cli/run.ts";
import { nativeHash } from "../../src/cli/users/password-hashes.ts";
import { users } from "../../src/cli/users/users-command.ts";
import { type DatabaseServer, serviceAccount } from "../support/database-server.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { mysqldCommand, startMysql } from "../support/mysql-server.ts";

const directory = mkdtempSync(join(tmpdir(), "gatehouse-import-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function run(argv: readonly string[], input: string) {
  const out: string[] = [];
  const err: string[] = [];
  const stdin = new PassThrough();
  stdin.end(input);
  const context: CommandContext = {
    argv: ["users", "import", ...argv],
    environment: {},
    homeDirectory: directory,
    clock: systemClock,
    width: 100,
    print: (text) => out.push(text),
    complain: (text) => err.push(text),
  };
  const commands = {
    serve: async () => 0 as const,
    users: (inner: CommandContext) => users(inner, { input: stdin, show: () => {} }),
  };
  const code = await runCommand(context, commands);
  return { code, out: out.join("\n"), err: err.join("\n") };
}

/** `PASSWORD('x')` of ed25519. */
const ed25519 = {
  plugin: "ed25519",
  authentication_string: "Gv2JI8Env2fd5YGonZ082tX3UAW+yJYldOlj4R1bfK4",
};

describe.each([
  { name: "mariadbd", start: startMariadb, present: true },
  { name: "mysqld", start: startMysql, present: mysqldCommand !== null },
])("gatehouse users import from $name", ({ name, start, present }) => {
  let server: DatabaseServer;
  beforeAll(async () => {
    if (!present) return;
    server = await start();
    await server.admin(
      name === "mariadbd"
        ? `CREATE USER shop@'10.1.%' IDENTIFIED BY PASSWORD '${nativeHash("x")}' REQUIRE SSL WITH MAX_USER_CONNECTIONS 3`
        : "CREATE USER shop@'10.1.%' IDENTIFIED WITH caching_sha2_password BY 'x' REQUIRE SSL WITH MAX_USER_CONNECTIONS 3",
      "CREATE USER locked@'%' IDENTIFIED BY 'y' ACCOUNT LOCK",
      "CREATE USER named@'db.example.com' IDENTIFIED BY 'z'",
      "CREATE USER blank@'%'",
      "CREATE ROLE reporting",
      // MySQL tells a role from an account by its being granted.
      "GRANT reporting TO locked@'%'",
    );
  });
  afterAll(() => server?.stop());

  it.skipIf(!present)("takes over hashes and limits, and lists what it leaves out", async () => {
    const url = `mysql://${serviceAccount.user}@127.0.0.1:${server.port}`;
    const { code, out, err } = await run([url], `${serviceAccount.password}\n`);
    expect(err).toContain("Grants are not carried over");
    expect(code).toBe(0);
    const found = JSON.parse(out) as Record<string, Record<string, unknown>[]>;
    expect(found.shop?.[0]).toMatchObject({
      UserData: "shop",
      SourceHost: "10.1.0.0/16",
      RequireSecureTransport: true,
      MaxConnections: 3,
    });
    if (name === "mariadbd") expect(found.shop?.[0]?.MysqlNativePassword).toBe(nativeHash("x"));
    else expect(String(found.shop?.[0]?.CachingSha2Password)).toMatch(/^(\$A\$005\$|0x24412430)/);
    expect(found.locked?.[0]?.AccountLocked).toBe(true);
    expect(Object.keys(found)).not.toEqual(expect.arrayContaining(["reporting"]));
    expect(err).toContain("'named'@'db.example.com' is left out: its host is a name");
    expect(err).toMatch(/'blank'@'%' is left out: .*it has no password/);
    expect(err).toMatch(/'reporting'@'%?' is left out: it is a role/);
  });

  it.skipIf(!present)(
    "takes over every kind of account that clients can use, and names every other one",
    async () => {
      const isMariadb = name === "mariadbd";
      await server.admin(
        "CREATE USER anywhere@'%' IDENTIFIED BY 'old'",
        "CREATE USER anywhere@'10.0.0.0/255.255.255.0' IDENTIFIED BY 'near'",
        "CREATE USER wild@'app-%' IDENTIFIED BY 'x'",
        "CREATE USER six@'::1' IDENTIFIED BY 'x'",
        "CREATE USER local1@'localhost' IDENTIFIED BY 'x'",
        "CREATE USER strange@'%' IDENTIFIED BY 'x' WITH MAX_QUERIES_PER_HOUR 5",
        "CREATE USER 'quo\"te\\nd'@'%' IDENTIFIED BY 'x'",
        "CREATE USER spent@'%' IDENTIFIED BY 'x'",
        "ALTER USER spent@'%' PASSWORD EXPIRE",
        "CREATE USER x509@'%' IDENTIFIED BY 'x' REQUIRE X509",
        ...(isMariadb
          ? [
              "CREATE USER ''@'%'",
              "CREATE USER either@'%' IDENTIFIED BY 'x'",
              // As the server writes them when it has the plugin, which a bare installation has not.
              `INSERT INTO mysql.global_priv VALUES ('%', 'curve', '${JSON.stringify(ed25519)}')`,
              `UPDATE mysql.global_priv SET Priv = JSON_SET(Priv, '$.auth_or', JSON_EXTRACT('${JSON.stringify([ed25519, {}])}', '$')) WHERE User = 'either'`,
              "CREATE USER socket@'%' IDENTIFIED VIA unix_socket",
            ]
          : [
              "CREATE USER ''@'%' IDENTIFIED BY 'x'",
              "ALTER USER anywhere@'%' IDENTIFIED BY 'new' RETAIN CURRENT PASSWORD",
              "CREATE USER careful@'%' IDENTIFIED BY 'x' FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME 2 PASSWORD EXPIRE INTERVAL 90 DAY",
            ]),
      );
      const url = `mysql://${serviceAccount.user}@127.0.0.1:${server.port}`;
      const { code, out, err } = await run([url], `${serviceAccount.password}\n`);
      expect(code).toBe(0);
      const found = JSON.parse(out) as Record<string, Record<string, unknown>[]>;
      expect(found.anywhere?.map((entry) => entry.SourceHost)).toEqual(
        isMariadb ? ["10.0.0.0/24", undefined] : ["10.0.0.0/24", undefined, undefined],
      );
      expect(found.six?.[0]?.SourceHost).toBe("::1");
      expect(found.local1?.[0]?.SourceHost).toBe("localhost");
      expect(err).toContain("'local1'@'localhost': localhost means the unix socket only: add 127.0.0.1");
      expect(err).toContain("'wild'@'app-%' is left out: its host is a name or a pattern that is no network");
      expect(err).toContain("'strange'@'%': not carried over: limits per hour");
      expect(err).toContain("'spent'@'%': its password has expired on the server; here it works");
      expect(err).toContain("'x509'@'%' is left out: it needs a client certificate");
      expect(err).toContain("''@'%' is left out: it is anonymous");
      expect(Object.keys(found)).toContain('quo"te\nd');
      expect(err).toContain("'anywhere' has");
      if (isMariadb) {
        expect(err).toContain(
          "'curve'@'%' is left out: no client can prove that password to the gateway (ed25519)",
        );
        expect(err).toContain("'either'@'%': its login by ed25519 is left out");
        expect(found.either).toHaveLength(1);
        expect(err).toContain("'socket'@'%' is left out: it has no password (unix_socket)");
      } else {
        const both = found.anywhere?.slice(1).map((entry) => String(entry.CachingSha2Password));
        expect(new Set(both).size).toBe(2);
        const careful =
          "'careful'@'%': not carried over: locking after failed logins, the lifetime of its password";
        expect(err).toContain(careful);
      }
    },
  );

  it.skipIf(!present)("adds to a file and leaves users that are there as they are", async () => {
    const path = join(directory, `${name}.json`);
    const url = `mysql://${serviceAccount.user}:${serviceAccount.password}@127.0.0.1:${server.port}`;
    expect((await run([url, `--file=${path}`], "")).code).toBe(0);
    const before = readFileSync(path, "utf8");
    const again = await run([url, `--file=${path}`], "");
    expect(again.err).toContain(`'shop' is left out: ${path} has that user already`);
    expect(again.err).toContain("better leave it out");
    expect(readFileSync(path, "utf8")).toBe(before);
  });

  it.skipIf(!present)("says what is wrong when it cannot log in", async () => {
    const { code, err } = await run([`mysql://nobody@127.0.0.1:${server.port}`], "hunter2\n");
    expect(code).toBe(1);
    expect(err).toContain("gatehouse: Cannot log in to the server: Access denied for user 'nobody'");
    expect(err).not.toContain("hunter2");
  });
});

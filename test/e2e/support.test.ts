// The proving ground itself: servers start, answer, die and come back; the raw client speaks as real clients do.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commandLines, runCommandLine } from "../support/command-line.ts";
import type { DatabaseServer } from "../support/database-server.ts";
import { serviceAccount } from "../support/database-server.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { mysqldCommand, startMysql } from "../support/mysql-server.ts";
import { capability, usualCapabilities } from "../support/raw/capabilities.ts";
import { changeUser, loggedIn, login } from "../support/raw/login.ts";

describe.each([
  { name: "mariadbd", start: startMariadb, present: true },
  { name: "mysqld", start: startMysql, present: mysqldCommand !== null },
])("a private $name", ({ name, start, present }) => {
  let server: DatabaseServer;
  beforeAll(async () => {
    if (present) server = await start();
  });
  afterAll(() => server?.stop());

  it.skipIf(!present)("answers, and survives a kill with its data", async () => {
    expect(await server.admin("SELECT 1 AS one")).toEqual([{ one: 1 }]);
    await server.admin("CREATE TABLE shop.t (a INT)", "INSERT INTO shop.t VALUES (7)");
    await server.kill();
    await expect(server.connect()).rejects.toThrow();
    await server.restart();
    expect(await server.admin("SELECT a FROM shop.t")).toEqual([{ a: 7 }]);
  });

  it.skipIf(!present)(
    "accepts the raw client on every transport and with every way to end rows",
    async () => {
      for (const plugin of ["mysql_native_password", "caching_sha2_password"]) {
        for (const deprecateEof of [0, capability.DEPRECATE_EOF]) {
          const options = { ...serviceAccount, plugin, capabilities: usualCapabilities | deprecateEof };
          const plain = await loggedIn({ port: server.port }, options);
          expect(await plain.rows("SELECT 'a', NULL UNION ALL SELECT 'b', 2")).toEqual([
            ["a", null],
            ["b", "2"],
          ]);
          expect((await changeUser(plain, { ...options, database: "shop" })).ok).toBe(true);
          expect(await plain.rows("SELECT DATABASE()")).toEqual([["shop"]]);
          if (deprecateEof !== 0) {
            expect((await changeUser(plain, { ...options, password: "wrong" })).error?.code).toBe(1045);
          }
          if (deprecateEof !== 0 && name === "mysqld") await plain.readToEnd(); // MariaDB 10.11 leaves it open
          const local = await loggedIn({ socketPath: server.socketPath }, options);
          expect(await local.rows("SELECT 1")).toEqual([["1"]]);
          await local.quit();
          if (name === "mysqld") {
            const secure = await loggedIn({ port: server.port }, options, true);
            expect(await secure.rows("SELECT 1")).toEqual([["1"]]);
            await secure.quit();
          }
        }
      }
      const { client, result } = await login({ port: server.port }, { user: "nobody", password: "x" });
      expect(result.error).toMatchObject({ code: 1045, state: "28000" });
      client.destroy();
    },
  );

  it.skipIf(!present)("serves the command lines of this machine", async () => {
    expect(commandLines.length).toBeGreaterThan(0);
    for (const { command } of commandLines) {
      const result = await runCommandLine(
        command,
        { ...serviceAccount, socketPath: server.socketPath },
        "SELECT 1+1",
      );
      expect(result).toMatchObject({ code: 0, stdout: "2\n" });
    }
  });

  it.skipIf(!present)("is gone after stop()", async () => {
    const short = await start();
    await short.stop();
    expect(() => process.kill(short.pid(), 0)).toThrow("ESRCH");
  });
});

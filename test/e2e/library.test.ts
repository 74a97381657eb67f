// The package as a program uses it: packed, unpacked into a project of its own, its examples type-checked and run
// against a real server.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { startProgram } from "../support/processes.ts";
import { removeFolder, scratchFolder, waitUntil } from "../support/scratch.ts";

/** docs/examples/library/gateway.ts, which names the package and is compiled against it only. */
interface Example {
  readonly UserStore: new () => { set(user: string, passwords: readonly string[]): void };
  startGateway(
    backend: string,
    store: object,
    reports: object,
  ): Promise<{ readonly addresses: readonly string[]; metrics(): Promise<string>; stop(): Promise<void> }>;
}

const root = resolve(import.meta.dirname, "../..");
let folder = "";
let server: DatabaseServer;
let reports: DatabaseServer;

/** A project with the packed package and, beside it, what the package depends on. */
function makeProject(): void {
  // Not its scripts: the build at hand is what the other tests use.
  execFileSync("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder], { cwd: root });
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "mysql-gatehouse"), { recursive: true });
  const packed = readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "";
  execFileSync("tar", ["-xzf", packed, "-C", "node_modules/mysql-gatehouse", "--strip-components=1"], {
    cwd: folder,
  });
  for (const name of readdirSync(join(root, "node_modules"))) {
    if (!name.startsWith(".")) symlinkSync(join(root, "node_modules", name), join(modules, name));
  }
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", private: true }));
  for (const name of readdirSync(join(root, "docs/examples/library")))
    cpSync(join(root, "docs/examples/library", name), join(folder, name));
}

beforeAll(async () => {
  folder = scratchFolder("library");
  makeProject();
  server = await startMariadb({});
  reports = await startMariadb({});
  for (const [one, name] of [
    [server, "main"],
    [reports, "reports"],
  ] as const) {
    const client = await one.connect();
    for (const sql of [
      "CREATE DATABASE IF NOT EXISTS shop",
      "CREATE TABLE shop.t (a VARCHAR(20))",
      "CREATE DATABASE hidden",
    ])
      await client.query(sql);
    await client.query("INSERT INTO shop.t VALUES (?)", [name]);
    client.destroy();
  }
});
afterAll(async () => {
  await server?.stop();
  await reports?.stop();
  removeFolder(folder);
});

describe("the packed library", () => {
  it("type-checks in a program with strict settings, and finds mistakes", () => {
    const tsc = (...files: string[]) =>
      execFileSync(
        process.execPath,
        [
          join(root, "node_modules/typescript/bin/tsc"),
          ...["--strict", "--module", "nodenext", "--target", "es2023", "--types", "node", "--outDir", "out"],
          ...["--exactOptionalPropertyTypes", ...files],
        ],
        { cwd: folder, encoding: "utf8", stdio: "pipe" },
      );
    tsc("gateway.ts");
    const wrong = `import { createGateway } from "mysql-gatehouse";
await createGateway({ settings: { mysql_server_prot: 1 } });
await createGateway({ settings: { log_level: "loud" } });
await createGateway({ settings: {}, hooks: { authorizer: { authorize: () => true } } });`;
    writeFileSync(join(folder, "wrong.ts"), wrong);
    let output = "";
    try {
      tsc("wrong.ts");
    } catch (error) {
      output = String((error as { stdout: unknown }).stdout);
    }
    expect(output.match(/wrong\.ts\(\d,/g)).toEqual(["wrong.ts(2,", "wrong.ts(3,", "wrong.ts(4,"]);
  });

  it("takes users, rights and routes from the program", async () => {
    const example = (await import(pathToFileURL(join(folder, "out/gateway.js")).href)) as Example;
    const store = new example.UserStore();
    store.set("app", ["old-secret"]);
    const tablet = {
      alias: "reports",
      address: { kind: "unix", path: reports.socketPath },
      tls: { mode: "DISABLED", ca: null, cert: null, key: null },
    } as const;
    const gateway = await example.startGateway(server.backendUrl(), store, tablet);
    const port = Number(gateway.addresses[0]?.split(":")[1]);
    const connect = (password: string, user = "app") =>
      createConnection({
        host: "127.0.0.1",
        port,
        user,
        password,
        database: "shop",
        multipleStatements: true,
      });
    const old = await connect("old-secret");
    expect((await old.query("SELECT a FROM t"))[0]).toEqual([{ a: "main" }]);
    for (const [sql, errno] of [
      ["SELECT 1 FROM hidden.x", 1142],
      ["INSERT INTO t VALUES ('x')", 1142],
      ["DROP DATABASE shop", 1044],
      ["FLUSH TABLES", 1227],
      ["USE hidden", 1044],
      ["SHOW TABLES FROM hidden", 1044],
      ["SET GLOBAL max_connections = 5", 1227],
      ["SELECT 1; SELECT * FROM hidden.x", 1142],
      ["SELECT FROM FROM", 1064],
    ] as const)
      await expect(old.query(sql), sql).rejects.toMatchObject({ errno });
    store.set("app", ["old-secret", "new-secret"]);
    await waitUntil(async () => {
      try {
        await (await connect("new-secret")).end();
        return true;
      } catch {
        return false;
      }
    }, "the new password");
    store.set("app", ["new-secret"]);
    await waitUntil(async () => {
      try {
        await (await connect("old-secret")).end();
        return false;
      } catch (error) {
        return (error as { errno?: number }).errno === 1045;
      }
    }, "the end of the old password");
    expect((await old.query("SELECT a FROM t"))[0]).toEqual([{ a: "main" }]);
    expect(await gateway.metrics()).toMatch(/gatehouse_file_generation\{file="users file"\} 3/);
    await old.end();
    await gateway.stop();
  });

  it("keeps the last good users when the program's answer is bad", async () => {
    const { createGateway } = (await import(
      pathToFileURL(join(folder, "node_modules/mysql-gatehouse/dist/library/create-gateway.js")).href
    )) as typeof import("../../src/library/create-gateway.ts");
    let answer: () => object = () => ({ app: [{ Password: "p-secret" }] });
    const settings = { mysql_server_port: 0, backend: server.backendUrl(), log_level: "silent" } as const;
    const gateway = await createGateway({ settings, hooks: { users: { load: () => answer() as never } } });
    await gateway.start();
    const port = Number(gateway.addresses[0]?.split(":")[1]);
    for (const bad of [
      () => ({}),
      () => ({ app: [{ Passwort: "x" }] }),
      () => {
        throw new Error("p-secret");
      },
    ]) {
      answer = bad;
      await gateway.reload();
      const client = await createConnection({ host: "127.0.0.1", port, user: "app", password: "p-secret" });
      await client.end();
    }
    expect(await gateway.metrics()).toMatch(/gatehouse_file_stale\{file="users file"\} 1/);
    await gateway.stop();
    answer = () => ({ app: [{ Passwort: "p-secret" }] });
    await expect(
      createGateway({ settings, hooks: { users: { load: () => answer() as never } } }),
    ).rejects.toThrow(/users hook.*Passwort/);
    await expect(createGateway({ settings: { prot: 1 } as never })).rejects.toThrow(
      "Unknown setting 'prot': did you mean port?",
    );
  });

  it("allows nothing when a hook throws, and ends that session only", async () => {
    const { createGateway } = (await import(
      pathToFileURL(join(folder, "node_modules/mysql-gatehouse/dist/library/create-gateway.js")).href
    )) as typeof import("../../src/library/create-gateway.ts");
    const gateway = await createGateway({
      settings: { mysql_server_port: 0, backend: server.backendUrl(), log_level: "silent" },
      hooks: {
        users: { load: () => ({ app: [{ Password: "p-secret" }], lost: [{ Password: "p-secret" }] }) },
        authorizer: {
          authorize: (_identity, statement) => {
            if (statement.kind === "DO") throw new Error("a mistake");
            return "allow";
          },
        },
        router: {
          route: (identity, _request, usual) =>
            identity.loginUser === "lost" ? { refuse: "nowhere to go" } : usual(),
        },
      },
    });
    await gateway.start();
    const port = Number(gateway.addresses[0]?.split(":")[1]);
    const connect = (user = "app") =>
      createConnection({ host: "127.0.0.1", port, user, password: "p-secret" });
    const lost = await connect("lost");
    await expect(lost.query("SELECT 1")).rejects.toMatchObject({ errno: 1105, sqlMessage: "nowhere to go" });
    await lost.end();
    const [one, other] = [await connect(), await connect()];
    await other.query("SELECT 1");
    await expect(one.query("DO 1")).rejects.toMatchObject({ errno: 1105 });
    await expect(one.query("SELECT 1")).rejects.toThrow();
    await other.query("SELECT 1");
    expect(await gateway.metrics()).toMatch(/gatehouse_session_failures_total 1\n/);
    await other.end();
    await gateway.stop();
  });

  it("runs from JavaScript and stops with the program", async () => {
    const program = startProgram([process.execPath, "gateway.mjs", server.backendUrl()], { cwd: folder });
    await program.waitForLine((line) => line.includes("Listening on "), "the example's line");
    program.kill("SIGTERM");
    expect((await program.ended).code).toBe(0);
  });

  it("ships what is needed and nothing else", () => {
    const shipped = readdirSync(join(folder, "node_modules/mysql-gatehouse"), {
      recursive: true,
      encoding: "utf8",
    });
    expect(shipped).toEqual(
      expect.arrayContaining(["bin/gatehouse.js", "dist/cli/main.js", "schemas/users.schema.json"]),
    );
    expect(shipped.filter((name) => /\.map$|tsbuildinfo|^(src|test|bench)\b|\.test\.ts/.test(name))).toEqual(
      [],
    );
  });
});

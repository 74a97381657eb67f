import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { explain } from "../../../src/cli/explain.ts";
import { runCommand } from "../../../src/cli/run.ts";

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "gatehouse-explain-"));
  const users = {
    app: [{ Password: "x", UserData: "app", Groups: ["crew"] }],
    two: [
      { Password: "x", UserData: "one" },
      { Password: "y", UserData: "other" },
    ],
    mapped: [{ Password: "x", ProxyFor: ["app"] }],
  };
  const acl = {
    table_groups: [
      { name: "orders", table_names_or_prefixes: ["shop.orders"], readers: ["crew"] },
      { name: "rest", table_names_or_prefixes: ["%"], writers: ["app"], deny_writers: ["one"] },
    ],
  };
  writeFileSync(join(directory, "users.json"), JSON.stringify(users), { mode: 0o600 });
  writeFileSync(join(directory, "acl.json"), JSON.stringify(acl));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const run = (...argv: string[]) => runWith([], argv);

/** `input`: what stands on standard input. */
async function runWith(input: readonly (string | Buffer)[], argv: readonly string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const context = {
    argv: [
      "explain",
      `--mysql_auth_server_static_file=${directory}/users.json`,
      `--table_acl_config=${directory}/acl.json`,
      ...argv,
    ],
    environment: { GATEHOUSE_BACKEND: "mysql://u@db.example:3307/shop" },
    homeDirectory: directory,
    clock: systemClock,
    width: 80,
    print: (text: string) => void out.push(text),
    complain: (text: string) => void err.push(text),
  };
  const code = await runCommand(context, {
    serve: async () => 0,
    explain: (inner) =>
      explain(
        inner,
        (async function* () {
          yield* input;
        })(),
      ),
  });
  return { code, out: out.join("\n"), err: err.join("\n") };
}

describe("gatehouse explain", () => {
  it("tells which entry decides about each table, and the answer", async () => {
    const { code, out } = await run("--user=app", "--query=INSERT INTO log SELECT a FROM orders");
    expect(code).toBe(0);
    expect(out).toContain("app (UserData app; Groups crew)");
    expect(out).toMatch(/Writer of +shop\.log: allowed by "%" of group "rest", writers has "app"/);
    expect(out).toMatch(
      /Reader of +shop\.orders: allowed by "shop\.orders" of group "orders", readers has "crew"/,
    );
    expect(out).toContain("db.example:3307");
  });

  it("tells a denial with its error, as JSON too; exit code 1", async () => {
    const { code, out } = await run(
      "--user=app",
      "--query=SELECT 1; DELETE FROM orders WHERE a = 'hunter2'",
      "--json",
    );
    expect(code).toBe(1);
    const explained = JSON.parse(out) as { statements: { kind: string; answer: object }[] };
    expect(explained.statements.map(({ kind }) => kind)).toEqual(["SELECT", "DELETE"]);
    expect(explained.statements[1]?.answer).toMatchObject({
      permitted: false,
      code: 1142,
      sqlState: "42000",
    });
    expect(out).not.toContain("hunter2");
  });

  it("reads as the named server and modes do", async () => {
    const quoted = ["--user=app", '--query=SELECT * FROM "orders"'];
    expect((await run(...quoted)).out).toContain("not understood");
    expect((await run(...quoted, "--sql_mode=ANSI_QUOTES")).code).toBe(0);
    const comment = ["--user=app", "--query=SELECT 1 /*M!100000 FROM secret */"];
    expect((await run(...comment)).code).toBe(0);
    expect((await run(...comment, "--server_version=10.11.6-MariaDB")).out).toContain("shop.secret: denied");
  });

  it("asks for UserData where the user's entries differ, and follows proxy users", async () => {
    const insert = "--query=INSERT INTO log VALUES (1)";
    expect((await run("--user=two", insert)).err).toContain("--user_data=one, other");
    expect((await run("--user=two", "--user_data=none", insert)).err).toContain("there are one, other");
    expect((await run("--user=two", "--user_data=one", insert)).out).toContain('deny_writers has "one"');
    expect((await run("--user=ap", insert)).err).toContain("did you mean 'app'?");
    const proxied = ["--check_proxy_users", "--caching_sha2_password_proxy_users", "--user=mapped", insert];
    expect((await run(...proxied)).out).toContain("mapped as app (UserData app; Groups crew)");
  });

  it("reads a text from standard input, whatever bytes it has", async () => {
    const argv = ["--user=app", "--query=-"];
    const long = `INSERT INTO log VALUES ${"(1),".repeat(200_000)}(1)`;
    expect((await runWith(["SELECT a ", "FROM orders\n"], argv)).out).toContain("shop.orders: allowed");
    expect((await runWith([long.slice(0, 7), long.slice(7)], argv)).out).toContain("shop.log: allowed");
    expect((await runWith([Buffer.from([0xff, 0, 0x80])], argv)).out).toContain("not understood");
    expect(await runWith([" \n"], argv)).toMatchObject({
      code: 1,
      err: expect.stringContaining("no statement"),
    });
  });

  it("refuses what it cannot answer with a sentence", async () => {
    expect((await run("--query=SELECT 1")).err).toContain("--user=NAME");
    expect((await run("--user=app")).err).toContain("--query=");
    expect((await run("--user=app", "--query=x", "--server_version=new")).err).toContain(
      "--server_version must",
    );
    expect((await run("--user=app", "--query=x", "--host=nowhere")).err).toContain("--host must");
    expect((await run("--user=app", "--query=x", "--sql_mode=ANSI_QUOTE")).err).toContain(
      "--sql_mode has no mode 'ANSI_QUOTE': did you mean ANSI_QUOTES?",
    );
    expect((await run("--help")).out).toContain("gatehouse explain --user=NAME");
  });
});
